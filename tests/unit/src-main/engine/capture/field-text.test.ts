import { expect, test } from 'vitest';
import {
  fieldValue,
  grpcStatusOf,
  parseFields,
  traceOf,
} from '../../../../../src-main/engine/capture/field-text.ts';

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const line = (value: string) => `Host: a\r\nTraceParent: ${value}\r\nAccept: */*\r\n`;

test('field lines keep order, case and duplicates; white space around a value is not part of it', () => {
  expect(
    parseFields('Set-Cookie: a=1\r\nset-cookie:b=2 \t\r\nX-Empty:\r\nX-Url:  http://a:1/\r\nno colon\r\n'),
  ).toEqual([
    ['Set-Cookie', 'a=1'],
    ['set-cookie', 'b=2'],
    ['X-Empty', ''],
    ['X-Url', 'http://a:1/'],
    ['no colon', ''],
  ]);
  expect(parseFields('')).toEqual([]);
  expect(fieldValue([['Content-Type', 'a']], 'content-type')).toBe('a');
  expect(fieldValue([], 'content-type')).toBeNull();
});

test('the trace is read from traceparent', () => {
  expect(traceOf(line(`00-${trace}-00f067aa0ba902b7-01`))).toEqual({
    traceId: trace,
    spanId: '00f067aa0ba902b7',
    parentId: null,
  });
  expect(traceOf(line(`cc-${trace}-00f067aa0ba902b7-01-what-the-future-holds`))?.traceId).toBe(trace);
});

test.each([
  ['nothing', ''],
  ['upper case', `00-${trace.toUpperCase()}-00f067aa0ba902b7-01`],
  ['version ff', `ff-${trace}-00f067aa0ba902b7-01`],
  ['a trace of zeros', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
  ['a span of zeros', `00-${trace}-${'0'.repeat(16)}-01`],
  ['more than version 00 has', `00-${trace}-00f067aa0ba902b7-01-more`],
  ['too short', `00-${trace}-00f067aa-01`],
])('%s is no trace', (_name, value) => expect(traceOf(line(value))).toBeNull());

test('the status of gRPC comes from the record, the trailers, or the head when there was no message', () => {
  expect(grpcStatusOf(5, '', 'grpc-status: 13\r\n')).toBe(5);
  expect(grpcStatusOf(-1, '', 'Grpc-Status: 13\r\n')).toBe(13);
  expect(grpcStatusOf(-1, 'content-type: application/grpc\r\ngrpc-status: 7\r\n', '')).toBe(7);
  expect(grpcStatusOf(-1, 'content-type: text/plain\r\n', 'x: y\r\n')).toBe(-1);
});

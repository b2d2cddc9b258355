import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventStreamParser } from '../../../src-main/engine/proxy/text-stream/event-stream-parser.ts';
import type { ServerSentEvent } from '../../../src-main/engine/proxy/text-stream/event-stream-parser.ts';
import { LineSplitter } from '../../../src-main/engine/proxy/text-stream/line-splitter.ts';
import { streamKind } from '../../../src-main/engine/proxy/text-stream/text-stream.ts';

function eventsOf(pieces: readonly Buffer[], maxDataLength = 1000): ServerSentEvent[] {
  const events: ServerSentEvent[] = [];
  const parser = new EventStreamParser(maxDataLength, (event) => void events.push(event));
  for (const piece of pieces) parser.feed(piece);
  parser.end();
  return events;
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...at, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : at[index - 1], end));
}

const lineText = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replace(/[\r\n\0]/g, '-'));
const lineEnd = fc.constantFrom('\n', '\r', '\r\n');

describe('events', () => {
  const event = fc.record({
    name: lineText,
    id: fc.option(lineText),
    data: fc.array(lineText, { minLength: 1, maxLength: 3 }),
    noise: fc.constantFrom('', ': comment', 'retry: 5', 'unknown: field', 'data-but-not: it'),
    end: lineEnd,
    space: fc.constantFrom('', ' '),
  });

  test('come out as they were written, with any ends of lines, however they are split', () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 4 }),
        fc.array(fc.nat(), { maxLength: 10 }),
        (written, places) => {
          const text = written.map(({ name, id, data, noise, end, space }) => {
            // One space behind the colon is not part of a value.
            const field = (key: string, value: string): string =>
              `${key}:${value.startsWith(' ') ? ' ' : space}${value}${end}`;
            const lines = [field('event', name), ...data.map((line) => field('data', line))];
            if (id !== null) lines.push(field('id', id));
            if (noise !== '') lines.push(noise + end);
            return `${lines.join('')}${end}`;
          });
          const seen = eventsOf(cut(Buffer.from(text.join('')), places));
          expect(seen.map(({ name, id, data, isCut }) => ({ name, id, data, isCut }))).toEqual(
            written.map(({ name, id, data }) => ({ name, id, data: data.join('\n'), isCut: false })),
          );
        },
      ),
    );
  });

  test('each place to cut gives the same', () => {
    const bytes = Buffer.from(
      '\ufeffdata: ä\r\ndata\r\n\r\n\r\nevent: x\rdata:  two\r\rid: 4\n\ndata: €\n\n',
    );
    const whole = eventsOf([bytes]);
    expect(whole.map(({ name, id, data }) => [name, id, data])).toEqual([
      ['', null, 'ä\n'],
      ['x', null, ' two'],
      ['', null, '€'],
    ]);
    for (let at = 0; at <= bytes.length; at += 1)
      expect(eventsOf([bytes.subarray(0, at), bytes.subarray(at)]), `cut at ${at}`).toEqual(whole);
    expect(eventsOf([...bytes].map((byte) => Buffer.from([byte])))).toEqual(whole);
  });

  test('are bounded: a long line, and many lines', () => {
    const [long] = eventsOf([Buffer.from(`data: ${'x'.repeat(5000)}\n\n`)], 100);
    expect(long).toMatchObject({ data: 'x'.repeat(100), truncated: true, sizeBytes: 5008 });
    const [many] = eventsOf([Buffer.from(`${'data: 123456789\n'.repeat(50)}\n`)], 100);
    expect(many?.data).toHaveLength(99);
    expect(many?.truncated).toBe(true);
    const [next] = eventsOf([Buffer.from(`${'data\n'.repeat(500)}\ndata: y\n\n`)], 100).slice(1);
    expect(next).toMatchObject({ data: 'y', truncated: false });
  });

  test('any bytes at all: nothing is thrown', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (pieces) => {
        eventsOf(
          pieces.map((piece) => Buffer.from(piece)),
          20,
        );
      }),
      { numRuns: 500 },
    );
  });
});

test('lines come out whole, with their sizes, and hold no more than they may', () => {
  fc.assert(
    fc.property(fc.array(lineText), lineText, fc.array(fc.nat(), { maxLength: 6 }), (lines, rest, places) => {
      const seen: string[] = [];
      const sizes: number[] = [];
      const splitter = new LineSplitter('lf', 8, ({ bytes, sizeBytes }) => {
        expect(bytes.length).toBe(Math.min(8, sizeBytes));
        seen.push(bytes.toString('latin1'));
        sizes.push(sizeBytes);
      });
      const text = Buffer.from([...lines, rest].join('\n'));
      for (const piece of cut(text, places)) splitter.feed(piece);
      splitter.end();
      const all = rest === '' ? lines : [...lines, rest];
      expect(seen).toEqual(all.map((line) => Buffer.from(line).subarray(0, 8).toString('latin1')));
      expect(sizes).toEqual(all.map((line) => Buffer.byteLength(line)));
    }),
  );
});

test.each([
  ['Content-Type: text/event-stream\r\n', 'events'],
  ['X: y\r\ncontent-type:text/event-stream;charset=utf-8\r\n', 'events'],
  ['content-type: application/x-ndjson\r\n', 'lines'],
  ['content-type: application/stream+json; q=1\r\n', 'lines'],
  ['content-type: application/octet-stream\r\n', null],
  ['x-content-type: text/event-stream\r\n', null],
  ['content-type: text/event-streams\r\n', null],
  ['content-type: text/plain\r\nx: text/event-stream\r\n', null],
  ['', null],
])('%j is %s', (fields, kind) => {
  expect(streamKind(fields)).toBe(kind);
});

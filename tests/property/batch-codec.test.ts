import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FlowSchema, resolvers } from '#shared/flow/flow.ts';
import { failureCauses } from '#shared/flow/failure-cause.ts';
import { FlowSummarySchema, formatMicroseconds, summarise } from '#shared/flow/flow-summary.ts';
import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import {
  batchHeaderBytes,
  bodyPlace,
  decodeFlow,
  MalformedBatchError,
  readIds,
  readIndex,
} from '../../src-main/engine/capture/batch-codec.ts';
import { isPlainRecord } from '../../src-main/engine/capture/record-numbers.ts';
import { RecordRow } from '../../src-main/engine/capture/record-row.ts';
import type { BodyCapture, FlowRecord } from '../../src-main/engine/capture/flow-record.ts';
import { noBody } from '../../src-main/engine/capture/flow-record.ts';
import { appliedFault, batchOf, flowRecord, idOf } from '../unit/src-main/engine/capture/flow-records.ts';

// Any string that a name may hold: latin1, beyond it, surrogates that are alone, NUL.
const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '\ud800', 'ÿ', 'Ā', '\0'),
);
const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
const service = fc.record({
  name: anyText,
  resolvedBy: fc.constantFrom(...resolvers),
  pid: fc.option(fc.integer({ min: 0, max: 2 ** 31 - 1 })),
});
const fieldLines = fc
  .array(fc.tuple(fc.stringMatching(/^[a-zA-Z-]{1,12}$/), fc.stringMatching(/^[!-~]{0,20}$/)))
  .map((fields) => fields.map(([name, value]) => `${name}: ${value}\r\n`).join(''));
const duration = fc.oneof(fc.constant(-1), fc.double({ min: 0, max: 1e7, noNaN: true }));
const size = fc.nat(2 ** 40);
const body: fc.Arbitrary<BodyCapture> = fc.oneof(
  fc.constant(noBody),
  fc
    .array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 3 })
    .map((chunks) => chunks.map((chunk) => Buffer.from(chunk)))
    .map((chunks) => ({
      state: 'stored' as const,
      chunks,
      sizeBytes: chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    })),
);

const records: fc.Arbitrary<FlowRecord> = fc
  .record({
    kind: fc.constantFrom('http', 'websocket', 'tcp', 'tls-failure', 'refused'),
    startedAtMs: fc.double({ min: 0, max: 4e12, noNaN: true }),
    durationMs: duration,
    caller: service,
    callee: service,
    route: fc.option(anyText),
    connectionId: anyText,
    client: anyText,
    upstreamAddress: fc.option(anyText),
    upstreamReused: fc.boolean(),
    tls: fc.option(
      fc.record({
        intercepted: fc.boolean(),
        sni: fc.option(anyText),
        alpn: fc.option(anyText),
        version: fc.option(anyText),
        hello: fc.option(
          fc.record({
            ja4: anyText,
            alpn: fc.array(anyText, { maxLength: 3 }),
            versions: fc.array(anyText, { maxLength: 3 }),
            cipherSuites: fc.nat(99),
            extensions: fc.nat(99),
            sizeBytes: fc.nat(65_536),
          }),
        ),
        note: fc.option(anyText),
      }),
    ),
    method: fc.constantFrom('', 'GET', 'PÖST'),
    url: fc.constantFrom('', 'http://a/b?c', '/no-scheme', 'http://only-host'),
    httpVersion: fc.constantFrom('1.0', '1.1', '2'),
    requestFields: fieldLines,
    status: fc.constantFrom(0, 200, 503),
    reason: latin1,
    responseFields: fieldLines,
    trailers: fc.oneof(fieldLines, fc.constant('grpc-status: 13\r\n')),
    grpcStatus: fc.constantFrom(-1, 0, 16),
    rawHead: fc.option(latin1),
    requestHeadBytes: size,
    requestBodyBytes: size,
    responseHeadBytes: size,
    responseBodyBytes: size,
    blockedMs: duration,
    dnsMs: duration,
    connectMs: duration,
    tlsMs: duration,
    sendMs: duration,
    waitMs: duration,
    receiveMs: duration,
    faults: fc.array(
      fc
        .record({ ruleId: anyText, status: fc.option(fc.constant(503)), delayedMs: fc.option(fc.nat(9999)) })
        .map(appliedFault),
      { maxLength: 2 },
    ),
    error: fc.option(
      fc.record({ code: anyText, cause: fc.constantFrom(...failureCauses), message: anyText }),
    ),
    worker: fc.integer({ min: 0, max: 65_535 }),
    requestBody: body,
    responseBody: body,
  })
  .map((parts) => flowRecord(0, parts as Partial<FlowRecord>));

const lists = fc
  .array(records, { maxLength: 4 })
  .map((flows) => flows.map((flow, index) => ({ ...flow, id: idOf(index) })));

function bytesOf(capture: BodyCapture): Buffer {
  return Buffer.concat(capture.chunks);
}

test('what is encoded is decoded as it was', () => {
  fc.assert(
    fc.property(lists, (flows) => {
      const batch = batchOf(...flows);
      const index = readIndex(batch);
      expect(index.map(({ summary }) => summary.id)).toEqual(flows.map(({ id }) => id));
      expect(readIds(batch)).toEqual(flows.map(({ id }) => id));
      flows.forEach((record, number) => {
        const { offset, headLength, length, summary } = index[number]!;
        const flow = decodeFlow(batch, offset);
        expectSame(record, flow);
        FlowSchema.parse(flow);
        FlowSummarySchema.parse(summary);
        expect(summary).toEqual(summarise(flow));
        if (isPlainRecord(batch, offset)) expectSameRow(new RecordRow(batch).moveTo(offset), summary);
        // A record stands alone, without its batch; for its facts, also without its bodies.
        expect(decodeFlow(batch.subarray(offset, offset + headLength), 0)).toEqual(flow);
        const alone = batch.subarray(offset, offset + length);
        for (const side of ['request', 'response'] as const) {
          const place = bodyPlace(alone, 0, side);
          const capture = side === 'request' ? record.requestBody : record.responseBody;
          expect(alone.subarray(place.offset, place.offset + place.length)).toEqual(bytesOf(capture));
          expect(place.state).toBe(capture.state);
        }
      });
    }),
  );
});

/** Each column for itself, in any order: the texts that are read for one are no longer those of another. */
function expectSameRow(row: RecordRow, summary: FlowSummary): void {
  const columns = Object.keys(summary) as (keyof FlowSummary)[];
  for (const column of [...columns, ...columns.toReversed()])
    expect(row[column], column).toEqual(summary[column]);
}

function expectSame(record: FlowRecord, flow: ReturnType<typeof decodeFlow>): void {
  // A reader gets whole microseconds.
  const absent = (value: number): number | null => (value < 0 ? null : Math.round(value * 1000) / 1000);
  expect(flow).toMatchObject({
    kind: record.kind,
    startedAt: formatMicroseconds(record.startedAtMs),
    durationMs: absent(record.durationMs),
    caller: record.caller,
    callee: record.callee,
    route: record.route,
    connectionId: record.connectionId,
    client: record.client,
    tls: record.tls,
    rawHead: record.rawHead,
    faults: record.faults,
    error: record.error,
    worker: record.worker,
    sizes: {
      requestHead: record.requestHeadBytes,
      requestBody: record.requestBodyBytes,
      responseHead: record.responseHeadBytes,
      responseBody: record.responseBodyBytes,
    },
    timings: {
      blocked: absent(record.blockedMs),
      receive: absent(record.receiveMs),
      tls: absent(record.tlsMs),
    },
  });
  expect(flow.upstream?.address ?? null).toBe(record.upstreamAddress);
  expect(flow.http === null).toBe(record.method === '');
  if (flow.http === null) return;
  expect(flow.http.url).toBe(record.url);
  expect(flow.http.requestHeaders.map(([name, value]) => `${name}: ${value}\r\n`).join('')).toBe(
    record.requestFields,
  );
  expect(flow.http.reason).toBe(record.status === 0 ? null : record.reason);
}

function onlyDeclaredFailure(batch: Buffer): void {
  try {
    for (const { offset } of readIndex(batch)) {
      FlowSchema.parse(decodeFlow(batch, offset));
      bodyPlace(batch, offset, 'response');
    }
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedBatchError);
  }
}

test('a batch cut anywhere is refused in the declared way', () => {
  const batch = batchOf(flowRecord(1), flowRecord(2, { faults: [appliedFault()] }));
  for (let length = 0; length < batch.length; length += 1) {
    expect(() => readIndex(batch.subarray(0, length)), `cut at ${length}`).toThrow(MalformedBatchError);
  }
});

test('a changed batch is read or refused in the declared way, never anything else', () => {
  fc.assert(
    fc.property(
      lists.filter((flows) => flows.length > 0),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 }),
      (flows, changes) => {
        const batch = batchOf(...flows);
        for (const [place, value] of changes) batch[place % batch.length] = value;
        onlyDeclaredFailure(batch);
      },
    ),
    { numRuns: 500 },
  );
});

test('bytes of a stranger are refused in the declared way', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => onlyDeclaredFailure(Buffer.from(bytes))),
  );
  const newer = batchOf(flowRecord(1));
  newer.writeUInt16LE(2, 4);
  expect(() => readIndex(newer)).toThrow('version 2 is not known');
  expect(readIndex(batchOf())).toEqual([]);
  expect(batchOf()).toHaveLength(batchHeaderBytes);
});

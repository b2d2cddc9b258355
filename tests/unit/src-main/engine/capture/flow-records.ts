import type { AppliedFault } from '#shared/flow/flow.ts';
import type { BodyCapture, FlowRecord } from '../../../../../src-main/engine/capture/flow-record.ts';
import { noBody } from '../../../../../src-main/engine/capture/flow-record.ts';
import { BatchEncoder } from '../../../../../src-main/engine/capture/batch-codec.ts';
import { BatchBuffers } from '../../../../../src-main/engine/capture/batch-assembler.ts';
import { partBatch } from '../../../../../src-main/engine/capture/flow-block.ts';
import type { PartedBatch } from '../../../../../src-main/engine/capture/flow-block.ts';
import type { SqlCondition } from '../../../../../src-main/engine/capture/search-sql.ts';
import type { Clock } from '../../../../../src-main/engine/clock.ts';

/** An id like those of flow-id.ts, in the order of the numbers. */
export function idOf(number: number): string {
  return `mfx3k2a1c${number.toString(36).padStart(4, '0')}01agent0`;
}

export function bodyOf(text: string | Buffer, state: BodyCapture['state'] = 'stored'): BodyCapture {
  const bytes = Buffer.from(text as string);
  return { state, chunks: [bytes], sizeBytes: bytes.length };
}

/** A completed call from checkout to orders, but for what is given. */
export function flowRecord(number: number, parts: Partial<FlowRecord> = {}): FlowRecord {
  return {
    id: idOf(number),
    kind: 'http',
    startedAtMs: 1_750_000_000_000.25 + number,
    durationMs: 12.5,
    caller: { name: 'checkout', resolvedBy: 'listener', pid: null },
    callee: { name: 'orders', resolvedBy: 'route', pid: 4711 },
    route: 'orders',
    connectionId: 'c1',
    client: '127.0.0.1:50312',
    upstreamAddress: '127.0.0.1:8080',
    upstreamReused: true,
    tls: null,
    method: 'GET',
    url: `http://orders.internal:8080/api/orders/${number}`,
    httpVersion: '1.1',
    requestFields: 'Host: orders.internal:8080\r\nAccept: */*\r\n',
    status: 200,
    reason: 'OK',
    responseFields: 'Content-Type: text/plain\r\n',
    trailers: '',
    grpcStatus: -1,
    rawHead: null,
    requestHeadBytes: 90,
    requestBodyBytes: 0,
    responseHeadBytes: 60,
    responseBodyBytes: 0,
    blockedMs: -1,
    dnsMs: -1,
    connectMs: -1,
    tlsMs: -1,
    sendMs: 0.5,
    waitMs: 11,
    receiveMs: 1,
    faults: [],
    error: null,
    protocol: null,
    messages: null,
    worker: 1,
    requestBody: noBody,
    responseBody: noBody,
    ...parts,
  };
}

export function appliedFault(parts: Partial<AppliedFault> = {}): AppliedFault {
  return {
    ruleId: 'r1',
    ruleName: 'Slow orders',
    type: 'latency',
    direction: 'response',
    atMs: 1,
    delayedMs: 2000,
    bytes: null,
    status: null,
    messages: null,
    code: null,
    outcome: 'done',
    note: 'held the response for 2,000 ms',
    ...parts,
  };
}

export function batchOf(...flows: FlowRecord[]): Buffer {
  const encoder = new BatchEncoder();
  for (const flow of flows) encoder.add(flow, true);
  return Buffer.from(encoder.finish());
}

/** A batch as the recorder writes it. `minBlockFlows` 1: all that can go without a row does; Infinity: every flow has one. */
export function parted(batch: Buffer, minBlockFlows = Infinity): PartedBatch {
  return partBatch(batch, { buffers: new BatchBuffers(), isOpen: () => false, minFlows: minBlockFlows });
}

/** Lets every row through. */
export const anyRow: SqlCondition = { sql: '1', parameters: [], matches: () => true };

/** Time that passes when it is told to. */
export function manualClock(
  startMs = 1_750_000_000_000,
): Clock & { advance(ms: number): void; readonly timers: number } {
  let nowMs = startMs;
  let timers: { atMs: number; callback: () => void }[] = [];
  return {
    now: () => nowMs,
    setTimer(delayMs, callback) {
      const timer = { atMs: nowMs + delayMs, callback };
      timers.push(timer);
      return { cancel: () => void (timers = timers.filter((other) => other !== timer)) };
    },
    advance(ms) {
      const untilMs = nowMs + ms;
      for (;;) {
        const due = timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
        if (due === undefined) break;
        timers = timers.filter((timer) => timer !== due);
        nowMs = due.atMs;
        due.callback();
      }
      nowMs = untilMs;
    },
    get timers() {
      return timers.length;
    },
  };
}

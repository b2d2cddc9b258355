// What capture costs: µs a flow in a worker (encode) and in the recorder's thread (index, write, make room).
//   node bench/capture.mjs [flows, default 100000] [bytes of a response body, default 1024]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemClock } from '../src-main/engine/clock.ts';
import { createCaptureWriter } from '../src-main/engine/capture/capture-writer.ts';
import { createRecorder } from '../src-main/engine/capture/recorder-client.ts';
import { noBody } from '../src-main/engine/capture/flow-record.ts';
import { silentLog } from '../src-main/engine/log.ts';
import { createFlowIdSource } from '../src-shared/flow/flow-id.ts';

const count = Number(process.argv[2] ?? 100_000);
const body = Buffer.alloc(Number(process.argv[3] ?? 1024), 'x');
const clock = createSystemClock();
const ids = createFlowIdSource('bench0', 1);
const caller = { name: 'checkout', resolvedBy: 'listener', pid: null };
const callee = { name: 'orders', resolvedBy: 'route', pid: null };
const requestFields = [
  'Host: orders.internal:8080',
  'User-Agent: axios/1.7.2',
  'Accept: application/json, text/plain, */*',
  'Accept-Encoding: gzip, compress, deflate, br',
  'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  '',
].join('\r\n');
const responseFields =
  'Content-Type: application/json\r\nDate: Mon, 02 Jun 2025 10:00:00 GMT\r\nContent-Length: 1024\r\n';

function flow(number) {
  const startedAtMs = clock.now();
  return {
    id: ids.next(startedAtMs),
    kind: 'http',
    startedAtMs,
    durationMs: 1.5,
    caller,
    callee,
    route: 'orders',
    connectionId: `c${number >> 6}`,
    client: '127.0.0.1:50312',
    upstreamAddress: '127.0.0.1:8080',
    upstreamReused: true,
    tls: null,
    method: 'GET',
    url: `http://orders.internal:8080/api/orders/${number}?expand=items`,
    httpVersion: '1.1',
    requestFields,
    status: 200,
    reason: 'OK',
    responseFields,
    trailers: '',
    grpcStatus: -1,
    rawHead: null,
    requestHeadBytes: 240,
    requestBodyBytes: 0,
    responseHeadBytes: 110,
    responseBodyBytes: body.length,
    blockedMs: -1,
    dnsMs: -1,
    connectMs: -1,
    tlsMs: -1,
    sendMs: 0.1,
    waitMs: 1.2,
    receiveMs: 0.2,
    faults: [],
    error: null,
    protocol: null,
    messages: null,
    worker: 1,
    requestBody: noBody,
    responseBody: body.length === 0 ? noBody : { state: 'stored', chunks: [body], sizeBytes: body.length },
  };
}

function row(label, ms, flows) {
  const us = (ms * 1000) / flows;
  console.log(
    `${label.padEnd(46)} ${us.toFixed(2).padStart(7)} µs/flow ${Math.round(1e6 / us)
      .toLocaleString('en')
      .padStart(10)} flows/s`,
  );
}

/** Encodes `count` flows; the time of making the records is left out. */
function encode(send) {
  const writer = createCaptureWriter({
    clock,
    send,
    settings: { recording: true },
    limits: { maxQueuedBytes: Infinity, maxQueuedBodyBytes: Infinity },
  });
  let ms = 0;
  for (let done = 0; done < count; done += 1000) {
    const flows = Array.from({ length: Math.min(1000, count - done) }, (_none, index) => flow(done + index));
    const begin = performance.now();
    for (const each of flows) writer.record(each);
    ms += performance.now() - begin;
  }
  writer.close();
  return ms;
}

async function record(label, maxDiskBytes) {
  const directory = mkdtempSync(join(tmpdir(), 'spike-bench-'));
  const threadUrl = new URL('../src-main/engine/capture/recorder-thread.ts', import.meta.url);
  const recorder = await createRecorder({ directory, log: silentLog, threadUrl, settings: { maxDiskBytes } });
  try {
    const batches = [];
    encode((batch) => batches.push(new Uint8Array(batch)));
    const begin = performance.now();
    const primary = performance.eventLoopUtilization();
    await Promise.all(batches.map((batch) => recorder.write(batch)));
    const ms = performance.now() - begin;
    row(label, ms, count);
    const { active } = performance.eventLoopUtilization(primary);
    row('  of it on the primary', active, count);
    const search = performance.now();
    const found = await recorder.count('path:/nothing-has-this or status:5xx');
    row('  search through all', performance.now() - search, Math.max(1, found.total));
  } finally {
    await recorder.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

encode(() => {});
row(
  'worker: encode',
  encode(() => {}),
  count,
);
await record('recorder: write', 16 * 1024 ** 3);
await record('recorder: write, full, the oldest make room', 64 * 1024 ** 2);

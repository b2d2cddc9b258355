import { execFile } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createSystemClock } from '../../src-main/engine/clock.ts';
import { frameHeaderBytes, writeFrameHeader } from '../../src-main/engine/capture/batch-frame.ts';
import { createCaptureWriter } from '../../src-main/engine/capture/capture-writer.ts';
import type { FeedBatch } from '../../src-main/engine/capture/live-feed.ts';
import { createRecorder } from '../../src-main/engine/capture/recorder-client.ts';
import type { RecorderClient } from '../../src-main/engine/capture/recorder-client.ts';
import type { Log } from '../../src-main/engine/log.ts';
import {
  appliedFault,
  batchOf,
  bodyOf,
  flowRecord,
  idOf,
} from '../unit/src-main/engine/capture/flow-records.ts';

const threadUrl = new URL('../../src-main/engine/capture/recorder-thread.ts', import.meta.url);
const MiB = 1024 ** 2;
let directory: string;
let logged: string[];
let open: RecorderClient[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spike-recorder-'));
  logged = [];
  open = [];
});
afterEach(async () => {
  await Promise.all(open.map((recorder) => recorder.close()));
  rmSync(directory, { recursive: true, force: true });
});

async function start(maxDiskBytes = 1024 * MiB, url = threadUrl): Promise<RecorderClient> {
  const keep = (_fields: object, message: string): void => void logged.push(message);
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep };
  const recorder = await createRecorder({ directory, log, threadUrl: url, settings: { maxDiskBytes } });
  open.push(recorder);
  return recorder;
}

test('from a record in a worker to a row, a flow and its body', async () => {
  const recorder = await start();
  const acks: Promise<void>[] = [];
  const writer = createCaptureWriter({
    clock: createSystemClock(),
    settings: { recording: true },
    send: (batch) => void acks.push(recorder.write(batch).then((bytes) => writer.acknowledge(bytes))),
  });
  for (let number = 0; number < 1000; number += 1) {
    writer.record(
      flowRecord(number, {
        status: number % 100 === 0 ? 503 : 200,
        responseBody: bodyOf(`answer ${number}`),
        responseFields: 'Content-Type: text/plain\r\nContent-Encoding: identity\r\n',
        faults: number === 7 ? [appliedFault()] : [],
      }),
    );
  }
  writer.close();
  await Promise.all(acks);
  expect(writer.queuedBytes).toBe(0);
  expect(recorder.stats()).toMatchObject({ flows: 1000, droppedFlows: 0, oldestAtMs: 1_750_000_000_000.25 });

  const first = await recorder.summaries({ filter: 'status:5xx service:checkout', limit: 3 });
  expect(first.rows.map(({ id }) => id)).toEqual([idOf(900), idOf(800), idOf(700)]);
  expect(first.next).toBe(idOf(700));
  const { rows } = await recorder.list({ filter: 'fault:slow', limit: 10 });
  expect(rows).toMatchObject([{ id: idOf(7), http: { status: 200 }, faults: [{ ruleName: 'Slow orders' }] }]);
  expect(await recorder.count('5xx')).toEqual({ matching: 10, total: 1000, complete: true });
  expect(await recorder.get(idOf(42))).toMatchObject({ callee: { name: 'orders' }, durationMs: 12.5 });
  const body = await recorder.bodyOf(idOf(42), 'response');
  expect(body).toMatchObject({ contentType: 'text/plain', contentEncoding: 'identity', truncated: false });
  expect(body.bytes.toString()).toBe('answer 42');
  expect((await recorder.summaries({ filter: 'body:"answer 999"', limit: 10 })).rows).toHaveLength(1);
});

test('out of the pipe of a worker, cut anywhere, to rows; what was dropped is told with it', async () => {
  const recorder = await start();
  const pipe = new PassThrough();
  let storedBytes = 0;
  let dropped = 0;
  const ended = recorder.receive(pipe, {
    stored: (bytes) => void (storedBytes += bytes),
    dropped: (flows, bodies) => void (dropped += flows + bodies),
  });
  const body = bodyOf(Buffer.alloc(400_000, 'b'));
  const batches = [batchOf(flowRecord(1)), batchOf(flowRecord(2), flowRecord(3, { responseBody: body }))];
  for (const batch of batches) {
    const header = Buffer.alloc(frameHeaderBytes);
    const flows = batch.readUInt32LE(8);
    writeFrameHeader(header, { bytes: batch.length, flows, droppedFlows: 1, droppedBodies: 2 });
    const bytes = Buffer.concat([header, batch]);
    for (let at = 0; at < bytes.length; at += 30_011) pipe.write(bytes.subarray(at, at + 30_011));
  }
  pipe.end();
  await ended;
  const allBytes = batches.reduce((sum, batch) => sum + batch.length, 0);
  await vi.waitFor(() => expect(storedBytes).toBe(allBytes));
  expect((await recorder.summaries({ filter: '', limit: 10 })).rows.map(({ id }) => id)).toEqual([
    idOf(3),
    idOf(2),
    idOf(1),
  ]);
  expect((await recorder.bodyOf(idOf(3), 'response')).bytes).toHaveLength(400_000);
  expect(dropped).toBe(6);
});

test('what cannot be answered is an error with its code', async () => {
  const recorder = await start();
  const dropped = { ...bodyOf(''), state: 'dropped' as const };
  await recorder.write(batchOf(flowRecord(1, { responseBody: dropped })));
  await expect(recorder.get('nothing')).rejects.toMatchObject({ code: 'not-found' });
  await expect(recorder.bodyOf('nothing', 'request')).rejects.toMatchObject({ code: 'not-found' });
  await expect(recorder.bodyOf(idOf(1), 'response')).rejects.toMatchObject({
    code: 'body-not-stored',
    details: { reason: 'dropped' },
  });
  await expect(recorder.list({ filter: 'latency>', limit: 1 })).rejects.toMatchObject({
    code: 'invalid-filter',
    details: { at: 7, length: 1 },
  });
});

test('a batch that cannot be read is counted and told, the next one is stored', async () => {
  const recorder = await start();
  const bad = batchOf(flowRecord(1), flowRecord(2));
  bad.writeUInt32LE(0, 16);
  expect(await recorder.write(bad)).toBe(bad.length);
  await recorder.write(new Uint8Array(3));
  await recorder.write(batchOf(flowRecord(3)));
  expect(recorder.stats()).toMatchObject({ flows: 1, droppedFlows: 2 });
  expect(logged.filter((text) => text.includes('Malformed capture batch'))).toHaveLength(2);
});

test('a batch that shares its memory is copied, one that is alone is transferred', async () => {
  const recorder = await start();
  const shared = Buffer.concat([Buffer.alloc(8), batchOf(flowRecord(1))]).subarray(8);
  await recorder.write(shared);
  expect(shared.length).toBeGreaterThan(0);
  const alone = new Uint8Array(batchOf(flowRecord(2)));
  await recorder.write(alone);
  expect(alone.length).toBe(0);
  expect(recorder.stats().flows).toBe(2);
});

test('the disk bound holds, and a body that made room says so', async () => {
  const recorder = await start(100 * MiB);
  recorder.setSettings({ maxDiskBytes: MiB });
  const body = bodyOf(Buffer.alloc(50_000));
  for (let number = 0; number < 60; number += 1)
    await recorder.write(batchOf(flowRecord(number, { responseBody: body })));
  expect(recorder.stats().bytes).toBeLessThan(MiB + 128 * 1024);
  expect(recorder.stats().flows).toBeLessThan(21);
  await expect(recorder.bodyOf(idOf(0), 'response')).rejects.toMatchObject({
    code: 'body-not-stored',
    details: { reason: 'evicted' },
  });
  await expect(recorder.get(idOf(0))).rejects.toMatchObject({ code: 'not-found' });
  expect((await recorder.bodyOf(idOf(59), 'response')).bytes).toHaveLength(50_000);
});

test('the live feed tells of flows, of those that a lost worker left open, and ends when told', async () => {
  const recorder = await start();
  const batches: FeedBatch[] = [];
  const stop = recorder.onFeed((batch) => batches.push(batch));
  const shown = () => batches.flatMap(({ flows }) => flows);
  await recorder.write(batchOf(flowRecord(1, { durationMs: -1 }), flowRecord(2)));
  await expect.poll(() => shown().length).toBe(2);
  const error = {
    code: 'spike-worker-lost',
    cause: 'spike-worker-lost',
    message: 'Worker 1 was killed.',
  } as const;
  expect(await recorder.markLost([idOf(1), idOf(2), idOf(9)], error)).toBe(1);
  await expect.poll(() => shown().at(-1)).toMatchObject({ id: idOf(1), cause: 'spike-worker-lost' });
  expect((await recorder.get(idOf(1))).error).toEqual(error);
  stop();
  const before = batches.length;
  await recorder.write(batchOf(flowRecord(3)));
  await recorder.clear();
  expect(batches).toHaveLength(before);
  expect(recorder.stats()).toMatchObject({ flows: 0, oldestAtMs: null });
});

test('what was recorded is there after a restart; closing twice is fine, asking a closed one is an error', async () => {
  const first = await start();
  const written = first.write(batchOf(flowRecord(1)));
  await first.close();
  expect(await written).toBeGreaterThan(0);
  await first.close();
  await expect(first.get(idOf(1))).rejects.toMatchObject({ code: 'not-available' });
  expect(await first.write(batchOf(flowRecord(2)))).toBeGreaterThan(0);
  expect(first.stats().droppedFlows).toBe(1);
  const second = await start();
  expect((await second.get(idOf(1))).id).toBe(idOf(1));
});

/** Only the pages that batches continue on: the index stays whole, so that the start has no reason to complain. */
function overwriteBodies(path: string): void {
  const database = new DatabaseSync(path);
  const pages = database
    .prepare("SELECT pageno FROM dbstat WHERE name = 'batches' AND pagetype = 'overflow'")
    .all();
  const pageBytes = Number(database.prepare('PRAGMA page_size').get()?.['page_size']);
  database.close();
  expect(pages.length).toBeGreaterThan(100);
  const file = openSync(path, 'r+');
  for (const { pageno } of pages)
    writeSync(file, Buffer.alloc(pageBytes, 0xff), 0, null, (Number(pageno) - 1) * pageBytes);
  closeSync(file);
}

test('a question is answered after what was handed over before it, also while that waits for its turn', async () => {
  const recorder = await start();
  await recorder.write(batchOf(flowRecord(1)));
  const writes = [2, 3, 4].map((number) => recorder.write(batchOf(flowRecord(number))));
  expect(await recorder.get(idOf(4))).toMatchObject({ id: idOf(4) });
  expect(await recorder.count('')).toMatchObject({ total: 4 });
  await Promise.all(writes);
});

describe('the capture file', () => {
  test('a second recorder on the directory is refused, the first goes on', async () => {
    const recorder = await start();
    await expect(start()).rejects.toMatchObject({
      code: 'conflict',
      message: /Another Spike uses the capture/,
    });
    await recorder.write(batchOf(flowRecord(1)));
    expect(recorder.stats().flows).toBe(1);
  });

  test('one that is damaged at the start is kept aside', async () => {
    writeFileSync(join(directory, 'current.sqlite'), 'no database at all '.repeat(100));
    const recorder = await start();
    await recorder.write(batchOf(flowRecord(1)));
    expect(recorder.stats().flows).toBe(1);
    expect(readdirSync(directory).some((name) => name.startsWith('current.corrupt-'))).toBe(true);
    expect(logged.join()).toContain('a new one is begun');
  });

  test('one whose damage shows later is kept aside then, and recording goes on', async () => {
    const first = await start();
    for (let number = 0; number < 50; number += 1)
      await first.write(batchOf(flowRecord(number, { responseBody: bodyOf('x'.repeat(100_000)) })));
    await first.close();
    overwriteBodies(join(directory, 'current.sqlite'));
    const second = await start();
    expect(second.stats().flows).toBe(50);
    await expect(second.count('body:anything')).rejects.toMatchObject({
      code: 'not-available',
      message: /damaged; it was moved aside/,
    });
    await second.write(batchOf(flowRecord(1000)));
    expect(await second.get(idOf(1000))).toMatchObject({ id: idOf(1000) });
    expect(second.stats().flows).toBe(1);
    expect(readdirSync(directory).some((name) => name.startsWith('current.corrupt-'))).toBe(true);
  });

  test.skipIf(process.platform === 'win32')(
    'when the system refuses to write, flows are counted and the process stays up',
    async () => {
      const script = fileURLToPath(new URL('./recorder-refused-writes.ts', import.meta.url));
      const limited = `trap '' XFSZ; ulimit -f 3000; exec "$0" "$@"`;
      const { stdout } = await promisify(execFile)('bash', [
        '-c',
        limited,
        process.execPath,
        script,
        directory,
      ]);
      const told = JSON.parse(stdout) as {
        acknowledged: number;
        rows: number;
        complaints: string[];
        stats: { flows: number; droppedFlows: number };
      };
      expect(told.stats.flows + told.stats.droppedFlows).toBe(60);
      expect(told.stats.droppedFlows).toBeGreaterThan(20);
      expect(told.rows).toBe(told.stats.flows);
      expect(told.acknowledged).toBeGreaterThan(60 * 100_000);
      expect(told.complaints).toHaveLength(1);
      expect(told.complaints[0]).toMatch(/could not be stored|disk is full/);
    },
  );
});

test('a thread that dies is started again; what was under way is counted, nobody waits for ever', async () => {
  const url = new URL('./recorder-that-dies.ts', import.meta.url);
  const recorder = await start(1024 * MiB, url);
  await recorder.write(batchOf(flowRecord(1)));
  const asked = recorder.get('die');
  const written = recorder.write(batchOf(flowRecord(2), flowRecord(3)));
  await expect(asked).rejects.toMatchObject({ code: 'not-available' });
  expect(await written).toBeGreaterThan(0);
  expect(recorder.stats().droppedFlows).toBe(2);
  await expect
    .poll(() => recorder.get(idOf(1)).catch(() => null), { timeout: 10_000 })
    .toMatchObject({ id: idOf(1) });
});

import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readIndex } from '../../../../../src-main/engine/capture/batch-codec.ts';
import { CaptureStore } from '../../../../../src-main/engine/capture/capture-store.ts';
import type { FlowRecord } from '../../../../../src-main/engine/capture/flow-record.ts';
import { searchToSql } from '../../../../../src-main/engine/capture/search-sql.ts';
import { anyRow, batchOf, bodyOf, flowRecord, idOf, parted } from './flow-records.ts';

const MiB = 1024 ** 2;
let directory: string;
let warnings: string[];
const stores: CaptureStore[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spike-store-'));
  warnings = [];
});
afterEach(() => {
  for (const store of stores.splice(0)) store.close();
  rmSync(directory, { recursive: true, force: true });
});

function open(maxDiskBytes = 1024 * MiB): CaptureStore {
  const nothing = (): void => undefined;
  const log = {
    debug: nothing,
    info: nothing,
    warn: (_: object, text: string) => void warnings.push(text),
    error: nothing,
  };
  const nowMs = (): number => 1_750_000_000_000;
  const store = new CaptureStore({ directory, log, nowMs, maxDiskBytes });
  stores.push(store);
  return store;
}

function write(store: CaptureStore, ...flows: FlowRecord[]): void {
  store.write([parted(batchOf(...flows))]);
}

const rows = (store: CaptureStore, limit = 1000) =>
  store.summaries(anyRow, null, '', limit).map(({ id }) => id);

test('flows and bodies are there again after the file was closed', () => {
  const first = open();
  write(first, flowRecord(1, { requestBody: bodyOf('ask'), responseBody: bodyOf('answer') }), flowRecord(2));
  first.close();
  const again = open();
  expect(rows(again)).toEqual([idOf(2), idOf(1)]);
  expect(again.flow(idOf(1)).http?.url).toBe('http://orders.internal:8080/api/orders/1');
  expect(again.body(idOf(1), 'request').bytes.toString()).toBe('ask');
  expect(again.body(idOf(1), 'response').bytes.toString()).toBe('answer');
  expect(again.body(idOf(1), 'response', 3).bytes.toString()).toBe('ans');
  expect(again.body(idOf(2), 'request')).toEqual({ state: 'none', bytes: Buffer.alloc(0) });
  expect(again.stats()).toMatchObject({ flows: 2, oldestAtMs: 1_750_000_000_001.25 });
  expect(warnings).toEqual([]);
});

test('only its owner may read the capture', () => {
  write(open(), flowRecord(1));
  for (const name of readdirSync(directory))
    expect(statSync(join(directory, name)).mode & 0o077, name).toBe(0);
});

test('an open flow is replaced by its later records and counted once', () => {
  const store = open();
  write(store, flowRecord(1, { durationMs: -1, status: 0 }));
  expect(store.flow(idOf(1)).durationMs).toBeNull();
  write(store, flowRecord(1, { durationMs: -1 }), flowRecord(2));
  write(store, flowRecord(1, { durationMs: 5000, responseBody: bodyOf('late') }));
  expect(store.stats().flows).toBe(2);
  expect(store.flow(idOf(1))).toMatchObject({ durationMs: 5000, http: { status: 200 } });
  expect(store.body(idOf(1), 'response').bytes.toString()).toBe('late');
});

test('the oldest batches make room: the file stays within its bound, the newest flows stay', () => {
  const store = open(2 * MiB);
  const body = bodyOf(Buffer.alloc(100_000, 'x'));
  for (let number = 0; number < 100; number += 1) {
    write(store, flowRecord(number, { responseBody: body }));
    expect(store.stats().bytes).toBeLessThanOrEqual(2 * MiB + 64 * 1024);
  }
  const kept = rows(store);
  expect(kept.length).toBeGreaterThan(10);
  expect(kept.length).toBeLessThan(25);
  expect(kept[0]).toBe(idOf(99));
  expect(store.stats().flows).toBe(kept.length);
  expect(store.body(idOf(99), 'response').bytes).toHaveLength(100_000);
  expect(() => store.flow(idOf(0))).toThrow('made room for newer ones');
  expect(() => store.flow(idOf(500))).toThrow(`There is no flow ${idOf(500)} in the capture.`);
  store.close();
  expect(statSync(join(directory, 'current.sqlite')).size).toBeLessThan(3 * MiB);
});

test('a batch larger than the bound is stored, alone', () => {
  const store = open(MiB);
  write(store, flowRecord(1));
  write(store, flowRecord(2, { responseBody: bodyOf(Buffer.alloc(2 * MiB)) }));
  expect(rows(store)).toEqual([idOf(2)]);
});

test('an earlier record of a flow that makes room does not take the later one with it', () => {
  const store = open(2 * MiB);
  const filler = bodyOf(Buffer.alloc(700_000));
  write(store, flowRecord(1, { durationMs: -1, responseBody: filler }));
  write(store, flowRecord(2, { responseBody: filler }));
  write(store, flowRecord(1, { durationMs: 9, responseBody: filler }));
  write(store, flowRecord(3, { responseBody: filler }));
  expect(rows(store)).toEqual([idOf(3), idOf(1)]);
  expect(store.stats().flows).toBe(2);
});

test('clear forgets everything and goes on', () => {
  const store = open();
  write(store, flowRecord(1), flowRecord(2));
  expect(store.clear()).toBe(2);
  expect(store.stats()).toMatchObject({ flows: 0, oldestAtMs: null });
  write(store, flowRecord(3));
  expect(rows(store)).toEqual([idOf(3)]);
});

const lost = {
  code: 'spike-worker-lost',
  cause: 'spike-worker-lost',
  message: 'Worker 1 was killed.',
} as const;

test('flows that were open on a lost worker end with an error; others stay as they are', () => {
  const store = open();
  write(store, flowRecord(1, { durationMs: -1 }), flowRecord(2));
  const endedAtMs = 1_750_000_000_001.25 + 300;
  expect(store.markLost([idOf(1), idOf(2), idOf(3)], lost, endedAtMs)).toEqual([idOf(1)]);
  expect(store.flow(idOf(1))).toMatchObject({ durationMs: 300, error: lost });
  expect(store.rowsOf([idOf(1)])[0]).toMatchObject({ durationMs: 300, cause: 'spike-worker-lost' });
  expect(store.flow(idOf(2))).toMatchObject({ durationMs: 12.5, error: null });
  // A record that was under way all the same is the better truth.
  write(store, flowRecord(1, { durationMs: 7 }));
  expect(store.flow(idOf(1))).toMatchObject({ durationMs: 7, error: null });
});

test('flows that a killed agent left open are ended at the next start', () => {
  write(open(), flowRecord(1, { durationMs: -1 }), flowRecord(2));
  stores.pop()?.close();
  const store = open();
  expect(store.flow(idOf(1)).error).toMatchObject({ cause: 'spike-worker-lost' });
  expect(store.flow(idOf(1)).durationMs).not.toBeNull();
  expect(store.flow(idOf(2)).error).toBeNull();
});

test.each([
  ['corrupt', 'not a database', () => writeFileSync(join(directory, 'current.sqlite'), 'x'.repeat(20_000))],
  ['version-99', 'version 99', () => change('PRAGMA user_version = 99')],
  ['foreign', 'not a capture of Spike', () => change('PRAGMA application_id = 1')],
  ['corrupt', 'malformed', () => damage()],
])('a capture that is %s is kept aside, with a warning, and a new one begun', (label, reason, spoil) => {
  write(open(), ...Array.from({ length: 500 }, (_none, number) => flowRecord(number)));
  stores.pop()?.close();
  spoil();
  const store = open();
  write(store, flowRecord(1));
  expect(rows(store)).toEqual([idOf(1)]);
  expect(readdirSync(directory)).toContain(`current.${label}-2025-06-15T15-06-40-000Z.sqlite`);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain(reason);
});

function change(sql: string): void {
  const database = new DatabaseSync(join(directory, 'current.sqlite'));
  database.exec(sql);
  database.close();
}

/** Overwrites all but the first page, which says what tables there are. */
function damage(): void {
  const path = join(directory, 'current.sqlite');
  const page = 16_384;
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(statSync(path).size - page, 0xff), 0, null, page);
  closeSync(file);
}

test('a second agent on the same directory is told so, and the first goes on', () => {
  const store = open();
  expect(() => open()).toThrow(/Another Spike uses the capture/);
  expect(() => open()).toThrow(expect.objectContaining({ code: 'conflict' }));
  write(store, flowRecord(1));
  expect(rows(store)).toEqual([idOf(1)]);
});

test('a directory that cannot be made is a clear error', () => {
  writeFileSync(join(directory, 'file'), '');
  const nothing = (): void => undefined;
  const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
  const make = () =>
    new CaptureStore({ directory: join(directory, 'file', 'x'), log, nowMs: Date.now, maxDiskBytes: MiB });
  expect(make).toThrow(expect.objectContaining({ code: 'not-available' }));
});

test('a failed transaction changes nothing', () => {
  const store = open();
  write(store, flowRecord(1));
  const bytes = batchOf(flowRecord(2), flowRecord(3));
  const [good, bad] = readIndex(bytes) as [ReturnType<typeof readIndex>[0], ReturnType<typeof readIndex>[0]];
  const broken = { ...bad, summary: { ...bad.summary, caller: null as unknown as string } };
  // NOT NULL makes INSERT OR IGNORE skip the row and REPLACE fail: the whole batch is refused.
  expect(() => store.write([{ bytes, flows: [good, broken], block: null, messages: [] }])).toThrow(
    /NOT NULL/,
  );
  expect(rows(store)).toEqual([idOf(1)]);
  expect(store.stats().flows).toBe(1);
});

test('the text of a search never becomes SQL', () => {
  const store = open();
  write(store, flowRecord(1));
  const text = "'; DROP TABLE flows; --";
  const condition = searchToSql({ type: 'text', key: 'caller', pattern: { text, glob: false } });
  expect(condition.sql).not.toContain('DROP');
  expect(store.count(condition, null, '')).toBe(0);
  expect(rows(store)).toEqual([idOf(1)]);
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CaptureStore } from '../../../../../src-main/engine/capture/capture-store.ts';
import type { FlowRecord } from '../../../../../src-main/engine/capture/flow-record.ts';
import { defaultSearchLimits, FlowSearch } from '../../../../../src-main/engine/capture/flow-search.ts';
import type { SearchLimits } from '../../../../../src-main/engine/capture/flow-search.ts';
import { maxSearchedBytes } from '../../../../../src-main/engine/capture/stored-texts.ts';
import { silentLog } from '../../../../../src-main/engine/log.ts';
import { batchOf, bodyOf, flowRecord, idOf, parted } from './flow-records.ts';

let directory: string;
let store: CaptureStore;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spike-search-'));
  store = new CaptureStore({ directory, log: silentLog, nowMs: Date.now, maxDiskBytes: 1024 ** 3 });
});
afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true, force: true });
});

function write(...flows: FlowRecord[]): void {
  store.write([parted(batchOf(...flows))]);
}
function search(limits: Partial<SearchLimits> = {}, now = () => 0): FlowSearch {
  return new FlowSearch(store, { now }, { ...defaultSearchLimits, ...limits });
}
const many = (count: number) =>
  Array.from({ length: count }, (_none, number) =>
    flowRecord(number, { status: number % 10 === 0 ? 503 : 200 }),
  );

test('pages follow one another, newest first, whatever the window', async () => {
  write(...many(95));
  for (const windowRows of [1, 7, 10, 95, 1000]) {
    const seen: string[] = [];
    let after: string | undefined;
    for (let pages = 0; ; pages += 1) {
      const page = await search({ windowRows }).page({ filter: '5xx', limit: 4, after });
      expect(page.rows.length).toBeLessThanOrEqual(4);
      seen.push(...page.rows.map(({ id }) => id));
      if (page.next === null) break;
      after = page.next;
      expect(pages).toBeLessThan(4);
    }
    expect(seen).toEqual([90, 80, 70, 60, 50, 40, 30, 20, 10, 0].map(idOf));
    expect(await search({ windowRows }).count('5xx')).toEqual({ matching: 10, total: 95, complete: true });
  }
  expect(await search().count('')).toEqual({ matching: 95, total: 95, complete: true });
  expect((await search().page({ filter: '', limit: 95 })).next).toBeNull();
});

test('an empty capture has an empty page', async () => {
  expect(await search().page({ filter: 'x', limit: 10 })).toEqual({
    rows: [],
    next: null,
    unsearchedBodies: 0,
  });
  expect(await search().count('x')).toEqual({ matching: 0, total: 0, complete: true });
});

test('when the time is up, it says so and where to go on', async () => {
  write(...many(100));
  let nowMs = 0;
  const late = search({ windowRows: 10, maxSearchMs: 25 }, () => (nowMs += 10));
  const first = await late.page({ filter: 'status:404', limit: 5 });
  expect(first.rows).toEqual([]);
  expect(first.next).not.toBeNull();
  const counted = await late.count('5xx');
  expect(counted.complete).toBe(false);
  expect(counted.matching).toBeLessThan(10);
  let after: string | null = first.next;
  for (let pages = 0; after !== null; pages += 1) {
    after = (await late.page({ filter: 'status:404', limit: 5, after })).next;
    expect(pages).toBeLessThan(10);
  }
});

test('batches are written while a search goes on', async () => {
  write(...many(100));
  const running = search({ windowRows: 10 }).count('5xx');
  let turns = 0;
  const turn = (): void => {
    turns += 1;
    if (turns < 5) setImmediate(turn);
    write(flowRecord(1000 + turns));
  };
  setImmediate(turn);
  expect(await running).toEqual({ matching: 10, total: 100, complete: true });
  expect(turns).toBe(5);
});

test('a bad search is refused with its place', async () => {
  await expect(search().page({ filter: 'orders sevice:x', limit: 1 })).rejects.toMatchObject({
    code: 'invalid-filter',
    details: { at: 7, length: 6 },
  });
  await expect(search().count('(')).rejects.toMatchObject({ code: 'invalid-filter' });
});

test('the largest search that is read is also one that SQLite takes', async () => {
  write(flowRecord(1));
  expect((await search().count('orders '.repeat(100))).matching).toBe(1);
  expect((await search().count(Array(100).fill('-x*y').join(' or '))).matching).toBe(1);
  expect((await search().count(`${'-('.repeat(24)}orders${')'.repeat(24)}`)).matching).toBe(1);
});

test('headers and bodies are searched, decoded', async () => {
  const coded = (number: number, coding: string, bytes: Buffer) =>
    flowRecord(number, { responseFields: `Content-Encoding: ${coding}\r\n`, responseBody: bodyOf(bytes) });
  const text = Buffer.from('the item is Out of Stock today');
  write(
    flowRecord(1, { requestFields: 'X-Tenant:  acme\r\n', requestBody: bodyOf('nothing') }),
    coded(2, 'gzip', gzipSync(text)),
    coded(3, 'br', brotliCompressSync(text)),
    coded(4, 'zstd', zstdCompressSync(text)),
    flowRecord(5, { requestBody: bodyOf(text) }),
    coded(6, 'unheard-of', text),
    coded(7, 'gzip', text),
    flowRecord(8, { responseBody: bodyOf(text, 'truncated') }),
  );
  const ids = async (filter: string) => {
    const { rows, unsearchedBodies } = await search({ contentWindowRows: 3 }).page({ filter, limit: 10 });
    return [rows.map(({ id }) => id), unsearchedBodies];
  };
  expect(await ids('header:"x-tenant: acme"')).toEqual([[idOf(1)], 0]);
  expect(await ids('body:"out of stock"')).toEqual([[8, 5, 4, 3, 2].map(idOf), 3]);
  expect(await ids('-body:stock')).toEqual([[7, 6, 1].map(idOf), 3]);
  expect(await ids('body:stock -header:content-encoding')).toEqual([[8, 5].map(idOf), 3]);
  expect(await ids('body:stock callee:payments')).toEqual([[], 0]);
  expect(await search().count('body:stock')).toEqual({ matching: 5, total: 8, complete: true });
});

test('a large body is searched in its first part, and that is said', async () => {
  const bytes = Buffer.alloc(maxSearchedBytes + 100, 'x');
  bytes.write('early', 10);
  bytes.write('late', maxSearchedBytes + 10);
  write(flowRecord(1, { responseBody: bodyOf(bytes) }));
  expect((await search().page({ filter: 'body:early', limit: 1 })).rows).toHaveLength(1);
  expect(await search().page({ filter: 'body:late', limit: 1 })).toMatchObject({
    rows: [],
    unsearchedBodies: 1,
  });
});

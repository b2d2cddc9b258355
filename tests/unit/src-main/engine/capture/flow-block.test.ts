import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BatchBuffers } from '../../../../../src-main/engine/capture/batch-assembler.ts';
import {
  decodeFlow,
  MalformedBatchError,
  readIndex,
} from '../../../../../src-main/engine/capture/batch-codec.ts';
import { CaptureStore } from '../../../../../src-main/engine/capture/capture-store.ts';
import { minBlockFlows, partBatch } from '../../../../../src-main/engine/capture/flow-block.ts';
import { openAfterMs } from '../../../../../src-main/engine/capture/flow-record.ts';
import type { FlowRecord } from '../../../../../src-main/engine/capture/flow-record.ts';
import { FlowSearch } from '../../../../../src-main/engine/capture/flow-search.ts';
import { silentLog } from '../../../../../src-main/engine/log.ts';
import { anyRow, appliedFault, batchOf, bodyOf, flowRecord, idOf, parted } from './flow-records.ts';

const MiB = 1024 ** 2;
let directory: string;
let store: CaptureStore;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spike-blocks-'));
  store = open();
});
afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true, force: true });
});

function open(maxDiskBytes = 1024 * MiB): CaptureStore {
  return new CaptureStore({ directory, log: silentLog, nowMs: Date.now, maxDiskBytes });
}
function write(...flows: FlowRecord[]): void {
  store.write([parted(batchOf(...flows), 1)]);
}
const ids = (): string[] => store.summaries(anyRow, null, '', 1000).map(({ id }) => id);
const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_none, index) => from + index);

const lost = { code: 'upstream-reset', cause: 'upstream-reset', message: '' } as const;
/** What a row is needed for, by what makes it so. */
const withRows: [string, Partial<FlowRecord>][] = [
  ['is open', { durationMs: -1 }],
  ['may have been recorded as open', { durationMs: openAfterMs }],
  ['has a fault', { faults: [appliedFault()] }],
  ['has an error', { error: lost }],
  ['has messages', { messages: { count: 1, dropped: 0 } }],
  ['has a decoded protocol', { kind: 'tcp', protocol: 'redis' }],
];

describe('parting', () => {
  test.each(withRows)('a flow that %s has a row, its neighbours have none', (_what, parts) => {
    const batch = parted(batchOf(flowRecord(1), flowRecord(2, parts), flowRecord(3)), 1);
    expect(batch.flows.map(({ summary }) => summary.id)).toEqual([idOf(2)]);
    expect(readIndex(batch.bytes).map(({ summary }) => summary.id)).toEqual([idOf(2)]);
    expect(batch.block).toMatchObject({ flows: 2, firstId: idOf(1), lastId: idOf(3) });
  });

  test('a flow that the capture has as an open one has a row', () => {
    const options = { buffers: new BatchBuffers(), isOpen: (id: string) => id === idOf(2), minFlows: 1 };
    const { flows } = partBatch(batchOf(flowRecord(1), flowRecord(2)), options);
    expect(flows.map(({ summary }) => summary.id)).toEqual([idOf(2)]);
  });

  test('a batch of few flows is left as it is', () => {
    const options = { buffers: new BatchBuffers(), isOpen: () => false };
    const few = numbers(0, minBlockFlows - 1).map((number) => flowRecord(number));
    expect(partBatch(batchOf(...few), options)).toMatchObject({ block: null, bytes: batchOf(...few) });
    expect(partBatch(batchOf(...few, flowRecord(99)), options)).toMatchObject({ flows: [] });
  });

  test('a batch that was cut is refused in the declared way, and not changed', () => {
    const whole = batchOf(flowRecord(1, { responseBody: bodyOf('answer') }), flowRecord(2));
    for (let length = 0; length < whole.length; length += 1) {
      const cut = Buffer.from(whole.subarray(0, length));
      expect(() => parted(cut, 1), `cut at ${length}`).toThrow(MalformedBatchError);
      expect(cut.equals(whole.subarray(0, length))).toBe(true);
    }
  });
});

describe('in the store', () => {
  const flows = fc
    .array(
      fc.record({
        other: fc.option(fc.constantFrom(...withRows.map(([, parts]) => parts))),
        ask: fc.uint8Array({ maxLength: 50 }),
        answer: fc.uint8Array({ maxLength: 50 }),
        caller: fc.constantFrom('shop', 'größe', '\u{1f600}'),
        after: fc.nat(20),
      }),
      { minLength: 1, maxLength: 20 },
    )
    .map((each) =>
      each.map(({ other, ask, answer, caller, after }, number) =>
        // Flows end in another order than they began.
        flowRecord((number * 7 + after * 140) % 2800, {
          caller: { name: caller, resolvedBy: 'address', pid: null },
          requestBody: bodyOf(Buffer.from(ask)),
          responseBody: bodyOf(Buffer.from(answer)),
          ...other,
        }),
      ),
    )
    .map((each) => [...new Map(each.map((flow) => [flow.id, flow])).values()]);

  test('flows, rows and bodies come back from blocks as they do from rows', () => {
    fc.assert(
      fc.property(flows, fc.constantFrom(1, 3), (records, minFlows) => {
        store.clear();
        store.write([parted(batchOf(...records), minFlows)]);
        const batch = batchOf(...records);
        const index = readIndex(batch);
        const newestFirst = index.map(({ summary }) => summary).sort((a, b) => (a.id < b.id ? 1 : -1));
        expect(store.summaries(anyRow, null, '', 100)).toEqual(newestFirst);
        expect(store.summaries(anyRow, null, '', 3)).toEqual(newestFirst.slice(0, 3));
        expect(store.stats().flows).toBe(records.length);
        records.forEach((record, number) => {
          expect(store.flow(record.id)).toEqual(decodeFlow(batch, index[number]!.offset));
          expect(store.body(record.id, 'request').bytes).toEqual(record.requestBody.chunks[0]);
          expect(store.body(record.id, 'response').bytes).toEqual(record.responseBody.chunks[0]);
        });
      }),
      { numRuns: 60 },
    );
  });

  test('pages and counts are whole over blocks that overlap, with rows in between, whatever the window', async () => {
    write(...numbers(0, 40).map((number) => flowRecord(number * 2)));
    write(...numbers(0, 40).map((number) => flowRecord(number * 2 + 1, { status: 503 })));
    write(
      flowRecord(200, { durationMs: -1 }),
      ...numbers(60, 70).map((number) => flowRecord(number * 2 + 60)),
    );
    const all = ids();
    expect(all).toHaveLength(91);
    expect(all).toEqual([...all].sort().reverse());
    for (const windowRows of [1, 7, 40, 1000]) {
      const search = new FlowSearch(
        store,
        { now: () => 0 },
        {
          maxSearchMs: 1000,
          windowRows,
          contentWindowRows: windowRows,
        },
      );
      const seen: string[] = [];
      for (let after: string | undefined; ;) {
        const page = await search.page({ filter: '', limit: 9, after });
        seen.push(...page.rows.map(({ id }) => id));
        if (page.next === null) break;
        after = page.next;
      }
      expect(seen).toEqual(all);
      expect(await search.count('503')).toMatchObject({ matching: 40, total: 91, complete: true });
      expect(await search.count('header:host')).toMatchObject({ matching: 91, complete: true });
    }
  });

  test('what was an open row stays one when it ends, however that looks', () => {
    write(flowRecord(1, { durationMs: -1 }));
    expect(store.isOpen(idOf(1))).toBe(true);
    const options = { buffers: new BatchBuffers(), isOpen: (id: string) => store.isOpen(id), minFlows: 1 };
    store.write([partBatch(batchOf(flowRecord(1, { durationMs: 5 }), flowRecord(2)), options)]);
    expect(store.isOpen(idOf(1))).toBe(false);
    expect(store.stats().flows).toBe(2);
    expect(store.flow(idOf(1)).durationMs).toBe(5);
  });

  test('the oldest blocks and batches make room in their order, and the capture goes on after the file was closed', () => {
    store.close();
    store = open(2 * MiB);
    const body = bodyOf(Buffer.alloc(50_000));
    for (const number of numbers(0, 80))
      write(flowRecord(number, { responseBody: body, durationMs: number % 3 === 0 ? 1000 : 1 }));
    const kept = ids();
    expect(kept).toEqual(
      numbers(80 - kept.length, 80)
        .map(idOf)
        .reverse(),
    );
    expect(kept.length).toBeGreaterThan(15);
    expect(store.stats()).toMatchObject({
      flows: kept.length,
      oldestAtMs: 1_750_000_000_000.25 + 80 - kept.length,
    });
    expect(() => store.flow(idOf(1))).toThrow('made room for newer ones');
    store.close();
    store = open(2 * MiB);
    expect(ids()).toEqual(kept);
    expect(store.stats().flows).toBe(kept.length);
    write(flowRecord(80, { responseBody: body }), flowRecord(81));
    expect(store.flow(idOf(81)).id).toBe(idOf(81));
    expect(store.stats().bytes).toBeLessThanOrEqual(2 * MiB + 64 * 1024);
  });

  test('a capture of before there were blocks, with its log beside it, goes on being used', () => {
    store.write([parted(batchOf(flowRecord(1, { responseBody: bodyOf('old') })))]);
    store.close();
    const database = new DatabaseSync(join(directory, 'current.sqlite'));
    database.exec('PRAGMA journal_mode = WAL; DROP TABLE blocks; PRAGMA user_version = 2;');
    database.close();
    store = open();
    write(flowRecord(2), flowRecord(3));
    expect(ids()).toEqual([idOf(3), idOf(2), idOf(1)]);
    expect(store.body(idOf(1), 'response').bytes.toString()).toBe('old');
    store.close();
    store = open();
    expect(store.stats().flows).toBe(3);
  });

  test('flows of a damaged block are left out of lists; others are there', () => {
    write(flowRecord(1), flowRecord(2));
    write(flowRecord(3), flowRecord(4));
    store.close();
    const database = new DatabaseSync(join(directory, 'current.sqlite'));
    database.exec("UPDATE blocks SET heads = x'00112233' WHERE block = 1");
    database.close();
    store = open();
    expect(ids()).toEqual([idOf(4), idOf(3)]);
    expect(() => store.flow(idOf(1))).toThrow('There is no flow');
  });
});

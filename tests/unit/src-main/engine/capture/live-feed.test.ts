import { expect, test } from 'vitest';
import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import { readIndex } from '../../../../../src-main/engine/capture/batch-codec.ts';
import { createLiveFeed } from '../../../../../src-main/engine/capture/live-feed.ts';
import type { FeedBatch } from '../../../../../src-main/engine/capture/live-feed.ts';
import { batchOf, flowRecord, manualClock } from './flow-records.ts';

const template = readIndex(batchOf(flowRecord(0)))[0]!.summary;
const row = (number: number, parts: Partial<FlowSummary> = {}): FlowSummary => ({
  ...template,
  id: String(number).padStart(8, '0'),
  ...parts,
});

function setUp() {
  const clock = manualClock();
  const batches: FeedBatch[] = [];
  const feed = createLiveFeed({ clock, post: (batch) => batches.push(batch) });
  return { clock, batches, feed };
}

test('a few flows are all shown, within 100 ms, in order of their start; then it says that nothing passes', () => {
  const { clock, batches, feed } = setUp();
  feed.add(row(2));
  feed.add(row(1));
  clock.advance(99);
  expect(batches).toEqual([]);
  clock.advance(1);
  expect(batches).toEqual([{ flows: [row(1), row(2)], total: 2, sampledOneIn: 1, perSecond: 2 }]);
  clock.advance(5000);
  expect(batches.at(-1)).toEqual({ flows: [], total: 0, sampledOneIn: 1, perSecond: 0 });
  expect(clock.timers).toBe(0);
});

test('at 20,000 a second: ten batches of about 20 rows, exact counts, evenly sampled', () => {
  const { clock, batches, feed } = setUp();
  for (let ms = 0; ms < 5000; ms += 10) {
    for (let index = 0; index < 200; index += 1) feed.add(row(ms * 100 + index));
    clock.advance(10);
  }
  const last = batches.slice(-20);
  expect(batches.length).toBeLessThanOrEqual(50);
  expect(batches.reduce((sum, { total }) => sum + total, 0)).toBe(100_000);
  expect(batches.reduce((sum, { flows }) => sum + flows.length, 0)).toBeLessThanOrEqual(1200);
  for (const { flows, sampledOneIn, perSecond } of last) {
    expect(flows).toHaveLength(20);
    expect(sampledOneIn).toBe(100);
    expect(perSecond).toBe(20_000);
    const ids = flows.map(({ id }) => Number(id));
    const gaps = ids.slice(1).map((id, index) => id - ids[index]!);
    // 2,000 rows came at ten times 200 ids, 1,000 apart: an even sample has two of each.
    expect(new Set(ids.map((id) => Math.floor(id / 1000))).size).toBe(10);
    expect(Math.min(...gaps)).toBeGreaterThan(0);
  }
});

test('errors and faults are shown before the rest, and are thinned only when they alone are too many', () => {
  const { clock, batches, feed } = setUp();
  const second = (unwellOneIn: number) => {
    for (let ms = 0; ms < 2000; ms += 100) {
      for (let index = 0; index < 1000; index += 1)
        feed.add(row(index, index % unwellOneIn === 0 ? { cause: 'upstream-reset' } : {}));
      clock.advance(100);
    }
    return batches.at(-1)!.flows;
  };
  expect(second(100).filter(({ cause }) => cause !== null)).toHaveLength(10);
  const many = second(2);
  expect(many).toHaveLength(20);
  expect(many.every(({ cause }) => cause !== null)).toBe(true);
});

test('a flow that was shown open is shown ended, whatever passes', () => {
  const { clock, batches, feed } = setUp();
  feed.add(row(1, { durationMs: null }));
  clock.advance(100);
  expect(batches[0]).toMatchObject({ total: 0, flows: [{ durationMs: null }] });
  for (let index = 0; index < 50_000; index += 1) feed.add(row(index + 10, { cause: 'client-closed' }));
  feed.add(row(1));
  clock.advance(100);
  expect(batches[1]?.flows[0]).toEqual(row(1));
  expect(batches[1]?.flows.length).toBeLessThanOrEqual(200);
  expect(batches[1]?.total).toBe(50_001);
});

test('close leaves no timer, clear forgets', () => {
  const { clock, batches, feed } = setUp();
  feed.add(row(1));
  feed.clear();
  clock.advance(100);
  expect(batches.every(({ flows, total }) => flows.length === 0 && total === 0)).toBe(true);
  feed.add(row(1));
  feed.close();
  expect(clock.timers).toBe(0);
});

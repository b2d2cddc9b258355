import { describe, expect, it } from 'vitest';
import type { Stats } from '#shared/contract/topology.ts';
import { strip } from '../../../src-renderer/features/live/strip-shape.ts';

const until = Date.UTC(2026, 2, 9, 14, 32, 30);
const point = (at: number, calls: number, failed = 0, injected = 0) => ({
  at,
  calls,
  failed,
  injected,
  p50: null,
  p95: null,
  p99: null,
});
const stats = {
  at: new Date(until).toISOString(),
  windowMs: 300_000,
  stepMs: 5_000,
  series: [point(until - 300_000, 10), point(until - 150_000, 20, 5, 10), point(until - 5_000, 0)],
} as unknown as Stats;

describe('the strip of calls', () => {
  const shape = strip(stats, 600);

  it('goes from time to pixels and back', () => {
    expect(shape.x(until - 150_000)).toBe(300);
    expect(shape.time(300)).toBe(until - 150_000);
  });

  it('draws bars by the share of the highest, failures on top of what Spike did', () => {
    expect(shape.calls).toBe('M0.0 30.0v-14.0h8.0v14.0zM300.0 30.0v-28.0h8.0v28.0z');
    expect(shape.injected).toBe('M300.0 30.0v-14.0h8.0v14.0z');
    expect(shape.failed).toBe('M300.0 16.0v-7.0h8.0v7.0z');
  });

  it('marks whole minutes, and says its sums', () => {
    expect(shape.ticks.map((tick) => (tick.at / 60_000) % 1)).toEqual([0, 0, 0, 0, 0]);
    expect(shape.label).toBe('Calls over time: 30, 5 failed, 10 altered by Spike');
  });
});

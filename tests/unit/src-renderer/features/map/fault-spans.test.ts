import { describe, expect, it } from 'vitest';
import { decades, latencyRange } from '../../../../../src-renderer/features/map/chart-options.ts';
import { faultSpans } from '../../../../../src-renderer/features/map/fault-spans.ts';

const stepMs = 5000;
const series = (injected: number[]) =>
  injected.map((count, index) => ({
    at: index * stepMs,
    calls: 10,
    failed: 0,
    injected: count,
    p50: 1,
    p95: 1,
    p99: 1,
  }));

describe('faultSpans', () => {
  it('is empty while nothing was touched', () => {
    expect(faultSpans(series([0, 0, 0]), stepMs, [])).toEqual([]);
    expect(faultSpans([], stepMs, [])).toEqual([]);
  });

  it('runs from when a rule was turned on to the end', () => {
    const rule = { name: 'slow', enabledAt: new Date(6000).toISOString() };
    expect(faultSpans(series([0, 2, 2]), stepMs, [rule])).toEqual([
      { from: 5000, until: 6000, name: null },
      { from: 6000, until: 15_000, name: 'slow' },
    ]);
  });

  it('begins with the chart where the rule is older', () => {
    const rule = { name: 'slow', enabledAt: new Date(-60_000).toISOString() };
    expect(faultSpans(series([2, 2]), stepMs, [rule])).toEqual([{ from: 0, until: 10_000, name: 'slow' }]);
  });

  it('keeps what has passed, one gap of an interval included', () => {
    expect(faultSpans(series([0, 1, 0, 1, 0, 0, 0]), stepMs, [])).toEqual([
      { from: 5000, until: 20_000, name: null },
    ]);
  });
});

describe('the scale of the chart', () => {
  it('has room round the lines and a power of ten within', () => {
    for (const [low, high] of [
      [1.2, 1.3],
      [150, 2300],
      [0.1, 0.1],
      [90, 99],
    ] as const) {
      const [bottom, top] = latencyRange(low, high);
      expect(bottom).toBeLessThan(low);
      expect(top).toBeGreaterThan(high);
      expect(decades(bottom, top).length).toBeGreaterThan(0);
    }
  });

  it('names powers of ten only', () => {
    expect(decades(60, 4000)).toEqual([100, 1000]);
    expect(decades(0.05, 1)).toEqual([0.1, 1]);
  });
});

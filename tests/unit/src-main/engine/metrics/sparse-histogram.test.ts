import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countOf,
  emptyHistogram,
  histogramOf,
  LatencyCollector,
  longestUs,
  mergeHistograms,
  percentilesOf,
  sumHistograms,
} from '../../../../../src-main/engine/metrics/sparse-histogram.ts';

const durations = fc.array(fc.nat(longestUs), { minLength: 1, maxLength: 600 });

/** The exact value at a percentile: the smallest that as many values do not exceed. */
function exactMs(valuesUs: readonly number[], percentile: number): number {
  const sorted = [...valuesUs].sort((a, b) => a - b);
  const rank = Math.max(1, Math.ceil((percentile / 100) * sorted.length));
  return (sorted[rank - 1] as number) / 1000;
}

describe('percentilesOf', () => {
  it('agrees with the exact percentile within the precision of two digits', () => {
    fc.assert(
      fc.property(durations, (valuesUs) => {
        const found = percentilesOf([histogramOf([...valuesUs])]);
        for (const [percentile, value] of [
          [50, found.p50],
          [90, found.p90],
          [95, found.p95],
          [99, found.p99],
          [100, found.max],
        ] as const) {
          const exact = exactMs(valuesUs, percentile);
          expect(Math.abs((value as number) - exact)).toBeLessThanOrEqual(exact * 0.01 + 0.001);
        }
      }),
    );
  });

  it('is null without a value', () => {
    expect(percentilesOf([])).toEqual({ p50: null, p90: null, p95: null, p99: null, max: null });
    expect(percentilesOf([emptyHistogram]).p95).toBeNull();
  });
});

describe('merging', () => {
  it('of parts equals the histogram of all, in any grouping', () => {
    fc.assert(
      fc.property(durations, fc.array(fc.nat(3), { minLength: 600, maxLength: 600 }), (valuesUs, owners) => {
        const parts: number[][] = [[], [], [], []];
        valuesUs.forEach((value, index) => parts[owners[index] as number]?.push(value));
        const histograms = parts.map((part) => histogramOf(part));
        const whole = histogramOf([...valuesUs]);
        expect(histograms.reduce(mergeHistograms, emptyHistogram)).toEqual(whole);
        expect(sumHistograms(histograms)).toEqual(whole);
        expect(countOf(whole)).toBe(valuesUs.length);
      }),
    );
  });
});

describe('LatencyCollector', () => {
  it('gives what was recorded, over any number of folds, once', () => {
    const collector = new LatencyCollector();
    const valuesMs = Array.from({ length: 2000 }, (_, index) => (index * 7919) % 1000);
    for (const value of valuesMs) collector.record(value);
    expect(collector.take()).toEqual(histogramOf(valuesMs.map((ms) => ms * 1000)));
    expect(collector.take()).toHaveLength(0);
  });

  it('counts what is beyond its range at its ends', () => {
    const collector = new LatencyCollector();
    collector.record(-0.5); // A clock that was stepped.
    collector.record(longestUs);
    expect(countOf(collector.take())).toBe(2);
  });
});

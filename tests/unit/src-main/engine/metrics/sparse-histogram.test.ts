import fc from 'fast-check';
import { Float64Histogram } from 'hdr-histogram-js';
import { describe, expect, it } from 'vitest';
import {
  countOf,
  emptyHistogram,
  bucketOf,
  bucketOfMs,
  histogramOfBuckets,
  LatencyCollector,
  longestUs,
  mergeHistograms,
  percentilesOf,
  sumHistograms,
} from '../../../../../src-main/engine/metrics/sparse-histogram.ts';
import type { SparseHistogram } from '../../../../../src-main/engine/metrics/sparse-histogram.ts';

function histogramOf(valuesUs: readonly number[]): SparseHistogram {
  return histogramOfBuckets(valuesUs.map(bucketOf));
}

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
        const found = percentilesOf(histogramOf(valuesUs));
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

  it('agrees with the library on what a percentile is', () => {
    fc.assert(
      fc.property(durations, (valuesUs) => {
        const library = new Float64Histogram(1, longestUs, 2);
        for (const value of valuesUs) library.recordValue(value);
        const found = percentilesOf(histogramOf(valuesUs));
        // Its last bucket reaches beyond the range: nothing that was counted did.
        const at = (percentile: number): number =>
          Math.min(library.getValueAtPercentile(percentile), longestUs) / 1000;
        expect(found.p50).toBe(at(50));
        expect(found.p99).toBe(at(99));
      }),
    );
  });

  it('is null without a value', () => {
    expect(percentilesOf(emptyHistogram)).toEqual({ p50: null, p90: null, p95: null, p99: null, max: null });
  });
});

describe('merging', () => {
  it('of parts equals the histogram of all, in any grouping', () => {
    fc.assert(
      fc.property(durations, fc.array(fc.nat(3), { minLength: 600, maxLength: 600 }), (valuesUs, owners) => {
        const parts: number[][] = [[], [], [], []];
        valuesUs.forEach((value, index) => parts[owners[index] as number]?.push(value));
        const histograms = parts.map((part) => histogramOf(part));
        const whole = histogramOf(valuesUs);
        expect(histograms.reduce(mergeHistograms, emptyHistogram)).toEqual(whole);
        expect(sumHistograms(histograms)).toEqual(whole);
        expect(countOf(whole)).toBe(valuesUs.length);
      }),
    );
  });
});

describe('counts beyond 16 bits', () => {
  it('are kept, added and found', () => {
    let sum = emptyHistogram;
    const part = histogramOf(new Array<number>(50_000).fill(2000));
    for (let n = 0; n < 5; n += 1) sum = mergeHistograms(sum, part);
    sum = mergeHistograms(sum, histogramOf([900_000]));
    expect(countOf(sum)).toBe(250_001);
    expect(percentilesOf(sum).p99).toBeCloseTo(2, 1);
    expect(percentilesOf(sum).max).toBeGreaterThan(899);
  });
});

describe('LatencyCollector', () => {
  it('gives what was recorded, over any number of folds, once', () => {
    const collector = new LatencyCollector();
    const valuesMs = Array.from({ length: 2000 }, (_, index) => (index * 7919) % 1000);
    for (const value of valuesMs) collector.record(bucketOfMs(value));
    expect(collector.take()).toEqual(histogramOf(valuesMs.map((ms) => ms * 1000)));
    expect(collector.take()).toHaveLength(0);
  });

  it('counts what is beyond its range at its ends', () => {
    expect(bucketOfMs(-0.5)).toBe(bucketOf(0)); // A clock that was stepped.
    expect(bucketOfMs(longestUs)).toBe(bucketOf(longestUs));
  });
});

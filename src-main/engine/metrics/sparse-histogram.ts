import { Float64Histogram } from 'hdr-histogram-js';

/**
 * Latencies as the non-empty buckets of an HDR histogram (1 µs to 1 h, two significant digits: a value is known to
 * 1 %), as pairs [smallest value of the bucket in µs, count], ascending. A dense histogram of this range takes 14 KB;
 * half a second of one edge has some twenty buckets, so 160 bytes. Merging is exact: counts of equal buckets add up.
 */
export type SparseHistogram = Uint32Array;

export const emptyHistogram: SparseHistogram = new Uint32Array(0);

/** What is longer counts as this long. */
export const longestUs = 3_600_000_000;

export interface Percentiles {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** Knows the buckets, and adds up windows; emptied before each use, so its content never outlives a call. */
const workbench = new Float64Histogram(1, longestUs, 2);

/** The histogram of some durations in µs; sorts its argument. */
export function histogramOf(valuesUs: number[]): SparseHistogram {
  valuesUs.sort((a, b) => a - b);
  const pairs: number[] = [];
  for (const value of valuesUs) {
    const bucket = workbench.lowestEquivalentValue(value);
    if (pairs.at(-2) === bucket) (pairs[pairs.length - 1] as number) += 1;
    else pairs.push(bucket, 1);
  }
  return Uint32Array.from(pairs);
}

export function mergeHistograms(a: SparseHistogram, b: SparseHistogram): SparseHistogram {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const merged = new Uint32Array(a.length + b.length);
  let used = 0;
  for (let i = 0, k = 0; i < a.length || k < b.length; used += 2) {
    const left = a[i] ?? Infinity;
    const right = b[k] ?? Infinity;
    merged[used] = Math.min(left, right);
    merged[used + 1] =
      (left <= right ? (a[i + 1] as number) : 0) + (right <= left ? (b[k + 1] as number) : 0);
    if (left <= right) i += 2;
    if (right <= left) k += 2;
  }
  return used === merged.length ? merged : merged.slice(0, used);
}

export function countOf(histogram: SparseHistogram): number {
  let sum = 0;
  for (let i = 1; i < histogram.length; i += 2) sum += histogram[i] as number;
  return sum;
}

/** One histogram of many; cheaper than merging them pair by pair. */
export function sumHistograms(histograms: Iterable<SparseHistogram>): SparseHistogram {
  const counts = new Map<number, number>();
  for (const histogram of histograms) {
    for (let i = 0; i < histogram.length; i += 2) {
      const bucket = histogram[i] as number;
      counts.set(bucket, (counts.get(bucket) ?? 0) + (histogram[i + 1] as number));
    }
  }
  const sorted = [...counts].sort((a, b) => a[0] - b[0]);
  return Uint32Array.from(sorted.flat());
}

/** Percentiles over the sum of histograms, in ms; null without a value. */
export function percentilesOf(histograms: Iterable<SparseHistogram>): Percentiles {
  workbench.reset();
  for (const histogram of histograms) {
    for (let i = 0; i < histogram.length; i += 2) {
      workbench.recordValueWithCount(histogram[i] as number, histogram[i + 1] as number);
    }
  }
  if (workbench.totalCount === 0) return { p50: null, p90: null, p95: null, p99: null, max: null };
  const at = (percentile: number): number => workbench.getValueAtPercentile(percentile) / 1000;
  return { p50: at(50), p90: at(90), p95: at(95), p99: at(99), max: at(100) };
}

const foldEvery = 512;

/**
 * Collects durations on the hot path: an append, and once in 512 a fold into buckets. Holds at most 512 values
 * and the buckets, whatever the rate.
 */
export class LatencyCollector {
  #pendingUs: number[] = [];
  #folded: SparseHistogram = emptyHistogram;

  record(durationMs: number): void {
    const valueUs = Math.round(durationMs * 1000);
    this.#pendingUs.push(valueUs > longestUs ? longestUs : valueUs < 0 ? 0 : valueUs);
    if (this.#pendingUs.length >= foldEvery) this.#fold();
  }

  /** What was recorded since the last time. */
  take(): SparseHistogram {
    if (this.#pendingUs.length > 0) this.#fold();
    const taken = this.#folded;
    this.#folded = emptyHistogram;
    return taken;
  }

  #fold(): void {
    this.#folded = mergeHistograms(this.#folded, histogramOf(this.#pendingUs));
    this.#pendingUs.length = 0;
  }
}

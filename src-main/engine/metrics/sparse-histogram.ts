import { Float64Histogram } from 'hdr-histogram-js';

/**
 * Latencies as the non-empty buckets of an HDR histogram (1 µs to 1 h, two significant digits: a value is known to
 * 1 %), as pairs [index of the bucket, count], ascending: 4 bytes a bucket, where the dense histogram takes 14 KB. A
 * count that does not fit into 16 bits goes on in a further pair of the same index. Merging is exact: counts of equal
 * buckets add up.
 */
export type SparseHistogram = Uint16Array;

export const emptyHistogram: SparseHistogram = new Uint16Array(0);

/** What is longer counts as this long. */
export const longestUs = 3_600_000_000;

const largestCount = 0xffff;

/** Knows the buckets. Nothing is recorded in it: counts are kept by its indexes, and summed many slots at a time. */
const buckets = new Float64Histogram(1, longestUs, 2);
/** The smallest value of each bucket in µs. */
const lowestUs: readonly number[] = (() => {
  const values: number[] = [];
  for (let us = 0; us <= longestUs; us = buckets.nextNonEquivalentValue(us)) values.push(us);
  return values;
})();

export function bucketOf(durationUs: number): number {
  return buckets.countsArrayIndex(durationUs);
}

export function lowestUsOf(bucket: number): number {
  return lowestUs[bucket] as number;
}

/** The largest value of a bucket: what a percentile that falls into it is said to be, as HDR histograms have it. */
function highestUsOf(bucket: number): number {
  return (lowestUs[bucket + 1] ?? longestUs + 1) - 1;
}

export interface Percentiles {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** The histogram of values given by their buckets. */
export function histogramOfBuckets(values: readonly number[]): SparseHistogram {
  const sorted = new Uint16Array(values).sort();
  const pairs: number[] = [];
  for (let from = 0, to = 0; from < sorted.length; from = to) {
    const bucket = sorted[from] as number;
    while (sorted[to] === bucket) to += 1;
    pushPair(pairs, bucket, to - from);
  }
  return new Uint16Array(pairs);
}

function pushPair(pairs: number[], bucket: number, count: number): void {
  let left = count;
  for (; left > largestCount; left -= largestCount) pairs.push(bucket, largestCount);
  pairs.push(bucket, left);
}

/** Calls back for each pair of bucket and count; one bucket may come in several. */
export function eachBucket(histogram: SparseHistogram, visit: (bucket: number, count: number) => void): void {
  for (let i = 0; i < histogram.length; i += 2) visit(histogram[i] as number, histogram[i + 1] as number);
}

export function countOf(histogram: SparseHistogram): number {
  let sum = 0;
  for (let i = 1; i < histogram.length; i += 2) sum += histogram[i] as number;
  return sum;
}

/** One dense histogram to add up in; always left empty, so its content never outlives a call. */
const dense = new Float64Array(lowestUs.length);

export function sumHistograms(histograms: Iterable<SparseHistogram>): SparseHistogram {
  let first: number = lowestUs.length;
  let last = -1;
  for (const histogram of histograms) {
    if (histogram.length === 0) continue;
    first = Math.min(first, histogram[0] as number);
    last = Math.max(last, histogram[histogram.length - 2] as number);
    for (let i = 0; i < histogram.length; i += 2) {
      (dense[histogram[i] as number] as number) += histogram[i + 1] as number;
    }
  }
  const pairs: number[] = [];
  for (let bucket = first; bucket <= last; bucket += 1) {
    const count = dense[bucket] as number;
    if (count === 0) continue;
    pushPair(pairs, bucket, count);
    dense[bucket] = 0;
  }
  return new Uint16Array(pairs);
}

export function mergeHistograms(a: SparseHistogram, b: SparseHistogram): SparseHistogram {
  if (a.length === 0) return b;
  return b.length === 0 ? a : sumHistograms([a, b]);
}

/** Percentiles in ms; null without a value. */
export function percentilesOf(histogram: SparseHistogram): Percentiles {
  const total = countOf(histogram);
  if (total === 0) return { p50: null, p90: null, p95: null, p99: null, max: null };
  const at = (percentile: number): number => percentileMs(histogram, total, percentile);
  return { p50: at(50), p90: at(90), p95: at(95), p99: at(99), max: at(100) };
}

function percentileMs(histogram: SparseHistogram, total: number, percentile: number): number {
  const rank = Math.max(1, Math.ceil((percentile / 100) * total));
  let counted = 0;
  for (let i = 0; i < histogram.length; i += 2) {
    counted += histogram[i + 1] as number;
    if (counted >= rank) return highestUsOf(histogram[i] as number) / 1000;
  }
  throw new RangeError(`a percentile beyond 100: ${percentile}`);
}

const foldEvery = 512;

/**
 * Collects durations on the hot path: an append, and once in 512 a fold into buckets. Holds at most 512 values
 * and the buckets, whatever the rate.
 */
export class LatencyCollector {
  #pending: number[] = [];
  #folded: SparseHistogram = emptyHistogram;

  /** @param bucket Of the duration; computed once for all collectors that it goes to. */
  record(bucket: number): void {
    this.#pending.push(bucket);
    if (this.#pending.length >= foldEvery) this.#fold();
  }

  /** What was recorded since the last time. */
  take(): SparseHistogram {
    if (this.#pending.length > 0) this.#fold();
    const taken = this.#folded;
    this.#folded = emptyHistogram;
    return taken;
  }

  #fold(): void {
    this.#folded = mergeHistograms(this.#folded, histogramOfBuckets(this.#pending));
    this.#pending.length = 0;
  }
}

/** The bucket of a duration; below 0 (a clock was stepped) and beyond an hour it is that of the range's end. */
export function bucketOfMs(durationMs: number): number {
  const us = Math.round(durationMs * 1000);
  return bucketOf(us > longestUs ? longestUs : us < 0 ? 0 : us);
}

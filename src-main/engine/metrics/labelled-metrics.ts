import { eachBucket, lowestUsOf } from './sparse-histogram.ts';
import type { SparseHistogram } from './sparse-histogram.ts';

type Labels = Readonly<Record<string, string>>;

interface MetricValue {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

/** A metric as prom-client writes it to JSON, and reads it for aggregation and for its text. */
export interface MetricJson {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly aggregator: 'sum';
  readonly values: readonly MetricValue[];
}

/** A counter by labels; the caller bounds how many sets of labels there are. */
export class LabelledCounter {
  readonly #name: string;
  readonly #help: string;
  readonly #values = new Map<string, { readonly labels: Labels; value: number }>();

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  add(labels: Labels, count: number): void {
    const key = JSON.stringify(labels);
    const known = this.#values.get(key);
    if (known === undefined) this.#values.set(key, { labels, value: count });
    else known.value += count;
  }

  json(): MetricJson {
    const values = [...this.#values.values()];
    return { name: this.#name, help: this.#help, type: 'counter', aggregator: 'sum', values };
  }
}

/** Upper bounds in seconds, Prometheus' `le`: from a local answer to a hanging call. */
export const durationBuckets: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

interface HistogramValue {
  readonly labels: Labels;
  /** Not cumulative; the last one is above all bounds. */
  readonly counts: number[];
  sum: number;
}

/**
 * A histogram by labels, fed with histograms. prom-client's own takes one value at a time: at 50,000 calls a second
 * that would cost the primary what batching in the workers saved. An HDR bucket counts by its lower bound, so a call
 * within 1 % above a bound may be counted below it; the sum is exact to 1 %.
 */
export class LabelledHistogram {
  readonly #name: string;
  readonly #help: string;
  readonly #values = new Map<string, HistogramValue>();

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  add(labels: Labels, histogram: SparseHistogram): void {
    if (histogram.length === 0) return;
    const value = this.#valueOf(labels);
    eachBucket(histogram, (bucket, count) => {
      const seconds = lowestUsOf(bucket) / 1_000_000;
      const at = durationBuckets.findIndex((bound) => seconds <= bound);
      (value.counts[at < 0 ? durationBuckets.length : at] as number) += count;
      value.sum += seconds * count;
    });
  }

  json(): MetricJson {
    const values = [...this.#values.values()].flatMap((value) => this.#seriesOf(value));
    return { name: this.#name, help: this.#help, type: 'histogram', aggregator: 'sum', values };
  }

  #seriesOf({ labels, counts, sum }: HistogramValue): MetricValue[] {
    const series: MetricValue[] = [];
    let total = 0;
    for (const [index, count] of counts.entries()) {
      total += count;
      const le = durationBuckets[index] ?? '+Inf';
      series.push({ labels: { le, ...labels }, value: total, metricName: `${this.#name}_bucket` });
    }
    series.push({ labels, value: sum, metricName: `${this.#name}_sum` });
    series.push({ labels, value: total, metricName: `${this.#name}_count` });
    return series;
  }

  #valueOf(labels: Labels): HistogramValue {
    const key = JSON.stringify(labels);
    let value = this.#values.get(key);
    if (value === undefined) {
      value = { labels, counts: new Array<number>(durationBuckets.length + 1).fill(0), sum: 0 };
      this.#values.set(key, value);
    }
    return value;
  }
}

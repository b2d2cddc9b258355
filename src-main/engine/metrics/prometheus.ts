import { AggregatorRegistry, Registry } from 'prom-client';
import type { Metric } from 'prom-client';
import type { EdgeDelta, EdgeReport } from './edge-report.ts';
import { other } from './edge-report.ts';
import { LabelledCounter, LabelledHistogram } from './labelled-metrics.ts';
import type { MetricJson } from './labelled-metrics.ts';
import { collectProcessMetrics } from './process-metrics.ts';

export interface PrometheusSources {
  openConnections(): number;
  workers(): number;
  workerRestarts(): number;
  droppedFlows(): number;
  droppedBodies(): number;
  ruleHolds(): { readonly heldBytes: number; readonly leftMessages: number; readonly pausedReads: number };
  /** prom-client's JSON of the workers' process metrics, each series labelled with its worker. */
  workerMetrics(): Promise<unknown[]>;
}

/** Edges that get series of their own; the calls of further ones are on `caller="other", callee="other"`. */
const maxEdges = 500;
/** Rules that get a series of their own since the agent started; further ones are on `rule="other"`. */
const maxRules = 200;
const longestLabel = 120;

/**
 * The agent's metrics in Prometheus' text form: counters fed from the same reports as the map, so that both agree, and
 * the process metrics of every worker and of the primary under one `worker` label. Counters go on from the primary's
 * start, whatever becomes of workers.
 */
export class Prometheus {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #sources: PrometheusSources;
  readonly #process = new Registry();
  readonly #edges = new Set<string>();
  readonly #rules = new Set<string>();
  readonly #requests = new LabelledCounter(
    'spike_requests_total',
    'Calls that ended, by edge and class of status ("error": a network failure, "closed": without HTTP).',
  );
  readonly #failed = new LabelledCounter(
    'spike_requests_failed_total',
    'Calls that failed by themselves: network failures, 5xx, gRPC status not 0.',
  );
  readonly #injected = new LabelledCounter(
    'spike_requests_injected_total',
    'Calls that a fault of Spike acted on.',
  );
  readonly #requestBytes = new LabelledCounter('spike_request_bytes_total', 'Bytes sent by callers.');
  readonly #responseBytes = new LabelledCounter('spike_response_bytes_total', 'Bytes sent by callees.');
  readonly #hits = new LabelledCounter('spike_faults_injected_total', 'Calls hit, by rule.');
  readonly #duration = new LabelledHistogram(
    'spike_request_duration_seconds',
    'Time until the last byte of a call, by edge; calls that a fault acted on have faulted="true".',
  );

  constructor(sources: PrometheusSources) {
    this.#sources = sources;
    this.#process.setDefaultLabels({ worker: 'primary' });
    collectProcessMetrics(this.#process);
  }

  /** Counts what a worker reported. */
  add(report: EdgeReport): void {
    for (const delta of report.edges) this.#addEdge(delta);
  }

  /** Counts hits of rules, as workers report them. */
  addHits(hits: Readonly<Record<string, number>>): void {
    for (const [ruleId, count] of Object.entries(hits)) {
      this.#hits.add({ rule: bounded(this.#rules, ruleId, maxRules) ? ruleId : other }, count);
    }
  }

  /** Text exposition format 0.0.4. */
  async text(): Promise<string> {
    const own = [this.#requests, this.#failed, this.#injected, this.#requestBytes, this.#responseBytes];
    const series = [...own, this.#hits, this.#duration].map((metric) => metric.json());
    const processes = [
      (await this.#process.getMetricsAsJSON()) as unknown as MetricJson[],
      ...((await this.#sources.workerMetrics()) as MetricJson[][]),
    ];
    const [spike, system] = await Promise.all([
      textOf([...series, ...this.#gauges()]),
      AggregatorRegistry.aggregate(processes.map(withoutNaN)).metrics(),
    ]);
    return `${spike}\n${system}`;
  }

  /** Stops observing the event loop and the garbage collector. */
  close(): void {
    this.#process.clear();
  }

  #addEdge(delta: EdgeDelta): void {
    const names = this.#labelsOf(delta);
    for (const [status_class, count] of Object.entries(delta.outcomes)) {
      this.#requests.add({ ...names, status_class }, count);
    }
    const { counts } = delta;
    this.#failed.add(names, counts.failed);
    this.#injected.add(names, counts.injected);
    this.#requestBytes.add(names, counts.requestBytes);
    this.#responseBytes.add(names, counts.responseBytes);
    this.#duration.add({ ...names, faulted: 'false' }, delta.clean);
    this.#duration.add({ ...names, faulted: 'true' }, delta.faulted);
  }

  #labelsOf({ caller, callee, protocol }: EdgeDelta): Record<string, string> {
    const key = JSON.stringify([caller, callee, protocol]);
    if (!bounded(this.#edges, key, maxEdges)) return { caller: other, callee: other, protocol: other };
    const cut = (name: string): string => name.slice(0, longestLabel);
    return { caller: cut(caller), callee: cut(callee), protocol };
  }

  #gauges(): MetricJson[] {
    const now = this.#sources;
    const holds = now.ruleHolds();
    return [
      single(
        'spike_open_connections',
        'gauge',
        'Connections of clients that are open.',
        now.openConnections(),
      ),
      single('spike_workers', 'gauge', 'Workers that take calls.', now.workers()),
      single(
        'spike_worker_restarts_total',
        'counter',
        'Workers that were lost and replaced.',
        now.workerRestarts(),
      ),
      single(
        'spike_flows_dropped_total',
        'counter',
        'Flows that passed and were not stored.',
        now.droppedFlows(),
      ),
      single(
        'spike_bodies_dropped_total',
        'counter',
        'Bodies that passed and were not stored.',
        now.droppedBodies(),
      ),
      single('spike_rules_held_bytes', 'gauge', 'What rules hold in memory.', holds.heldBytes),
      single(
        'spike_rules_left_messages_total',
        'counter',
        'Messages left unchanged because rules held as much as they may.',
        holds.leftMessages,
      ),
      single(
        'spike_rules_paused_reads_total',
        'counter',
        'Times that a connection was not read on because rules held as much as they may.',
        holds.pausedReads,
      ),
    ];
  }
}

/** @param sources Asked anew at each scrape. Call `close` when the agent ends. */
export function createPrometheus(sources: PrometheusSources): Prometheus {
  return new Prometheus(sources);
}

function bounded(known: Set<string>, key: string, limit: number): boolean {
  if (known.has(key)) return true;
  if (known.size >= limit) return false;
  known.add(key);
  return true;
}

function single(name: string, type: MetricJson['type'], help: string, value: number): MetricJson {
  return { name, type, help, aggregator: 'sum', values: [{ labels: {}, value }] };
}

/** An event loop that was not measured yet has no mean lag; prom-client would write "Nan", which is not in the format. */
function withoutNaN(metrics: readonly MetricJson[]): object[] {
  return metrics.map((metric) => {
    return { ...metric, values: metric.values.filter(({ value }) => !Number.isNaN(value)) };
  });
}

/** Escaping and layout are prom-client's: it asks a registered metric for nothing but its name and `get`. */
function textOf(metrics: readonly MetricJson[]): Promise<string> {
  const registry = new Registry();
  for (const metric of metrics) {
    const source = { name: metric.name, get: () => Promise.resolve(metric) };
    registry.registerMetric(source as unknown as Metric);
  }
  return registry.metrics();
}

import { execFileSync, spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { EdgeAggregator } from '../../../../../src-main/engine/metrics/edge-aggregator.ts';
import { createPrometheus } from '../../../../../src-main/engine/metrics/prometheus.ts';
import type { Prometheus } from '../../../../../src-main/engine/metrics/prometheus.ts';
import { appliedFault, flowRecord, service } from '../../../../support/flow-record.ts';

let open: Prometheus | null = null;
afterEach(() => open?.close());

function create(workerMetrics: () => Promise<unknown[]> = () => Promise.resolve([])): Prometheus {
  open = createPrometheus({
    openConnections: () => 3,
    workers: () => 2,
    workerRestarts: () => 1,
    droppedFlows: () => 4,
    droppedBodies: () => 5,
    ruleHolds: () => ({ heldBytes: 6, leftMessages: 7, pausedReads: 8 }),
    workerMetrics,
  });
  return open;
}

interface Sample {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly value: number;
}

/** Reads text format 0.0.4 strictly: every line is a comment it knows, or a sample of a metric that was declared. */
function parse(text: string): { samples: Sample[]; types: Map<string, string> } {
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  const seen = new Set<string>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const type = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram|summary)$/.exec(line);
    if (type !== null) {
      expect(types.has(type[1] as string), `declared twice: ${line}`).toBe(false);
      types.set(type[1] as string, type[2] as string);
    } else if (!/^# HELP [a-zA-Z_:][\w:]* .+$/.test(line)) {
      const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (-?[\d.eE+-]+|NaN|[+-]Inf)$/.exec(line);
      if (sample === null) throw new Error(`not a line of the format: ${line}`);
      const name = sample[1] as string;
      const family = name.replace(/_(bucket|sum|count)$/, '');
      expect(types.has(name) || types.get(family) === 'histogram', `undeclared: ${line}`).toBe(true);
      expect(seen.has(line.slice(0, line.lastIndexOf(' '))), `sampled twice: ${line}`).toBe(false);
      seen.add(line.slice(0, line.lastIndexOf(' ')));
      samples.push({ name, labels: labelsOf(sample[2] ?? ''), value: Number(sample[3]) });
    }
  }
  expect(text.endsWith('\n')).toBe(true);
  return { samples, types };
}

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  const rest = text.replace(
    /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/g,
    (_, name: string, value: string) => {
      labels[name] = value.replace(/\\(.)/g, (__, c: string) => (c === 'n' ? '\n' : c));
      return '';
    },
  );
  expect(rest, 'labels').toBe('');
  return labels;
}

function valueOf(
  samples: readonly Sample[],
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  const fits = (sample: Sample): boolean =>
    sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value);
  return samples.find(fits)?.value;
}

describe('Prometheus', () => {
  it('exposes calls by edge and class, bytes, hits and gauges', async () => {
    const metrics = create();
    const edges = new EdgeAggregator();
    for (let n = 0; n < 3; n += 1) edges.add(flowRecord({ durationMs: 30 }));
    edges.add(flowRecord({ status: 500, durationMs: 700 }));
    edges.add(flowRecord({ status: 503, faults: [appliedFault({ status: 503 })], durationMs: 2 }));
    metrics.add(edges.takeReport());
    metrics.addHits({ 'payments-slow': 2 });
    metrics.addHits({ 'payments-slow': 3 });
    const { samples, types } = parse(await metrics.text());
    const edge = { caller: 'web', callee: 'orders', protocol: 'http' };
    expect(valueOf(samples, 'spike_requests_total', { ...edge, status_class: '2xx' })).toBe(3);
    expect(valueOf(samples, 'spike_requests_total', { ...edge, status_class: '5xx' })).toBe(2);
    expect(valueOf(samples, 'spike_requests_failed_total', edge)).toBe(1);
    expect(valueOf(samples, 'spike_requests_injected_total', edge)).toBe(1);
    expect(valueOf(samples, 'spike_request_bytes_total', edge)).toBe(500);
    expect(valueOf(samples, 'spike_response_bytes_total', edge)).toBe(5750);
    expect(valueOf(samples, 'spike_faults_injected_total', { rule: 'payments-slow' })).toBe(5);
    expect(valueOf(samples, 'spike_open_connections')).toBe(3);
    expect(valueOf(samples, 'spike_workers')).toBe(2);
    expect(valueOf(samples, 'spike_worker_restarts_total')).toBe(1);
    expect(valueOf(samples, 'spike_flows_dropped_total')).toBe(4);
    expect(valueOf(samples, 'spike_rules_held_bytes')).toBe(6);
    expect(valueOf(samples, 'spike_rules_left_messages_total')).toBe(7);
    expect(valueOf(samples, 'spike_rules_paused_reads_total')).toBe(8);
    expect(types.get('spike_request_duration_seconds')).toBe('histogram');
  });

  it('has cumulative buckets that end in +Inf and agree with the count', async () => {
    const metrics = create();
    const edges = new EdgeAggregator();
    for (const durationMs of [0.5, 4, 30, 30, 700, 90_000]) edges.add(flowRecord({ durationMs }));
    metrics.add(edges.takeReport());
    const { samples } = parse(await metrics.text());
    const buckets = samples.filter(({ name }) => name === 'spike_request_duration_seconds_bucket');
    expect(buckets.map(({ labels, value }) => [labels['le'], value])).toEqual([
      ['0.001', 1],
      ['0.0025', 1],
      ['0.005', 2],
      ['0.01', 2],
      ['0.025', 2],
      ['0.05', 4],
      ['0.1', 4],
      ['0.25', 4],
      ['0.5', 4],
      ['1', 5],
      ['2.5', 5],
      ['5', 5],
      ['10', 5],
      ['30', 5],
      ['60', 5],
      ['+Inf', 6],
    ]);
    expect(valueOf(samples, 'spike_request_duration_seconds_count')).toBe(6);
    expect(valueOf(samples, 'spike_request_duration_seconds_sum')).toBeCloseTo(90.7645, -1);
  });

  it('has the process metrics of the primary and of every worker, apart', async () => {
    const registries = ['1', '2'].map((worker) => {
      const registry = new Registry();
      registry.setDefaultLabels({ worker });
      collectDefaultMetrics({ register: registry });
      return registry;
    });
    const metrics = create(() => Promise.all(registries.map((registry) => registry.getMetricsAsJSON())));
    const { samples } = parse(await metrics.text());
    const workers = samples.filter(({ name }) => name === 'process_resident_memory_bytes');
    expect(workers.map(({ labels }) => labels['worker']).sort()).toEqual(['1', '2', 'primary']);
  });

  it('escapes names that a caller may choose', async () => {
    const metrics = create();
    const edges = new EdgeAggregator();
    const name = 'a"b\\c\nd';
    edges.add(flowRecord({ caller: service(name) }));
    metrics.add(edges.takeReport());
    const { samples } = parse(await metrics.text());
    expect(valueOf(samples, 'spike_requests_total', { caller: name })).toBe(1);
  });

  it('bounds its labels: edges and rules beyond are other', async () => {
    const metrics = create();
    const edges = new EdgeAggregator();
    for (let n = 0; n < 700; n += 1) edges.add(flowRecord({ callee: service(`host-${n}.example`) }));
    metrics.add(edges.takeReport());
    for (let n = 0; n < 300; n += 1) metrics.addHits({ [`rule-${n}`]: 1 });
    const { samples } = parse(await metrics.text());
    const requests = samples.filter(({ name }) => name === 'spike_requests_total');
    expect(requests).toHaveLength(501);
    expect(valueOf(samples, 'spike_requests_total', { callee: 'other' })).toBe(200);
    expect(valueOf(samples, 'spike_faults_injected_total', { rule: 'other' })).toBe(100);
  });

  const promtool = spawnSync('promtool', ['--version']).status === 0;
  it.skipIf(!promtool)('passes promtool (skipped where it is not installed)', async () => {
    const metrics = create();
    const edges = new EdgeAggregator();
    edges.add(flowRecord());
    metrics.add(edges.takeReport());
    execFileSync('promtool', ['check', 'metrics'], { input: await metrics.text() });
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import {
  EdgeDetailSchema,
  StatsSchema,
  TopologySchema,
} from '../../../../../src-shared/contract/topology.ts';
import type { FlowRecord } from '../../../../../src-main/engine/capture/flow-record.ts';
import { EdgeAggregator } from '../../../../../src-main/engine/metrics/edge-aggregator.ts';
import { EdgeHistory } from '../../../../../src-main/engine/metrics/edge-history.ts';
import { IncidentLog } from '../../../../../src-main/engine/topology/incident-log.ts';
import { TopologyOfEngine } from '../../../../../src-main/engine/topology/topology-view.ts';
import type { Match } from '../../../../../src-shared/rules/rule.ts';
import { appliedFault, flowError, flowRecord, service } from '../../../../support/flow-record.ts';
import { ManualClock } from '../../../../support/manual-clock.ts';

const minuteMs = 60_000;
let clock: ManualClock;
let history: EdgeHistory;
let rules: { id: string; match: Match }[];

beforeEach(() => {
  clock = new ManualClock();
  history = new EdgeHistory(clock);
  rules = [];
});

function view() {
  return new TopologyOfEngine({
    clock,
    history,
    activeRules: () => rules,
    routeNames: () => new Set(['ledger']),
    incidents: new IncidentLog(clock),
  });
}

/** A minute of traffic: the given calls once a second. */
function aMinuteOf(...flows: Partial<FlowRecord>[]): void {
  for (let second = 0; second < 60; second += 1) {
    const edges = new EdgeAggregator();
    for (const flow of flows) edges.add(flowRecord(flow));
    history.merge(1, edges.takeReport());
    clock.advance(1000);
  }
}

const call = (caller: string, callee: string, different: Partial<FlowRecord> = {}): Partial<FlowRecord> => ({
  caller: service(caller),
  callee: service(callee, 'host'),
  durationMs: 20,
  ...different,
});

describe('topology view', () => {
  it('shows services with kind, layer, health and note, as on the picture', () => {
    rules = [
      { id: 'slow', match: { caller: 'checkout', callee: 'payments' } },
      { id: 'half', match: { callee: 'invent*' } },
    ];
    aMinuteOf(
      call('browser', 'web', { durationMs: 96 }),
      call('web', 'checkout', { durationMs: 2480 }),
      call('checkout', 'payments', { durationMs: 2310, faults: [appliedFault({ delayedMs: 2000 })] }),
      call('checkout', 'inventory'),
      call('checkout', 'inventory', { status: 503, faults: [appliedFault({ status: 503 })] }),
      call('inventory', 'ledger', { kind: 'tcp', method: '', url: '' }),
      call('payments', 'carrier.example.com', {
        status: 502,
        upstreamAddress: null,
        error: flowError('upstream-dns-failed'),
      }),
    );
    const topology = view().get(minuteMs);
    const shown = topology.services.map(({ name, kind, depth, health, note }) => [
      name,
      kind,
      depth,
      health,
      note,
    ]);
    expect(shown).toEqual([
      ['browser', 'client', 0, 'fine', '1/s'],
      ['web', 'service', 1, 'fine', expect.stringMatching(/^p95 9\d ms$/)],
      ['checkout', 'service', 2, 'slow', expect.stringMatching(/^p95 2\.4\d s$/)],
      ['inventory', 'service', 3, 'faulted', '1/s get 503'],
      ['payments', 'service', 3, 'faulted', expect.stringMatching(/^p95 2\.3\d s$/)],
      ['carrier.example.com', 'external', 4, 'failing', 'unreachable'],
      ['ledger', 'database', 4, 'fine', 'tcp, 0 open'],
    ]);
    const edges = topology.edges.map(({ id, health, activeRules }) => [id, health, activeRules]);
    expect(edges).toContainEqual(['checkout→payments', 'faulted', ['slow']]);
    expect(edges).toContainEqual(['checkout→inventory', 'faulted', ['half']]);
    expect(edges).toContainEqual(['web→checkout', 'slow', []]);
    expect(TopologySchema.parse(topology)).toEqual(topology);
  });

  it('lets an edge be well again as soon as the rule is off', () => {
    rules = [{ id: 'slow', match: {} }];
    aMinuteOf(call('web', 'orders'), call('web', 'orders', { durationMs: 2000, faults: [appliedFault()] }));
    expect(view().get(minuteMs).edges[0]?.health).toBe('faulted');
    rules = [];
    expect(view().get(minuteMs).edges[0]?.health).toBe('fine');
  });

  it('calls an edge slow that is three times as slow as it was', () => {
    aMinuteOf(call('web', 'orders', { durationMs: 50 }));
    clock.advance(minuteMs);
    aMinuteOf(call('web', 'orders', { durationMs: 200 }));
    expect(view().get(minuteMs).edges[0]?.health).toBe('slow');
  });

  it('sums the p95 of a service over all that call it', () => {
    aMinuteOf(call('a', 'orders', { durationMs: 10 }), call('b', 'orders', { durationMs: 400 }));
    const orders = view()
      .get(minuteMs)
      .services.find(({ name }) => name === 'orders');
    expect(orders?.perSecond).toBeCloseTo(2, 5);
    expect(orders?.p95).toBeCloseTo(400, -1);
  });

  it('details one edge, and gives all edges with their sum', () => {
    aMinuteOf(call('web', 'orders'), call('web', 'payments'));
    const edge = view().edge('web→orders', minuteMs);
    expect(EdgeDetailSchema.parse(edge)).toEqual(edge);
    expect(edge.endpoints.map(({ template }) => template)).toEqual(['GET /orders/{id}']);
    expect(edge.series.reduce((sum, { calls }) => sum + calls, 0)).toBe(60);
    const stats = view().stats(minuteMs);
    expect(StatsSchema.parse(stats)).toEqual(stats);
    expect(stats.total.calls).toBe(120);
    expect(stats.edges.map(({ stats: { calls } }) => calls)).toEqual([60, 60]);
  });

  it('refuses an edge that it does not know', () => {
    expect(() => view().edge('a→b', minuteMs)).toThrowError(
      expect.objectContaining({ code: 'not-found' }) as Error,
    );
  });
});

describe('incident log', () => {
  it('keeps lost workers with what became of them, for five minutes', () => {
    const log = new IncidentLog(clock);
    log.lost(3, 7, clock.now());
    log.lost(1, 0, clock.now());
    expect(log.recent()).toMatchObject([
      { worker: 3, lostFlows: 7, replacedAfterMs: null },
      { worker: 1, lostFlows: 0, replacedAfterMs: null },
    ]);
    log.replaced(3, 400);
    expect(log.recent().map(({ replacedAfterMs }) => replacedAfterMs)).toEqual([400, null]);
    clock.advance(5 * minuteMs + 1);
    expect(log.recent()).toEqual([]);
  });

  it('is bounded in a storm', () => {
    const log = new IncidentLog(clock);
    for (let n = 0; n < 500; n += 1) log.lost(1, 0, clock.now());
    expect(log.recent()).toHaveLength(50);
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { EdgeAggregator } from '../../../../../src-main/engine/metrics/edge-aggregator.ts';
import { EdgeHistory, historyLimits } from '../../../../../src-main/engine/metrics/edge-history.ts';
import type { FlowRecord } from '../../../../../src-main/engine/capture/flow-record.ts';
import { appliedFault, flowRecord, service } from '../../../../support/flow-record.ts';
import { ManualClock } from '../../../../support/manual-clock.ts';

const minuteMs = 60_000;
let clock: ManualClock;
let history: EdgeHistory;

beforeEach(() => {
  clock = new ManualClock();
  history = new EdgeHistory(clock);
});

function report(...flows: Partial<FlowRecord>[]) {
  const edges = new EdgeAggregator();
  for (const flow of flows) edges.add(flowRecord(flow));
  return edges.takeReport();
}

function slowly(seconds: number, each: (second: number) => void): void {
  for (let second = 0; second < seconds; second += 1) {
    each(second);
    clock.advance(1000);
  }
}

/** A sequence without a period in the range of its use. */
const pseudo = (n: number): number => ((n * 7919) % 997) + 1;

describe('EdgeHistory', () => {
  it('answers a window with rates and percentiles', () => {
    slowly(60, () => history.merge(1, report({ durationMs: 10 }, { durationMs: 100, status: 500 })));
    const stats = history.edge('web→orders', minuteMs)?.stats;
    expect(stats).toMatchObject({ calls: 120, failed: 60, perSecond: 2, injected: 0 });
    expect(stats?.p50).toBeCloseTo(10, 0);
    expect(stats?.p99).toBeCloseTo(100, -1);
    expect(stats?.requestBytesPerSecond).toBe(200);
  });

  it('gives the same from four workers as from one', () => {
    const alone = new EdgeHistory(clock);
    const flows = Array.from({ length: 2000 }, (_, n) => ({
      durationMs: pseudo(n),
      status: n % 10 ? 200 : 500,
    }));
    alone.merge(1, report(...flows));
    for (const worker of [0, 1, 2, 3])
      history.merge(worker, report(...flows.filter((_, n) => n % 4 === worker)));
    clock.advance(5000);
    expect(history.edge('web→orders', minuteMs)).toEqual(alone.edge('web→orders', minuteMs));
    expect(history.endpoints('web→orders', minuteMs)).toEqual(alone.endpoints('web→orders', minuteMs));
  });

  it('tells the p95 with and without faults', () => {
    for (let n = 0; n < 50; n += 1) {
      history.merge(1, report({ durationMs: 100 }, { durationMs: 2000, faults: [appliedFault()] }));
    }
    const stats = history.edge('web→orders', minuteMs)?.stats;
    expect(stats?.p95).toBeGreaterThan(1980);
    expect(stats?.p95WithoutFaults).toBeLessThan(102);
    expect(stats).toMatchObject({ calls: 100, injected: 50, failed: 0 });
  });

  it('leaves out what is older than the window, and keeps an hour', () => {
    history.merge(1, report({}));
    clock.advance(2 * minuteMs);
    history.merge(1, report({ callee: service('other') }));
    expect(history.edge('web→orders', minuteMs)?.stats.calls).toBe(0);
    expect(history.edge('web→orders', 5 * minuteMs)?.stats.calls).toBe(1);
    expect(history.edge('web→orders', 60 * minuteMs)?.stats.calls).toBe(1);
    clock.advance(61 * minuteMs);
    history.merge(1, report());
    expect(history.edgeIds()).toEqual([]);
    expect(history.edge('web→orders', minuteMs)).toBeNull();
  });

  it('does not divide by time in which the agent did not run', () => {
    slowly(4, () => history.merge(1, report({}, {}, {})));
    expect(history.edge('web→orders', minuteMs)?.stats.perSecond).toBeCloseTo(3, 5);
  });

  it('sums what is in flight over workers, and forgets that of a lost one', () => {
    const open = (id: string) => {
      const edges = new EdgeAggregator();
      edges.begin(flowRecord({ id, durationMs: -1 }));
      return edges;
    };
    const [one, two] = [open('a'), open('b')];
    history.merge(1, one.takeReport());
    history.merge(2, two.takeReport());
    expect(history.edge('web→orders', minuteMs)?.stats).toMatchObject({ inFlight: 2, calls: 0, p95: null });
    history.merge(1, one.takeReport());
    expect(history.total(minuteMs).inFlight).toBe(2);
    history.workerLost(1);
    expect(history.total(minuteMs).inFlight).toBe(1);
    history.merge(2, report());
    expect(history.total(minuteMs).inFlight).toBe(0);
  });

  it('keeps what a lost worker had reported', () => {
    history.merge(1, report({}, {}));
    history.workerLost(1);
    expect(history.edge('web→orders', minuteMs)?.stats.calls).toBe(2);
  });

  it('names a second protocol between the same services in the id, and keeps ids', () => {
    history.merge(1, report({}, { kind: 'websocket' }));
    expect(history.edgeIds()).toEqual(['web→orders', 'web→orders websocket']);
    history.merge(1, report({ kind: 'websocket' }));
    expect(history.edge('web→orders websocket', minuteMs)?.stats.calls).toBe(2);
  });

  it.each([
    [minuteMs, 1000, 61],
    [5 * minuteMs, 5000, 61],
    [10 * minuteMs, 10_000, 61],
    [60 * minuteMs, 30_000, 121],
  ])('draws %i ms in steps of %i', (windowMs, stepMs, length) => {
    slowly(30, () => history.merge(1, report({ durationMs: 50 })));
    const series = history.series(windowMs, 'web→orders');
    expect(series.stepMs).toBe(stepMs);
    expect(series.points).toHaveLength(length);
    expect(series.points.reduce((sum, point) => sum + point.calls, 0)).toBe(30);
    expect(
      series.points.every(({ at }, index, all) => index === 0 || at - (all[index - 1]?.at ?? 0) === stepMs),
    ).toBe(true);
    expect(series.points[0]).toMatchObject({ calls: 0, p95: null });
  });

  it('draws all edges together without an id', () => {
    history.merge(1, report({}, { callee: service('payments') }));
    expect(history.series(minuteMs).points.at(-1)).toMatchObject({ calls: 2 });
    expect(history.series(minuteMs, 'nowhere').points.at(-1)).toMatchObject({ calls: 0 });
  });

  it('lists endpoints, busiest first, with their failed share and whether a fault acted', () => {
    slowly(10, () => {
      history.merge(
        1,
        report(
          { url: 'http://o/orders/1' },
          { url: 'http://o/orders/2', status: 500 },
          { method: 'POST', url: 'http://o/orders', faults: [appliedFault()] },
        ),
      );
    });
    const endpoints = history.endpoints('web→orders', minuteMs);
    expect(endpoints.map(({ template, failedShare, injected }) => [template, failedShare, injected])).toEqual(
      [
        ['GET /orders/{id}', 0.5, false],
        ['POST /orders', 0, true],
      ],
    );
    expect(endpoints[0]?.perSecond).toBeCloseTo(2, 5);
  });

  it('knows what an edge was like before the window, without faults', () => {
    slowly(60, () =>
      history.merge(1, report({ durationMs: 20 }, { durationMs: 900, faults: [appliedFault()] })),
    );
    clock.advance(minuteMs);
    slowly(30, () => history.merge(1, report({ durationMs: 500 })));
    expect(history.baselineP95('web→orders', minuteMs, 50)).toBeCloseTo(20, 0);
    expect(history.baselineP95('web→orders', minuteMs, 1000)).toBeNull();
    expect(history.baselineP95('nowhere', minuteMs, 1)).toBeNull();
  });

  it('bounds edges, and counts the rest as other', () => {
    const small = new EdgeHistory(clock, { ...historyLimits, maxEdges: 2 });
    slowly(30, () => small.merge(1, report({}, { callee: service('b') }, { callee: service('c') })));
    expect(small.edgeIds()).toEqual(['web→orders', 'web→b', 'other→other']);
    expect(small.overflow.edges).toBe(30);
  });

  it('bounds its bytes: the oldest slots make room, and are counted', () => {
    const maxFineBytes = 6000;
    const small = new EdgeHistory(clock, { ...historyLimits, maxFineBytes });
    slowly(30, () => small.merge(1, report({}, { callee: service('b') })));
    expect(small.evictedSlots).toBeGreaterThan(0);
    const calls = small.edge('web→orders', minuteMs)?.stats.calls ?? 0;
    expect(calls).toBeGreaterThan(3);
    expect(calls).toBeLessThan(10);
    expect(small.edge('web→orders', 60 * minuteMs)?.stats.calls).toBe(30);
  });

  it('gives all its bytes back in the end', () => {
    slowly(30, () => history.merge(1, report({}, { status: 503, faults: [appliedFault({ status: 503 })] })));
    expect(history.sizeBytes).toBeGreaterThan(10_000);
    clock.advance(61 * minuteMs);
    history.merge(1, report());
    expect(history.sizeBytes).toBe(0);
  });
});

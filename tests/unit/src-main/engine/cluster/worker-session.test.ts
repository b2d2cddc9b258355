import { afterEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../../../../src-main/engine/log.ts';
import type { ToPrimary } from '../../../../../src-main/engine/cluster/messages.ts';
import { createWorkerSession, reportEveryMs } from '../../../../../src-main/engine/cluster/worker-session.ts';
import type { WorkerDataPlane } from '../../../../../src-main/engine/cluster/worker-session.ts';
import type { EdgeAggregator } from '../../../../../src-main/engine/metrics/edge-aggregator.ts';
import { flowRecord } from '../../../../support/flow-record.ts';
import { ManualClock } from '../../../../support/manual-clock.ts';
import { workerConfig, workerIdentity } from '../../../../support/worker-config.ts';

function setUp(different: Partial<WorkerDataPlane> = {}) {
  const clock = new ManualClock();
  const sent: ToPrimary[] = [];
  const calls: string[] = [];
  const exit = vi.fn();
  const created = Promise.withResolvers<undefined>();
  let edges: EdgeAggregator | null = null;
  const dataPlane: WorkerDataPlane = {
    configure: (config) => {
      calls.push(`configure ${config.version}`);
      return Promise.resolve({ released: 3 });
    },
    decideReply: (ask, decision) => void calls.push(`decided ${ask} ${decision.hit}`),
    heldReceived: ({ type, hold }) => void calls.push(`${type} ${hold}`),
    captureAck: (bytes) => void calls.push(`acknowledged ${bytes}`),
    drain: () => Promise.resolve(void calls.push('drain')),
    close: () => Promise.resolve(void calls.push('close')),
    announceOpenFlows: () => undefined,
    openConnections: () => 5,
    takeHolds: () => ({ heldBytes: 7, leftMessages: 1, pausedReads: 2 }),
    ...different,
  };
  const session = createWorkerSession({
    clock,
    log: silentLog,
    link: { send: (message) => void sent.push(message), capture: () => undefined },
    createDataPlane: async (parts) => {
      edges = parts.edges;
      await created.promise;
      return dataPlane;
    },
    metricsOf: (worker) => Promise.resolve([`metrics of ${worker}`]),
    exit,
  });
  const start = { type: 'start', identity: workerIdentity(2), config: workerConfig(1) } as const;
  return {
    clock,
    sent,
    calls,
    exit,
    session,
    start,
    created,
    edges: () => edges as unknown as EdgeAggregator,
  };
}

/** All that is waiting in the microtask queue. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('worker session', () => {
  afterEach(() => vi.restoreAllMocks());

  it('holds a configuration back until the data plane stands', async () => {
    const { session, start, created, sent, calls } = setUp();
    session.receive(start);
    session.receive({ type: 'configure', config: workerConfig(2) });
    await settle();
    expect(sent).toEqual([]);
    created.resolve(undefined);
    await settle();
    expect(sent).toEqual([{ type: 'ready' }, { type: 'configured', version: 2, released: 3 }]);
    expect(calls).toContain('configure 2');
  });

  it('passes replies on at once', async () => {
    const { session, start, created, calls } = setUp();
    created.resolve(undefined);
    session.receive(start);
    await settle();
    session.receive({
      type: 'decide.reply',
      ask: 7,
      decision: { hit: true, retryAfterMs: null, holds: false },
    });
    session.receive({ type: 'capture.ack', bytes: 100 });
    expect(calls).toEqual(['decided 7 true', 'acknowledged 100']);
  });

  it('reports its gauge and its edges twice a second', async () => {
    const { session, start, created, sent, clock, edges } = setUp();
    created.resolve(undefined);
    session.receive(start);
    await settle();
    edges().begin(flowRecord({ id: 'open-1', durationMs: -1 }));
    clock.advance(reportEveryMs);
    expect(sent.slice(1)).toMatchObject([
      {
        type: 'gauge',
        openConnections: 5,
        openFlows: 1,
        openFlowIds: ['open-1'],
        rules: { heldBytes: 7, leftMessages: 1, pausedReads: 2 },
      },
      { type: 'edges', report: { edges: [{ caller: 'web', inFlight: 1 }] } },
    ]);
    clock.advance(reportEveryMs * 3);
    expect(sent.filter(({ type }) => type === 'gauge')).toHaveLength(4);
  });

  it('answers for metrics with its number', async () => {
    const { session, start, created, sent } = setUp();
    created.resolve(undefined);
    session.receive(start);
    await settle();
    session.receive({ type: 'metrics.get', request: 9 });
    await settle();
    expect(sent.at(-1)).toEqual({ type: 'metrics', request: 9, metrics: ['metrics of 2'] });
  });

  it('drains, reports what it still counted, closes and exits', async () => {
    const { session, start, created, sent, calls, exit, edges } = setUp();
    created.resolve(undefined);
    session.receive(start);
    await settle();
    edges().add(flowRecord());
    session.receive({ type: 'drain', deadlineMs: 3000 });
    session.receive({ type: 'drain', deadlineMs: 3000 });
    await settle();
    expect(sent.at(-1)).toMatchObject({ type: 'edges', report: { edges: [{ counts: { calls: 1 } }] } });
    expect(calls).toEqual(['drain', 'close']);
    expect(exit.mock.calls).toEqual([[0]]);
  });

  it('cuts the calls that do not end by the deadline, and exits', async () => {
    const hanging = { drain: () => new Promise<void>(() => undefined) };
    const { session, start, created, clock, exit, calls } = setUp(hanging);
    created.resolve(undefined);
    session.receive(start);
    await settle();
    session.shutDown(3000);
    await settle();
    clock.advance(2999);
    expect(calls).not.toContain('close');
    clock.advance(1);
    await settle();
    expect(calls).toContain('close');
    expect(exit.mock.calls).toEqual([[0]]);
  });

  it('exits soon after its deadline when even the end does not end', async () => {
    const { session, start, created, clock, exit } = setUp({ close: () => new Promise(() => undefined) });
    created.resolve(undefined);
    session.receive(start);
    await settle();
    session.shutDown(3000);
    await settle();
    clock.advance(3249);
    expect(exit).not.toHaveBeenCalled();
    clock.advance(1);
    expect(exit.mock.calls).toEqual([[0]]);
  });
});

import type { Edge, EdgeStats } from '#shared/contract/topology.ts';

const quiet: EdgeStats = {
  calls: 600,
  perSecond: 12,
  failed: 0,
  clientErrors: 0,
  injected: 0,
  injectedFailed: 0,
  p50: 40,
  p90: 70,
  p95: 96,
  p99: 120,
  max: 130,
  p95WithoutFaults: null,
  requestBytesPerSecond: 1000,
  responseBytesPerSecond: 23_000,
  inFlight: 1,
};

export function edgeOf(stats: Partial<EdgeStats> = {}, more: Partial<Edge> = {}): Edge {
  return {
    id: 'checkout→payments',
    caller: 'checkout',
    callee: 'payments',
    protocol: 'http',
    health: 'fine',
    stats: { ...quiet, ...stats },
    firstSeenAt: '2026-01-01T00:00:00.000Z',
    lastSeenAt: '2026-01-01T00:01:00.000Z',
    activeRules: [],
    ...more,
  };
}

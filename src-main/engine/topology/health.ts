import type { EdgeStats, Health } from '#shared/contract/topology.ts';

/** When an edge is called unwell. Shares are 0 to 1 of the calls that no fault made fail; a share must be exceeded. */
export interface HealthThresholds {
  readonly failingShare: number;
  /** 0: any failed call makes an edge `slow`, the degraded state of the map. */
  readonly degradedShare: number;
  readonly failingClientErrorShare: number;
  readonly degradedClientErrorShare: number;
  /** A p95 of this and more is slow, whatever it was before. */
  readonly slowP95Ms: number;
  /** So is a p95 of this many times what it was in the hour before the window, … */
  readonly slowTimesBaseline: number;
  /** … unless it is below this: from 1 ms to 4 ms is nobody's problem. */
  readonly slowFloorMs: number;
  /** Fewer calls than this before the window are no baseline. */
  readonly baselineCalls: number;
}

export const healthThresholds: HealthThresholds = {
  failingShare: 0.1,
  degradedShare: 0,
  failingClientErrorShare: 0.2,
  degradedClientErrorShare: 0.1,
  slowP95Ms: 1000,
  slowTimesBaseline: 3,
  slowFloorMs: 50,
  baselineCalls: 50,
};

/** What a reader must see first comes first. */
const worstFirst: readonly Health[] = ['faulted', 'failing', 'slow', 'played', 'fine', 'idle'];

export function worstOf(healths: Iterable<Health>): Health {
  const present = new Set(healths);
  return worstFirst.find((health) => present.has(health)) ?? 'idle';
}

export interface EdgeEvidence {
  readonly stats: EdgeStats;
  readonly protocol: string;
  /** A rule that is on can act on this edge. */
  readonly ruled: boolean;
  /** The p95 before the window, in ms; null without enough calls. */
  readonly baselineP95: number | null;
}

/**
 * The health of one edge. `faulted` needs both a call that a fault acted on and a rule that is still on: after a rule is
 * turned off its traces remain in the figures, but the edge is judged by its other calls again.
 */
export function edgeHealth(evidence: EdgeEvidence, thresholds: HealthThresholds): Health {
  const { stats } = evidence;
  if (evidence.ruled && stats.injected > 0) return 'faulted';
  // Open connections of a tunnel are its activity: it may make no call for hours.
  if (stats.calls === 0) return stats.inFlight > 0 ? 'fine' : 'idle';
  const own = Math.max(1, stats.calls - stats.injectedFailed);
  const failedShare = stats.failed / own;
  const clientErrorShare = stats.clientErrors / own;
  if (failedShare > thresholds.failingShare) return 'failing';
  if (clientErrorShare > thresholds.failingClientErrorShare) return 'failing';
  if (failedShare > thresholds.degradedShare) return 'slow';
  if (clientErrorShare > thresholds.degradedClientErrorShare) return 'slow';
  return isSlow(evidence, thresholds) ? 'slow' : 'fine';
}

function isSlow({ stats, protocol, baselineP95 }: EdgeEvidence, thresholds: HealthThresholds): boolean {
  // What lasts long on these is a conversation, not an answer.
  if (isConversation(protocol)) return false;
  const p95 = stats.injected > 0 ? stats.p95WithoutFaults : stats.p95;
  if (p95 === null) return false;
  if (p95 >= thresholds.slowP95Ms) return true;
  if (baselineP95 === null || p95 < thresholds.slowFloorMs) return false;
  return p95 >= baselineP95 * thresholds.slowTimesBaseline;
}

/** Protocols whose flows are connections: their durations are not latencies. */
export function isConversation(protocol: string): boolean {
  return protocol === 'tcp' || protocol === 'websocket';
}

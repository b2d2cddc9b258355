import type { Figures, PlayedPhase, Recovery } from '#shared/scenarios/report.ts';
import { countOf, percentilesOf, sumHistograms } from '../metrics/sparse-histogram.ts';
import type { SparseHistogram } from '../metrics/sparse-histogram.ts';

interface TimedSlice {
  readonly fromMs: number;
  readonly calls: number;
  readonly errors: number;
  readonly latency: SparseHistogram;
}

export interface RecoveryInput {
  /** Those with a call, ascending. */
  readonly slices: readonly TimedSlice[];
  readonly sliceMs: number;
  /** What was normal before the first fault; null where the scenario begins with one. */
  readonly baseline: Figures | null;
  /** null: faults were on until the end, or there were none. */
  readonly faultsEndMs: number | null;
  /** Calls that a fault acted on, over the whole run. */
  readonly hits: number;
}

/** Calls that are judged together: a percentile of fewer is chance. */
const callsTogether = 5;
/** Back to normal: error rate at most so much (of 1) above the baseline … */
const errorRateSlack = 0.01;
/** … and p95 at most this many times the baseline's, or so many ms more, whichever is more. */
const p95Factor = 1.25;
const p95SlackMs = 10;

/** The phase before the first fault. */
export function baselineOf(phases: readonly PlayedPhase[], figures: readonly Figures[]): Figures | null {
  const [first] = phases;
  return first === undefined || first.rules.length > 0 ? null : (figures[0] ?? null);
}

/** When the last rule of the scenario was turned off; null when that was at the end. */
export function faultsEndOf(phases: readonly PlayedPhase[]): number | null {
  const last = phases.findLastIndex(({ rules }) => rules.length > 0);
  return last < 0 ? null : (phases[last + 1]?.fromMs ?? null);
}

/** How long calls took to be what they were, once no fault acted any more. */
export function recoveryOf({ slices, sliceMs, baseline, faultsEndMs, hits }: RecoveryInput): Recovery {
  if (hits === 0) return unknown('No fault acted on these calls.');
  if (baseline === null) return unknown('It began with a fault, so what is normal is not known.');
  if (baseline.calls < callsTogether)
    return unknown('There were too few calls before the first fault to say what is normal.');
  if (faultsEndMs === null) return unknown('Faults were on until the end.');
  // The slice that the end of the faults falls into holds calls of both sides.
  const groups = groupsOf(slices.filter(({ fromMs }) => fromMs >= faultsEndMs));
  const [firstGroup] = groups;
  if (firstGroup === undefined) return unknown('There were too few calls after the last fault.');
  const isNormal = groups.map((group) => isBack(group, baseline));
  const at = isNormal.findIndex((normal, index) => normal && (isNormal[index + 1] ?? true));
  if (at < 0)
    return unknown(
      `Not back to normal ${seconds(lastMs(groups, sliceMs) - faultsEndMs)} after the last fault.`,
    );
  // Nothing was wrong in between, so what was waited for was a call, and not their getting better.
  const ms = at === 0 ? 0 : Math.max(0, (groups[at]?.fromMs ?? faultsEndMs) - faultsEndMs);
  const note =
    ms === 0
      ? 'Back to normal at once after the last fault.'
      : `Back to normal ${seconds(ms)} after the last fault.`;
  return { ms, note };
}

function unknown(note: string): Recovery {
  return { ms: null, note };
}

/** Neighbours together until each group has enough calls; what is left over at the end joins the last. */
function groupsOf(slices: readonly TimedSlice[]): TimedSlice[] {
  const groups: TimedSlice[][] = [];
  let open: TimedSlice[] = [];
  for (const slice of slices) {
    open.push(slice);
    if (callsOf(open) < callsTogether) continue;
    groups.push(open);
    open = [];
  }
  if (open.length > 0) groups.at(-1)?.push(...open);
  return groups.map((group) => ({
    fromMs: group[0]?.fromMs ?? 0,
    calls: callsOf(group),
    errors: group.reduce((sum, { errors }) => sum + errors, 0),
    latency: sumHistograms(group.map(({ latency }) => latency)),
  }));
}

function callsOf(slices: readonly TimedSlice[]): number {
  return slices.reduce((sum, { calls }) => sum + calls, 0);
}

function isBack({ calls, errors, latency }: TimedSlice, baseline: Figures): boolean {
  if (errors / calls > (baseline.errorRate ?? 0) + errorRateSlack) return false;
  const { p50, p95 } = percentilesOf(latency);
  // The p95 of a few is the slowest of them, which is slower than the p95 of many each twentieth time: their median tells.
  const now = countOf(latency) < 20 ? p50 : p95;
  if (now === null || baseline.p95 === null) return true;
  return now <= Math.max(baseline.p95 * p95Factor, baseline.p95 + p95SlackMs);
}

function lastMs(groups: readonly TimedSlice[], sliceMs: number): number {
  return (groups.at(-1)?.fromMs ?? 0) + sliceMs;
}

export function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1).replace(/\.0$/, '')} s`;
}

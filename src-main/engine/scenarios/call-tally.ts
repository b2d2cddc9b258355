import type { FailureCause } from '#shared/flow/failure-cause.ts';
import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import {
  bucketOfMs,
  emptyHistogram,
  LatencyCollector,
  mergeHistograms,
} from '../metrics/sparse-histogram.ts';
import type { SparseHistogram } from '../metrics/sparse-histogram.ts';

/** What to count: the calls that began from the first bound on and before the last, each in the phase that it began in. */
export interface TallyQuery {
  /** Unix ms, ascending: the start of each phase, then the end. At least two. */
  readonly boundsMs: readonly number[];
  /** Charts have a point for so long. */
  readonly sliceMs: number;
}

export interface Tally {
  calls: number;
  errors: number;
  errorsByFault: number;
  hits: number;
  open: number;
  statuses: Record<string, number>;
  causes: Record<string, number>;
  latency: SparseHistogram;
}

export interface SliceTally {
  readonly index: number;
  calls: number;
  errors: number;
  hits: number;
  latency: SparseHistogram;
}

/** The calls from one service to another, over all protocols. Plain data: crosses threads as it is. */
export interface EdgeTally {
  readonly caller: string;
  readonly callee: string;
  readonly phases: readonly Tally[];
  /** Those with a call, by index. */
  readonly slices: readonly SliceTally[];
}

export interface CallTallies {
  readonly edges: readonly EdgeTally[];
  /** Calls of edges beyond the bound, counted as `other`. */
  readonly beyond: number;
  /** false: there were more calls than are read in the time that a report may take. */
  readonly complete: boolean;
}

/** Edges of one report; calls of further ones are counted from `other` to `other`. */
export const mostTalliedEdges = 500;
const other = 'other';

interface Counting<T> {
  readonly sum: T;
  readonly latency: LatencyCollector;
}

interface CountedEdge {
  readonly caller: string;
  readonly callee: string;
  readonly phases: readonly Counting<Tally>[];
  readonly slices: Map<number, Counting<SliceTally>>;
}

/** Counts calls by edge, phase and slice, exactly; `add` them in any order, each once. */
export class CallTally {
  readonly #query: TallyQuery;
  readonly #edges = new Map<string, CountedEdge>();
  #beyond = 0;

  constructor(query: TallyQuery) {
    this.#query = query;
  }

  add(row: FlowSummary): void {
    const { boundsMs, sliceMs } = this.#query;
    const firstMs = boundsMs[0] as number;
    const phase = boundsMs.findLastIndex((boundMs) => boundMs <= row.startedAtMs);
    if (phase < 0 || phase >= boundsMs.length - 1) return;
    const edge = this.#edge(row);
    const outcome = outcomeFor(row);
    const slice = sliceOf(edge, Math.floor((row.startedAtMs - firstMs) / sliceMs));
    const counted = edge.phases[phase] as Counting<Tally>;
    for (const { sum, latency } of [counted, slice]) {
      sum.calls += 1;
      if (outcome.error) sum.errors += 1;
      if (row.faults.length > 0) sum.hits += 1;
      if (outcome.durationMs !== null) latency.record(bucketOfMs(outcome.durationMs));
    }
    const { sum } = counted;
    if (outcome.byFault) sum.errorsByFault += 1;
    if (row.durationMs === null) sum.open += 1;
    if (row.status !== null) count(sum.statuses, String(row.status));
    if (row.cause !== null) count(sum.causes, row.cause);
  }

  result(complete: boolean): CallTallies {
    const edges = [...this.#edges.values()].map(({ caller, callee, phases, slices }) => ({
      caller,
      callee,
      phases: phases.map(done),
      slices: [...slices.values()].map(done).sort((a, b) => a.index - b.index),
    }));
    return { edges, beyond: this.#beyond, complete };
  }

  #edge(row: FlowSummary): CountedEdge {
    const known = this.#edges.get(keyOf(row.caller, row.callee));
    if (known !== undefined) return known;
    if (this.#edges.size < mostTalliedEdges) return this.#newEdge(row.caller, row.callee);
    this.#beyond += 1;
    return this.#edges.get(keyOf(other, other)) ?? this.#newEdge(other, other);
  }

  #newEdge(caller: string, callee: string): CountedEdge {
    const phases = this.#query.boundsMs.slice(1).map(() => counting(noCalls()));
    const edge: CountedEdge = { caller, callee, phases, slices: new Map() };
    this.#edges.set(keyOf(caller, callee), edge);
    return edge;
  }
}

function sliceOf({ slices }: CountedEdge, index: number): Counting<SliceTally> {
  let slice = slices.get(index);
  if (slice === undefined) {
    slice = counting({ index, calls: 0, errors: 0, hits: 0, latency: emptyHistogram });
    slices.set(index, slice);
  }
  return slice;
}

function counting<T>(sum: T): Counting<T> {
  return { sum, latency: new LatencyCollector() };
}

function done<T extends { latency: SparseHistogram }>({ sum, latency }: Counting<T>): T {
  sum.latency = mergeHistograms(sum.latency, latency.take());
  return sum;
}

export function noCalls(): Tally {
  return {
    calls: 0,
    errors: 0,
    errorsByFault: 0,
    hits: 0,
    open: 0,
    statuses: {},
    causes: {},
    latency: emptyHistogram,
  };
}

function keyOf(caller: string, callee: string): string {
  return JSON.stringify([caller, callee]);
}

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

const gaveUp: ReadonlySet<FailureCause> = new Set<FailureCause>(['client-closed', 'client-timeout']);

/**
 * How a call ended for whoever made it. Other than on the map (metrics/call-outcome.ts), what a fault did counts: the
 * question is what callers met.
 */
function outcomeFor(row: FlowSummary): { error: boolean; byFault: boolean; durationMs: number | null } {
  const { status, cause } = row;
  const refused = row.faultedStatus && (status ?? 0) >= 400;
  const error = cause !== null || (status ?? 0) >= 500 || (row.grpcStatus ?? 0) > 0 || refused;
  const broken = cause !== null && (cause.startsWith('fault-') || gaveUp.has(cause));
  const byFault = error && row.faults.length > 0 && (row.faultedStatus || broken);
  // How long a tunnel was open says nothing about how fast anybody was.
  return { error, byFault, durationMs: row.kind === 'http' ? row.durationMs : null };
}

import type {
  CallerOutcome,
  EdgeOutcome,
  Figures,
  PlayedPhase,
  Recovery,
  ScenarioReport,
  Slice,
} from '#shared/scenarios/report.ts';
import { emptyHistogram, percentilesOf, sumHistograms } from '../metrics/sparse-histogram.ts';
import type { SparseHistogram } from '../metrics/sparse-histogram.ts';
import { judge } from './assertion-results.ts';
import type { CallTallies, EdgeTally, SliceTally, Tally } from './call-tally.ts';
import { mostTalliedEdges, noCalls } from './call-tally.ts';
import { baselineOf, faultsEndOf, recoveryOf } from './recovery.ts';
import { outcomeOfCaller } from './caller-sentence.ts';

/** A phase as it was played. */
export interface PlayedSpan {
  readonly name: string;
  /** Unix ms. */
  readonly fromMs: number;
  /** Names of the rules that the scenario had on. */
  readonly rules: readonly string[];
}

export interface ReportInput {
  readonly id: string;
  readonly scenario: string;
  /** Unix ms. */
  readonly startMs: number;
  /** As in the tally's query: where the phases begin, then the end. */
  readonly boundsMs: readonly number[];
  /** null: it ran to its end. */
  readonly reason: string | null;
  readonly spans: readonly PlayedSpan[];
  readonly tallies: CallTallies;
  readonly sliceMs: number;
  readonly assertions: readonly string[];
  readonly notes: readonly string[];
}

/** Makes the report of a run from what was counted. Pure. */
export function buildReport(input: ReportInput): ScenarioReport {
  const { boundsMs, startMs, tallies } = input;
  const phases = input.spans.map((span, index): PlayedPhase => ({
    name: span.name,
    fromMs: (boundsMs[index] as number) - startMs,
    toMs: (boundsMs[index + 1] as number) - startMs,
    rules: [...span.rules],
  }));
  const maker = new OutcomeMaker(phases, input.sliceMs);
  const callers = maker.callers(tallies.edges);
  const callees = maker.callees(tallies.edges);
  const all = maker.measured(tallies.edges);
  const assertions = input.assertions.map((text) => judge(text, { phases, all, callers, callees }));
  return {
    id: input.id,
    scenario: input.scenario,
    startedAt: new Date(startMs).toISOString(),
    elapsedMs: (boundsMs.at(-1) as number) - startMs,
    outcome: input.reason === null ? 'finished' : 'stopped',
    reason: input.reason,
    passed: input.reason === null && assertions.every(({ passed }) => passed),
    phases,
    all,
    callers,
    callees,
    assertions,
    sliceMs: input.sliceMs,
    notes: [...input.notes, ...notesOn(tallies)],
  };
}

function notesOn({ beyond, complete, edges }: CallTallies): string[] {
  const open = edges.flatMap(({ phases }) => phases).reduce((sum, phase) => sum + phase.open, 0);
  const notes: string[] = [];
  if (!complete) notes.push('There were more calls than could be read in time: the counts are too low.');
  if (beyond > 0)
    notes.push(`${beyond} calls of edges beyond the first ${mostTalliedEdges} are counted as "other".`);
  if (open > 0)
    notes.push(`${open} calls were still open when the report was made; how they end is not known.`);
  return notes;
}

class OutcomeMaker {
  readonly #phases: readonly PlayedPhase[];
  readonly #sliceMs: number;

  constructor(phases: readonly PlayedPhase[], sliceMs: number) {
    this.#phases = phases;
    this.#sliceMs = sliceMs;
  }

  callers(edges: readonly EdgeTally[]): CallerOutcome[] {
    const names = [...new Set(edges.map(({ caller }) => caller))];
    const callers = names.map((name) => this.#caller(name, edges));
    return callers.sort((a, b) => b.total.hits - a.total.hits || (a.name < b.name ? -1 : 1));
  }

  callees(edges: readonly EdgeTally[]): ScenarioReport['callees'] {
    const names = [...new Set(edges.map(({ callee }) => callee))].sort();
    return names.map((name) => ({ name, ...this.measured(edges.filter(({ callee }) => callee === name)) }));
  }

  measured(edges: readonly EdgeTally[]): { total: Figures; phases: Figures[] } {
    const byPhase = this.#phases.map((_, index) =>
      summed(edges.flatMap(({ phases }) => phases[index] ?? [])),
    );
    const phases = byPhase.map((tally, index) => figuresOf(tally, lengthMs(this.#phases[index])));
    const wholeMs = this.#phases.reduce((sum, phase) => sum + lengthMs(phase), 0);
    return { total: figuresOf(summed(byPhase), wholeMs), phases };
  }

  #caller(name: string, edges: readonly EdgeTally[]): CallerOutcome {
    const own = edges.filter(({ caller }) => caller === name);
    const inbound = edges.filter(({ callee }) => callee === name);
    const measured = this.measured(own);
    const answered = inbound.length === 0 ? null : this.measured(inbound);
    const recovery = this.#recovery(own, measured.phases);
    const outcomes = own.map((edge) => this.#edge(edge));
    return {
      name,
      ...outcomeOfCaller({ name, phases: this.#phases, measured, answered, edges: outcomes, recovery }),
      ...measured,
      answered,
      recovery,
      slices: this.#slices(own),
      edges: outcomes.sort((a, b) => b.total.hits - a.total.hits || (a.callee < b.callee ? -1 : 1)),
    };
  }

  #edge(edge: EdgeTally): EdgeOutcome {
    const measured = this.measured([edge]);
    return { callee: edge.callee, ...measured, recovery: this.#recovery([edge], measured.phases) };
  }

  #recovery(edges: readonly EdgeTally[], figures: readonly Figures[]): Recovery {
    const offsetMs = this.#phases[0]?.fromMs ?? 0;
    return recoveryOf({
      slices: mergedSlices(edges).map((slice) => ({
        ...slice,
        fromMs: offsetMs + slice.index * this.#sliceMs,
      })),
      sliceMs: this.#sliceMs,
      baseline: baselineOf(this.#phases, figures),
      faultsEndMs: faultsEndOf(this.#phases),
      hits: figures.reduce((sum, { hits }) => sum + hits, 0),
    });
  }

  /** A point for each slice of the run, also where nothing happened. */
  #slices(edges: readonly EdgeTally[]): Slice[] {
    const offsetMs = this.#phases[0]?.fromMs ?? 0;
    const endMs = this.#phases.at(-1)?.toMs ?? 0;
    const found = new Map(mergedSlices(edges).map((slice) => [slice.index, slice]));
    const count = Math.ceil((endMs - offsetMs) / this.#sliceMs);
    return Array.from({ length: count }, (_, index) => {
      const { calls = 0, errors = 0, hits = 0, latency = emptyHistogram } = found.get(index) ?? {};
      const { p95 } = percentilesOf(latency);
      return { fromMs: offsetMs + index * this.#sliceMs, calls, errors, hits, p95 };
    });
  }
}

function lengthMs(phase: PlayedPhase | undefined): number {
  return phase === undefined ? 0 : phase.toMs - phase.fromMs;
}

function figuresOf(tally: Tally, durationMs: number): Figures {
  const { calls, errors, errorsByFault, hits, open, statuses, causes, latency } = tally;
  const { p50, p95, p99, max } = percentilesOf(latency);
  return {
    calls,
    errors,
    errorsByFault,
    errorRate: calls === 0 ? null : errors / calls,
    hits,
    open,
    statuses,
    causes,
    p50,
    p95,
    p99,
    max,
    perSecond: durationMs === 0 ? 0 : (calls / durationMs) * 1000,
  };
}

function summed(tallies: readonly Tally[]): Tally {
  const sum = noCalls();
  for (const tally of tallies) {
    sum.calls += tally.calls;
    sum.errors += tally.errors;
    sum.errorsByFault += tally.errorsByFault;
    sum.hits += tally.hits;
    sum.open += tally.open;
    addCounts(sum.statuses, tally.statuses);
    addCounts(sum.causes, tally.causes);
  }
  sum.latency = sumHistograms(tallies.map(({ latency }) => latency));
  return sum;
}

function addCounts(sum: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [key, count] of Object.entries(more)) sum[key] = (sum[key] ?? 0) + count;
}

export function mergedSlices(edges: readonly EdgeTally[]): SliceTally[] {
  const [only] = edges;
  if (edges.length === 1 && only !== undefined) return [...only.slices];
  const merged = new Map<number, { slice: SliceTally; latencies: SparseHistogram[] }>();
  for (const { slices } of edges) {
    for (const slice of slices) {
      const known = merged.get(slice.index);
      if (known === undefined) merged.set(slice.index, { slice: { ...slice }, latencies: [slice.latency] });
      else {
        known.slice.calls += slice.calls;
        known.slice.errors += slice.errors;
        known.slice.hits += slice.hits;
        known.latencies.push(slice.latency);
      }
    }
  }
  return [...merged.values()]
    .map(({ slice, latencies }) => ({ ...slice, latency: sumHistograms(latencies) }))
    .sort((a, b) => a.index - b.index);
}

import type { RunSeries, Slice } from '#shared/scenarios/report.ts';
import { emptyHistogram, percentilesOf } from '../metrics/sparse-histogram.ts';
import type { CallTallies, EdgeTally } from './call-tally.ts';
import { mergedSlices } from './report.ts';

/** Callers that have a line: those that the faults hit most. A chart with more is none. */
export const mostCallers = 12;

/** What callers met so far, as the points of charts. Pure. */
export function seriesOf(
  { edges, complete }: CallTallies,
  { sliceMs, elapsedMs }: { sliceMs: number; elapsedMs: number },
): Pick<RunSeries, 'sliceMs' | 'callers' | 'complete'> {
  const names = [...new Set(edges.map(({ caller }) => caller))];
  const callers = names.map((name) => {
    const own = edges.filter(({ caller }) => caller === name);
    const [calls, hits] = [total(own, 'calls'), total(own, 'hits')];
    return { name, calls, hits, slices: slicesOf(own, sliceMs, elapsedMs) };
  });
  callers.sort((a, b) => b.hits - a.hits || b.calls - a.calls || (a.name < b.name ? -1 : 1));
  return { sliceMs, complete, callers: callers.slice(0, mostCallers) };
}

function total(edges: readonly EdgeTally[], field: 'calls' | 'hits'): number {
  return edges.flatMap(({ phases }) => phases).reduce((sum, phase) => sum + phase[field], 0);
}

/** Also where nothing happened, so that all callers have the same points. */
function slicesOf(edges: readonly EdgeTally[], sliceMs: number, elapsedMs: number): Slice[] {
  const found = new Map(mergedSlices(edges).map((slice) => [slice.index, slice]));
  return Array.from({ length: Math.ceil(elapsedMs / sliceMs) }, (_, index) => {
    const { calls = 0, errors = 0, hits = 0, latency = emptyHistogram } = found.get(index) ?? {};
    return { fromMs: index * sliceMs, calls, errors, hits, p95: percentilesOf(latency).p95 };
  });
}

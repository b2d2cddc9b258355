import type { SeriesPoint } from '#shared/contract/topology.ts';
import type { Rule } from '#shared/rules/rule.ts';

/** A time in which Spike touched calls of the edge. Unix ms. */
export interface FaultSpan {
  readonly from: number;
  readonly until: number;
  /** The rule that is on; null for a time that has passed, whose rule the series does not say. */
  readonly name: string | null;
}

/** While rules that can match are on, and where the series says that calls were touched. */
export function faultSpans(
  series: readonly SeriesPoint[],
  stepMs: number,
  active: readonly Pick<Rule, 'name' | 'enabledAt'>[],
): FaultSpan[] {
  const first = series[0]?.at;
  const last = series.at(-1);
  if (first === undefined || last === undefined) return [];
  const end = last.at + stepMs;
  const present = active
    .filter((rule) => rule.enabledAt !== null)
    .map((rule) => ({ from: Math.max(first, Date.parse(rule.enabledAt!)), until: end, name: rule.name }))
    .filter((span) => span.from < end)
    .sort((a, b) => a.from - b.from);
  const presentFrom = present[0]?.from ?? Infinity;
  return [...pastSpans(series, stepMs, presentFrom), ...present];
}

function pastSpans(series: readonly SeriesPoint[], stepMs: number, before: number): FaultSpan[] {
  const spans: FaultSpan[] = [];
  for (const point of series) {
    if (point.injected === 0 || point.at >= before) continue;
    const last = spans.at(-1);
    const until = Math.min(before, point.at + stepMs);
    // Half of the calls may be touched: one interval without is no end.
    if (last !== undefined && point.at - last.until <= stepMs) spans[spans.length - 1] = { ...last, until };
    else spans.push({ from: point.at, until, name: null });
  }
  return spans;
}

import type { Span, Timeline } from '#shared/scenarios/timeline.ts';

export interface TimelineRow {
  readonly rule: string;
  readonly spans: readonly Span[];
}

/** A row for each rule that the scenario turns on, by when that happens first. */
export function rowsOf({ spans }: Pick<Timeline, 'spans'>): TimelineRow[] {
  const rows = new Map<string, Span[]>();
  for (const span of spans) rows.set(span.rule, [...(rows.get(span.rule) ?? []), span]);
  return [...rows].map(([rule, own]) => ({ rule, spans: own }));
}

const stepsMs = [
  100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000,
  3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000, 432_000_000,
];
const mostTicks = 9;

/** Round times from 0 to the end, so few that they have room. */
export function ticksOf(durationMs: number): number[] {
  const stepMs = stepsMs.find((step) => durationMs / step <= mostTicks - 1) ?? durationMs;
  return Array.from({ length: Math.floor(durationMs / stepMs) + 1 }, (_, index) => index * stepMs);
}

/** A time of a scenario: round ones are the rule, so there are no zeros behind a dot. `500 ms`, `1.5 s`, `90 s`, `10 min`. */
export function timeText(ms: number): string {
  if (ms > 0 && ms < 1000) return `${Math.round(ms)} ms`;
  if (ms >= 180_000 && ms % 60_000 === 0) return `${ms / 60_000} min`;
  return `${Number((ms / 1000).toFixed(1))} s`;
}

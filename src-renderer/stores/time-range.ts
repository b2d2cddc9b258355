import { formatClock } from '../ui/words.ts';

/** Which calls Live shows, by their start. */
export type TimeRange =
  | { kind: 'last'; ms: number }
  | { kind: 'all' }
  /** Unix ms; from included, until not. */
  | { kind: 'between'; from: number; until: number };

/** What the menu offers, and what the agent's figures reach back to. */
export const offeredRanges: readonly { label: string; range: TimeRange; window: string }[] = [
  { label: 'Last 1 min', range: { kind: 'last', ms: 60_000 }, window: '1m' },
  { label: 'Last 5 min', range: { kind: 'last', ms: 300_000 }, window: '5m' },
  { label: 'Last 15 min', range: { kind: 'last', ms: 900_000 }, window: '15m' },
  { label: 'Last hour', range: { kind: 'last', ms: 3_600_000 }, window: '60m' },
  { label: 'All kept', range: { kind: 'all' }, window: '60m' },
];

export function rangeLabel(range: TimeRange): string {
  if (range.kind === 'between') return `${formatClock(range.from)} to ${formatClock(range.until)}`;
  return offeredRanges.find((offered) => sameRange(offered.range, range))?.label ?? 'Time';
}

export function sameRange(a: TimeRange, b: TimeRange): boolean {
  return a.kind === b.kind && (a.kind !== 'last' || b.kind !== 'last' || a.ms === b.ms);
}

/** The window of the agent's figures that shows a range. */
export function windowOf(range: TimeRange): string {
  return offeredRanges.find((offered) => sameRange(offered.range, range))?.window ?? '5m';
}

/** The first moment of a range. @param newest Unix ms of now, or of the newest call where that is later. */
export function firstMs(range: TimeRange, newest: number): number {
  if (range.kind === 'last') return newest - range.ms;
  return range.kind === 'between' ? range.from : 0;
}

/** The moment at which a range ends; Infinity when it goes on. */
export function lastMs(range: TimeRange): number {
  return range.kind === 'between' ? range.until : Infinity;
}

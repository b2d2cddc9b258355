/** How many bars a history has, and how long each of them lasts. */
export const historyBars = 28;
export const barMs = 10_000;

/** The hits of a rule over the last minutes, a bar each ten seconds; kept for as long as the window is open. */
export interface HitHistory {
  /** The number of the newest bar: Unix ms divided by `barMs`. */
  readonly newest: number;
  /** The oldest first, the newest last. */
  readonly counts: readonly number[];
}

const empty: readonly number[] = Array.from({ length: historyBars }, () => 0);

/** With more hits in the bar of now. @param more counted since the last time; never negative. */
export function addHits(history: HitHistory | undefined, more: number, nowMs: number): HitHistory {
  const { newest, counts } = historyAt(history, nowMs);
  return { newest, counts: [...counts.slice(0, -1), (counts.at(-1) ?? 0) + more] };
}

/** Moved on to now: what is older than the bars leaves at the left. */
export function historyAt(history: HitHistory | undefined, nowMs: number): HitHistory {
  const now = Math.floor(nowMs / barMs);
  if (history === undefined) return { newest: now, counts: empty };
  // A clock that was set back must not lose what is known.
  const passed = Math.min(historyBars, Math.max(0, now - history.newest));
  if (passed === 0) return history;
  return { newest: now, counts: [...history.counts.slice(passed), ...empty.slice(0, passed)] };
}

/** What came in between two counts of a rule: a rule that was turned on anew counts from 0. */
export function hitsSince(before: number, now: number): number {
  return now >= before ? now - before : now;
}

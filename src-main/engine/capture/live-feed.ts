import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import type { Clock, Timer } from '../clock.ts';

/** What readers of the live view get: the body of the `flow.batch` event (src-shared/contract/events.ts). */
export interface FeedBatch {
  readonly flows: readonly FlowSummary[];
  /** Flows that ended since the last batch, shown or not. */
  readonly total: number;
  /** One in how many is shown; 1: nothing was left out. */
  readonly sampledOneIn: number;
  /** Flows that ended in the last second. */
  readonly perSecond: number;
}

export interface LiveFeedOptions {
  readonly clock: Clock;
  readonly post: (batch: FeedBatch) => void;
  /** Rows a second that a person can follow and a window can draw. Default 200. */
  readonly maxRowsPerSecond?: number;
  /** Default 100. */
  readonly intervalMs?: number;
}

export interface LiveFeed {
  add(row: FlowSummary): void;
  /**
   * Flows that ended, were never open before, and have neither error nor fault. Their rows are made for those alone that
   * may be shown, before this returns.
   * @param rowAt Of 0 to `count` - 1, in any order that is even; null leaves one out.
   */
  addPlain(count: number, rowAt: (index: number) => FlowSummary | null): void;
  /** Forgets what was not posted yet. */
  clear(): void;
  close(): void;
}

const maxShownOpen = 1000;
/** Rows held for each that can be shown. */
const rowsForOne = 4;

/**
 * A sample of what passes, for the eye; counts stay exact.
 *
 * Within a budget of 200 rows a second (a second's worth may come at once after a pause) everything is shown. Above it,
 * room goes first to the end of flows that were shown open, since else they would look open for ever; then to flows
 * with an error or a fault; then to the rest, one in n, evenly. A kind that is too many for the room left is thinned
 * evenly itself. No more than three times the budget is ever held, however much passes.
 */
export function createLiveFeed(options: LiveFeedOptions): LiveFeed {
  const { clock, post, maxRowsPerSecond = 200, intervalMs = 100 } = options;
  const kinds = [new Thinned(maxRowsPerSecond), new Thinned(maxRowsPerSecond), new Thinned(maxRowsPerSecond)];
  const [closing, unwell, rest] = kinds as [Thinned, Thinned, Thinned];
  const shownOpen = new Set<string>();
  let ended = 0;
  let lastSecond: { atMs: number; ended: number }[] = [];
  let budget = maxRowsPerSecond;
  let lastAtMs = clock.now();
  let timer: Timer | null = null;

  function tick(): void {
    timer = null;
    const now = clock.now();
    budget = Math.min(maxRowsPerSecond, budget + ((now - lastAtMs) * maxRowsPerSecond) / 1000);
    lastAtMs = now;
    const seen = kinds.reduce((sum, kind) => sum + kind.seen, 0);
    const flows = takeRows();
    lastSecond = lastSecond.filter(({ atMs }) => now - atMs < 1000);
    lastSecond.push({ atMs: now, ended });
    const perSecond = lastSecond.reduce((sum, part) => sum + part.ended, 0);
    const sampledOneIn = Math.max(1, Math.round(seen / Math.max(1, flows.length)));
    post({ flows, total: ended, sampledOneIn, perSecond });
    ended = 0;
    // Goes on until it has said that nothing passes any more.
    if (perSecond > 0) schedule();
  }

  function takeRows(): FlowSummary[] {
    const room = Math.floor(budget);
    const flows: FlowSummary[] = [];
    for (const kind of kinds) flows.push(...kind.take(room - flows.length));
    budget -= flows.length;
    for (const row of flows) rememberOpen(row);
    return flows.sort(byStart);
  }

  function rememberOpen(row: FlowSummary): void {
    if (row.durationMs === null && shownOpen.size < maxShownOpen) shownOpen.add(row.id);
    else shownOpen.delete(row.id);
  }

  function schedule(): void {
    if (timer !== null) return;
    timer = clock.setTimer(intervalMs, tick, true);
    // More rows than the next turn has room for are made for nothing, but for an even choice among them.
    const elapsedMs = clock.now() + intervalMs - lastAtMs;
    const room = Math.min(maxRowsPerSecond, budget + (elapsedMs * maxRowsPerSecond) / 1000);
    for (const kind of kinds) kind.capacity = Math.min(maxRowsPerSecond, Math.ceil(room * rowsForOne));
  }

  return {
    add(row) {
      schedule();
      if (row.durationMs !== null) ended += 1;
      if (shownOpen.size > 0 && shownOpen.has(row.id)) closing.add(row);
      else if (row.cause !== null || row.faults.length > 0) unwell.add(row);
      else rest.add(row);
    },
    addPlain(count, rowAt) {
      schedule();
      ended += count;
      rest.addMany(count, rowAt);
    },
    clear() {
      for (const kind of kinds) kind.take(0);
      shownOpen.clear();
      ended = 0;
    },
    close() {
      timer?.cancel();
      timer = null;
    },
  };
}

/** By id, which is by start; the open state of a flow before its end. */
function byStart(a: FlowSummary, b: FlowSummary): number {
  if (a.id !== b.id) return a.id < b.id ? -1 : 1;
  return (a.durationMs === null ? 0 : 1) - (b.durationMs === null ? 0 : 1);
}

/** Keeps an even sample of what is added, never more than `capacity`, by taking every second, fourth, eighth … one. */
class Thinned {
  capacity: number;
  #rows: FlowSummary[] = [];
  #stride = 1;
  seen = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  add(row: FlowSummary): void {
    if (this.seen++ % this.#stride === 0) this.#keep(row);
  }

  addMany(count: number, rowAt: (index: number) => FlowSummary | null): void {
    const from = this.seen;
    const end = from + count;
    for (let next = from + this.#untilKept(from); next < end; next += 1 + this.#untilKept(next + 1)) {
      const row = rowAt(next - from);
      if (row !== null) this.#keep(row);
    }
    this.seen = end;
  }

  #untilKept(seen: number): number {
    return (this.#stride - (seen % this.#stride)) % this.#stride;
  }

  #keep(row: FlowSummary): void {
    this.#rows.push(row);
    if (this.#rows.length <= this.capacity) return;
    this.#rows = this.#rows.filter((_row, index) => index % 2 === 0);
    this.#stride *= 2;
  }

  /** At most `room` of them, evenly, and begins anew. */
  take(room: number): FlowSummary[] {
    const rows = this.#rows;
    this.#rows = [];
    this.#stride = 1;
    this.seen = 0;
    if (rows.length <= room) return rows;
    return Array.from(
      { length: room },
      (_none, index) => rows[Math.floor((index * rows.length) / room)] as FlowSummary,
    );
  }
}

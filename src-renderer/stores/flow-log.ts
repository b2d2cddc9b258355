import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import { CallRow } from './call-row.ts';

/**
 * The calls of the list: ordered by id, which is order of start (flow-id.ts); bounded, the oldest leave.
 *
 * A plain array outside React's state. Its first `#gone` places are rows that have left: cutting the array at every
 * arrival would move 100,000 pointers each time, so it is cut once in `slack` arrivals.
 */
export class FlowLog {
  readonly #bound: number;
  #rows: CallRow[] = [];
  #gone = 0;

  /** @param bound the most rows that are kept. */
  constructor(bound: number) {
    this.#bound = bound;
  }

  get length(): number {
    return this.#rows.length - this.#gone;
  }

  /** The row at an index from the oldest, or undefined outside of the list. */
  at(index: number): CallRow | undefined {
    return index < 0 ? undefined : this.#rows[this.#gone + index];
  }

  /** Adds a call, or replaces what was known of it. A call older than a full list's oldest is ignored. */
  put(flow: FlowSummary): void {
    const last = this.#rows.at(-1);
    if (last === undefined || last.flow.id < flow.id) {
      this.#rows.push(new CallRow(flow));
    } else {
      this.#putAmong(flow);
    }
    this.#trim();
  }

  /** Replaces what was known of a call; false when it is not in the list. */
  replace(flow: FlowSummary): boolean {
    const index = this.#place(flow.id);
    if (this.#rows[index]?.flow.id !== flow.id) return false;
    this.#rows[index] = new CallRow(flow);
    return true;
  }

  /** Takes the call out. */
  remove(id: string): void {
    const index = this.#place(id);
    if (this.#rows[index]?.flow.id === id) this.#rows.splice(index, 1);
  }

  /** Puts older calls before the present ones; as many of the newest of them as there is room for. @returns how many. */
  prepend(older: readonly FlowSummary[]): number {
    const first = this.at(0)?.flow.id;
    const ascending = older
      .filter((flow) => first === undefined || flow.id < first)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .slice(-Math.max(1, this.#bound - this.length));
    if (this.length >= this.#bound) return 0;
    this.#rows = ascending.map((flow) => new CallRow(flow)).concat(this.#rows.slice(this.#gone));
    this.#gone = 0;
    return ascending.length;
  }

  clear(): void {
    this.#rows = [];
    this.#gone = 0;
  }

  /** The index of a call, or -1. */
  indexOf(id: string): number {
    const index = this.#place(id);
    return this.#rows[index]?.flow.id === id ? index - this.#gone : -1;
  }

  /** The index of the first call that started at or after a time; the length when there is none. */
  firstSince(unixMs: number): number {
    return this.#search((row) => row.flow.startedAtMs >= unixMs) - this.#gone;
  }

  #putAmong(flow: FlowSummary): void {
    const index = this.#place(flow.id);
    if (this.#rows[index]?.flow.id === flow.id) this.#rows[index] = new CallRow(flow);
    else if (index > this.#gone || this.length < this.#bound) this.#rows.splice(index, 0, new CallRow(flow));
  }

  #trim(): void {
    this.#gone += Math.max(0, this.length - this.#bound);
    const slack = Math.max(64, this.#bound >> 3);
    if (this.#gone < slack) return;
    this.#rows.splice(0, this.#gone);
    this.#gone = 0;
  }

  #place(id: string): number {
    return this.#search((row) => row.flow.id >= id);
  }

  /** The first place for which the test holds, given that it holds for all after it. */
  #search(holds: (row: CallRow) => boolean): number {
    let low = this.#gone;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(this.#rows[middle]!)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

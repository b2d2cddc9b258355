import type { AppliedFault } from '#shared/flow/flow.ts';
import type { FaultMark } from './fault-mark.ts';

/** Marks of one flow that are kept and shown; further ones are counted on those that stay. */
export const marksPerFlowLimit = 100;
/** How many of the first ones stay whatever comes; of the others the latest are kept. */
const firstMarks = 50;

/**
 * What the rules did to one flow, bounded: a tunnel may be open for days while rules are turned on and off on it. A mark whose
 * fault still acts is never let go of; one that is over makes room, and is counted on a mark of the same rule and fault.
 */
export class FlowMarks {
  #kept: FaultMark[] = [];
  #roomUpTo = marksPerFlowLimit;
  /** Marks that are not kept, by rule and fault. */
  readonly #folded = new Map<string, number>();
  /** Of rules of which nothing is kept. */
  #others = 0;

  get all(): readonly FaultMark[] {
    return this.#kept;
  }

  add(mark: FaultMark): void {
    if (this.#kept.length >= this.#roomUpTo) this.#makeRoom();
    this.#kept.push(mark);
  }

  /** What still acts has done what it did. @param ruleId Of that rule; absent: of all. */
  settle(ruleId?: string): void {
    for (const mark of this.#kept)
      if (mark.outcome === 'acting' && (ruleId === undefined || mark.ruleId === ruleId))
        mark.outcome = 'done';
  }

  applied(): readonly AppliedFault[] {
    const shown = this.#kept.slice(0, marksPerFlowLimit);
    const applied = shown.map((mark) => mark.snapshot());
    const told = new Set<string>();
    let others = this.#others + this.#kept.length - shown.length;
    // The latest mark of a rule and fault tells how many there were besides.
    for (let at = applied.length - 1; at >= 0; at--) {
      const one = applied[at] as AppliedFault;
      const count = this.#folded.get(keyOf(one)) ?? 0;
      if (count === 0 || told.has(keyOf(one))) continue;
      told.add(keyOf(one));
      applied[at] = { ...one, note: `${one.note} (and ${words(count, 'time')} more before)` };
    }
    for (const [key, count] of this.#folded) if (!told.has(key)) others += count;
    const last = applied.at(-1);
    if (others > 0 && last !== undefined)
      applied[applied.length - 1] = {
        ...last,
        note: `${last.note} (and ${words(others, 'fault')} of other rules that are not listed)`,
      };
    return applied;
  }

  /** The oldest ones that are over make room, but for the first ones. */
  #makeRoom(): void {
    let surplus = this.#kept.length - marksPerFlowLimit + 1;
    this.#kept = this.#kept.filter((mark, index) => {
      if (surplus === 0 || index < firstMarks || mark.outcome === 'acting') return true;
      surplus -= 1;
      this.#fold(mark);
      return false;
    });
    // Where all of many act, they are not looked through with every one that comes.
    this.#roomUpTo = surplus === 0 ? marksPerFlowLimit : 2 * this.#kept.length;
  }

  #fold(mark: FaultMark): void {
    const key = keyOf(mark);
    const known = this.#folded.get(key);
    if (known === undefined && this.#folded.size >= marksPerFlowLimit) this.#others += 1;
    else this.#folded.set(key, (known ?? 0) + 1);
  }
}

function keyOf({ ruleId, type, direction }: Pick<FaultMark, 'ruleId' | 'type' | 'direction'>): string {
  return `${ruleId}\n${type}\n${direction ?? ''}`;
}

function words(count: number, one: string): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : `${one}s`}`;
}

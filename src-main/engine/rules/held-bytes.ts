import type { HoldBudget, WaitsForRoom } from './hold-budget.ts';

/** What feeds a link and can be told to wait. */
export interface LinkSource {
  pause(): void;
  resume(): void;
}

/** A link holds at most this much before its source is told to wait; what a source has under way comes on top. */
export const linkHoldLimitBytes = 1_048_576;

/**
 * A link may hold so much whatever all others hold: its faults get to see something, and what waits for the rest of a frame's head
 * gets it.
 */
export const unboundedHoldBytes = 16_384;

/**
 * What one link (or chain) holds: bounded by itself and by the budget of all. Its source is told to wait at either bound, and to
 * go on with room for half of what may be held.
 */
export class HeldBytes implements WaitsForRoom {
  #bytes = 0;
  /** Kept besides what is on its way through: copies. */
  #keptBytes = 0;
  #limitBytes = linkHoldLimitBytes;
  #isPaused = false;
  /** It is paused because of the budget. */
  #waitsForRoom = false;
  #isOver = false;
  readonly #source: LinkSource;
  readonly #budget: HoldBudget;

  constructor(source: LinkSource, budget: HoldBudget) {
    this.#source = source;
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get mayCollect(): boolean {
    return this.#limitBytes > linkHoldLimitBytes;
  }

  add(bytes: number): void {
    if (this.#isOver) return;
    this.#bytes += bytes;
    this.#budget.take(bytes);
  }

  letGo(bytes: number): void {
    if (this.#isOver) return;
    this.#bytes -= bytes;
    this.#budget.giveBack(bytes);
    this.#goOn();
  }

  /** @param bytes More than before; below 0: less. They count in the budget alone. */
  keep(bytes: number): void {
    if (this.#isOver) return;
    this.#keptBytes += bytes;
    if (bytes > 0) this.#budget.take(bytes);
    else this.#budget.giveBack(-bytes);
  }

  /** It may hold so much more (or less) than others. */
  allow(bytes: number): void {
    this.#limitBytes += bytes;
    this.#goOn();
  }

  /** What came has gone through the stages, as far as they let it. */
  pauseWhenFull(): void {
    if (this.#isPaused || this.#isOver) return;
    const isFull = this.#bytes > this.#limitBytes;
    // A stage that waits for all of a message is never made to wait for it: it asks the budget by itself, and gives up.
    const lacksRoom = this.#budget.isFull && this.#bytes > unboundedHoldBytes && !this.mayCollect;
    if (!isFull && !lacksRoom) return;
    this.#isPaused = true;
    this.#source.pause();
    if (!lacksRoom) return;
    this.#waitsForRoom = true;
    this.#budget.wait(this);
  }

  roomCame(): void {
    this.#waitsForRoom = false;
    this.#goOn();
  }

  /** Nothing is held any more, and nothing is counted from here on. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#budget.stopWaiting(this);
    this.#budget.giveBack(this.#bytes + this.#keptBytes);
    this.#bytes = 0;
    this.#keptBytes = 0;
  }

  #goOn(): void {
    if (!this.#isPaused) return;
    if (this.#waitsForRoom) {
      if (this.#bytes > unboundedHoldBytes) return;
      this.#waitsForRoom = false;
      this.#budget.stopWaiting(this);
    }
    if (this.#bytes > this.#limitBytes - linkHoldLimitBytes / 2) return;
    this.#isPaused = false;
    this.#source.resume();
  }
}

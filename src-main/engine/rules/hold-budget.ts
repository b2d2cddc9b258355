/** Somebody who has told a source to wait because rules hold as much as they may. */
export interface WaitsForRoom {
  /** There is room again; it has been taken off the list. */
  roomCame(): void;
}

/** Default of the workspace's `limits.maxRuleHoldBytes`. */
export const defaultRuleHoldBytes = 128 * 1024 ** 2;

/** About what one read brings: with room for so much, one more of those that wait is read. */
const readBytes = 65_536;

/**
 * What the rules of one worker hold in memory, all links together, and how much that may be.
 *
 *     link ─ take ─► heldBytes ◄─ giveBack ─ link
 *                        │
 *              isFull ───┼─► a link that only delays does not read on (`HeldBytes`): nothing is lost
 *                        └─► a message that would have to be collected passes as it is (`MessageStage`)
 *
 * Nobody waits for room with nothing but what others hold to help: a link goes on reading with little held of its own
 * (`unboundedHoldBytes`), and nothing that waits for more bytes is told to wait. So it is exceeded by that much a link, and by one read.
 */
export class HoldBudget {
  limitBytes: number;
  #heldBytes = 0;
  #leftMessages = 0;
  #pausedReads = 0;
  #isWaking = false;
  readonly #waiting = new Set<WaitsForRoom>();

  constructor(limitBytes = defaultRuleHoldBytes) {
    this.limitBytes = limitBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  get isFull(): boolean {
    return this.#heldBytes >= this.limitBytes;
  }

  /** Whether so much more may be held. */
  hasRoomFor(bytes: number): boolean {
    return this.#heldBytes + bytes <= this.limitBytes;
  }

  take(bytes: number): void {
    this.#heldBytes += bytes;
  }

  giveBack(bytes: number): void {
    this.#heldBytes -= bytes;
    if (this.#waiting.size > 0) this.#wake();
  }

  /** Until there is room, in the order of asking. */
  wait(one: WaitsForRoom): void {
    this.#pausedReads += 1;
    this.#waiting.add(one);
  }

  stopWaiting(one: WaitsForRoom): void {
    this.#waiting.delete(one);
  }

  /** A message was left as it was for want of room. */
  messageLeft(): void {
    this.#leftMessages += 1;
  }

  /** What happened at the bound since the last time that it was asked. */
  takeCounts(): { readonly leftMessages: number; readonly pausedReads: number } {
    const counts = { leftMessages: this.#leftMessages, pausedReads: this.#pausedReads };
    this.#leftMessages = 0;
    this.#pausedReads = 0;
    return counts;
  }

  /** As many as there is room to read for; each may take or give back at once. */
  #wake(): void {
    if (this.#isWaking) return;
    this.#isWaking = true;
    let room = this.limitBytes - this.#heldBytes;
    for (const one of this.#waiting) {
      if (room < readBytes || !this.hasRoomFor(readBytes)) break;
      room -= readBytes;
      this.#waiting.delete(one);
      one.roomCame();
    }
    this.#isWaking = false;
  }
}

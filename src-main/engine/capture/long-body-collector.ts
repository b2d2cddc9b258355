import type { BodyBudget } from './body-collector.ts';
import { noBody } from './flow-record.ts';
import type { BodyCapture } from './flow-record.ts';

/** What all of them hold together, in one worker. */
export const longBodiesBytes = 32 * 1024 ** 2;
const firstBlockBytes = 4096;
const largestBlockBytes = 256 * 1024;

/**
 * Keeps the first part of what stays open for long: a tunnel, a stream of events. It comes in many small pieces, so they
 * are copied into blocks: a piece that is kept for hours would cost more than its bytes, and each of them is looked at by
 * the garbage collector. When the memory is used up, what is held stays, as the first part.
 */
export class LongBodyCollector {
  readonly #budget: BodyBudget;
  #room: number;
  #full: Buffer[] = [];
  #fullBytes = 0;
  #block: Buffer | null = null;
  #blockEnd = 0;
  #heldBytes = 0;
  #isTruncated = false;
  #isOver = false;

  constructor(maxBodyBytes: number, budget: BodyBudget) {
    this.#room = maxBodyBytes;
    this.#budget = budget;
  }

  /** @param chunk is copied. */
  add(chunk: Buffer): void {
    if (this.#isTruncated || this.#isOver) return;
    const wanted = chunk.length > this.#room ? chunk.subarray(0, this.#room) : chunk;
    this.#isTruncated = wanted.length < chunk.length;
    this.#room -= wanted.length;
    let from = 0;
    while (from < wanted.length) {
      const block = this.#blockWithRoom(wanted.length - from);
      if (block === null) {
        this.#isTruncated = true;
        return;
      }
      const copied = wanted.copy(block, this.#blockEnd, from);
      this.#blockEnd += copied;
      from += copied;
    }
  }

  /** What was kept; the budget has its share back, since the record now owns the bytes. */
  finish(): BodyCapture {
    const chunks = this.#full;
    if (this.#block !== null) chunks.push(this.#block.subarray(0, this.#blockEnd));
    const sizeBytes = this.#fullBytes + this.#blockEnd;
    const state = this.#isTruncated ? (sizeBytes > 0 ? 'truncated' : 'dropped') : 'stored';
    const isEmpty = this.#isOver || (sizeBytes === 0 && !this.#isTruncated);
    this.discard();
    return isEmpty ? noBody : { state, chunks, sizeBytes };
  }

  /** Lets go of everything. */
  discard(): void {
    this.#budget.give(this.#heldBytes);
    this.#heldBytes = 0;
    this.#full = [];
    this.#fullBytes = 0;
    this.#block = null;
    this.#blockEnd = 0;
    this.#isOver = true;
  }

  /** null when the budget is used up. Blocks grow with what is held: most tunnels say little. */
  #blockWithRoom(needed: number): Buffer | null {
    const block = this.#block;
    if (block !== null && this.#blockEnd < block.length) return block;
    const size = Math.min(
      largestBlockBytes,
      Math.max(firstBlockBytes, needed, this.#fullBytes + this.#blockEnd),
    );
    if (!this.#budget.take(size)) return null;
    if (block !== null) {
      this.#full.push(block);
      this.#fullBytes += block.length;
    }
    this.#heldBytes += size;
    this.#blockEnd = 0;
    this.#block = Buffer.allocUnsafeSlow(size);
    return this.#block;
  }
}

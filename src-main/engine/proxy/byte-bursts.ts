import type { Direction } from '#shared/flow/flow.ts';
import type { FlowMessages } from './flow-messages.ts';

/** Bytes of one direction that came within this time are one burst. */
const burstMs = 100;
/** Bursts of one flow that are kept; those beyond are counted. */
export const burstsPerFlowLimit = 500;

/**
 * Bytes that nobody can read, as messages: those of one direction that came together. What passes is only added up, and a
 * burst becomes a message when the direction turns, or its time is over.
 */
export class ByteBursts {
  #direction: Direction = 'request';
  #sizeBytes = 0;
  #startedAt = 0;
  #lastAt = 0;
  #count = 0;
  readonly #messages: FlowMessages;
  readonly #now: () => number;

  constructor(messages: FlowMessages, now: () => number) {
    this.#messages = messages;
    this.#now = now;
    messages.unfinished = () => this.#isOpenStill();
  }

  bytes(direction: Direction, sizeBytes: number, at: number): void {
    const isSame = this.#sizeBytes > 0 && direction === this.#direction && at - this.#startedAt < burstMs;
    if (!isSame) {
      this.#close();
      this.#direction = direction;
      this.#startedAt = at;
      // Nothing may come after it for hours: the next batch asks for it.
      if (this.#count < burstsPerFlowLimit) this.#messages.wait();
    }
    this.#sizeBytes += sizeBytes;
    this.#lastAt = at;
  }

  end(): void {
    this.#close();
    this.#messages.unfinished = null;
  }

  #isOpenStill(): boolean {
    if (this.#sizeBytes > 0 && this.#now() - this.#startedAt >= burstMs) this.#close();
    return this.#sizeBytes > 0 && this.#count < burstsPerFlowLimit;
  }

  #close(): void {
    const sizeBytes = this.#sizeBytes;
    if (sizeBytes === 0) return;
    this.#sizeBytes = 0;
    this.#count += 1;
    if (this.#count > burstsPerFlowLimit) return this.#messages.skip();
    this.#messages.tell({ type: 'data', direction: this.#direction, sizeBytes, at: this.#lastAt });
  }
}

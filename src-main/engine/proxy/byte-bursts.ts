import type { Direction } from '#shared/flow/flow.ts';
import type { FlowMessages } from './flow-messages.ts';

/** Bytes of one direction that came within this time are one burst. */
const burstMs = 100;
/** Bursts of one flow that are kept; those beyond are counted. */
export const burstsPerFlowLimit = 500;

/** Of these first bursts each turn of the direction ends one: who says what, and how long the other takes to answer. */
export const turnsPerFlow = 50;

/** What came of one direction and is not told yet. */
interface Burst {
  sizeBytes: number;
  startedAt: number;
  lastAt: number;
}

/**
 * Bytes that nobody can read, as messages: those of one direction that came together. What passes is only added up, and a
 * burst becomes a message when its time is over, and at the beginning of a flow also when the direction turns: a client and a
 * server that answer one another 10,000 times a second are told as how much each has said, ten times a second.
 */
export class ByteBursts {
  readonly #open: Record<Direction, Burst> = {
    request: { sizeBytes: 0, startedAt: 0, lastAt: 0 },
    response: { sizeBytes: 0, startedAt: 0, lastAt: 0 },
  };
  #count = 0;
  readonly #messages: FlowMessages;
  readonly #now: () => number;

  constructor(messages: FlowMessages, now: () => number) {
    this.#messages = messages;
    this.#now = now;
    messages.unfinished = () => this.#isOpenStill();
  }

  bytes(direction: Direction, sizeBytes: number, at: number): void {
    const burst = this.#open[direction];
    if (burst.sizeBytes === 0 || at - burst.startedAt >= burstMs) {
      this.#close(direction);
      // Its turn, or what the other has said is older than this.
      if (this.#count < turnsPerFlow || this.#isOver(other(direction), at)) this.#close(other(direction));
      burst.startedAt = at;
      // Nothing may come after it for hours: the next batch asks for it.
      if (this.#count < burstsPerFlowLimit) this.#messages.wait();
    }
    burst.sizeBytes += sizeBytes;
    burst.lastAt = at;
  }

  end(): void {
    this.#closeBoth();
    this.#messages.unfinished = null;
  }

  #isOpenStill(): boolean {
    const now = this.#now();
    for (const direction of this.#inOrder()) if (this.#isOver(direction, now)) this.#close(direction);
    const { request, response } = this.#open;
    return request.sizeBytes + response.sizeBytes > 0 && this.#count < burstsPerFlowLimit;
  }

  #isOver(direction: Direction, at: number): boolean {
    const { sizeBytes, startedAt } = this.#open[direction];
    return sizeBytes > 0 && at - startedAt >= burstMs;
  }

  #closeBoth(): void {
    for (const direction of this.#inOrder()) this.#close(direction);
  }

  /** The one that began first comes first. */
  #inOrder(): readonly Direction[] {
    const { request, response } = this.#open;
    return request.startedAt <= response.startedAt ? ['request', 'response'] : ['response', 'request'];
  }

  #close(direction: Direction): void {
    const burst = this.#open[direction];
    const { sizeBytes, lastAt } = burst;
    if (sizeBytes === 0) return;
    burst.sizeBytes = 0;
    this.#count += 1;
    if (this.#count > burstsPerFlowLimit) return this.#messages.skip();
    this.#messages.tell({ type: 'data', direction, sizeBytes, at: lastAt });
  }
}

function other(direction: Direction): Direction {
  return direction === 'request' ? 'response' : 'request';
}

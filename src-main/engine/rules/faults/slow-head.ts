import type { FaultOf } from '#shared/rules/fault.ts';
import type { Timer } from '../../clock.ts';
import { byteCount, milliseconds } from '../fault-mark.ts';
import type { FaultImplementation, Stage, StageContext } from './stage.ts';

/** Pieces are let out at most this often. */
const tickMs = 20;

/**
 * Lets the head of a message out a few bytes at a time; what comes behind it follows at once. HTTP/2 has no half heads: there
 * the head arrives when its last byte would have.
 */
class SlowHeadStage implements Stage {
  /** Of the head that has not left yet; null: nothing has come. */
  #headLeft: number | null = null;
  #headBytes = 0;
  #startedAt = 0;
  #held: Buffer[] = [];
  #ended = false;
  #released = false;
  #timer: Timer | null = null;
  readonly #bytesPerMs: number;
  readonly #context: StageContext;

  constructor(fault: FaultOf<'slow-head'>, context: StageContext) {
    this.#bytesPerMs = fault.bytesPerSecond / 1000;
    this.#context = context;
    context.mark.describe = (mark) =>
      `let ${byteCount(mark.bytes)} of the head of the ${mark.direction} through at ${byteCount(fault.bytesPerSecond)} a second, in ${milliseconds(mark.delayedMs)}`;
  }

  push(chunk: Buffer): void {
    if (this.#released || this.#headLeft === 0) return this.#context.emit(chunk);
    this.#held.push(chunk);
    if (this.#headLeft !== null) return this.#arm();
    this.#headBytes = this.#headLeft = this.#context.shape().headBytes;
    this.#startedAt = this.#context.clock.now();
    this.#arm();
  }

  end(): void {
    if (this.#held.length === 0) this.#context.emitEnd();
    else this.#ended = true;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#stop();
    if (this.#held.length > 0) this.#context.mark.outcome = 'released';
    this.#letGo();
  }

  dispose(): void {
    this.#stop();
    this.#held = [];
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(): void {
    const left = this.#headLeft ?? 0;
    if (this.#timer !== null || this.#held.length === 0 || left === 0) return;
    const dueMs = (this.#headBytes - left + 1) / this.#bytesPerMs;
    const elapsedMs = this.#context.clock.now() - this.#startedAt;
    this.#timer = this.#context.clock.setTimer(Math.max(tickMs, dueMs - elapsedMs), () => {
      this.#timer = null;
      this.#trickle();
    });
  }

  /** What is due is reckoned from the clock, so that late timers do not make it slower than asked. */
  #trickle(): void {
    const elapsedMs = this.#context.clock.now() - this.#startedAt;
    let due = Math.floor(elapsedMs * this.#bytesPerMs) - (this.#headBytes - (this.#headLeft ?? 0));
    // A stage that is released or disposed in the middle of this has emptied the list.
    for (let head = this.#held[0]; head !== undefined && due > 0; head = this.#held[0]) {
      const take = Math.min(head.length, due, this.#headLeft ?? 0);
      if (take === 0) break;
      if (take === head.length) this.#held.shift();
      else this.#held[0] = head.subarray(take);
      due -= take;
      this.#note(take);
      this.#context.emit(head.subarray(0, take));
    }
    if (this.#headLeft === 0) this.#letGo();
    else this.#arm();
  }

  #note(emitted: number): void {
    const { mark, clock } = this.#context;
    this.#headLeft = (this.#headLeft ?? 0) - emitted;
    mark.bytes = (mark.bytes ?? 0) + emitted;
    mark.delayedMs = clock.now() - this.#startedAt;
    if (this.#headLeft === 0 && mark.outcome === 'acting') mark.outcome = 'done';
  }

  #letGo(): void {
    const held = this.#held;
    this.#held = [];
    for (const chunk of held) this.#context.emit(chunk);
    if (!this.#ended) return;
    this.#ended = false;
    this.#context.emitEnd();
  }
}

export const slowHead: FaultImplementation<'slow-head'> = {
  needsMessages: true,
  directions: (fault) => [fault.direction],
  createStage: (fault, context) => new SlowHeadStage(fault, context),
  answer: null,
};

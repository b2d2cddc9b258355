import type { FaultOf } from '#shared/rules/fault.ts';
import type { Timer } from '../../clock.ts';
import { byteCount, milliseconds } from '../fault-mark.ts';
import { BandwidthPiecesStage } from './bandwidth-pieces.ts';
import type { FaultImplementation, Stage, StageContext } from './stage.ts';

/** Pieces are let out at most this often: small enough to look like a thin line, large enough to cost little. */
const tickMs = 20;
/** What an idle line may let pass at once: two ticks' worth. */
const idleCreditMs = 2 * tickMs;

/**
 * Lets at most `bytesPerSecond` pass on one link. What is due is reckoned from the clock, not from the number of ticks,
 * so that late timers do not make the line thinner than asked.
 */
class BandwidthStage implements Stage {
  #queue: Buffer[] = [];
  #ended = false;
  #released = false;
  #timer: Timer | null = null;
  /** Bytes that may pass at `#at`. */
  #credit = 0;
  #at: number;
  #firstAt: number | null = null;
  readonly #rate: number;
  readonly #context: StageContext;

  constructor(fault: FaultOf<'bandwidth'>, context: StageContext) {
    this.#rate = fault.bytesPerSecond / 1000;
    this.#context = context;
    this.#at = context.clock.now();
    context.mark.bytes = 0;
    context.mark.delayedMs = 0;
    context.mark.describe = (mark) =>
      `let ${byteCount(mark.bytes)} of the ${mark.direction} through at ${byteCount(fault.bytesPerSecond)} a second, ${milliseconds(mark.delayedMs)} in all`;
  }

  push(chunk: Buffer): void {
    if (this.#released) return this.#context.emit(chunk);
    this.#firstAt ??= this.#context.clock.now();
    this.#queue.push(chunk);
    if (this.#timer !== null) return;
    this.#earn();
    // Nothing waited, so the line was idle: that earns no burst.
    this.#credit = Math.min(Math.max(1, this.#rate * idleCreditMs), this.#credit);
    this.#pass();
  }

  end(): void {
    if (this.#released || this.#queue.length === 0) this.#context.emitEnd();
    else this.#ended = true;
  }

  release(): void {
    this.#released = true;
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#queue.length > 0) this.#context.mark.outcome = 'released';
    const queue = this.#queue;
    this.#queue = [];
    for (const chunk of queue) this.#context.emit(chunk);
    this.#finish();
  }

  dispose(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#queue = [];
    this.#ended = false;
  }

  #earn(): void {
    const now = this.#context.clock.now();
    this.#credit += (now - this.#at) * this.#rate;
    this.#at = now;
  }

  #pass(): void {
    this.#spend();
    if (this.#queue.length === 0) return this.#finish();
    if (this.#rate === 0) return; // A line of nothing: only turning the rule off lets go of what waits.
    const missing = 1 - this.#credit;
    this.#timer = this.#context.clock.setTimer(Math.max(tickMs, missing / this.#rate), () => {
      this.#timer = null;
      this.#earn();
      this.#pass();
    });
  }

  #spend(): void {
    // A released or disposed stage has emptied the queue in the middle of this.
    for (let head = this.#queue[0]; head !== undefined && this.#credit >= 1; head = this.#queue[0]) {
      const take = Math.min(head.length, Math.floor(this.#credit));
      if (take === head.length) this.#queue.shift();
      else this.#queue[0] = head.subarray(take);
      this.#credit -= take;
      this.#context.mark.bytes = (this.#context.mark.bytes ?? 0) + take;
      this.#context.emit(take === head.length ? head : head.subarray(0, take));
    }
  }

  #finish(): void {
    const mark = this.#context.mark;
    if (this.#firstAt !== null) mark.delayedMs = this.#context.clock.now() - this.#firstAt;
    if (this.#ended) {
      this.#ended = false;
      if (mark.outcome === 'acting') mark.outcome = 'done';
      this.#context.emitEnd();
    }
  }
}

export const bandwidth: FaultImplementation<'bandwidth'> = {
  directions: (fault) => [fault.direction],
  createStage: (fault, context) =>
    fault.pieceMs === undefined
      ? new BandwidthStage(fault, context)
      : new BandwidthPiecesStage(fault, fault.pieceMs, context),
  answer: null,
};

import type { FaultOf } from '#shared/rules/fault.ts';
import { milliseconds } from '../fault-mark.ts';
import { DelayedQueue } from './delayed-queue.ts';
import type { FaultImplementation, Stage, StageContext } from './stage.ts';

/** Holds an answer once: before its first byte, or between its head and its body. What follows comes behind, undelayed. */
class DelayStage implements Stage {
  /** Of the head that passes before it waits; null: not known before the first byte. */
  #headLeft: number | null;
  #waited = false;
  readonly #queue: DelayedQueue;
  readonly #delayMs: number;
  readonly #context: StageContext;

  constructor(fault: FaultOf<'delay'>, context: StageContext) {
    this.#queue = new DelayedQueue(context);
    this.#delayMs = fault.delayMs;
    this.#context = context;
    this.#headLeft = fault.what === 'body' ? null : 0;
    const what = fault.what === 'body' ? 'the body of the response' : 'the response';
    context.mark.describe = (mark) => `held ${what} for ${milliseconds(mark.delayedMs)}`;
  }

  push(chunk: Buffer): void {
    this.#headLeft ??= this.#context.shape().headBytes;
    const ofHead = Math.min(this.#headLeft, chunk.length);
    this.#headLeft -= ofHead;
    if (ofHead > 0) this.#queue.push(chunk.subarray(0, ofHead), 0);
    if (ofHead === chunk.length) return;
    this.#queue.push(ofHead === 0 ? chunk : chunk.subarray(ofHead), this.#waited ? 0 : this.#delayMs);
    this.#waited = true;
  }

  end(): void {
    this.#queue.end();
  }

  release(): void {
    this.#queue.release();
  }

  dispose(): void {
    this.#queue.dispose();
  }
}

export const delay: FaultImplementation<'delay'> = {
  needsMessages: true,
  directions: () => ['response'],
  createStage: (fault, context) => new DelayStage(fault, context),
  answer: null,
};

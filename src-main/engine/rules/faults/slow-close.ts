import { milliseconds } from '../fault-mark.ts';
import type { FaultOf } from '#shared/rules/fault.ts';
import { DelayedQueue } from './delayed-queue.ts';
import type { FaultImplementation, Stage, StageContext } from './stage.ts';

/** Bytes pass at once; the end waits. */
class SlowCloseStage implements Stage {
  readonly #queue: DelayedQueue;
  readonly #delayMs: number;

  constructor(fault: FaultOf<'slow-close'>, context: StageContext) {
    this.#queue = new DelayedQueue(context);
    this.#delayMs = fault.delayMs;
    context.mark.describe = (mark) =>
      `held the end of the ${mark.direction} for ${milliseconds(mark.delayedMs)}`;
  }

  push(chunk: Buffer): void {
    this.#queue.push(chunk, 0);
  }

  end(): void {
    this.#queue.end(this.#delayMs);
  }

  release(): void {
    this.#queue.release();
  }

  dispose(): void {
    this.#queue.dispose();
  }
}

export const slowClose: FaultImplementation<'slow-close'> = {
  directions: (fault) => [fault.direction],
  createStage: (fault, context) => new SlowCloseStage(fault, context),
  answer: null,
};

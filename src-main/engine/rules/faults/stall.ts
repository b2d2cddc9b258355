import type { FaultOf } from '#shared/rules/fault.ts';
import { milliseconds } from '../fault-mark.ts';
import { DelayedQueue } from './delayed-queue.ts';
import type { FaultImplementation, Stage, StageContext } from './stage.ts';

/**
 * Now and then a piece is late, and all that comes behind it with it: what a lost packet looks like above TCP, which sends it
 * again after its time-out and delivers in order (RFC 9293, section 3.8).
 */
class StallStage implements Stage {
  #stalls = 0;
  readonly #queue: DelayedQueue;
  readonly #fault: FaultOf<'stall'>;
  readonly #context: StageContext;

  constructor(fault: FaultOf<'stall'>, context: StageContext) {
    this.#queue = new DelayedQueue(context);
    this.#fault = fault;
    this.#context = context;
    context.mark.describe = (mark) =>
      `stalled the ${mark.direction} ${times(this.#stalls)}, ${milliseconds(mark.delayedMs)} at the longest`;
  }

  push(chunk: Buffer): void {
    const stalls = !this.#queue.isReleased && this.#context.random() < this.#fault.share;
    if (stalls) this.#stalls += 1;
    this.#queue.push(chunk, stalls ? this.#fault.stallMs : 0);
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

function times(count: number): string {
  return count === 1 ? 'once' : `${count.toLocaleString('en-US')} times`;
}

export const stall: FaultImplementation<'stall'> = {
  directions: (fault) => [fault.direction],
  createStage: (fault, context) => new StallStage(fault, context),
  answer: null,
};

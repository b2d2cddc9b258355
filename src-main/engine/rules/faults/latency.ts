import type { FaultOf } from '#shared/rules/fault.ts';
import { milliseconds } from '../fault-mark.ts';
import { delayDraw } from './delay-draw.ts';
import { DelayedQueue } from './delayed-queue.ts';
import type { FaultImplementation, Stage, StageContext } from './stage.ts';

/**
 * Holds each piece for a delay that is drawn for it (delay-draw.ts), counted from when it came: the time that a piece already
 * waited behind others is not added again (as Toxiproxy's latency toxic has it). Pieces never overtake each other.
 */
class LatencyStage implements Stage {
  readonly #queue: DelayedQueue;
  readonly #draw: () => number;

  constructor(fault: FaultOf<'latency'>, context: StageContext) {
    this.#queue = new DelayedQueue(context);
    this.#draw = delayDraw(fault, context.random);
    context.mark.describe = (mark) => `held the ${mark.direction} for ${milliseconds(mark.delayedMs)}`;
  }

  push(chunk: Buffer): void {
    this.#queue.push(chunk, this.#draw());
  }

  /** The end is not a piece of its own: it follows what is held, without a delay of its own. */
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

export const latency: FaultImplementation<'latency'> = {
  directions: (fault) => [fault.direction],
  createStage: (fault, context) => new LatencyStage(fault, context),
  answer: null,
};

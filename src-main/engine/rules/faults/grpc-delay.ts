import type { FaultOf } from '#shared/rules/fault.ts';
import { messageCount, milliseconds } from '../fault-mark.ts';
import { DelayedQueue } from './delayed-queue.ts';
import { GrpcSplitter } from './grpc-splitter.ts';
import type { GrpcPartOwner } from './grpc-splitter.ts';
import type { FaultImplementation, Stage, StageContext } from './stage.ts';

/**
 * Holds each message, counted from when its first byte came; they never overtake each other. The head passes at once, so that a
 * client sees that the call was taken; the status follows the last message.
 */
class GrpcDelayStage implements Stage, GrpcPartOwner {
  readonly #queue: DelayedQueue;
  readonly #splitter: GrpcSplitter;
  readonly #delayMs: number;
  readonly #context: StageContext;

  constructor(fault: FaultOf<'grpc-delay'>, context: StageContext) {
    this.#queue = new DelayedQueue(context);
    this.#splitter = new GrpcSplitter(context.shape, this);
    this.#delayMs = fault.delayMs;
    this.#context = context;
    context.mark.messages = 0;
    context.mark.describe = (mark) =>
      `held ${messageCount(mark.messages)} of the ${mark.direction}, ${milliseconds(mark.delayedMs)} at the longest`;
  }

  push(chunk: Buffer): void {
    if (this.#queue.isReleased) this.#context.emit(chunk);
    else this.#splitter.feed(chunk);
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

  // --- GrpcPartOwner

  head(part: Buffer): void {
    this.#queue.push(part, 0);
  }

  headEnded(): void {
    // The messages behind it wait for themselves.
  }

  message(part: Buffer, isFirst: boolean): void {
    const { mark } = this.#context;
    if (isFirst && !this.#queue.isReleased) mark.messages = (mark.messages ?? 0) + 1;
    this.#queue.push(part, isFirst ? this.#delayMs : 0);
  }
}

export const grpcDelay: FaultImplementation<'grpc-delay'> = {
  needsMessages: true,
  needsCall: 'isGrpc',
  directions: (fault) => [fault.direction],
  createStage: (fault, context) => new GrpcDelayStage(fault, context),
  answer: null,
};

import type { FaultOf } from '#shared/rules/fault.ts';
import { grpcStatusNames } from '#shared/flow/grpc-status.ts';
import { messageCount } from '../fault-mark.ts';
import { GrpcSplitter } from './grpc-splitter.ts';
import type { GrpcPartOwner } from './grpc-splitter.ts';
import { grpcTrailers } from './grpc-status.ts';
import type { FaultImplementation, Stage, StageContext } from './stage.ts';

/**
 * Ends the call with a status of its own once so many messages of a direction have passed: at once, not when the next one
 * comes. On the request with none the upstream is not asked; on the response with none its head passes.
 */
class GrpcAbortStage implements Stage, GrpcPartOwner {
  #passed = 0;
  #isOver = false;
  #released = false;
  readonly #splitter: GrpcSplitter;
  readonly #fault: FaultOf<'grpc-abort'>;
  readonly #context: StageContext;

  constructor(fault: FaultOf<'grpc-abort'>, context: StageContext) {
    this.#splitter = new GrpcSplitter(context.shape, this);
    this.#fault = fault;
    this.#context = context;
    context.mark.messages = 0;
    context.mark.describe = ({ code, messages, direction }) =>
      code === null
        ? `let ${messageCount(messages)} of the ${direction} through, of ${fault.afterMessages.toLocaleString('en-US')}`
        : `ended the call with ${fault.status} after ${messageCount(messages)} of the ${direction}`;
  }

  push(chunk: Buffer): void {
    if (this.#isOver) return this.#context.dropped(chunk.length);
    if (this.#released) return this.#context.emit(chunk);
    if (this.#fault.direction === 'request') this.#abortWhenDue();
    this.#splitter.feed(chunk);
  }

  end(): void {
    if (!this.#isOver) this.#context.emitEnd();
  }

  release(): void {
    this.#released = true;
    if (!this.#isOver) this.#context.mark.outcome = 'released';
  }

  dispose(): void {
    this.#isOver = true;
  }

  // --- GrpcPartOwner

  head(part: Buffer): void {
    this.#pass(part);
  }

  headEnded(): void {
    this.#abortWhenDue();
  }

  message(part: Buffer, _isFirst: boolean, isLast: boolean): void {
    this.#pass(part);
    if (!isLast || this.#isOver) return;
    this.#passed += 1;
    if (!this.#released) this.#context.mark.messages = this.#passed;
    this.#abortWhenDue();
  }

  #pass(part: Buffer): void {
    if (this.#isOver) this.#context.dropped(part.length);
    else this.#context.emit(part);
  }

  #abortWhenDue(): void {
    const { afterMessages, status, direction } = this.#fault;
    if (this.#isOver || this.#released || this.#passed < afterMessages) return;
    this.#isOver = true;
    const { mark } = this.#context;
    mark.outcome = 'done';
    mark.code = grpcStatusNames.indexOf(status);
    this.#context.endCall(grpcTrailers(this.#fault));
    if (direction === 'response') this.#context.emitEnd();
  }
}

export const grpcAbort: FaultImplementation<'grpc-abort'> = {
  needsMessages: true,
  needsCall: 'isGrpc',
  directions: (fault) => [fault.direction],
  createStage: (fault, context) => new GrpcAbortStage(fault, context),
  answer: null,
};

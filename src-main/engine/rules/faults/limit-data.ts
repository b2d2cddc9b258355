import { byteCount } from '../fault-mark.ts';
import type { FaultOf } from '#shared/rules/fault.ts';
import type { FaultImplementation, Stage, StageContext } from './stage.ts';

/** Lets so many bytes through, counted on this link, then ends the connection. */
class LimitDataStage implements Stage {
  #passed = 0;
  #closed = false;
  #released = false;
  readonly #limit: number;
  readonly #context: StageContext;

  constructor(fault: FaultOf<'limit-data'>, context: StageContext) {
    this.#limit = fault.bytes;
    this.#context = context;
    this.#passed = context.bytesBefore;
    context.mark.bytes = this.#passed;
    context.mark.describe = (mark) =>
      this.#closed
        ? `closed the connection after ${byteCount(mark.bytes)} of the ${mark.direction}`
        : `let ${byteCount(mark.bytes)} of the ${mark.direction} through, of ${byteCount(this.#limit)}`;
  }

  push(chunk: Buffer): void {
    if (this.#closed) return this.#context.dropped(chunk.length);
    if (this.#released) return this.#context.emit(chunk);
    const left = this.#limit - this.#passed;
    const part = chunk.length <= left ? chunk : chunk.subarray(0, left);
    this.#passed += part.length;
    this.#context.mark.bytes = this.#passed;
    // What ends the connection ends the flow: its mark is read then.
    if (this.#passed >= this.#limit) this.#context.mark.outcome = 'done';
    if (part.length < chunk.length) this.#context.dropped(chunk.length - part.length);
    if (part.length > 0) this.#context.emit(part);
    if (this.#passed >= this.#limit) this.#close();
  }

  end(): void {
    if (!this.#closed) this.#context.emitEnd();
  }

  release(): void {
    this.#released = true;
    if (!this.#closed) this.#context.mark.outcome = 'released';
  }

  dispose(): void {
    // Holds nothing and has no timer.
  }

  #close(): void {
    this.#closed = true;
    this.#context.close();
  }
}

export const limitData: FaultImplementation<'limit-data'> = {
  directions: (fault) => [fault.direction],
  createStage: (fault, context) => new LimitDataStage(fault, context),
  answer: null,
};

import { byteCount } from '../fault-mark.ts';
import type { FaultOf } from '#shared/rules/fault.ts';
import type { FaultImplementation, Stage, StageContext } from './stage.ts';

/** Sends some of the pieces that pass twice. */
class DuplicateStage implements Stage {
  #released = false;
  readonly #share: number;
  readonly #context: StageContext;

  constructor(fault: FaultOf<'duplicate'>, context: StageContext) {
    this.#share = fault.share;
    this.#context = context;
    context.mark.bytes = 0;
    context.mark.describe = (mark) => `sent ${byteCount(mark.bytes)} of the ${mark.direction} twice`;
  }

  push(chunk: Buffer): void {
    this.#context.emit(chunk);
    if (this.#released || this.#context.random() >= this.#share) return;
    this.#context.mark.bytes = (this.#context.mark.bytes ?? 0) + chunk.length;
    this.#context.added(chunk.length);
    this.#context.emit(chunk);
  }

  end(): void {
    this.#context.emitEnd();
  }

  release(): void {
    this.#released = true;
    if (this.#context.mark.outcome === 'acting') this.#context.mark.outcome = 'released';
  }

  dispose(): void {
    // Holds nothing and has no timer.
  }
}

export const duplicate: FaultImplementation<'duplicate'> = {
  directions: (fault) => [fault.direction],
  createStage: (fault, context) => new DuplicateStage(fault, context),
  answer: null,
};

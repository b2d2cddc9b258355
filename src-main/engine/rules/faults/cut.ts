import type { FaultOf } from '#shared/rules/fault.ts';
import { byteCount } from '../fault-mark.ts';
import type { Cut, FaultImplementation, Stage, StageContext } from './stage.ts';

/**
 * Ends the client's connection at a stage of the response, with a TCP RST or in an orderly way. Where the middle of a body cannot be known
 * (chunked, until close, a tunnel) it is after the first bytes of the body that come.
 */
class CutStage implements Stage {
  #passed = 0;
  #released = false;
  #done = false;
  readonly #at: FaultOf<'reset'>['at'];
  readonly #how: Cut;
  readonly #context: StageContext;

  constructor(fault: FaultOf<'reset' | 'close'>, how: Cut, context: StageContext) {
    this.#at = fault.at;
    this.#how = how;
    const [cuts, cut] = how === 'reset' ? ['resets', 'reset'] : ['closes', 'closed'];
    this.#context = context;
    context.mark.describe = (mark) =>
      mark.bytes !== null
        ? `${cut} the connection after ${byteCount(mark.bytes)} of the response`
        : mark.outcome === 'released'
          ? `was let go before it ${cut} the connection`
          : `${cuts} the connection when the response comes`;
  }

  push(chunk: Buffer): void {
    if (this.#done) return;
    if (this.#released) return this.#context.emit(chunk);
    const left = this.#cutAt(chunk.length) - this.#passed;
    if (chunk.length < left) {
      this.#passed += chunk.length;
      return this.#context.emit(chunk);
    }
    if (left > 0) this.#context.emit(chunk.subarray(0, left));
    this.#passed += Math.max(0, left);
    this.#cut();
  }

  end(): void {
    if (this.#done) return;
    // Nothing left to wait for: a body shorter than its cut (an empty one) is reset where it ends.
    if (this.#released) this.#context.emitEnd();
    else this.#cut();
  }

  release(): void {
    this.#released = true;
    if (!this.#done) this.#context.mark.outcome = 'released';
  }

  dispose(): void {
    this.#done = true;
  }

  #cut(): void {
    this.#done = true;
    this.#context.mark.bytes = this.#passed;
    this.#context.mark.outcome = 'done';
    if (this.#how === 'reset') this.#context.reset();
    else this.#context.close();
  }

  /** How many bytes of the message pass before the cut. */
  #cutAt(incoming: number): number {
    if (this.#at === 'start' || this.#at === 'before-head') return 0;
    const { headBytes, bodyBytes } = this.#context.shape();
    if (this.#at === 'after-head') return headBytes;
    if (bodyBytes !== null) return headBytes + Math.floor(bodyBytes / 2);
    const inBody = this.#passed + incoming - headBytes;
    return inBody <= 0 ? Infinity : Math.max(this.#passed, headBytes) + Math.max(1, Math.floor(inBody / 2));
  }
}

export const reset: FaultImplementation<'reset'> = {
  directions: (fault) => (fault.at === 'start' ? [] : ['response']),
  createStage: (fault, context) => new CutStage(fault, 'reset', context),
  answer: null,
  cutsAtStart: (fault) => (fault.at === 'start' ? 'reset' : null),
};

export const close: FaultImplementation<'close'> = {
  directions: (fault) => (fault.at === 'start' ? [] : ['response']),
  createStage: (fault, context) => new CutStage(fault, 'close', context),
  answer: null,
  cutsAtStart: (fault) => (fault.at === 'start' ? 'close' : null),
};

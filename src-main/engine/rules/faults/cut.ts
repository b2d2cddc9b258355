import type { FaultOf } from '#shared/rules/fault.ts';
import { http2ErrorCodes } from '#shared/rules/faults/http2.ts';
import { byteCount } from '../fault-mark.ts';
import type { FaultImplementation, Stage, StageContext } from './stage.ts';

/** How something is ended, and the words for it. */
interface Ending {
  /** "resets the connection". */
  readonly ends: string;
  /** "reset the connection". */
  readonly ended: string;
  /** The code that it is ended with; null: none. */
  readonly code: number | null;
  end(context: StageContext): void;
}

/**
 * Ends the client's connection, or its stream, at a stage of the response. Where the middle of a body cannot be known
 * (chunked, until close, a tunnel) it is after the first bytes of the body that come.
 */
class CutStage implements Stage {
  #passed = 0;
  #released = false;
  #done = false;
  readonly #at: FaultOf<'reset'>['at'];
  readonly #ending: Ending;
  readonly #context: StageContext;

  constructor(at: FaultOf<'reset'>['at'], ending: Ending, context: StageContext) {
    this.#at = at;
    this.#ending = ending;
    this.#context = context;
    const { ends, ended } = ending;
    context.mark.describe = (mark) =>
      mark.bytes !== null
        ? `${ended} after ${byteCount(mark.bytes)} of the response`
        : mark.outcome === 'released'
          ? `was let go before it ${ended}`
          : `${ends} when the response comes`;
  }

  push(chunk: Buffer): void {
    if (this.#done) return this.#context.dropped(chunk.length);
    if (this.#released) return this.#context.emit(chunk);
    const left = this.#cutAt(chunk.length) - this.#passed;
    if (chunk.length < left) {
      this.#passed += chunk.length;
      return this.#context.emit(chunk);
    }
    const passed = Math.max(0, left);
    this.#context.dropped(chunk.length - passed);
    if (passed > 0) this.#context.emit(chunk.subarray(0, passed));
    this.#passed += passed;
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
    this.#context.mark.code = this.#ending.code;
    this.#context.mark.outcome = 'done';
    this.#ending.end(this.#context);
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

const resetting: Ending = {
  ends: 'resets the connection',
  ended: 'reset the connection',
  code: null,
  end: (context) => context.reset(),
};

const closing: Ending = {
  ends: 'closes the connection',
  ended: 'closed the connection',
  code: null,
  end: (context) => context.close(),
};

function resettingStream(name: FaultOf<'rst-stream'>['code']): Ending {
  const code = http2ErrorCodes.indexOf(name);
  return {
    ends: `resets the stream with ${name}`,
    ended: `reset the stream with ${name}`,
    code,
    end: (context) => context.resetStream(code),
  };
}

export const reset: FaultImplementation<'reset'> = {
  directions: (fault) => (fault.at === 'start' ? [] : ['response']),
  createStage: (fault, context) => new CutStage(fault.at, resetting, context),
  answer: null,
  cutsAtStart: (fault) => (fault.at === 'start' ? 'reset' : null),
};

export const close: FaultImplementation<'close'> = {
  directions: (fault) => (fault.at === 'start' ? [] : ['response']),
  createStage: (fault, context) => new CutStage(fault.at, closing, context),
  answer: null,
  cutsAtStart: (fault) => (fault.at === 'start' ? 'close' : null),
};

export const rstStream: FaultImplementation<'rst-stream'> = {
  needsMessages: true,
  needsCall: 'isHttp2',
  directions: (fault) => (fault.at === 'start' ? [] : ['response']),
  createStage: (fault, context) => new CutStage(fault.at, resettingStream(fault.code), context),
  answer: null,
  resetsStreamAtStart: (fault) => (fault.at === 'start' ? http2ErrorCodes.indexOf(fault.code) : null),
};

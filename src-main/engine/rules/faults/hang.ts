import type { FaultImplementation, Stage, StageContext } from './stage.ts';
import { milliseconds } from '../fault-mark.ts';

/** Holds every byte of its direction until the rule is turned off or a side gives up. The link bounds what is held. */
class HangStage implements Stage {
  #held: Buffer[] = [];
  #ended = false;
  #released = false;
  #since: number;
  readonly #context: StageContext;

  constructor(context: StageContext) {
    this.#context = context;
    this.#since = context.clock.now();
    context.mark.describe = (mark) =>
      mark.delayedMs === null
        ? `holds the ${mark.direction}`
        : `held the ${mark.direction} for ${milliseconds(mark.delayedMs)}`;
  }

  push(chunk: Buffer): void {
    if (this.#released) this.#context.emit(chunk);
    else this.#held.push(chunk);
  }

  end(): void {
    if (this.#released) this.#context.emitEnd();
    else this.#ended = true;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#settle('released');
    const held = this.#held;
    this.#held = [];
    for (const chunk of held) this.#context.emit(chunk);
    if (this.#ended) this.#context.emitEnd();
  }

  dispose(): void {
    if (!this.#released) this.#settle('done');
    this.#held = [];
    this.#ended = false;
  }

  #settle(outcome: 'released' | 'done'): void {
    const mark = this.#context.mark;
    mark.delayedMs ??= this.#context.clock.now() - this.#since;
    mark.outcome = outcome;
  }
}

export const hang: FaultImplementation<'hang'> = {
  directions: (fault) => [fault.direction],
  createStage: (_fault, context) => new HangStage(context),
  answer: null,
};

/** Takes what comes and lets nothing out on either side: the upstream hears nothing, nor does the client. */
export const silence: FaultImplementation<'silence'> = {
  directions: () => ['request', 'response'],
  createStage: (_fault, context) => new HangStage(context),
  answer: null,
};

import { byteCount } from '../fault-mark.ts';
import type { FaultOf } from '#shared/rules/fault.ts';
import type { Timer } from '../../clock.ts';
import type { FaultImplementation, ReleaseReason, Stage, StageContext } from './stage.ts';

/**
 * Drops all that comes and ends the connection `timeoutMs` after the last of it; 0: never by itself. The sender's end ends it
 * at once. Turned off, it ends the connections of which it dropped something: what is missing cannot be brought back, and the
 * rest would be taken for something else; with `closesWhenOff` all of them, as Toxiproxy's timeout toxic has it.
 */
class TimeoutStage implements Stage {
  #timer: Timer | null = null;
  #dropped = 0;
  #released = false;
  #over = false;
  readonly #timeoutMs: number;
  readonly #closesWhenOff: boolean;
  readonly #context: StageContext;

  constructor(fault: FaultOf<'timeout'>, context: StageContext) {
    this.#timeoutMs = fault.timeoutMs;
    this.#closesWhenOff = fault.closesWhenOff === true;
    this.#context = context;
    context.mark.bytes = 0;
    context.mark.describe = (mark) => `dropped ${byteCount(mark.bytes)} of the ${mark.direction}`;
    this.#arm();
  }

  push(chunk: Buffer): void {
    if (this.#over) return this.#context.dropped(chunk.length);
    if (this.#released) return this.#context.emit(chunk);
    this.#dropped += chunk.length;
    this.#context.mark.bytes = this.#dropped;
    this.#context.dropped(chunk.length);
    this.#arm();
  }

  end(): void {
    if (this.#over) return;
    if (this.#released) this.#context.emitEnd();
    else this.#close();
  }

  release(why: ReleaseReason = 'off'): void {
    this.#released = true;
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#over) return;
    this.#context.mark.outcome = 'released';
    if (this.#closesWhenOff ? why === 'off' : this.#dropped > 0) this.#close();
  }

  dispose(): void {
    this.#over = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(): void {
    if (this.#timeoutMs === 0) return;
    this.#timer?.cancel();
    this.#timer = this.#context.clock.setTimer(this.#timeoutMs, () => {
      this.#timer = null;
      this.#close();
    });
  }

  #close(): void {
    this.#over = true;
    if (this.#context.mark.outcome === 'acting') this.#context.mark.outcome = 'done';
    this.#context.close();
  }
}

export const timeout: FaultImplementation<'timeout'> = {
  directions: (fault) => [fault.direction],
  createStage: (fault, context) => new TimeoutStage(fault, context),
  answer: null,
};

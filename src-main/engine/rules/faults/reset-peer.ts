import { milliseconds } from '../fault-mark.ts';
import type { FaultOf } from '#shared/rules/fault.ts';
import type { Timer } from '../../clock.ts';
import type { FaultImplementation, Stage, StageContext } from './stage.ts';

/**
 * Waits for the first bytes (or the end), holds them and all that follows, and ends the connection `timeoutMs` later: with a
 * RST if the rule was on when the link was opened, in an orderly way on older ones. (As Toxiproxy's reset_peer toxic has it,
 * which sets the linger time of sockets as it takes them over; it drops what is held here.)
 */
class ResetPeerStage implements Stage {
  #held: Buffer[] = [];
  #ended = false;
  #timer: Timer | null = null;
  #released = false;
  #over = false;
  readonly #timeoutMs: number;
  readonly #context: StageContext;

  constructor(fault: FaultOf<'reset-peer'>, context: StageContext) {
    this.#timeoutMs = fault.timeoutMs;
    this.#context = context;
    const [cut, cuts] = context.isFromStart ? ['reset', 'resets'] : ['closed', 'closes'];
    context.mark.describe = ({ outcome, delayedMs, direction }) =>
      outcome === 'done' && delayedMs !== null
        ? `${cut} the connection ${milliseconds(delayedMs)} after the first bytes of the ${direction}`
        : outcome === 'released'
          ? `was let go before it ${cut} the connection`
          : `${cuts} the connection when the ${direction} comes`;
  }

  push(chunk: Buffer): void {
    if (this.#over) return this.#context.dropped(chunk.length);
    if (this.#released) return this.#context.emit(chunk);
    this.#held.push(chunk);
    this.#arm();
  }

  end(): void {
    if (this.#over) return;
    if (this.#released) return this.#context.emitEnd();
    this.#ended = true;
    this.#arm();
  }

  release(): void {
    if (this.#over || this.#released) return;
    this.#released = true;
    this.#timer?.cancel();
    this.#context.mark.outcome = 'released';
    for (const chunk of this.#held.splice(0)) this.#context.emit(chunk);
    if (this.#ended) this.#context.emitEnd();
  }

  dispose(): void {
    this.#over = true;
    this.#timer?.cancel();
    this.#held = [];
  }

  #arm(): void {
    if (this.#timer !== null) return;
    const since = this.#context.clock.now();
    this.#timer = this.#context.clock.setTimer(this.#timeoutMs, () => {
      this.#over = true;
      const { mark } = this.#context;
      mark.delayedMs = this.#context.clock.now() - since;
      mark.outcome = 'done';
      for (const chunk of this.#held.splice(0)) this.#context.dropped(chunk.length);
      if (this.#context.isFromStart) this.#context.reset();
      else this.#context.close();
    });
  }
}

export const resetPeer: FaultImplementation<'reset-peer'> = {
  directions: (fault) => [fault.direction],
  createStage: (fault, context) => new ResetPeerStage(fault, context),
  answer: null,
};

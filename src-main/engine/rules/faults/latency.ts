import type { FaultOf } from '#shared/rules/fault.ts';
import type { Timer } from '../../clock.ts';
import { milliseconds } from '../fault-mark.ts';
import { delayDraw } from './delay-draw.ts';
import type { FaultImplementation, Stage, StageContext } from './stage.ts';

interface Held {
  readonly dueAt: number;
  readonly cameAt: number;
  readonly chunk: Buffer | null; // null: the end
}

/**
 * Holds each piece for a delay that is drawn for it (delay-draw.ts), counted from when it came: the time that a piece already
 * waited behind others is not added again (as Toxiproxy's latency toxic has it). Pieces never overtake each other.
 */
class LatencyStage implements Stage {
  #held: Held[] = [];
  #timer: Timer | null = null;
  #released = false;
  readonly #draw: () => number;
  readonly #context: StageContext;

  constructor(fault: FaultOf<'latency'>, context: StageContext) {
    this.#draw = delayDraw(fault, context.random);
    this.#context = context;
    context.mark.delayedMs = 0;
    context.mark.describe = (mark) => `held the ${mark.direction} for ${milliseconds(mark.delayedMs)}`;
  }

  push(chunk: Buffer): void {
    if (this.#released) this.#context.emit(chunk);
    else this.#hold(chunk);
  }

  end(): void {
    if (this.#released) this.#context.emitEnd();
    // The end is not a piece of its own: it follows what is held, without a delay of its own.
    else if (this.#held.length === 0) this.#context.emitEnd();
    else this.#held.push({ dueAt: 0, cameAt: this.#context.clock.now(), chunk: null });
  }

  release(): void {
    this.#released = true;
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#held.length > 0) this.#context.mark.outcome = 'released';
    this.#letGo(Infinity);
  }

  dispose(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#held = [];
  }

  #hold(chunk: Buffer): void {
    const now = this.#context.clock.now();
    this.#held.push({ dueAt: now + this.#draw(), cameAt: now, chunk });
    if (this.#timer === null) this.#arm(now);
  }

  #arm(now: number): void {
    const first = this.#held[0];
    if (first === undefined) return;
    this.#timer = this.#context.clock.setTimer(Math.max(0, first.dueAt - now), () => {
      this.#timer = null;
      this.#letGo(this.#context.clock.now());
    });
  }

  #letGo(now: number): void {
    const mark = this.#context.mark;
    const until = now === Infinity ? this.#context.clock.now() : now;
    let next = this.#held[0];
    while (next !== undefined && (next.dueAt <= now || next.chunk === null)) {
      this.#held.shift();
      mark.delayedMs = Math.max(mark.delayedMs ?? 0, until - next.cameAt);
      if (next.chunk === null) this.#context.emitEnd();
      else this.#context.emit(next.chunk);
      next = this.#held[0];
    }
    if (this.#held.length === 0) {
      if (mark.outcome === 'acting') mark.outcome = 'done';
    } else if (!this.#released && this.#timer === null) this.#arm(until);
  }
}

export const latency: FaultImplementation<'latency'> = {
  directions: (fault) => [fault.direction],
  createStage: (fault, context) => new LatencyStage(fault, context),
  answer: null,
  resetsAtStart: () => false,
};

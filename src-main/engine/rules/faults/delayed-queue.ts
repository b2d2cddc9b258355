import type { Timer } from '../../clock.ts';
import type { StageContext } from './stage.ts';

interface Held<T> {
  readonly dueAt: number;
  readonly cameAt: number;
  readonly chunk: T | null; // null: the end
}

/** What a queue needs of its stage. */
export interface DelayedOutput<T> extends Pick<StageContext, 'clock' | 'mark' | 'emitEnd'> {
  emit(chunk: T): void;
}

/**
 * Pieces that wait, each for its own time, and leave in the order in which they came: one that is due waits for those before
 * it. What a stage that delays is made of; keeps `mark.delayedMs`, the longest wait of a piece.
 */
export class DelayedQueue<T = Buffer> {
  #held: Held<T>[] = [];
  #timer: Timer | null = null;
  #released = false;
  readonly #context: DelayedOutput<T>;

  constructor(context: DelayedOutput<T>) {
    this.#context = context;
    context.mark.delayedMs = 0;
  }

  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  /** After `release` everything passes at once. */
  get isReleased(): boolean {
    return this.#released;
  }

  push(chunk: T, delayMs: number): void {
    if (this.#released) this.#context.emit(chunk);
    else if (delayMs <= 0 && this.isEmpty) this.#context.emit(chunk);
    else this.#hold(chunk, delayMs);
  }

  /** The end follows what is held; with a delay of its own it waits for that as well. */
  end(delayMs = 0): void {
    if (this.#released || (delayMs <= 0 && this.isEmpty)) this.#context.emitEnd();
    else this.#hold(null, delayMs);
  }

  release(): void {
    if (this.#released) return;
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

  #hold(chunk: T | null, delayMs: number): void {
    const now = this.#context.clock.now();
    this.#held.push({ dueAt: now + Math.max(0, delayMs), cameAt: now, chunk });
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
    while (next !== undefined && next.dueAt <= now) {
      this.#held.shift();
      mark.delayedMs = Math.max(mark.delayedMs ?? 0, until - next.cameAt);
      // Before it leaves: what is emitted may end the flow, and its mark is read then.
      if (this.#held.length === 0 && mark.outcome === 'acting') mark.outcome = 'done';
      if (next.chunk === null) this.#context.emitEnd();
      else this.#context.emit(next.chunk);
      next = this.#held[0];
    }
    if (this.#held.length > 0 && !this.#released && this.#timer === null) this.#arm(until);
  }
}

import type { FaultOf } from '#shared/rules/fault.ts';
import type { Timer } from '../../clock.ts';
import { byteCount, milliseconds } from '../fault-mark.ts';
import type { Stage, StageContext } from './stage.ts';

/**
 * Bandwidth as Toxiproxy's toxic has it: what comes is sent when the time is over that it takes, in pieces of `pieceMs` where
 * it takes longer. The end of one piece is the beginning of the next, whenever timers fire, so that the rate is the one asked.
 */
export class BandwidthPiecesStage implements Stage {
  #queue: Buffer[] = [];
  #ended = false;
  #released = false;
  #timer: Timer | null = null;
  #firstAt: number | null = null;
  /** Bytes a ms. */
  readonly #rate: number;
  readonly #pieceBytes: number;
  readonly #context: StageContext;

  constructor(fault: FaultOf<'bandwidth'>, pieceMs: number, context: StageContext) {
    this.#rate = fault.bytesPerSecond / 1000;
    this.#pieceBytes = Math.max(1, Math.floor(this.#rate * pieceMs));
    this.#context = context;
    context.mark.bytes = 0;
    context.mark.delayedMs = 0;
    context.mark.describe = (mark) =>
      `let ${byteCount(mark.bytes)} of the ${mark.direction} through at ${byteCount(fault.bytesPerSecond)} a second, ${milliseconds(mark.delayedMs)} in all`;
  }

  push(chunk: Buffer): void {
    if (this.#released) return this.#context.emit(chunk);
    this.#firstAt ??= this.#context.clock.now();
    this.#queue.push(chunk);
    if (this.#queue.length === 1) this.#send(this.#context.clock.now());
  }

  end(): void {
    if (this.#released || this.#queue.length === 0) this.#context.emitEnd();
    else this.#ended = true;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#timer?.cancel();
    const queue = this.#queue.splice(0);
    if (queue.length > 0) this.#context.mark.outcome = 'released';
    for (const chunk of queue) this.#context.emit(chunk);
    this.#finish();
  }

  dispose(): void {
    this.#timer?.cancel();
    this.#queue = [];
    this.#ended = false;
  }

  /** Sends what is due of the first chunk and of those behind it. `from`: since when the line is free for it. */
  #send(from: number): void {
    let free = from;
    const { clock } = this.#context;
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      if (this.#rate === 0) return; // Only turning the rule off lets go of what waits.
      const size = Math.min(head.length, this.#pieceBytes);
      const dueAt = free + size / this.#rate;
      const wait = dueAt - clock.now();
      if (wait > 0) {
        this.#timer = clock.setTimer(wait, () => this.#send(free));
        return;
      }
      free = dueAt;
      this.#emit(head, size);
    }
    this.#finish();
  }

  #emit(head: Buffer, size: number): void {
    if (size === head.length) this.#queue.shift();
    else this.#queue[0] = head.subarray(size);
    this.#context.mark.bytes = (this.#context.mark.bytes ?? 0) + size;
    this.#context.emit(size === head.length ? head : head.subarray(0, size));
  }

  #finish(): void {
    const { mark, clock } = this.#context;
    if (this.#firstAt !== null) mark.delayedMs = clock.now() - this.#firstAt;
    if (!this.#ended) return;
    this.#ended = false;
    if (mark.outcome === 'acting') mark.outcome = 'done';
    this.#context.emitEnd();
  }
}

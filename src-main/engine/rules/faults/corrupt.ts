import { byteCount } from '../fault-mark.ts';
import type { FaultOf } from '#shared/rules/fault.ts';
import type { FaultImplementation, Stage, StageContext } from './stage.ts';

/** Changes bytes here and there. What is changed is a copy: the bytes belong to the capture as well. */
class CorruptStage implements Stage {
  /** Bytes until the next one that is changed. */
  #gap: number;
  #released = false;
  readonly #fault: FaultOf<'corrupt'>;
  readonly #context: StageContext;

  constructor(fault: FaultOf<'corrupt'>, context: StageContext) {
    this.#fault = fault;
    this.#context = context;
    this.#gap = fault.skipBytes + this.#drawGap();
    context.mark.bytes = 0;
    context.mark.describe = (mark) => `changed ${byteCount(mark.bytes)} of the ${mark.direction}`;
  }

  push(chunk: Buffer): void {
    this.#context.emit(this.#released || this.#gap >= chunk.length ? this.#pass(chunk) : this.#change(chunk));
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

  #pass(chunk: Buffer): Buffer {
    this.#gap -= chunk.length;
    return chunk;
  }

  #change(chunk: Buffer): Buffer {
    const copy = Buffer.from(chunk);
    let at = this.#gap;
    for (; at < copy.length; at += 1 + this.#drawGap()) {
      copy[at] = this.#changed(copy[at] as number);
      this.#context.mark.bytes = (this.#context.mark.bytes ?? 0) + 1;
    }
    this.#gap = at - copy.length;
    return copy;
  }

  /** Always another byte than it was. */
  #changed(byte: number): number {
    const { how } = this.#fault;
    if (how === 'flip-bit') return byte ^ (1 << Math.floor(this.#context.random() * 8));
    if (how === 'zero') return byte === 0 ? 0xff : 0;
    return (byte + 1 + Math.floor(this.#context.random() * 255)) & 0xff;
  }

  /** How many bytes stay whole before the next one: geometric, so that each byte has the same chance. */
  #drawGap(): number {
    const { share } = this.#fault;
    if (share <= 0) return Infinity;
    return share >= 1 ? 0 : Math.floor(Math.log(1 - this.#context.random()) / Math.log(1 - share));
  }
}

export const corrupt: FaultImplementation<'corrupt'> = {
  directions: (fault) => [fault.direction],
  createStage: (fault, context) => new CorruptStage(fault, context),
  answer: null,
};

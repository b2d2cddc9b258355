import type { FaultOf } from '#shared/rules/fault.ts';
import type { Random, Timer } from '../../clock.ts';
import type { FaultImplementation, Stage, StageContext } from './stage.ts';

/**
 * Cuts what passes into small pieces, each in a packet of its own: between two of them there is a turn of the event loop at
 * least. Pieces are cut by halving again and again until they are small enough (as Toxiproxy's slicer does).
 */
class SlicerStage implements Stage {
  #pieces: Buffer[] = [];
  #ended = false;
  #released = false;
  #timer: Timer | null = null;
  #cut = 0;
  readonly #fault: FaultOf<'slicer'>;
  readonly #context: StageContext;

  constructor(fault: FaultOf<'slicer'>, context: StageContext) {
    this.#fault = fault;
    this.#context = context;
    context.mark.describe = (mark) =>
      `cut the ${mark.direction} into ${this.#cut.toLocaleString('en-US')} ${this.#cut === 1 ? 'piece' : 'pieces'}`;
  }

  push(chunk: Buffer): void {
    if (this.#released) return this.#context.emit(chunk);
    const { averageBytes, variationBytes } = this.#fault;
    for (const piece of slices(chunk, averageBytes, variationBytes, this.#context.random))
      this.#pieces.push(piece);
    if (this.#timer === null) this.#next();
  }

  end(): void {
    if (this.#timer === null) this.#context.emitEnd();
    else this.#ended = true;
  }

  release(): void {
    this.#released = true;
    this.#timer?.cancel();
    this.#timer = null;
    const pieces = this.#pieces;
    this.#pieces = [];
    if (pieces.length > 0) this.#context.mark.outcome = 'released';
    for (const piece of pieces) this.#context.emit(piece);
    if (this.#ended) this.#context.emitEnd();
  }

  dispose(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#pieces = [];
    this.#ended = false;
  }

  /** Sends one piece, and comes back for the next after the pause. */
  #next(): void {
    const piece = this.#pieces.shift();
    if (piece === undefined) {
      if (this.#ended) this.#context.emitEnd();
      return;
    }
    this.#timer = this.#context.clock.setTimer(this.#fault.delayUs / 1000, () => {
      this.#timer = null;
      this.#next();
    });
    this.#cut += 1;
    this.#context.emit(piece);
  }
}

/** The pieces of a chunk, in order; together they are the chunk. */
function slices(chunk: Buffer, average: number, variation: number, random: Random): Buffer[] {
  if (chunk.length - average <= variation) return chunk.length === 0 ? [] : [chunk];
  const spread = variation === 0 ? 0 : Math.floor(random() * variation * 2) - variation;
  // A spread that is larger than the chunk must not cut outside of it, nor an empty piece.
  const middle = Math.min(chunk.length - 1, Math.max(1, Math.floor(chunk.length / 2) + spread));
  return [
    ...slices(chunk.subarray(0, middle), average, variation, random),
    ...slices(chunk.subarray(middle), average, variation, random),
  ];
}

export const slicer: FaultImplementation<'slicer'> = {
  directions: (fault) => [fault.direction],
  createStage: (fault, context) => new SlicerStage(fault, context),
  answer: null,
};

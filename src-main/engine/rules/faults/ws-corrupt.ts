import type { FaultOf } from '#shared/rules/fault.ts';
import { FrameChoice } from './frame-choice.ts';
import type { FrameContext, FrameMessage, FrameOutput, FramePiece, FrameStage } from './frame-stage.ts';
import type { FaultImplementation } from './stage.ts';

/**
 * Changes one byte of a message: in its first frame that has a payload, at a place that is drawn. The lowest bit is turned over,
 * so that text stays UTF-8 and reaches its reader, changed; under a mask this is the same. A compressed message will most often
 * not inflate.
 */
class CorruptFramesStage implements FrameStage {
  readonly #choice: FrameChoice;
  /** Messages that are to be changed, and how many bytes of payload come before the one that is; null: not drawn yet. */
  readonly #places = new Map<FrameMessage, number | null>();
  readonly #out: FrameOutput;
  readonly #context: FrameContext;

  constructor(fault: FaultOf<'ws-corrupt'>, context: FrameContext) {
    this.#choice = new FrameChoice(fault, context);
    this.#context = context;
    this.#out = context.out[fault.direction];
    context.mark.describe = (mark) => `changed a byte in ${this.#choice.words(mark)}`;
  }

  piece(piece: FramePiece): void {
    const isChosen = this.#choice.has(piece);
    if (isChosen && piece.isFirst) this.#places.set(piece.message, null);
    const isWanted = isChosen && this.#places.has(piece.message);
    this.#out.emit(isWanted ? this.#changed(piece) : piece);
    if (piece.isLast) this.#places.delete(piece.message);
  }

  end(): void {
    this.#out.emitEnd();
  }

  release(): void {
    this.#places.clear();
    this.#choice.release();
  }

  dispose(): void {
    this.#places.clear();
  }

  #changed(piece: FramePiece): FramePiece {
    const { message, head, bytes } = piece;
    const place = this.#places.get(message) ?? null;
    if (head !== null) {
      if (head.payloadBytes > 0)
        this.#places.set(message, Math.floor(this.#context.random() * head.payloadBytes));
      return piece;
    }
    if (place === null) return piece;
    if (place >= bytes.length) {
      this.#places.set(message, place - bytes.length);
      return piece;
    }
    this.#places.delete(message);
    // A copy: the bytes belong to the capture as well.
    const copy = Buffer.from(bytes);
    copy[place] = (copy[place] as number) ^ 1;
    return { ...piece, bytes: copy };
  }
}

export const wsCorrupt: FaultImplementation<'ws-corrupt'> = {
  directions: () => [],
  createStage: null,
  answer: null,
  frames: (fault, context) => ({ [fault.direction]: new CorruptFramesStage(fault, context) }),
};

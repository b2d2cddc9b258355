import type { FaultOf } from '#shared/rules/fault.ts';
import { linkHoldLimitBytes } from '../link.ts';
import { FrameChoice } from './frame-choice.ts';
import type { FrameContext, FrameMessage, FrameOutput, FramePiece, FrameStage } from './frame-stage.ts';
import type { FaultImplementation } from './stage.ts';

interface Copy {
  readonly pieces: FramePiece[];
  bytes: number;
}

/**
 * Sends messages once more when they have passed, in their fragments, with their masks. A message beyond what a link may hold is
 * sent once. The second one of a compressed message may inflate to something else, since the first one has moved the window.
 */
class DuplicateFramesStage implements FrameStage {
  readonly #choice: FrameChoice;
  readonly #copies = new Map<FrameMessage, Copy>();
  #tooLong = 0;
  #released = false;
  readonly #out: FrameOutput;

  constructor(fault: FaultOf<'ws-duplicate'>, context: FrameContext) {
    this.#choice = new FrameChoice(fault, context);
    this.#out = context.out[fault.direction];
    context.mark.describe = (mark) =>
      `sent ${this.#choice.words(mark)} twice${this.#tooLong === 0 ? '' : `, but for ${this.#tooLong} too long ones`}`;
  }

  piece(piece: FramePiece): void {
    const isChosen = this.#choice.has(piece) && !this.#released;
    this.#out.emit(piece);
    if (!isChosen) return;
    const copy = this.#copyOf(piece);
    if (!piece.isLast) return;
    this.#copies.delete(piece.message);
    if (copy.bytes > linkHoldLimitBytes) this.#tooLong += 1;
    else this.#again(copy);
  }

  end(): void {
    this.#out.emitEnd();
  }

  release(): void {
    this.#released = true;
    this.#copies.clear();
    this.#choice.release();
  }

  dispose(): void {
    this.#copies.clear();
  }

  #copyOf(piece: FramePiece): Copy {
    if (piece.isFirst && piece.message.opcode < 8) this.#forgetData();
    const copy = this.#copies.get(piece.message) ?? { pieces: [], bytes: 0 };
    this.#copies.set(piece.message, copy);
    copy.bytes += piece.bytes.length;
    if (copy.bytes > linkHoldLimitBytes) copy.pieces.length = 0;
    else copy.pieces.push(piece);
    return copy;
  }

  /** A message that another one followed before its end. */
  #forgetData(): void {
    for (const message of this.#copies.keys()) if (message.opcode < 8) this.#copies.delete(message);
  }

  #again({ pieces, bytes }: Copy): void {
    const [first] = pieces;
    if (first === undefined) return;
    this.#out.added(bytes);
    // A message of its own to those behind.
    const message = { ...first.message };
    for (const piece of pieces) this.#out.emit({ ...piece, message });
  }
}

export const wsDuplicate: FaultImplementation<'ws-duplicate'> = {
  directions: () => [],
  createStage: null,
  answer: null,
  frames: (fault, context) => ({ [fault.direction]: new DuplicateFramesStage(fault, context) }),
};

import type { FaultOf } from '#shared/rules/fault.ts';
import { linkHoldLimitBytes } from '../held-bytes.ts';
import { sizeWords } from '../fault-mark.ts';
import type { HoldBudget } from '../hold-budget.ts';
import { FrameChoice } from './frame-choice.ts';
import type { FrameContext, FrameMessage, FrameOutput, FramePiece, FrameStage } from './frame-stage.ts';
import type { FaultImplementation } from './stage.ts';

interface Copy {
  readonly pieces: FramePiece[];
  bytes: number;
  /** Why it is not kept, and the message sent once; null: it is. */
  lost: 'length' | 'room' | null;
}

/**
 * Sends messages once more when they have passed, in their fragments, with their masks. A message beyond what a link may hold is
 * sent once. The second one of a compressed message may inflate to something else, since the first one has moved the window.
 */
class DuplicateFramesStage implements FrameStage {
  readonly #choice: FrameChoice;
  readonly #copies = new Map<FrameMessage, Copy>();
  #tooLong = 0;
  #noRoom = 0;
  #released = false;
  readonly #out: FrameOutput;
  readonly #budget: HoldBudget;

  constructor(fault: FaultOf<'ws-duplicate'>, context: FrameContext) {
    this.#budget = context.budget;
    this.#choice = new FrameChoice(fault, context);
    this.#out = context.out[fault.direction];
    context.mark.describe = (mark) =>
      `sent ${this.#choice.words(mark)} twice${this.#tooLong === 0 ? '' : `, but for ${this.#tooLong} too long ones`}${this.#noRoomWords()}`;
  }

  piece(piece: FramePiece): void {
    const isChosen = this.#choice.has(piece) && !this.#released;
    this.#out.emit(piece);
    if (!isChosen) return;
    const copy = this.#copyOf(piece);
    if (!piece.isLast) return;
    this.#forget(piece.message);
    if (copy.lost === 'length') this.#tooLong += 1;
    else if (copy.lost === 'room') this.#noRoom += 1;
    else this.#again(copy);
  }

  end(): void {
    this.#out.emitEnd();
  }

  release(): void {
    this.#released = true;
    for (const message of this.#copies.keys()) this.#forget(message);
    this.#choice.release();
  }

  dispose(): void {
    this.#copies.clear();
  }

  #copyOf(piece: FramePiece): Copy {
    if (piece.isFirst && piece.message.opcode < 8) this.#forgetData();
    const copy: Copy = this.#copies.get(piece.message) ?? { pieces: [], bytes: 0, lost: null };
    this.#copies.set(piece.message, copy);
    if (copy.lost !== null) return copy;
    copy.bytes += piece.bytes.length;
    this.#out.keeps(piece.bytes.length);
    copy.pieces.push(piece);
    if (copy.bytes > linkHoldLimitBytes) this.#lose(copy, 'length');
    else if (this.#budget.isFull) this.#lose(copy, 'room');
    return copy;
  }

  #lose(copy: Copy, why: 'length' | 'room'): void {
    copy.lost = why;
    this.#out.keeps(-copy.bytes);
    copy.bytes = 0;
    copy.pieces.length = 0;
    if (why === 'room') this.#budget.messageLeft();
  }

  #forget(message: FrameMessage): void {
    this.#out.keeps(-(this.#copies.get(message)?.bytes ?? 0));
    this.#copies.delete(message);
  }

  #noRoomWords(): string {
    const held = sizeWords(this.#budget.limitBytes);
    return this.#noRoom === 0 ? '' : `, but for ${this.#noRoom} while rules held ${held} already`;
  }

  /** A message that another one followed before its end. */
  #forgetData(): void {
    for (const message of this.#copies.keys()) if (message.opcode < 8) this.#forget(message);
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

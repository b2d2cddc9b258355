import type { FaultOf } from '#shared/rules/fault.ts';
import { FrameChoice } from './frame-choice.ts';
import type { FrameContext, FrameOutput, FramePiece, FrameStage } from './frame-stage.ts';
import type { FaultImplementation } from './stage.ts';

type Dropped = Pick<FaultOf<'ws-drop'>, 'direction' | 'frames' | 'share'>;

/**
 * Leaves messages out, with all their fragments. A message of which it has left out the beginning is left out to its end, whether
 * the rule is still on or not: the rest would be taken for something else. What is compressed is not compressed anew: its
 * receiver lacks that part of the window, as if the sender had never sent it.
 */
class DropStage implements FrameStage {
  readonly #choice: FrameChoice;
  readonly #out: FrameOutput;
  readonly #context: FrameContext;

  constructor(fault: Dropped, context: FrameContext) {
    this.#choice = new FrameChoice(fault, context);
    this.#context = context;
    this.#out = context.out[fault.direction];
    context.mark.bytes = 0;
    context.mark.describe = (mark) => `dropped ${this.#choice.words(mark)}`;
  }

  get stays(): boolean {
    return this.#choice.isBusy;
  }

  piece(piece: FramePiece): void {
    if (!this.#choice.has(piece)) return this.#out.emit(piece);
    const { mark } = this.#context;
    mark.bytes = (mark.bytes ?? 0) + piece.bytes.length;
    this.#out.dropped(piece.bytes.length);
  }

  end(): void {
    this.#out.emitEnd();
  }

  release(): void {
    this.#choice.release();
  }

  dispose(): void {
    // Holds nothing and has no timer.
  }
}

export const wsDrop: FaultImplementation<'ws-drop'> = {
  directions: () => [],
  createStage: null,
  answer: null,
  frames: (fault, context) => ({ [fault.direction]: new DropStage(fault, context) }),
};

/** Pings arrive, and nobody answers them: what a peer does that hangs above TCP. */
export const wsNoPong: FaultImplementation<'ws-no-pong'> = {
  directions: () => [],
  createStage: null,
  answer: null,
  frames: ({ direction }, context) => ({
    [direction]: new DropStage({ direction, frames: 'pong', share: 1 }, context),
  }),
};

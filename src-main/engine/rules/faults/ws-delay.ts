import type { FaultOf } from '#shared/rules/fault.ts';
import { milliseconds } from '../fault-mark.ts';
import { DelayedQueue } from './delayed-queue.ts';
import { FrameChoice } from './frame-choice.ts';
import type { FrameContext, FramePiece, FrameStage } from './frame-stage.ts';
import type { FaultImplementation } from './stage.ts';

/** Holds messages from when they began; what comes behind one waits for it, control frames as well: WebSockets keep order. */
class DelayFramesStage implements FrameStage {
  readonly #choice: FrameChoice;
  readonly #queue: DelayedQueue<FramePiece>;
  readonly #delayMs: number;

  constructor(fault: FaultOf<'ws-delay'>, context: FrameContext) {
    const out = context.out[fault.direction];
    const { clock, mark } = context;
    this.#choice = new FrameChoice(fault, context);
    this.#queue = new DelayedQueue({
      clock,
      mark,
      emit: (piece) => out.emit(piece),
      emitEnd: () => out.emitEnd(),
    });
    this.#delayMs = fault.delayMs;
    mark.describe = () => `held ${this.#choice.words(mark)}, ${milliseconds(mark.delayedMs)} at the longest`;
  }

  piece(piece: FramePiece): void {
    const isChosen = this.#choice.has(piece);
    this.#queue.push(piece, isChosen && piece.isFirst ? this.#delayMs : 0);
  }

  end(): void {
    this.#queue.end();
  }

  release(): void {
    this.#choice.release();
    this.#queue.release();
  }

  dispose(): void {
    this.#queue.dispose();
  }
}

export const wsDelay: FaultImplementation<'ws-delay'> = {
  directions: () => [],
  createStage: null,
  answer: null,
  frames: (fault, context) => ({ [fault.direction]: new DelayFramesStage(fault, context) }),
};

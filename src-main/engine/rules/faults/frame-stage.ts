import type { Direction } from '#shared/flow/flow.ts';
import type { Clock, Random } from '../../clock.ts';
import type { FrameHead } from '../../proxy/websocket/frame-parser.ts';
import type { FaultMark } from '../fault-mark.ts';
import type { HoldBudget } from '../hold-budget.ts';

/** A message of a WebSocket, or a control frame: the same object for all its pieces. */
export interface FrameMessage {
  /** text, binary, close, ping or pong; -1 for bytes in which no frames can be found any more. */
  readonly opcode: number;
  /** By permessage-deflate. */
  readonly isCompressed: boolean;
}

/** A part of a frame as it came: its head, or some of its payload. */
export interface FramePiece {
  readonly bytes: Buffer;
  readonly message: FrameMessage;
  /** Not null: the bytes are this head. */
  readonly head: FrameHead | null;
  /** The message begins with it; never so for one that had begun when nobody looked. */
  readonly isFirst: boolean;
  readonly endsFrame: boolean;
  /** The message ends with it. */
  readonly isLast: boolean;
}

/**
 * One fault on the frames of one direction. What it does to a message is decided with its first piece and holds to its last; a
 * message of which it has not seen the first piece passes. `release` and `dispose` as of `Stage`.
 */
export interface FrameStage {
  /** It stands in its place. */
  begin?(): void;
  piece(piece: FramePiece): void;
  end(): void;
  release(): void;
  dispose(): void;
  /** Released, it has begun what it has to finish, and stays in its place. Absent: it goes. */
  readonly stays?: boolean;
}

/** Where the pieces of one direction go. */
export interface FrameOutput {
  emit(piece: FramePiece): void;
  emitEnd(): void;
  /** Ends the connection in an orderly way. */
  close(): void;
  /** As of `StageContext`. */
  dropped(bytes: number): void;
  added(bytes: number): void;
  keeps(bytes: number): void;
  /** Whether the last piece that came did not end its frame: nothing can be put in here. */
  isMidFrame(): boolean;
}

export interface FrameContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly mark: FaultMark;
  readonly out: Readonly<Record<Direction, FrameOutput>>;
  readonly budget: HoldBudget;
}

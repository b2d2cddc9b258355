import type { Direction } from '#shared/flow/flow.ts';
import type { FaultOf } from '#shared/rules/fault.ts';
import type { Random, Timer } from '../../clock.ts';
import { opcode } from '../../proxy/websocket/frame-parser.ts';
import { messageCount } from '../fault-mark.ts';
import type { FrameContext, FramePiece, FrameStage } from './frame-stage.ts';
import type { FaultImplementation } from './stage.ts';

/** How long both sides have to answer a close frame, before the connection ends without. */
const closeWithinMs = 2000;
const directions = ['request', 'response'] as const;

/** What both directions share: how many messages have passed, and how far the closing is. */
class Closing {
  #passed = 0;
  #isClosing = false;
  #timer: Timer | null = null;
  readonly #sent: Record<Direction, boolean> = { request: false, response: false };
  readonly #answered: Record<Direction, boolean> = { request: false, response: false };
  readonly #fault: FaultOf<'ws-close'>;
  readonly #context: FrameContext;

  constructor(fault: FaultOf<'ws-close'>, context: FrameContext) {
    this.#fault = fault;
    this.#context = context;
    context.mark.messages = 0;
    context.mark.describe = ({ code, messages }) =>
      code === null
        ? `let ${messageCount(messages)} pass, of ${fault.afterMessages.toLocaleString('en-US')}`
        : `closed both sides with ${code} after ${messageCount(messages)}`;
  }

  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Whether a side has its close frame, and gets nothing more. */
  isSent(direction: Direction): boolean {
    return this.#sent[direction];
  }

  messagePassed(): void {
    this.#passed += 1;
    this.#context.mark.messages = this.#passed;
    this.closeWhenDue();
  }

  closeWhenDue(): void {
    if (this.#isClosing || this.#passed < this.#fault.afterMessages) return;
    this.#isClosing = true;
    const { mark, clock, out } = this.#context;
    mark.code = this.#fault.code;
    mark.outcome = 'done';
    this.#timer = clock.setTimer(closeWithinMs, () => this.#over());
    for (const direction of directions) if (!out[direction].isMidFrame()) this.send(direction);
  }

  /** Between two frames of that direction. */
  send(direction: Direction): void {
    if (this.#sent[direction]) return;
    this.#sent[direction] = true;
    const { code, reason } = this.#fault;
    const bytes = closeFrame(code, reason, direction === 'request' ? this.#context.random : null);
    const message = { opcode: opcode.close, isCompressed: false };
    const out = this.#context.out[direction];
    out.added(bytes.length);
    out.emit({ bytes, message, head: null, isFirst: true, endsFrame: true, isLast: true });
  }

  /** The sender of that direction has said its own close, or ended. */
  answered(direction: Direction): void {
    this.#answered[direction] = true;
    if (this.#answered.request && this.#answered.response) this.#over();
  }

  dispose(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #over(): void {
    this.dispose();
    this.#context.out.response.close();
  }
}

/** One direction of a WebSocket that is to be closed. */
class CloseStage implements FrameStage {
  #released = false;
  readonly #direction: Direction;
  readonly #closing: Closing;
  readonly #context: FrameContext;

  constructor(direction: Direction, closing: Closing, context: FrameContext) {
    this.#direction = direction;
    this.#closing = closing;
    this.#context = context;
  }

  /** A close that has begun cannot be taken back. */
  get stays(): boolean {
    return this.#closing.isClosing;
  }

  begin(): void {
    this.#closing.closeWhenDue();
  }

  piece(piece: FramePiece): void {
    const closing = this.#closing;
    const out = this.#context.out[this.#direction];
    const { isLast, endsFrame, message } = piece;
    if (closing.isSent(this.#direction)) {
      out.dropped(piece.bytes.length);
      if (isLast && message.opcode === opcode.close) closing.answered(this.#direction);
      return;
    }
    out.emit(piece);
    if (closing.isClosing && endsFrame) return closing.send(this.#direction);
    if (isLast && message.opcode < opcode.close && !this.#released) closing.messagePassed();
  }

  end(): void {
    if (this.#closing.isClosing) this.#closing.answered(this.#direction);
    else this.#context.out[this.#direction].emitEnd();
  }

  release(): void {
    this.#released = true;
    if (!this.#closing.isClosing) this.#context.mark.outcome = 'released';
  }

  dispose(): void {
    this.#closing.dispose();
  }
}

/** RFC 6455, sections 5.2 and 5.5.1. @param random For the mask of a client's frame; null: a server's. */
function closeFrame(code: number, reason: string, random: Random | null): Buffer {
  // 125 bytes are all that a control frame may have: half a character at the end is left out.
  const text = new TextDecoder('utf-8').decode(Buffer.from(reason).subarray(0, 123)).replace(/\ufffd$/, '');
  const payload = Buffer.concat([Buffer.alloc(2), Buffer.from(text)]);
  payload.writeUInt16BE(code);
  if (random === null) return Buffer.concat([Buffer.from([0x88, payload.length]), payload]);
  const mask = Buffer.from([0, 0, 0, 0].map(() => Math.floor(random() * 256)));
  const masked = payload.map((byte, index) => byte ^ (mask[index & 3] as number));
  return Buffer.concat([Buffer.from([0x88, 0x80 | payload.length]), mask, masked]);
}

export const wsClose: FaultImplementation<'ws-close'> = {
  directions: () => [],
  createStage: null,
  answer: null,
  frames: (fault, context) => {
    const closing = new Closing(fault, context);
    return {
      request: new CloseStage('request', closing, context),
      response: new CloseStage('response', closing, context),
    };
  },
};

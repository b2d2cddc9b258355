import type { Direction } from '#shared/flow/flow.ts';
import type { FrameMessage, FramePiece } from '../../rules/faults/frame-stage.ts';
import { FrameParser, opcode } from './frame-parser.ts';
import type { FrameHead, FrameOwner } from './frame-parser.ts';

const unreadable: FrameMessage = { opcode: -1, isCompressed: false };

/**
 * Cuts the bytes of one direction into pieces of frames, changing none of them. It follows the frames from the first byte on,
 * also while nobody wants pieces (`skip`): so it knows where the next one begins.
 */
export class FrameReader implements FrameOwner {
  /** The data message that is under way; control frames come in its middle. */
  #data: FrameMessage | null = null;
  #message: FrameMessage = unreadable;
  #left = 0;
  #endsMessage = true;
  #isSkipping = false;
  /** Of the head that is not whole yet: what has been passed on. */
  #headSent = 0;
  /** Of the bytes at hand: what has been told. */
  #told = 0;
  readonly #parser: FrameParser;
  readonly #piece: (piece: FramePiece) => void;

  constructor(direction: Direction, piece: (piece: FramePiece) => void) {
    this.#parser = new FrameParser({ masked: direction === 'request', allowsRsv1: true }, this);
    this.#piece = piece;
  }

  /** Something of a frame has been passed on, and not all of it. */
  get isMidFrame(): boolean {
    return this.#left > 0 || this.#headSent > 0;
  }

  feed(bytes: Buffer): void {
    this.#isSkipping = false;
    // The part of a head that came before these bytes is told with the rest of it.
    this.#told = -this.#parser.partialHead.length;
    this.#parser.feed(bytes);
    if (this.#parser.isLost) this.#tellUnreadable(bytes.subarray(Math.max(0, this.#told)));
  }

  /** The bytes have been passed on as they are. */
  skip(bytes: Buffer): void {
    this.#isSkipping = true;
    this.#parser.feed(bytes);
    this.#headSent = this.#parser.partialHead.length;
  }

  /** What was kept of a head that is not whole: from here on bytes are passed on as they are. */
  takeUnsent(): Buffer {
    const unsent = Buffer.from(this.#parser.partialHead.subarray(this.#headSent));
    this.#headSent += unsent.length;
    return unsent;
  }

  // --- FrameOwner

  frameBegan(head: FrameHead): void {
    const bytes = Buffer.from(this.#parser.partialHead);
    const isControl = head.opcode >= opcode.close;
    const continued = head.opcode === opcode.continuation ? this.#data : null;
    const message = continued ?? { opcode: head.opcode, isCompressed: head.rsv1 && !isControl };
    if (!isControl) this.#data = head.fin ? null : message;
    this.#message = message;
    this.#left = head.payloadBytes;
    this.#endsMessage = isControl || head.fin;
    const sent = this.#headSent;
    this.#headSent = 0;
    this.#told += bytes.length;
    // One of which a part has passed is nobody's to change.
    const isWhole = sent === 0;
    this.#tell(bytes.subarray(sent), isWhole ? head : null, isWhole && continued === null);
  }

  framePayload(piece: Buffer): void {
    this.#left -= piece.length;
    this.#told += piece.length;
    this.#tell(piece, null, false);
  }

  frameEnded(): void {
    // Told with its last piece.
  }

  framesLost(): void {
    const head = Buffer.from(this.#parser.partialHead);
    this.#told += head.length;
    if (!this.#isSkipping) this.#tellUnreadable(head.subarray(this.#headSent));
    this.#headSent = 0;
  }

  #tell(bytes: Buffer, head: FrameHead | null, isFirst: boolean): void {
    if (this.#isSkipping) return;
    const endsFrame = this.#left === 0;
    const isLast = endsFrame && this.#endsMessage;
    this.#piece({ bytes, message: this.#message, head, isFirst, endsFrame, isLast });
  }

  #tellUnreadable(bytes: Buffer): void {
    if (bytes.length === 0) return;
    const place = { isFirst: false, endsFrame: false, isLast: false };
    this.#piece({ bytes, message: unreadable, head: null, ...place });
  }
}

import { FrameParser, opcode } from './frame-parser.ts';
import type { FrameHead, FrameOwner, FrameProblem } from './frame-parser.ts';

/** What a message is kept in while it comes in. */
export interface MessageContent {
  /** How many bytes it still wants; the rest is not unmasked for it. */
  readonly room: number;
  /** @param content holds until this returns. */
  add(content: Buffer): void;
}

export interface ReadMessage {
  /** text, binary, close, ping or pong; others are reserved. */
  readonly opcode: number;
  readonly compressed: boolean;
  /** Payload of all its frames, as transferred. */
  readonly sizeBytes: number;
  /** What is wrong with one of its frames, or with their order; null: nothing. */
  readonly problem: string | null;
}

/** Told the messages of one direction. */
export interface MessageReaderOwner<C extends MessageContent> {
  /** A message begins: where its content goes; null when nobody needs it. */
  messageBegan(opcode: number, compressed: boolean): C | null;
  /** `content` is what `messageBegan` gave. */
  messageEnded(message: ReadMessage, content: C | null): void;
  messagesLost(problem: FrameProblem): void;
}

interface Building<C> {
  readonly opcode: number;
  readonly compressed: boolean;
  readonly content: C | null;
  sizeBytes: number;
  problem: string | null;
}

/**
 * Puts the frames of one direction together to messages: fragments, with control frames in between (RFC 6455, section
 * 5.4). A control message is one frame.
 */
export class MessageReader<C extends MessageContent> implements FrameOwner {
  readonly #parser: FrameParser;
  readonly #owner: MessageReaderOwner<C>;
  /** The data message that is under way, and the frame at hand, which may be a control frame in its middle. */
  #message: Building<C> | null = null;
  #frame: Building<C> | null = null;
  #endsMessage = false;

  /** @param masked The bytes of a client. */
  constructor(masked: boolean, isDeflating: boolean, owner: MessageReaderOwner<C>) {
    this.#owner = owner;
    this.#parser = new FrameParser({ masked, allowsRsv1: isDeflating }, this);
  }

  get isLost(): boolean {
    return this.#parser.isLost;
  }

  feed(bytes: Buffer): void {
    this.#parser.feed(bytes);
  }

  // --- FrameOwner

  frameBegan(head: FrameHead): void {
    const isControl = head.opcode >= opcode.close;
    const frame = isControl ? this.#begin(head) : this.#dataFrame(head);
    frame.sizeBytes += head.payloadBytes;
    frame.problem ??= head.problem?.message ?? null;
    this.#frame = frame;
    this.#endsMessage = isControl || head.fin;
  }

  framePayload(piece: Buffer): void {
    const content = this.#frame?.content ?? null;
    const room = content?.room ?? 0;
    if (room > 0) content?.add(this.#parser.unmask(piece.length > room ? piece.subarray(0, room) : piece));
  }

  frameEnded(): void {
    const frame = this.#frame;
    this.#frame = null;
    if (frame === null || !this.#endsMessage) return;
    if (frame === this.#message) this.#message = null;
    this.#owner.messageEnded(frame, frame.content);
  }

  framesLost(problem: FrameProblem): void {
    this.#owner.messagesLost(problem);
  }

  /** The message that a data frame belongs to. One that comes in the wrong place begins another, which says so. */
  #dataFrame(head: FrameHead): Building<C> {
    const isFirst = head.opcode !== opcode.continuation;
    const open = this.#message;
    if (open !== null && !isFirst) return open;
    if (open !== null)
      this.#owner.messageEnded(
        { ...open, problem: 'It was not ended: another message began.' },
        open.content,
      );
    const begun = this.#begin(head);
    if (!isFirst) begun.problem = 'A continuation of no message (RFC 6455, section 5.4).';
    this.#message = begun;
    return begun;
  }

  #begin(head: FrameHead): Building<C> {
    // Of data messages alone (RFC 7692, section 6): whatever else has the bit is passed and shown as it is.
    const isData = head.opcode === opcode.text || head.opcode === opcode.binary;
    const compressed = isData && head.rsv1 && head.problem?.code !== 'reserved-bits';
    const content = this.#owner.messageBegan(head.opcode, compressed);
    return { opcode: head.opcode, compressed, content, sizeBytes: 0, problem: null };
  }
}

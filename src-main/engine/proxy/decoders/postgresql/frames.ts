/**
 * How messages of the PostgreSQL protocol are put on the wire (PostgreSQL documentation, "Message Formats"):
 *
 *     typed    type:1  length:4, itself included  payload
 *     untyped  length:4, itself included  payload       what a client begins with
 *     octet    one octet without a length               what a server says to SSLRequest and GSSENCRequest
 */
export type Framing = 'typed' | 'untyped' | 'octet';

/** The type that untyped messages and lone octets are told with. */
export const noType = 0;

export interface FrameSink {
  /** Nothing more is taken. */
  readonly isLost: boolean;
  /** Octets of the payload of such a message that are read, the first ones; the rest is walked past. -1: there is no such type. */
  wanted(type: number): number;
  /**
   * A message is whole.
   * @param bytes Holds what was wanted of its payload, from `start` to `end`; belongs to the data path.
   * @param size Octets of its payload.
   */
  frame(type: number, bytes: Buffer, start: number, end: number, size: number): void;
}

/** No server takes or sends more in one message (PQ_LARGE_MESSAGE_LIMIT). */
const longestPayload = 0x3fff_ffff;
const none = Buffer.alloc(0);

/** One direction, walked through message by message. Keeps at most what is wanted of one message. */
export class FrameReader {
  framing: Framing;
  /** The bytes are no messages. */
  isLost = false;
  readonly #sink: FrameSink;
  /** A head that came in pieces. */
  readonly #head = Buffer.alloc(5);
  #headLength = 0;
  /** A payload that came in pieces; -1 while there is none. */
  #left = -1;
  #type = noType;
  #size = 0;
  #kept = none;
  #keptLength = 0;

  constructor(sink: FrameSink, framing: Framing) {
    this.#sink = sink;
    this.framing = framing;
  }

  read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && !this.isLost && !this.#sink.isLost) {
      if (this.#left >= 0) at = this.#readPayload(bytes, at);
      else if (this.framing === 'octet') at = this.#readOctet(bytes, at);
      else at = this.#readHead(bytes, at);
    }
  }

  /** A server that is too old for the request answers with an error message instead of an octet. */
  #readOctet(bytes: Buffer, at: number): number {
    this.framing = 'typed';
    if (bytes[at] === 0x45 /* E */) return at;
    this.#sink.frame(noType, bytes, at, at + 1, 1);
    return at + 1;
  }

  #readHead(bytes: Buffer, at: number): number {
    const headLength = this.framing === 'typed' ? 5 : 4;
    if (this.#headLength === 0 && at + headLength <= bytes.length) {
      return this.#begin(bytes, at, at + headLength);
    }
    const taken = bytes.copy(this.#head, this.#headLength, at, at + headLength - this.#headLength);
    this.#headLength += taken;
    if (this.#headLength < headLength) return at + taken;
    this.#headLength = 0;
    this.#begin(this.#head, 0, headLength);
    return at + taken;
  }

  /** `bytes` has a whole head from `head` to `at`. Returns where to go on: behind the payload, if it is there as well. */
  #begin(bytes: Buffer, head: number, at: number): number {
    const isTyped = this.framing === 'typed';
    const type = isTyped ? (bytes[head] as number) : noType;
    const size = bytes.readUInt32BE(isTyped ? head + 1 : head) - 4;
    const wanted = this.#sink.wanted(type);
    if (size < 0 || size > longestPayload || wanted < 0) {
      this.isLost = true;
      return at;
    }
    const read = size < wanted ? size : wanted;
    if (size === 0 || (bytes !== this.#head && at + size <= bytes.length)) {
      this.#sink.frame(type, bytes, at, at + read, size);
      return at + size;
    }
    this.#type = type;
    this.#size = size;
    this.#left = size;
    this.#kept = read === 0 ? none : Buffer.allocUnsafe(read);
    this.#keptLength = 0;
    return at;
  }

  #readPayload(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left);
    if (this.#keptLength < this.#kept.length) {
      this.#keptLength += bytes.copy(this.#kept, this.#keptLength, at, end);
    }
    this.#left -= end - at;
    if (this.#left > 0) return end;
    const kept = this.#kept;
    this.#left = -1;
    this.#kept = none;
    this.#sink.frame(this.#type, kept, 0, kept.length, this.#size);
    return end;
  }
}

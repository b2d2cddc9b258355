/** What is wrong with a frame (RFC 6455): data for whoever looks, since it passes all the same. */
export interface FrameProblem {
  readonly code:
    | 'mask-missing'
    | 'mask-unexpected'
    | 'reserved-bits'
    | 'unknown-opcode'
    | 'fragmented-control'
    | 'long-control'
    | 'length-not-minimal'
    | 'length-too-large';
  /** A sentence for a person. */
  readonly message: string;
}

export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** The head of a frame (RFC 6455, section 5.2). */
export interface FrameHead {
  readonly fin: boolean;
  /** RSV1: with permessage-deflate, a message that is compressed (RFC 7692, section 6). */
  readonly rsv1: boolean;
  readonly opcode: number;
  readonly masked: boolean;
  readonly payloadBytes: number;
  /** The first thing that is wrong with it; null for a good one. */
  readonly problem: FrameProblem | null;
}

/** Told what a parser finds, in its order: a head, its payload in pieces, its end. */
export interface FrameOwner {
  frameBegan(head: FrameHead): void;
  /** A piece of the payload as it passed, still masked: `FrameParser.unmask` gives its content. */
  framePayload(piece: Buffer): void;
  frameEnded(): void;
  /** It cannot be told any more where a frame begins: nothing follows. */
  framesLost(problem: FrameProblem): void;
}

const longestHeadBytes = 14;
const problems: Readonly<Record<FrameProblem['code'], string>> = {
  'mask-missing': 'A frame of a client without a mask (RFC 6455, section 5.1).',
  'mask-unexpected': 'A frame of a server with a mask (RFC 6455, section 5.1).',
  'reserved-bits': 'Reserved bits are set that no extension was negotiated for (RFC 6455, section 5.2).',
  'unknown-opcode': 'An opcode that is reserved (RFC 6455, section 5.2).',
  'fragmented-control': 'A control frame in fragments (RFC 6455, section 5.5).',
  'long-control': 'A control frame of more than 125 bytes (RFC 6455, section 5.5).',
  'length-not-minimal': 'A length in more bytes than it needs (RFC 6455, section 5.2).',
  'length-too-large': 'A frame of more than 2^53 bytes.',
};

export interface FrameRules {
  /** The client's frames are masked, the server's are not. */
  readonly masked: boolean;
  /** An extension gives a meaning to RSV1. */
  readonly allowsRsv1: boolean;
}

/**
 * Finds the frames in the bytes of one direction, however they are split. It reads and never changes; a payload is passed
 * on by reference, and a frame that breaks a rule is told with its problem, since the bytes go on after it.
 */
export class FrameParser {
  readonly #rules: FrameRules;
  readonly #owner: FrameOwner;
  /** Of a head that is not whole; its length so far. */
  readonly #head = Buffer.alloc(longestHeadBytes);
  #headLength = 0;
  #payloadLeft = 0;
  #inPayload = false;
  #mask: Buffer | null = null;
  /** Where in the mask the next byte of payload is. */
  #maskAt = 0;
  #isLost = false;

  constructor(rules: FrameRules, owner: FrameOwner) {
    this.#rules = rules;
    this.#owner = owner;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** What has come of a head: all of it while `frameBegan` is told; holds until then. */
  get partialHead(): Buffer {
    return this.#head.subarray(0, this.#inPayload ? 0 : this.#headLength);
  }

  feed(bytes: Buffer): void {
    let offset = 0;
    while (offset < bytes.length && !this.#isLost) {
      offset = this.#inPayload ? this.#readPayload(bytes, offset) : this.#readHead(bytes, offset);
    }
  }

  /** The content of the piece that `framePayload` is being told: the piece itself without a mask, else a copy. */
  unmask(piece: Buffer): Buffer {
    const mask = this.#mask;
    if (mask === null) return piece;
    const content = Buffer.allocUnsafe(piece.length);
    const from = this.#maskAt;
    for (let index = 0; index < piece.length; index += 1) {
      content[index] = (piece[index] as number) ^ (mask[(from + index) & 3] as number);
    }
    return content;
  }

  #readPayload(bytes: Buffer, offset: number): number {
    const end = Math.min(bytes.length, offset + this.#payloadLeft);
    this.#owner.framePayload(offset === 0 && end === bytes.length ? bytes : bytes.subarray(offset, end));
    this.#payloadLeft -= end - offset;
    this.#maskAt = (this.#maskAt + end - offset) & 3;
    if (this.#payloadLeft === 0) this.#endFrame();
    return end;
  }

  #readHead(bytes: Buffer, offset: number): number {
    const head = this.#head;
    head[this.#headLength++] = bytes[offset] as number;
    if (this.#headLength >= 2 && this.#headLength === headBytes(head)) this.#headRead();
    return offset + 1;
  }

  #headRead(): void {
    const head = this.#head;
    const lengthBytes = extendedLengthBytes(head);
    const payloadBytes = payloadLength(head, lengthBytes);
    if (payloadBytes > Number.MAX_SAFE_INTEGER) {
      this.#isLost = true;
      return this.#owner.framesLost(problem('length-too-large'));
    }
    const masked = isMasked(head);
    this.#mask = masked ? head.subarray(2 + lengthBytes, 6 + lengthBytes) : null;
    this.#maskAt = 0;
    const first = head[0] as number;
    this.#owner.frameBegan({
      fin: (first & 0x80) !== 0,
      rsv1: (first & 0x40) !== 0,
      opcode: first & 0x0f,
      masked,
      payloadBytes,
      problem: this.#problemOf(first, masked, payloadBytes, lengthBytes),
    });
    this.#payloadLeft = payloadBytes;
    this.#inPayload = true;
    if (payloadBytes === 0) this.#endFrame();
  }

  #endFrame(): void {
    this.#inPayload = false;
    this.#headLength = 0;
    this.#owner.frameEnded();
  }

  #problemOf(first: number, masked: boolean, length: number, lengthBytes: number): FrameProblem | null {
    const code = first & 0x0f;
    const isControl = code >= 8;
    if (masked !== this.#rules.masked) return problem(masked ? 'mask-unexpected' : 'mask-missing');
    if (code > opcode.pong || (code > opcode.binary && !isControl)) return problem('unknown-opcode');
    // RFC 7692, section 6.1: on the first frame of a message only.
    const mayHaveRsv1 = this.#rules.allowsRsv1 && (code === opcode.text || code === opcode.binary);
    if ((first & 0x30) !== 0 || ((first & 0x40) !== 0 && !mayHaveRsv1)) return problem('reserved-bits');
    if (isControl && (first & 0x80) === 0) return problem('fragmented-control');
    if (isControl && length > 125) return problem('long-control');
    const least = lengthBytes === 8 ? 65_536 : lengthBytes === 2 ? 126 : 0;
    return length < least ? problem('length-not-minimal') : null;
  }
}

function problem(code: FrameProblem['code']): FrameProblem {
  return { code, message: problems[code] };
}

function headBytes(head: Buffer): number {
  return 2 + extendedLengthBytes(head) + (isMasked(head) ? 4 : 0);
}

function isMasked(head: Buffer): boolean {
  return ((head[1] as number) & 0x80) !== 0;
}

function extendedLengthBytes(head: Buffer): number {
  const length = (head[1] as number) & 0x7f;
  return length === 127 ? 8 : length === 126 ? 2 : 0;
}

function payloadLength(head: Buffer, lengthBytes: number): number {
  if (lengthBytes === 0) return (head[1] as number) & 0x7f;
  if (lengthBytes === 2) return head.readUInt16BE(2);
  return head.readUInt32BE(2) * 2 ** 32 + head.readUInt32BE(6);
}

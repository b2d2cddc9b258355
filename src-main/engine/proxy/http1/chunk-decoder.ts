import type { Http1ErrorCode } from './http1-error.ts';
import { Refusal } from './http1-error.ts';
import { CR, hexValue, isFieldValue, isToken, LF, SEMICOLON } from './octets.ts';

// What the next octet must be. Numbers, since the state is looked at for every octet of the framing.
const SIZE_FIRST = 0;
const SIZE = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILERS = 6;
// From here on inside a chunk extension (RFC 9112, section 7.1.1).
const NAME_FIRST = 7;
const NAME = 8;
const VALUE_FIRST = 9;
const VALUE = 10;
const QUOTED = 11;
const QUOTED_PAIR = 12;
const QUOTED_END = 13;

/** More digits add nothing but a way to look different to another parser. */
const MAX_SIZE_DIGITS = 16;

/** Receives the payload, by reference, as it is found between the framing. */
export interface ChunkDataSink {
  onData(data: Buffer): void;
}

/** Finds the payload in a chunked body (RFC 9112, section 7.1), up to where its trailer section begins. */
export class ChunkDecoder {
  /** The octet that was refused, with its index in the chunk given last. */
  refusal: Refusal | null = null;

  private state = SIZE_FIRST;
  /** The size that is being read, then what remains of the chunk. */
  private left = 0;
  private digits = 0;
  private extensionBytes = 0;
  private readonly maxExtensionBytes: number;

  constructor(maxExtensionBytes: number) {
    this.maxExtensionBytes = maxExtensionBytes;
  }

  /** Whether the last chunk has been read. */
  get atTrailers(): boolean {
    return this.state === TRAILERS;
  }

  reset(): void {
    this.refusal = null;
    this.state = SIZE_FIRST;
    this.left = 0;
    this.digits = 0;
    this.extensionBytes = 0;
  }

  /**
   * Reads on from `from`; null for a sink that does not want the payload. Returns the index after what was read:
   * the end, the beginning of the trailer section, or the refused octet.
   */
  read(bytes: Buffer, from: number, sink: ChunkDataSink | null): number {
    let i = from;
    while (i < bytes.length) {
      if (this.state === DATA) {
        i = this.readData(bytes, i, sink);
        continue;
      }
      const code = this.readFraming(bytes[i] as number);
      if (code !== null) {
        this.refusal = new Refusal(code, i);
        return i;
      }
      i++;
      if (this.state === TRAILERS) return i;
    }
    return i;
  }

  private readData(bytes: Buffer, from: number, sink: ChunkDataSink | null): number {
    const length = Math.min(this.left, bytes.length - from);
    if (sink !== null) sink.onData(bytes.subarray(from, from + length));
    this.left -= length;
    if (this.left === 0) this.state = DATA_CR;
    return from + length;
  }

  private readFraming(octet: number): Http1ErrorCode | null {
    switch (this.state) {
      case SIZE_FIRST:
      case SIZE:
        return this.readSize(octet);
      case SIZE_LF:
        if (octet !== LF) return 'bare-cr';
        this.state = this.left === 0 ? TRAILERS : DATA;
        return null;
      case DATA_CR:
        if (octet !== CR) return 'chunk-crlf-missing';
        this.state = DATA_LF;
        return null;
      case DATA_LF:
        if (octet !== LF) return 'chunk-crlf-missing';
        this.state = SIZE_FIRST;
        return null;
      default:
        return this.readExtension(octet);
    }
  }

  private readSize(octet: number): Http1ErrorCode | null {
    const digit = hexValue[octet] as number;
    if (digit < 16) return this.addDigit(digit);
    if (this.state === SIZE_FIRST) return 'chunk-size-invalid';
    if (octet === CR) this.state = SIZE_LF;
    else if (octet === SEMICOLON) {
      this.state = NAME_FIRST;
      return this.countExtension();
    } else return octet === LF ? 'bare-lf' : 'chunk-size-invalid';
    return null;
  }

  private addDigit(digit: number): Http1ErrorCode | null {
    if (this.state === SIZE_FIRST) {
      this.state = SIZE;
      this.left = 0;
      this.digits = 0;
    }
    this.left = this.left * 16 + digit;
    const fits = ++this.digits <= MAX_SIZE_DIGITS && this.left <= Number.MAX_SAFE_INTEGER;
    return fits ? null : 'chunk-size-overflow';
  }

  private readExtension(octet: number): Http1ErrorCode | null {
    const next = stateInExtension(this.state, octet);
    if (next < 0) return octet === LF ? 'bare-lf' : 'chunk-extension-invalid';
    this.state = next;
    return next === SIZE_LF ? null : this.countExtension();
  }

  private countExtension(): Http1ErrorCode | null {
    return ++this.extensionBytes > this.maxExtensionBytes ? 'chunk-extensions-too-large' : null;
  }
}

const EQUALS = 61;
const QUOTE = 34;
const BACKSLASH = 92;

/** The state after an octet of an extension, -1 where the grammar has no place for it. White space has none here. */
function stateInExtension(state: number, octet: number): number {
  switch (state) {
    case NAME_FIRST:
      return isToken[octet] === 1 ? NAME : -1;
    case NAME:
      if (octet === EQUALS) return VALUE_FIRST;
      return isToken[octet] === 1 ? NAME : stateAfterExtension(octet);
    case VALUE_FIRST:
      if (octet === QUOTE) return QUOTED;
      return isToken[octet] === 1 ? VALUE : -1;
    case VALUE:
      return isToken[octet] === 1 ? VALUE : stateAfterExtension(octet);
    case QUOTED:
      if (octet === QUOTE) return QUOTED_END;
      if (octet === BACKSLASH) return QUOTED_PAIR;
      return isFieldValue[octet] === 1 ? QUOTED : -1;
    case QUOTED_PAIR:
      return isFieldValue[octet] === 1 ? QUOTED : -1;
    default:
      return stateAfterExtension(octet);
  }
}

function stateAfterExtension(octet: number): number {
  if (octet === CR) return SIZE_LF;
  return octet === SEMICOLON ? NAME_FIRST : -1;
}

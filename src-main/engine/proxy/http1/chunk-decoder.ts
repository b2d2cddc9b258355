import type { Http1ErrorCode } from './http1-error.ts';
import { Refusal } from './http1-error.ts';
import { CR, hexValue, isFieldValue, LF, SEMICOLON } from './octets.ts';

// What the next octet must be. Numbers, since the state is looked at for every octet of the framing.
const SIZE_FIRST = 0;
const SIZE = 1;
const EXTENSION = 2;
const SIZE_LF = 3;
const DATA = 4;
const DATA_CR = 5;
const DATA_LF = 6;
const TRAILERS = 7;

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
      case EXTENSION:
        return this.readExtension(octet);
      case SIZE_LF:
        if (octet !== LF) return 'bare-cr';
        this.state = this.left === 0 ? TRAILERS : DATA;
        return null;
      case DATA_CR:
        if (octet !== CR) return 'chunk-crlf-missing';
        this.state = DATA_LF;
        return null;
      default:
        if (octet !== LF) return 'chunk-crlf-missing';
        this.state = SIZE_FIRST;
        return null;
    }
  }

  private readSize(octet: number): Http1ErrorCode | null {
    const digit = hexValue[octet] as number;
    if (digit < 16) return this.addDigit(digit);
    if (this.state === SIZE_FIRST) return 'chunk-size-invalid';
    if (octet === CR) this.state = SIZE_LF;
    else if (octet === SEMICOLON) {
      this.state = EXTENSION;
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
    if (octet === CR) {
      this.state = SIZE_LF;
      return null;
    }
    if (isFieldValue[octet] === 0) return octet === LF ? 'bare-lf' : 'chunk-extension-invalid';
    return this.countExtension();
  }

  private countExtension(): Http1ErrorCode | null {
    return ++this.extensionBytes > this.maxExtensionBytes ? 'chunk-extensions-too-large' : null;
  }
}

/**
 * RESP2 and RESP3 (Redis serialization protocol specification), walked through value by value:
 *
 *     +text  -error  :integer  ,double  (big number  #boolean  _null       a line
 *     $size bytes    =size verbatim    !size error                         a bulk: a line, that many octets, CRLF
 *     *n array   ~n set   >n push   %n map   |n attribute                  an aggregate: a line, then its values
 *
 * The streamed types of RESP3 (`$?`, `*?`) are not read: no server sends them.
 */
export interface RespSink {
  /** Nothing more is taken. */
  readonly isLost: boolean;
  /** Octets of the bulk that begins now that are wanted, its first ones; 0 for none. */
  wanted(size: number, depth: number): number;
  /** @param count Values in it; of a map, twice its pairs. @param depth How many aggregates it is in. */
  aggregate(type: number, count: number, depth: number): void;
  /**
   * A line or a bulk.
   * @param size Octets of it; -1 for a null.
   * @param bytes Has what was wanted of it from `start` to `end`; belongs to the data path.
   */
  value(type: number, size: number, depth: number, bytes: Buffer, start: number, end: number): void;
  /** A value that is in no other one is whole, with all that is in it. */
  whole(): void;
  /** What begins with none of the types: a command in plain words. Without this they are no values. */
  inline?(line: string): void;
}

/** Octets of a line that are read: of an error, a status, an inline command. */
export const lineLimit = 1_024;
/** Redis takes no longer inline command (PROTO_INLINE_MAX_SIZE). */
const longestInline = 65_536;
const deepest = 64;
const longestNumberLine = 24;
const none = Buffer.alloc(0);
const cr = 13;
const lf = 10;

const kinds = new Uint8Array(256);
const kind = { line: 1, bulk: 2, aggregate: 3 };
for (const type of '+-:,(#_') kinds[type.charCodeAt(0)] = kind.line;
for (const type of '$=!') kinds[type.charCodeAt(0)] = kind.bulk;
for (const type of '*~>%|') kinds[type.charCodeAt(0)] = kind.aggregate;
const map = '%'.charCodeAt(0);
const attribute = '|'.charCodeAt(0);

/** One direction. Keeps the beginning of one line or of one bulk. */
export class RespReader {
  /** The bytes are no values. */
  isLost = false;
  readonly #sink: RespSink;
  /** A line that came in pieces, its first octets. */
  #line = none;
  #lineLength = 0;
  /** Octets of it, all of them, and the last one. */
  #lineSize = 0;
  #lineLast = 0;
  /** Of a bulk that is under way, with its CRLF; 0 while there is none. */
  #bulkLeft = 0;
  #bulkType = 0;
  #bulkSize = 0;
  #kept = none;
  #keptLength = 0;
  /** Values that are still to come in each aggregate that is open; `#attributes`: which of them are attributes. */
  readonly #left: number[] = [];
  readonly #attributes: boolean[] = [];

  constructor(sink: RespSink) {
    this.#sink = sink;
  }

  read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && !this.isLost && !this.#sink.isLost) {
      at = this.#bulkLeft > 0 ? this.#readBulk(bytes, at) : this.#readLine(bytes, at);
    }
  }

  #readLine(bytes: Buffer, at: number): number {
    const end = lineEnd(bytes, at);
    if (this.#lineSize === 0 && end >= 0) {
      return this.#interpret(bytes, at, end - at, end > at && bytes[end - 1] === cr, end + 1);
    }
    const last = end < 0 ? bytes.length : end;
    if (this.#line.length === 0) this.#line = Buffer.allocUnsafe(lineLimit);
    this.#lineLength += bytes.copy(this.#line, this.#lineLength, at, last);
    this.#lineSize += last - at;
    if (last > at) this.#lineLast = bytes[last - 1] as number;
    if (end < 0) {
      this.#checkPartialLine();
      return bytes.length;
    }
    const size = this.#lineSize;
    this.#lineLength = 0;
    this.#lineSize = 0;
    this.#interpret(this.#line, 0, size, this.#lineLast === cr, 0);
    return end + 1;
  }

  /** What cannot become a line is not waited for. */
  #checkPartialLine(): void {
    const type = this.#line[0] as number;
    const limit =
      kinds[type] === kind.line ? Infinity : kinds[type] === 0 ? longestInline : longestNumberLine;
    if (this.#lineSize > limit || (kinds[type] === 0 && !this.#takesInline())) this.isLost = true;
  }

  #takesInline(): boolean {
    return this.#sink.inline !== undefined && this.#left.length === 0;
  }

  /**
   * @param size Octets of the line, without its LF; `bytes` has the first ones at least, up to `lineLimit`.
   * @param next Where the bytes go on; 0: they do not, in this buffer.
   */
  #interpret(bytes: Buffer, start: number, size: number, endsInCr: boolean, next: number): number {
    const type = bytes[start] as number;
    const what = size === 0 ? 0 : (kinds[type] as number);
    const length = endsInCr ? size - 1 : size;
    const end = start + (length < lineLimit ? length : lineLimit);
    if (what === 0) this.#inline(bytes, start, end, size);
    else if (what === kind.line) this.#scalar(type, bytes, start, end, length - 1);
    else if (!endsInCr) this.isLost = true;
    else if (what === kind.aggregate) this.#open(type, bytes, start + 1, end);
    else return this.#begin(type, bytes, start, end, next);
    return next;
  }

  #inline(bytes: Buffer, start: number, end: number, size: number): void {
    if (!this.#takesInline() || size > longestInline) this.isLost = true;
    else this.#sink.inline?.(bytes.toString('utf8', start, end));
  }

  #scalar(type: number, bytes: Buffer, start: number, end: number, size: number): void {
    const isNull = type === 0x5f; /* _ */
    this.#sink.value(type, isNull ? -1 : size, this.#left.length, bytes, start + 1, end);
    this.#complete();
  }

  #open(type: number, bytes: Buffer, start: number, end: number): void {
    const count = readNumber(bytes, start, end) * (type === map || type === attribute ? 2 : 1);
    if (Number.isNaN(count) || count > 2 ** 32 || this.#left.length >= deepest) {
      this.isLost = true;
      return;
    }
    if (count < 0) {
      this.#sink.value(type, -1, this.#left.length, bytes, start, start);
      return this.#complete();
    }
    this.#sink.aggregate(type, count, this.#left.length);
    if (count > 0) {
      this.#left.push(count);
      this.#attributes.push(type === attribute);
    } else if (type !== attribute) this.#complete();
  }

  /** A bulk begins; where it is there with its CRLF it is read at once. */
  #begin(type: number, bytes: Buffer, start: number, end: number, next: number): number {
    const size = readNumber(bytes, start + 1, end);
    if (Number.isNaN(size)) {
      this.isLost = true;
      return next;
    }
    const depth = this.#left.length;
    if (size < 0) {
      this.#sink.value(type, -1, depth, bytes, start, start);
      this.#complete();
      return next;
    }
    const wanted = this.#sink.wanted(size, depth);
    const read = size < wanted ? size : wanted;
    const behind = next + size + 2;
    if (next > 0 && behind <= bytes.length) {
      if (bytes[behind - 2] !== cr || bytes[behind - 1] !== lf) this.isLost = true;
      else {
        this.#sink.value(type, size, depth, bytes, next, next + read);
        this.#complete();
      }
      return behind;
    }
    this.#bulkType = type;
    this.#bulkSize = size;
    this.#bulkLeft = size + 2;
    this.#kept = read === 0 ? none : Buffer.allocUnsafe(read);
    this.#keptLength = 0;
    return next;
  }

  #readBulk(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#bulkLeft);
    if (this.#keptLength < this.#kept.length) {
      this.#keptLength += bytes.copy(this.#kept, this.#keptLength, at, end);
    }
    // Its CRLF, which may come in two pieces.
    for (let octet = Math.max(at, at + this.#bulkLeft - 2); octet < end; octet++) {
      if (bytes[octet] !== (this.#bulkLeft - (octet - at) === 2 ? cr : lf)) this.isLost = true;
    }
    this.#bulkLeft -= end - at;
    if (this.#bulkLeft > 0 || this.isLost) return end;
    const kept = this.#kept;
    this.#kept = none;
    this.#sink.value(this.#bulkType, this.#bulkSize, this.#left.length, kept, 0, kept.length);
    this.#complete();
    return end;
  }

  /** A value is whole; so may be those that it is in. */
  #complete(): void {
    const left = this.#left;
    for (let depth = left.length - 1; depth >= 0; depth--) {
      left[depth] = (left[depth] as number) - 1;
      if ((left[depth] as number) > 0) return;
      left.pop();
      // An attribute stands before the value that it is of, and is none itself.
      if (this.#attributes.pop() === true) return;
    }
    this.#sink.whole();
  }
}

/** Where the LF of a line is, or -1. Most lines are a few octets long: a call into native code costs more than they do. */
function lineEnd(bytes: Buffer, at: number): number {
  const near = Math.min(bytes.length, at + 32);
  for (let i = at; i < near; i++) if (bytes[i] === lf) return i;
  return near === bytes.length ? -1 : bytes.indexOf(lf, near);
}

/** A decimal number, -1 for any negative one (a null), NaN for anything else. */
function readNumber(bytes: Buffer, start: number, end: number): number {
  if (bytes[start] === 0x2d /* - */) return end - start === 2 && bytes[start + 1] === 0x31 ? -1 : NaN;
  if (end === start || end - start > 15) return NaN;
  let number = 0;
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] as number) - 0x30;
    if (digit < 0 || digit > 9) return NaN;
    number = number * 10 + digit;
  }
  return number;
}

/** One line without its end. */
export interface Line {
  /** Its first bytes, at most as many as are kept. */
  readonly bytes: Buffer;
  /** Of the whole line. */
  readonly sizeBytes: number;
}

const cr = 0x0d;
const lf = 0x0a;

/** Which bytes end a line: LF alone (NDJSON), or CR, LF and CRLF (server-sent events). */
export type LineEnds = 'lf' | 'any';

/** Parts the bytes of a text into lines, however they are split. Of a long line only the first part is held. */
export class LineSplitter {
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #sizeBytes = 0;
  /** A CR was the last byte: a LF that follows belongs to it. */
  #afterCr = false;
  readonly #ends: LineEnds;
  readonly #maxKeptBytes: number;
  readonly #line: (line: Line) => void;

  constructor(ends: LineEnds, maxKeptBytes: number, line: (line: Line) => void) {
    this.#ends = ends;
    this.#maxKeptBytes = maxKeptBytes;
    this.#line = line;
  }

  /** Of the line that has not ended. */
  get openBytes(): number {
    return this.#sizeBytes;
  }

  /** @param bytes what is kept of them is copied. */
  feed(bytes: Buffer): void {
    let from = this.#afterCr && bytes[0] === lf ? 1 : 0;
    if (bytes.length > 0) this.#afterCr = false;
    while (from < bytes.length) {
      const end = this.#endFrom(bytes, from);
      if (end < 0) return this.#keep(bytes.subarray(from));
      this.#keep(bytes.subarray(from, end));
      this.#line(this.#take());
      from = end + 1;
      if (bytes[end] !== cr) continue;
      if (from === bytes.length) this.#afterCr = true;
      else if (bytes[from] === lf) from += 1;
    }
  }

  /** Nothing more comes: what has come of a line without an end is one. */
  end(): void {
    if (this.#sizeBytes > 0) this.#line(this.#take());
  }

  #endFrom(bytes: Buffer, from: number): number {
    const atLf = bytes.indexOf(lf, from);
    if (this.#ends === 'lf') return atLf;
    const atCr = bytes.indexOf(cr, from);
    if (atCr < 0 || atLf < 0) return Math.max(atCr, atLf);
    return Math.min(atCr, atLf);
  }

  #keep(bytes: Buffer): void {
    this.#sizeBytes += bytes.length;
    const room = this.#maxKeptBytes - this.#keptBytes;
    if (room <= 0 || bytes.length === 0) return;
    const kept = Buffer.from(bytes.length > room ? bytes.subarray(0, room) : bytes);
    this.#keptBytes += kept.length;
    this.#kept.push(kept);
  }

  #take(): Line {
    const bytes = this.#kept.length === 1 ? (this.#kept[0] as Buffer) : Buffer.concat(this.#kept);
    const line = { bytes, sizeBytes: this.#sizeBytes };
    this.#kept = [];
    this.#keptBytes = 0;
    this.#sizeBytes = 0;
    return line;
  }
}

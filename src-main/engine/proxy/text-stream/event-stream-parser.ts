import { LineSplitter } from './line-splitter.ts';
import type { Line } from './line-splitter.ts';

/** One server-sent event (WHATWG HTML, section 9.2.6). */
export interface ServerSentEvent {
  /** As its `event` field names it; '' without: a browser says `message`. */
  readonly name: string;
  /** null when it has no `id` field. */
  readonly id: string | null;
  /** Its `data` lines, joined by LF. */
  readonly data: string;
  /** There is more in `data` than was kept. */
  readonly truncated: boolean;
  /** Of all its lines, with one byte for each end. */
  readonly sizeBytes: number;
  /** The stream ended in its middle: a browser does not see it. */
  readonly isCut: boolean;
}

const byteOrderMark = '\ufeff';

/** Reads events from the bytes of a text/event-stream, bounded. Comments and `retry` are read over. */
export class EventStreamParser {
  #name = '';
  #id: string | null = null;
  #data: string[] = [];
  #dataLength = 0;
  #truncated = false;
  #sizeBytes = 0;
  #isFirstLine = true;
  readonly #lines: LineSplitter;
  readonly #maxDataLength: number;
  readonly #event: (event: ServerSentEvent) => void;

  constructor(maxDataLength: number, event: (event: ServerSentEvent) => void) {
    this.#maxDataLength = maxDataLength;
    this.#event = event;
    this.#lines = new LineSplitter('any', maxDataLength * 3, (line) => this.#read(line));
  }

  get openBytes(): number {
    return this.#lines.openBytes;
  }

  feed(bytes: Buffer): void {
    this.#lines.feed(bytes);
  }

  end(): void {
    this.#lines.end();
    this.#dispatch(true);
  }

  #read(line: Line): void {
    this.#sizeBytes += line.sizeBytes + 1;
    let text = line.bytes.toString('utf8');
    if (this.#isFirstLine && text.startsWith(byteOrderMark)) text = text.slice(1);
    this.#isFirstLine = false;
    if (text === '') return this.#dispatch(false);
    const colon = text.indexOf(':');
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? '' : text.slice(text[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (line.bytes.length < line.sizeBytes) this.#truncated = true;
    if (field === 'data') this.#addData(value);
    else if (field === 'event') this.#name = value;
    // A NUL in an id makes the field none (section 9.2.6).
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
  }

  #addData(value: string): void {
    const room = this.#maxDataLength - this.#dataLength;
    if (value.length > room) this.#truncated = true;
    // Many empty lines are bounded as well: each takes the room of its LF.
    if (room <= 0) return;
    this.#data.push(value.length > room ? value.slice(0, room) : value);
    this.#dataLength += value.length + 1;
  }

  #dispatch(isCut: boolean): void {
    if (this.#data.length > 0) {
      this.#event({
        name: this.#name,
        id: this.#id,
        data: this.#data.join('\n'),
        truncated: this.#truncated,
        sizeBytes: this.#sizeBytes,
        isCut,
      });
    }
    this.#name = '';
    this.#id = null;
    this.#data = [];
    this.#dataLength = 0;
    this.#truncated = false;
    this.#sizeBytes = 0;
  }
}

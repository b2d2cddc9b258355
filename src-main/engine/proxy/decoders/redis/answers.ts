import { bounded, counted, cutUtf8 } from '../shown.ts';
import { argumentLimit, shownArgument } from './arguments.ts';
import type { RespSink } from './resp-reader.ts';

/** One value that is in no other one, with what is told of it. */
export interface Answer {
  readonly type: string;
  /** `OK`, `12 bytes`, `3 items`, `nil`; '' with an error. */
  readonly summary: string;
  readonly error: string | null;
  /** The first values in it, if it may be a message of publish and subscribe; a null is ''. */
  readonly first: readonly string[];
  /** Octets of all the lines and bulks in it. */
  readonly sizeBytes: number;
  /** The octets of the last value that is in it directly: what was published. */
  readonly lastSize: number;
  /** The line of a status. */
  readonly status: string;
}

/** What a server sends, value by value. Of values only kinds and sizes are read, of errors and statuses the text. */
export class Answers implements RespSink {
  isLost = false;
  /** Whether an array that begins now may be a message of publish and subscribe (RESP2 has no type for them). */
  readonly #mayBePush: () => boolean;
  readonly #answered: (answer: Answer) => void;
  /** Whether a value that begins now is read, and not only whether it is an error. */
  readonly #reads: () => boolean;
  #type = '';
  #count = 0;
  #summary = '';
  #status = '';
  #error: string | null = null;
  #errorsInside = 0;
  #size = 0;
  #lastSize = 0;
  #readsFirst = false;
  #first: string[] = [];

  constructor(
    mayBePush: () => boolean,
    answered: (answer: Answer) => void,
    reads: () => boolean = () => true,
  ) {
    this.#reads = reads;
    this.#mayBePush = mayBePush;
    this.#answered = answered;
  }

  wanted(_size: number, depth: number): number {
    return this.#readsFirst && depth === 1 && this.#first.length < firstValues ? argumentLimit : 0;
  }

  aggregate(type: number, count: number, depth: number): void {
    if (depth > 0) return;
    this.#type = String.fromCharCode(type);
    this.#count = count;
    this.#readsFirst = this.#type === '>' || (this.#type === '*' && this.#mayBePush());
  }

  value(type: number, size: number, depth: number, bytes: Buffer, start: number, end: number): void {
    if (size > 0) this.#size += size;
    const isError = type === 0x2d /* - */ || type === 0x21; /* ! */
    if (depth > 0) {
      if (isError) this.#errorsInside++;
      if (depth > 1) return;
      this.#lastSize = size;
      if (!this.#readsFirst || this.#first.length >= firstValues) return;
      this.#first.push(size < 0 ? '' : shownArgument(bytes, start, end, size));
      return;
    }
    this.#type = String.fromCharCode(type);
    if (!isError && !this.#reads()) this.#summary = notRead;
    else if (isError)
      this.#error = type === 0x21 ? `error of ${counted(size, 'byte')}` : line(bytes, start, end, size);
    else this.#summary = this.#valueSummary(type, size, bytes, start, end);
  }

  #valueSummary(type: number, size: number, bytes: Buffer, start: number, end: number): string {
    if (size < 0) return 'nil';
    if (type === 0x24 /* $ */ || type === 0x3d /* = */) return counted(size, 'byte');
    if (type === 0x23 /* # */) return bytes[start] === 0x74 /* t */ ? 'true' : 'false';
    const text = line(bytes, start, end, size);
    if (type === 0x2b /* + */) this.#status = text;
    return bounded(text, 128);
  }

  whole(): void {
    // An attribute that stood before the value is not the value.
    const isKnown = this.#summary !== '' || this.#error !== null || (this.#type !== '>' && !this.#reads());
    const summary = isKnown ? this.#summary : this.#aggregateSummary();
    this.#answered({
      type: this.#type,
      summary,
      error: this.#error,
      first: this.#first,
      sizeBytes: this.#size,
      lastSize: this.#lastSize,
      status: this.#status,
    });
    this.#summary = '';
    this.#status = '';
    this.#error = null;
    this.#errorsInside = 0;
    this.#size = 0;
    this.#lastSize = 0;
    this.#readsFirst = false;
    if (this.#first.length > 0) this.#first = [];
  }

  #aggregateSummary(): string {
    if (this.#type === '%') return counted(this.#count / 2, 'pair');
    const items = counted(this.#count, 'item');
    return this.#errorsInside > 0 ? `${items}, ${counted(this.#errorsInside, 'error')}` : items;
  }
}

/** For what is told to nobody. */
const notRead = 'not read';

/** Kind, channel and number of subscriptions; of `pmessage` the pattern and the channel. */
const firstValues = 3;

function line(bytes: Buffer, start: number, end: number, size: number): string {
  const isCut = end - start < size;
  return isCut ? `${cutUtf8(bytes, start, end)}…` : bytes.toString('utf8', start, end);
}

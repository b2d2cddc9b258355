import { argumentLimit, inlineArguments, shownArgument } from './arguments.ts';
import { commandSpec, commandSpecIn, shownArgumentsLimit } from './command-table.ts';
import type { CommandSpec } from './command-table.ts';
import type { RespSink } from './resp-reader.ts';

/** A command as it is asked. */
export interface Question {
  readonly spec: CommandSpec;
  /** Whether it is to be shown; else `text` is its name alone. */
  readonly isWanted: boolean;
  /** Name and shown arguments. */
  readonly text: string;
  /** An argument that is shown is longer than that. */
  readonly isCut: boolean;
  readonly argumentCount: number;
  /** Octets of its name and its arguments. */
  readonly sizeBytes: number;
  /** The shown arguments, as sent. */
  readonly shown: readonly string[];
  /** Unix ms; set by whoever is asked. */
  at: number;
  /** Of a subscription: channels that the server has confirmed. */
  confirmed: number;
}

const array = '*'.charCodeAt(0);
const bulk = '$'.charCodeAt(0);
/** The longest name of a command has 20 octets; modules may have longer ones. */
const nameLimit = 64;
const unnamed = commandSpec('');

/** What a client sends: arrays of bulk strings, or lines in plain words. Nothing else is a command. */
export class Questions implements RespSink {
  isLost = false;
  readonly #asked: (question: Question) => void;
  readonly #wants: () => boolean;
  #isWanted = true;
  #spec = unnamed;
  #count = 0;
  #index = 0;
  #size = 0;
  #isCut = false;
  #shown: string[] = [];

  /** @param wants Asked of each command: whether it is to be shown. */
  constructor(asked: (question: Question) => void, wants: () => boolean = () => true) {
    this.#asked = asked;
    this.#wants = wants;
  }

  wanted(): number {
    if (this.#index === 0) return nameLimit;
    if (!this.#readsArguments) return 0;
    return this.#index <= this.#spec.shown && this.#index <= shownArgumentsLimit ? argumentLimit : 0;
  }

  /** Of CLIENT they say whether there will be answers. */
  get #readsArguments(): boolean {
    return this.#isWanted || this.#spec.answers === 'client';
  }

  aggregate(type: number, count: number, depth: number): void {
    if (type !== array || depth > 0) this.isLost = true;
    this.#count = count;
    this.#index = 0;
    this.#size = 0;
    this.#isCut = false;
    this.#isWanted = this.#wants();
    if (this.#shown.length > 0) this.#shown = [];
  }

  value(type: number, size: number, depth: number, bytes: Buffer, start: number, end: number): void {
    if (depth === 0 && type === array) {
      // `*-1`: nothing is asked, and nothing answered.
      this.#count = 0;
      return;
    }
    if (type !== bulk || depth === 0 || size < 0) {
      this.isLost = true;
      return;
    }
    this.#size += size;
    if (this.#index === 0) this.#spec = commandSpecIn(bytes, start, end);
    else if (this.#readsArguments && this.#index <= this.#spec.shown && this.#index <= shownArgumentsLimit) {
      if (end - start < size) this.#isCut = true;
      this.#shown.push(shownArgument(bytes, start, end, size));
    }
    this.#index++;
  }

  whole(): void {
    if (this.#count > 0) this.#ask(this.#count - 1);
  }

  inline(line: string): void {
    const words = inlineArguments(line);
    const name = words[0];
    if (name === undefined) return;
    this.#isWanted = true;
    this.#spec = commandSpec(name.slice(0, nameLimit));
    this.#isCut = false;
    this.#size = Buffer.byteLength(line);
    this.#shown = words.slice(1, 1 + Math.min(this.#spec.shown, shownArgumentsLimit)).map((argument) => {
      const bytes = Buffer.from(argument);
      if (bytes.length > argumentLimit) this.#isCut = true;
      return shownArgument(bytes, 0, Math.min(bytes.length, argumentLimit), bytes.length);
    });
    this.#ask(words.length - 1);
  }

  #ask(argumentCount: number): void {
    const spec = this.#spec;
    const isWanted = this.#isWanted;
    this.#asked({
      spec,
      isWanted,
      text: isWanted ? this.#text(argumentCount) : spec.name,
      isCut: isWanted && this.#isCut,
      argumentCount,
      sizeBytes: this.#size,
      shown: this.#shown,
      at: 0,
      confirmed: 0,
    });
  }

  #text(argumentCount: number): string {
    const { name } = this.#spec;
    const rest = argumentCount > this.#shown.length ? ' …' : '';
    const shown = this.#shown.length > 0 ? ` ${this.#shown.join(' ')}` : '';
    return `${name === '' ? '""' : name}${shown}${rest}`;
  }
}

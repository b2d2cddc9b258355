import type { Command, Statement } from './command.ts';
import type { Waiting } from './session.ts';

/** A statement that was parsed under a name; '' is the unnamed one, which the next one replaces. */
export interface Prepared extends Statement {
  readonly name: string;
  /** The Parse that made it. */
  readonly parse: Waiting | null;
}

/** A statement with its parameters, ready to be executed. */
export interface Portal {
  readonly name: string;
  readonly prepared: Prepared;
  readonly parameterCount: number | null;
  /** What its first Execute tells. */
  readonly command: Command;
  isExecuted: boolean;
}

/** What a client has given names to; bounded by number and by characters: those that were given first are forgotten. */
export class NamedThings<T> {
  readonly #things = new Map<string, { thing: T; size: number }>();
  readonly #countLimit: number;
  readonly #sizeLimit: number;
  #size = 0;

  constructor(countLimit: number, sizeLimit: number) {
    this.#countLimit = countLimit;
    this.#sizeLimit = sizeLimit;
  }

  get(name: string): T | undefined {
    return this.#things.get(name)?.thing;
  }

  set(name: string, thing: T, characters: number): void {
    this.delete(name);
    const size = name.length + characters;
    this.#things.set(name, { thing, size });
    this.#size += size;
    for (const oldest of this.#things.keys()) {
      if (this.#things.size <= this.#countLimit && this.#size <= this.#sizeLimit) break;
      this.delete(oldest);
    }
  }

  delete(name: string): void {
    const found = this.#things.get(name);
    if (found === undefined) return;
    this.#size -= found.size;
    this.#things.delete(name);
  }
}

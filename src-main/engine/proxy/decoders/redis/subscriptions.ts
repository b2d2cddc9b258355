/** The three kinds of subscription; `unsubscribe` without channels ends all those of one kind. */
export type SubscriptionKind = 'channel' | 'pattern' | 'shard';

const words: Readonly<Record<string, { kind: SubscriptionKind; adds: boolean }>> = {
  subscribe: { kind: 'channel', adds: true },
  psubscribe: { kind: 'pattern', adds: true },
  ssubscribe: { kind: 'shard', adds: true },
  unsubscribe: { kind: 'channel', adds: false },
  punsubscribe: { kind: 'pattern', adds: false },
  sunsubscribe: { kind: 'shard', adds: false },
};

/** How many subscriptions a connection has, by what the server confirms; names of channels are not kept. */
export class Subscriptions {
  readonly #counts: Record<SubscriptionKind, number> = { channel: 0, pattern: 0, shard: 0 };

  /** In RESP2 a connection that has any is sent messages as arrays among the answers. */
  get any(): boolean {
    return this.#counts.channel + this.#counts.pattern + this.#counts.shard > 0;
  }

  /**
   * A confirmation. The server says how many there are afterwards: of channels and patterns together, of shards by themselves.
   * @returns How many confirmations of that kind an `unsubscribe` without channels gets, this one counted.
   */
  confirmed(word: string, total: number): number {
    const found = words[word];
    if (found === undefined || !Number.isSafeInteger(total)) return 1;
    const { kind } = found;
    const before = this.#counts[kind];
    const others = kind === 'channel' ? this.#counts.pattern : kind === 'pattern' ? this.#counts.channel : 0;
    this.#counts[kind] = Math.max(0, total - others);
    return Math.max(1, before);
  }

  clear(): void {
    this.#counts.channel = this.#counts.pattern = this.#counts.shard = 0;
  }
}

export function isSubscriptionWord(word: string): boolean {
  return Object.hasOwn(words, word);
}

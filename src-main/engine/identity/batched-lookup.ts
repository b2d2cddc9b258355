// Questions whose answers cost a scan of the system: those that come together are answered together, and after a scan that
// took long the next one waits, so that looking up never takes more than a bounded share of one core.
import type { Clock, Timer } from '../clock.ts';

export interface BatchedLookupOptions<Answer> {
  readonly clock: Clock;
  /** Answers as many keys as it can. A rejection counts as no answer, and is told to `failed`. */
  readonly answer: (keys: ReadonlySet<string>) => Promise<ReadonlyMap<string, Answer>>;
  readonly failed: (error: unknown) => void;
  /** Of the time between two starts, how much may go into scanning. Default a quarter. */
  readonly share?: number;
  /** More of them are answered with null at once. Default 10,000. */
  readonly maxWaiting?: number;
  /** How often a key without an answer is asked again: a table read in pieces may miss a row. Default once. */
  readonly retries?: number;
}

export interface BatchedLookup<Answer> {
  ask(key: string): Promise<Answer | null>;
  close(): void;
}

interface Waiting<Answer> {
  readonly settle: ((answer: Answer | null) => void)[];
  attempts: number;
}

export function createBatchedLookup<Answer>(options: BatchedLookupOptions<Answer>): BatchedLookup<Answer> {
  const { clock, answer, failed, share = 0.25, maxWaiting = 10_000, retries = 1 } = options;
  let waiting = new Map<string, Waiting<Answer>>();
  let timer: Timer | null = null;
  let isScanning = false;
  let isClosed = false;
  let restUntil = 0;

  function plan(): void {
    if (isClosed || isScanning || timer !== null || waiting.size === 0) return;
    // Also without a rest not at once: connections are accepted in bursts.
    timer = clock.setTimer(Math.max(0, restUntil - clock.now()), () => void scan(), true);
  }

  async function scan(): Promise<void> {
    timer = null;
    isScanning = true;
    const batch = waiting;
    waiting = new Map();
    const startedAt = clock.now();
    const answers = await answered(new Set(batch.keys()));
    const now = clock.now();
    restUntil = now + (now - startedAt) * (1 / share - 1);
    isScanning = false;
    for (const [key, entry] of batch) settle(key, entry, answers.get(key) ?? null);
    plan();
  }

  async function answered(keys: ReadonlySet<string>): Promise<ReadonlyMap<string, Answer>> {
    try {
      return await answer(keys);
    } catch (error) {
      failed(error);
      return new Map();
    }
  }

  function settle(key: string, entry: Waiting<Answer>, found: Answer | null): void {
    if (found === null && entry.attempts < retries && !isClosed) {
      const again = waiting.get(key);
      waiting.set(key, { settle: [...entry.settle, ...(again?.settle ?? [])], attempts: entry.attempts + 1 });
      return;
    }
    for (const resolve of entry.settle) resolve(found);
  }

  return {
    ask(key) {
      const known = waiting.get(key);
      if (isClosed || (known === undefined && waiting.size >= maxWaiting)) return Promise.resolve(null);
      return new Promise((resolve) => {
        if (known === undefined) waiting.set(key, { settle: [resolve], attempts: 0 });
        else known.settle.push(resolve);
        plan();
      });
    },
    close() {
      isClosed = true;
      timer?.cancel();
      for (const { settle: all } of waiting.values()) for (const resolve of all) resolve(null);
      waiting = new Map();
    },
  };
}

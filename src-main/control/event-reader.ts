import type { AgentEvent } from '#shared/contract/events.ts';

type Result = IteratorResult<AgentEvent, undefined>;
const finished: Result = { done: true, value: undefined };

/**
 * The bounded queue of one reader, read as an async iterator. When it is full the oldest event goes, and the reader is
 * told how many went before it gets the next one. What a later event says again is merged while it waits: a status
 * replaces the one before, hits are added to the ones before.
 */
export class EventReader implements AsyncIterableIterator<AgentEvent, undefined, undefined> {
  readonly #limit: number;
  readonly #onClosed: () => void;
  #queue: AgentEvent[] = [];
  #waiting: ((result: Result) => void)[] = [];
  #untold = 0;
  #dropped = 0;
  #ended = false;

  constructor(limit: number, onClosed: () => void) {
    this.#limit = limit;
    this.#onClosed = onClosed;
  }

  /** How many events this reader has lost. */
  get dropped(): number {
    return this.#dropped;
  }

  push(event: AgentEvent): void {
    if (this.#ended) return;
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) return waiting({ done: false, value: event });
    if (this.#merge(event)) return;
    this.#queue.push(event);
    if (this.#queue.length > this.#limit) this.#dropOldest();
  }

  next(): Promise<Result> {
    const event = this.#take();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.#ended) return Promise.resolve(finished);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** No more events; what is queued can still be read. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const waiting of this.#waiting.splice(0)) waiting(finished);
    this.#onClosed();
  }

  /** The reader has gone: what is queued is forgotten. */
  close(): void {
    this.#queue = [];
    this.#untold = 0;
    this.end();
  }

  return(): Promise<Result> {
    this.close();
    return Promise.resolve(finished);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(): AgentEvent | undefined {
    if (this.#untold > 0) {
      const count = this.#untold;
      this.#untold = 0;
      return { type: 'events.dropped', count };
    }
    return this.#queue.shift();
  }

  #dropOldest(): void {
    this.#queue.shift();
    this.#untold += 1;
    this.#dropped += 1;
  }

  #merge(event: AgentEvent): boolean {
    if (event.type !== 'status.changed' && event.type !== 'rule.hits') return false;
    const at = this.#queue.findIndex((queued) => queued.type === event.type);
    if (at < 0) return false;
    const queued = this.#queue[at] as AgentEvent;
    this.#queue.splice(at, 1);
    const both = queued.type === 'rule.hits' && event.type === 'rule.hits';
    this.#queue.push(both ? { type: 'rule.hits', hits: { ...queued.hits, ...event.hits } } : event);
    return true;
  }
}

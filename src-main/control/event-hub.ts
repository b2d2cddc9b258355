import { SpikeError } from '#shared/contract/errors.ts';
import type { AgentEvent } from '#shared/contract/events.ts';
import type { Status } from '#shared/contract/status.ts';
import type { Clock, Timer } from '../engine/clock.ts';
import { EventReader } from './event-reader.ts';

/**
 * One subscription to the engine, any number of readers.
 *
 *     engine.subscribe ─► hub ─┬─► [queue] reader   RPC, over MessagePort or WebSocket
 *                              ├─► [queue] reader   WebSocket /events
 *                              └─► [queue] reader   server-sent events
 *
 * The engine is subscribed to only while somebody reads. A reader begins with the status, so that it knows at once that
 * it is connected, and gets it again every second while it changes.
 */
export interface EventHubOptions {
  subscribe(listener: (event: AgentEvent) => void): () => void;
  status(): Status;
  readonly clock: Clock;
  /** Events that wait for one reader before the oldest is dropped. Default 256: some 25 s of flow batches. */
  readonly maxQueuedEvents?: number;
  /** Readers at one time, default 64; one more is refused with `not-available`. */
  readonly maxReaders?: number;
  /** How often a status that has changed is sent. Default 1,000. */
  readonly statusEveryMs?: number;
}

export class EventHub {
  readonly limits: { readonly maxQueuedEvents: number; readonly maxReaders: number };
  readonly #options: EventHubOptions;
  readonly #readers = new Set<EventReader>();
  #unsubscribe: (() => void) | null = null;
  #timer: Timer | null = null;
  #lastStatus = '';
  #droppedByClosed = 0;

  constructor(options: EventHubOptions) {
    this.#options = options;
    this.limits = { maxQueuedEvents: options.maxQueuedEvents ?? 256, maxReaders: options.maxReaders ?? 64 };
  }

  /** How many events slow readers have lost, since the start. */
  get droppedEvents(): number {
    let sum = this.#droppedByClosed;
    for (const reader of this.#readers) sum += reader.dropped;
    return sum;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** Begins to read; whoever opens closes. Throws `not-available` when there are too many readers. */
  open(): EventReader {
    if (this.#readers.size >= this.limits.maxReaders) throw tooManyReaders(this.limits.maxReaders);
    const reader = new EventReader(this.limits.maxQueuedEvents, () => this.#forget(reader));
    this.#readers.add(reader);
    if (this.#readers.size === 1) this.#start();
    reader.push({ type: 'status.changed', status: this.#options.status() });
    return reader;
  }

  /** Tells the readers of a change that the engine does not know of (the workspace, the example shop). */
  statusChanged(): void {
    if (this.#readers.size > 0) this.#sendStatus();
  }

  /** Ends every reader, after what is queued. */
  close(): void {
    for (const reader of [...this.#readers]) reader.end();
    this.#stop();
  }

  #start(): void {
    this.#unsubscribe = this.#options.subscribe((event) => this.#pass(event));
    this.#tickLater();
  }

  #stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #forget(reader: EventReader): void {
    if (!this.#readers.delete(reader)) return;
    this.#droppedByClosed += reader.dropped;
    if (this.#readers.size === 0) this.#stop();
  }

  #pass(event: AgentEvent): void {
    // The engine knows its own part of the status only; readers get the whole.
    if (event.type === 'status.changed') return this.#sendStatus();
    for (const reader of this.#readers) reader.push(event);
  }

  #tickLater(): void {
    this.#timer = this.#options.clock.setTimer(
      this.#options.statusEveryMs ?? 1000,
      () => {
        this.#sendStatus();
        this.#tickLater();
      },
      true,
    );
  }

  #sendStatus(): void {
    const status = this.#options.status();
    const text = JSON.stringify(status);
    if (text === this.#lastStatus) return;
    this.#lastStatus = text;
    for (const reader of this.#readers) reader.push({ type: 'status.changed', status });
  }
}

function tooManyReaders(limit: number): SpikeError {
  return new SpikeError(
    'not-available',
    `${limit} readers follow the events already; close one of them first.`,
    {
      limit,
    },
  );
}

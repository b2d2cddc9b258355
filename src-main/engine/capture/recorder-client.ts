import type { Readable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { SpikeError } from '#shared/contract/errors.ts';
import type { RulePreview } from '#shared/contract/rule-preview.ts';
import type { Flow, FlowError } from '#shared/flow/flow.ts';
import { createSystemClock } from '../clock.ts';
import type { Clock, Timer } from '../clock.ts';
import type { MessagePage } from '#shared/flow/message.ts';
import type { FlowPage, MessageQuery, StoredBody } from '../engine-interface.ts';
import type { Log } from '../log.ts';
import type { CallTallies, TallyQuery } from '../scenarios/call-tally.ts';
import { BatchIntake, ownBuffer } from './batch-intake.ts';
import type { BatchOwner } from './batch-intake.ts';
import type { CaptureStats } from './capture-store.ts';
import type { CountResult, SearchPage, SearchQuery } from './flow-search.ts';
import type { FeedBatch } from './live-feed.ts';
import type { PreviewQuery } from './rule-preview.ts';
import type {
  Answers,
  CrossingError,
  FromRecorder,
  Piece,
  Question,
  RecorderSettings,
  RecorderThreadData,
  ToRecorder,
} from './recorder-messages.ts';

export interface CreateRecorderOptions {
  /** Folder of the capture, `current.sqlite` in it. */
  readonly directory: string;
  readonly log: Log;
  /** `recorder-thread.ts` in the repository, its bundled `.js` elsewhere. */
  readonly threadUrl: URL;
  readonly settings: RecorderSettings;
  /** For the pause before a thread that died is started again. Default: the machine's. */
  readonly clock?: Clock;
}

export interface RecorderStats extends CaptureStats {
  /** Flows that reached the recorder and could not be stored. What workers dropped is in their own counts. */
  readonly droppedFlows: number;
}

/** The primary's side of recording. Every call but `write` rejects with `SpikeError`s that its user can mend. */
export interface RecorderClient {
  /**
   * Hands a batch over (copied, unless it is alone in its ArrayBuffer: then it is gone for the caller). Resolves with
   * its bytes, for `capture.ack`, once it is written or counted as dropped. Never rejects.
   */
  write(batch: Uint8Array): Promise<number>;
  /**
   * Takes a worker's batches out of its pipe until the pipe ends; resolves then. What was read by then is in the thread's
   * hands, before anything that is asked from then on.
   */
  receive(pipe: Readable, owner: BatchOwner): Promise<void>;
  list(query: SearchQuery): Promise<FlowPage<Flow> & { readonly unsearchedBodies: number }>;
  summaries(query: SearchQuery): Promise<SearchPage>;
  count(filter: string): Promise<CountResult>;
  preview(query: PreviewQuery): Promise<RulePreview>;
  tally(query: TallyQuery): Promise<CallTallies>;
  get(id: string): Promise<Flow>;
  /** The bytes as they were transferred: `contentEncoding` says how to decode them. Rejects with `body-not-stored`. */
  bodyOf(id: string, side: 'request' | 'response'): Promise<StoredBody>;
  /** Rejects with `not-found`. */
  messages(id: string, query: MessageQuery): Promise<MessagePage>;
  clear(): Promise<number>;
  /** Ends the flows of a worker that was lost; resolves with how many of them had been recorded as open. */
  markLost(ids: readonly string[], error: FlowError): Promise<number>;
  /** As of the last thing that the recorder said. */
  stats(): RecorderStats;
  setSettings(settings: RecorderSettings): void;
  /** Returns what ends the subscription. */
  onFeed(listener: (batch: FeedBatch) => void): () => void;
  /** Writes what is queued, closes the file, ends the thread. */
  close(): Promise<void>;
}

/**
 * Starts the thread; resolves once the capture is open. Rejects with `conflict` when another agent has it, and with
 * `not-available` when it cannot be opened.
 */
export async function createRecorder(options: CreateRecorderOptions): Promise<RecorderClient> {
  const recorder = new ThreadedRecorder(options);
  await recorder.start();
  return recorder;
}

const restartAfterMs = 1000;
/** Little lives long in the thread: V8's default holds 25 MB more at the same work. */
const youngHeap = { maxYoungGenerationSizeMb: 4 };

interface Settle<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

class ThreadedRecorder implements RecorderClient {
  readonly #options: CreateRecorderOptions;
  readonly #clock: Clock;
  readonly #listeners = new Set<(batch: FeedBatch) => void>();
  readonly #writes = new Map<number, { bytes: number; flows: number; resolve: (bytes: number) => void }>();
  readonly #asks = new Map<number, Settle<unknown>>();
  /** Pipes of workers, by a number of their own. */
  readonly #intakes = new Map<number, BatchIntake>();
  /** What is to be handed over in this turn. */
  #pieces: Piece[] = [];
  #thread: Worker | null = null;
  #opening: Settle<void> | null = null;
  #settings: RecorderSettings;
  #stats: CaptureStats = { flows: 0, bytes: 0, oldestAtMs: null };
  #droppedFlows = 0;
  #number = 0;
  #restart: Timer | null = null;
  #opened = false;
  #closed = false;

  constructor(options: CreateRecorderOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#clock = options.clock ?? createSystemClock();
  }

  start(): Promise<void> {
    const workerData: RecorderThreadData = { directory: this.#options.directory, settings: this.#settings };
    // node:sqlite still calls itself experimental; a user of Spike can do nothing with that line.
    const execArgv = ['--disable-warning=ExperimentalWarning'];
    const options = { workerData, execArgv, resourceLimits: youngHeap, name: 'spike-recorder' };
    const thread = new Worker(this.#options.threadUrl, options);
    this.#thread = thread;
    thread.on('message', (message: FromRecorder) => this.#receive(message));
    thread.on('error', (error) => this.#options.log.error({ reason: error.stack }, 'The recorder failed.'));
    thread.on('exit', () => this.#ended(thread));
    return new Promise((resolve, reject) => {
      this.#opening = { resolve, reject };
    });
  }

  write(batch: Uint8Array): Promise<number> {
    const flows = batch.length < 12 ? 0 : new DataView(batch.buffer, batch.byteOffset).getUint32(8, true);
    const length = batch.length;
    if (this.#thread === null || this.#closed) {
      this.#droppedFlows += flows;
      return Promise.resolve(length);
    }
    const seq = ++this.#number;
    const bytes = ownBuffer(batch);
    return new Promise((resolve) => {
      this.#writes.set(seq, { bytes: length, flows, resolve });
      this.#post({ type: 'batch', seq, bytes }, [bytes]);
    });
  }

  receive(pipe: Readable, owner: BatchOwner): Promise<void> {
    const source = ++this.#number;
    const isThere = (): boolean => this.#thread !== null && !this.#closed;
    const intake = new BatchIntake(source, pipe, owner, {
      get isThere() {
        return isThere();
      },
      hand: (from, bytes) => this.#hand(from, bytes),
      ended: (from) => {
        this.#post({ type: 'ended', source: from });
        this.#forgetIfDone(from);
      },
      lost: (flows) => (this.#droppedFlows += flows),
    });
    this.#intakes.set(source, intake);
    return intake.ended;
  }

  list(query: SearchQuery): Promise<Answers['list']> {
    return this.#ask({ name: 'list', query });
  }

  summaries(query: SearchQuery): Promise<SearchPage> {
    return this.#ask({ name: 'summaries', query });
  }

  count(filter: string): Promise<CountResult> {
    return this.#ask({ name: 'count', filter });
  }

  preview(query: PreviewQuery): Promise<RulePreview> {
    return this.#ask({ name: 'preview', query });
  }

  tally(query: TallyQuery): Promise<CallTallies> {
    return this.#ask({ name: 'tally', query });
  }

  get(id: string): Promise<Flow> {
    return this.#ask({ name: 'get', id });
  }

  async bodyOf(id: string, side: 'request' | 'response'): Promise<StoredBody> {
    const body = await this.#ask<'body'>({ name: 'body', id, side });
    // A Buffer crosses as a Uint8Array.
    const { buffer, byteOffset, byteLength } = body.bytes;
    return { ...body, bytes: Buffer.from(buffer, byteOffset, byteLength) };
  }

  messages(id: string, query: MessageQuery): Promise<MessagePage> {
    return this.#ask({ name: 'messages', id, query });
  }

  clear(): Promise<number> {
    return this.#ask({ name: 'clear' });
  }

  markLost(ids: readonly string[], error: FlowError): Promise<number> {
    return this.#ask({ name: 'markLost', ids, error });
  }

  stats(): RecorderStats {
    return { ...this.#stats, droppedFlows: this.#droppedFlows };
  }

  setSettings(settings: RecorderSettings): void {
    this.#settings = settings;
    this.#post({ type: 'settings', settings });
  }

  onFeed(listener: (batch: FeedBatch) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#restart?.cancel();
    const thread = this.#thread;
    if (thread === null) {
      this.#closed = true;
      return;
    }
    const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
    const asked = this.#ask<'close'>({ name: 'close' });
    this.#closed = true;
    // A thread that dies while it closes has closed as well; its death is in the log.
    await asked.catch(() => null);
    await ended;
  }

  #ask<N extends Question['name']>(question: Question & { name: N }): Promise<Answers[N]> {
    if (this.#thread === null || this.#closed) return Promise.reject(unavailable());
    const ask = ++this.#number;
    return new Promise((resolve, reject) => {
      this.#asks.set(ask, { resolve: resolve as (value: unknown) => void, reject });
      this.#post({ type: 'ask', ask, question });
    });
  }

  /** What is read in one turn of the event loop goes in one message: the message costs more than what is in it. */
  #hand(source: number, bytes: ArrayBuffer): void {
    if (this.#pieces.length === 0) setImmediate(() => this.#postPieces());
    this.#pieces.push({ source, bytes });
  }

  #postPieces(): void {
    const pieces = this.#pieces;
    if (pieces.length === 0) return;
    this.#pieces = [];
    const transfer = pieces.map(({ bytes }) => bytes);
    this.#thread?.postMessage({ type: 'pieces', pieces } satisfies ToRecorder, transfer);
  }

  #post(message: ToRecorder, transfer: ArrayBuffer[] = []): void {
    this.#postPieces();
    this.#thread?.postMessage(message, transfer);
  }

  #receive(message: FromRecorder): void {
    switch (message.type) {
      case 'opened':
        this.#stats = message.stats;
        this.#opened = true;
        this.#opening?.resolve();
        this.#opening = null;
        break;
      case 'failed':
        this.#opening?.reject(asError(message.error));
        this.#opening = null;
        break;
      case 'stored':
        this.#stored(message);
        break;
      case 'answer':
        this.#answered(message);
        break;
      case 'feed':
        for (const listener of this.#listeners) listener(message.batch);
        break;
      case 'log':
        this.#options.log[message.level](message.fields, message.message);
        break;
    }
  }

  #stored(message: Extract<FromRecorder, { type: 'stored' }>): void {
    this.#stats = message.stats;
    this.#droppedFlows += message.droppedFlows;
    for (const [source, batches] of message.batches) {
      this.#intakes.get(source)?.stored(batches);
      this.#forgetIfDone(source);
    }
    for (const seq of message.seqs) {
      const write = this.#writes.get(seq);
      this.#writes.delete(seq);
      write?.resolve(write.bytes);
    }
  }

  #forgetIfDone(source: number): void {
    if (this.#intakes.get(source)?.isDone === true) this.#intakes.delete(source);
  }

  #answered(message: Extract<FromRecorder, { type: 'answer' }>): void {
    const ask = this.#asks.get(message.ask);
    this.#asks.delete(message.ask);
    if ('error' in message) {
      ask?.reject(asError(message.error));
      return;
    }
    this.#stats = message.stats;
    ask?.resolve(message.value);
  }

  /** What was under way is lost and counted; the capture itself is on disk, and a new thread goes on with it. */
  #ended(thread: Worker): void {
    if (this.#thread !== thread) return;
    this.#thread = null;
    this.#pieces = [];
    // What never opened is told to whoever started it, and is theirs to try again.
    const wasOpen = this.#opened;
    this.#opened = false;
    this.#opening?.reject(unavailable());
    this.#opening = null;
    for (const { bytes, flows, resolve } of this.#writes.values()) {
      this.#droppedFlows += flows;
      resolve(bytes);
    }
    this.#writes.clear();
    for (const [source, intake] of this.#intakes) {
      intake.threadLost();
      this.#forgetIfDone(source);
    }
    for (const { reject } of this.#asks.values()) reject(unavailable());
    this.#asks.clear();
    if (!this.#closed && wasOpen) this.#restartLater();
  }

  #restartLater(): void {
    this.#options.log.error({ afterMs: restartAfterMs }, 'The recorder ended; it is started again.');
    const again = (): void => {
      this.#restart = null;
      this.start().catch((error: unknown) => {
        this.#options.log.error({ reason: String(error) }, 'The recorder could not be started again.');
        if (!this.#closed) this.#restartLater();
      });
    };
    this.#restart = this.#clock.setTimer(restartAfterMs, again, true);
  }
}

function unavailable(): SpikeError {
  return new SpikeError('not-available', 'The recorder is not running just now. Try again in a second.');
}

function asError({ code, message, details }: CrossingError): Error {
  return code === null ? new Error(message) : new SpikeError(code, message, details);
}

import { SpikeError } from '#shared/contract/errors.ts';
import type { BodyState } from '#shared/flow/flow.ts';
import type { MessagePage } from '#shared/flow/message.ts';
import type { Clock, Timer } from '../clock.ts';
import type { MessageQuery, StoredBody } from '../engine-interface.ts';
import type { Log } from '../log.ts';
import { BatchAssembler, BatchBuffers } from './batch-assembler.ts';
import { batchHeaderBytes, MalformedBatchError } from './batch-codec.ts';
import { summaryAt } from './block-table.ts';
import { countCalls } from './call-counts.ts';
import { isDamage, sqlite, sqliteCode } from './capture-file.ts';
import { CaptureStore } from './capture-store.ts';
import type { CaptureStats } from './capture-store.ts';
import { fieldValue } from './field-text.ts';
import { partBatch } from './flow-block.ts';
import type { PartedBatch } from './flow-block.ts';
import { FlowSearch } from './flow-search.ts';
import { createLiveFeed } from './live-feed.ts';
import type { LiveFeed } from './live-feed.ts';
import { previewRule } from './rule-preview.ts';
import type { Answers, FromRecorder, Question, RecorderSettings } from './recorder-messages.ts';

export interface RecorderOptions {
  readonly directory: string;
  readonly settings: RecorderSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly post: (message: FromRecorder) => void;
}

/** One transaction takes at most so much, so that acknowledgements are not held back for long. */
const transactionBytes = 4 * 1024 ** 2;
/**
 * And follows the one before after this long: a transaction writes some pages whatever is in it. What comes after a pause is
 * written at once, and so is what a question waits for.
 */
const transactionEveryMs = 40;
const complaintEveryMs = 10_000;

interface QueuedBatch {
  /** Of a batch that came by itself; null: it came out of the pipe `source`. */
  readonly seq: number | null;
  readonly source: number;
  readonly bytes: Buffer;
}

/**
 * The thread's side of recording: takes batches, writes what has come in one transaction a turn, answers questions in
 * between, and feeds the live view. Opening throws `SpikeError` (see `openCaptureFile`); nothing later does.
 */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #store: CaptureStore;
  readonly #search: FlowSearch;
  readonly #feed: LiveFeed;
  readonly #buffers = new BatchBuffers();
  readonly #sources = new Map<number, BatchAssembler>();
  #queue: QueuedBatch[] = [];
  #queuedBytes = 0;
  /** The next transaction. */
  #turn: Timer | null = null;
  #wroteAtMs = -Infinity;
  #complainedAtMs = -Infinity;

  constructor(options: RecorderOptions) {
    const { clock, directory, log, settings, post } = options;
    this.#options = options;
    const nowMs = (): number => clock.now();
    this.#store = new CaptureStore({ directory, log, nowMs, maxDiskBytes: settings.maxDiskBytes });
    this.#search = new FlowSearch(this.#store, clock);
    this.#feed = createLiveFeed({ clock, post: (batch) => post({ type: 'feed', batch }) });
  }

  stats(): CaptureStats {
    return this.#store.stats();
  }

  configure(settings: RecorderSettings): void {
    this.#store.maxDiskBytes = settings.maxDiskBytes;
  }

  /** Queued; `stored` is posted once it is written, or counted as dropped. */
  take(seq: number, bytes: ArrayBuffer): void {
    this.#enqueue({ seq, source: 0, bytes: Buffer.from(bytes) });
  }

  /** The next bytes of a worker's pipe: batches are queued as they become whole. */
  takePiece(source: number, bytes: Buffer): void {
    let assembler = this.#sources.get(source);
    if (assembler === undefined) {
      assembler = new BatchAssembler(this.#buffers, (batch) =>
        this.#enqueue({ seq: null, source, bytes: batch }),
      );
      this.#sources.set(source, assembler);
    }
    assembler.add(bytes);
  }

  /** What is not whole is not going to be. */
  endSource(source: number): void {
    this.#sources.delete(source);
  }

  #enqueue(batch: QueuedBatch): void {
    this.#queue.push(batch);
    this.#queuedBytes += batch.bytes.length;
    if (this.#turn === null) this.#schedule();
    else if (this.#queuedBytes >= transactionBytes) this.#drain();
  }

  #schedule(): void {
    const { clock } = this.#options;
    const inMs = Math.max(0, this.#wroteAtMs + transactionEveryMs - clock.now());
    this.#turn = clock.setTimer(inMs, () => this.#drain());
  }

  /** Rejects with a `SpikeError`, or with a bug. */
  async answer(question: Question): Promise<Answers[Question['name']]> {
    try {
      return await this.#answer(question);
    } catch (error) {
      if (error instanceof MalformedBatchError)
        throw new SpikeError('not-available', `The flow cannot be read from the capture. ${error.message}`);
      if (!isDamage(error)) throw error;
      this.#store.beginAnew(error as Error);
      throw new SpikeError(
        'not-available',
        'The capture was damaged; it was moved aside, and a new one is begun.',
      );
    }
  }

  async #answer(question: Question): Promise<Answers[Question['name']]> {
    this.#drain();
    switch (question.name) {
      case 'summaries':
        return await this.#search.page(question.query);
      case 'list': {
        const { rows, ...rest } = await this.#search.page(question.query);
        return { ...rest, rows: rows.flatMap(({ id }) => this.#store.flowIfThere(id) ?? []) };
      }
      case 'count':
        return await this.#search.count(question.filter);
      case 'preview':
        return await previewRule(this.#store, this.#options.clock, question.query);
      case 'tally':
        return await countCalls(this.#store, this.#options.clock, question.query);
      case 'get':
        return this.#store.flow(question.id);
      case 'body':
        return this.#body(question.id, question.side);
      case 'messages':
        return this.#messages(question.id, question.query);
      case 'clear':
        this.#feed.clear();
        return this.#store.clear();
      case 'markLost':
        return this.#markLost(question.ids, question.error);
      case 'close':
        this.close();
        return null;
    }
  }

  /** Writes what is queued and closes the file. */
  close(): void {
    this.#drain();
    this.#feed.close();
    this.#store.close();
  }

  /** Writes what is queued. */
  #drain(): void {
    this.#turn?.cancel();
    this.#turn = null;
    while (this.#queue.length > 0) {
      let bytes = 0;
      let count = 0;
      while (count < this.#queue.length && bytes < transactionBytes)
        bytes += this.#queue[count++]?.bytes.length ?? 0;
      this.#queuedBytes -= bytes;
      this.#write(this.#queue.splice(0, count));
      this.#wroteAtMs = this.#options.clock.now();
    }
  }

  #write(queued: readonly QueuedBatch[]): void {
    let droppedFlows = 0;
    const batches: PartedBatch[] = [];
    for (const { bytes } of queued) {
      const batch = this.#part(bytes);
      if (batch === null) droppedFlows += announcedFlows(bytes);
      else batches.push(batch);
    }
    if (batches.length > 0 && !this.#writeStore(batches))
      droppedFlows += batches.reduce((sum, { flows, block }) => sum + flows.length + (block?.flows ?? 0), 0);
    else for (const batch of batches) this.#show(batch);
    this.#options.post({ type: 'stored', ...idsOf(queued), droppedFlows, stats: this.stats() });
    for (const { block } of batches) if (block !== null) this.#buffers.giveBack(block.heads);
    for (const { seq, bytes } of queued) if (seq === null) this.#buffers.giveBack(bytes);
  }

  #part(bytes: Buffer): PartedBatch | null {
    try {
      return partBatch(bytes, { buffers: this.#buffers, isOpen: (id) => this.#store.isOpen(id) });
    } catch (error) {
      if (!(error instanceof MalformedBatchError)) throw error;
      this.#options.log.error({ bytes: bytes.length }, `A batch of flows was not stored. ${error.message}`);
      return null;
    }
  }

  #show({ flows, block }: PartedBatch): void {
    for (const { summary } of flows) this.#feed.add(summary);
    if (block === null) return;
    const { heads, offsets } = block;
    this.#feed.addPlain(offsets.length, (index) => summaryAt(heads, offsets[index] as number));
  }

  /** False when the disk refused: recording goes on with what comes next, since room may come back. */
  #writeStore(batches: readonly PartedBatch[]): boolean {
    try {
      this.#store.write(batches);
      return true;
    } catch (error) {
      if (isDamage(error)) this.#store.beginAnew(error as Error);
      else if (sqliteCode(error) === 0) throw error;
      else this.#complain(error as Error);
      return false;
    }
  }

  #complain(error: Error): void {
    const now = this.#options.clock.now();
    if (now - this.#complainedAtMs < complaintEveryMs) return;
    this.#complainedAtMs = now;
    const full = sqliteCode(error) === sqlite.full;
    this.#options.log.error(
      { directory: this.#options.directory, reason: error.message },
      full
        ? `The disk is full: flows pass and are counted, but are not stored in ${this.#options.directory}. Make room, or lower capture.maxDiskBytes.`
        : `Flows could not be stored in ${this.#options.directory}: ${error.message}.`,
    );
  }

  #body(id: string, side: 'request' | 'response'): StoredBody {
    const flow = this.#evictedIsNoBody(id, side);
    const { state, bytes } = this.#store.body(id, side);
    if (state === 'dropped' || state === 'evicted') throw bodyNotStored(id, side, state);
    const fields = (side === 'request' ? flow.http?.requestHeaders : flow.http?.responseHeaders) ?? [];
    return {
      bytes,
      contentType: fieldValue(fields, 'content-type'),
      contentEncoding: fieldValue(fields, 'content-encoding'),
      truncated: state === 'truncated',
    };
  }

  /** Rejects (throws) `not-found`. */
  #messages(id: string, { after, limit }: MessageQuery): MessagePage {
    const flow = this.#store.flow(id);
    const found = this.#store.messages(id, after, (sofar) => sofar.length > limit);
    const messages = found.slice(0, limit);
    const last = messages.at(-1)?.index ?? after;
    const hasMore = found.length > limit || flow.durationMs === null;
    return {
      messages,
      next: hasMore ? last : null,
      // The flow itself is written once a second while it is open.
      total: Math.max(flow.messages?.count ?? 0, (found.at(-1)?.index ?? -1) + 1),
      dropped: flow.messages?.dropped ?? 0,
    };
  }

  #evictedIsNoBody(id: string, side: 'request' | 'response') {
    try {
      return this.#store.flow(id);
    } catch (error) {
      if (error instanceof SpikeError && error.details !== undefined)
        throw bodyNotStored(id, side, 'evicted');
      throw error;
    }
  }

  #markLost(
    ids: Extract<Question, { name: 'markLost' }>['ids'],
    error: Extract<Question, { name: 'markLost' }>['error'],
  ): number {
    const marked = this.#store.markLost(ids, error, this.#options.clock.now());
    for (const summary of this.#store.rowsOf(marked)) this.#feed.add(summary);
    return marked.length;
  }
}

const reasons: Readonly<Partial<Record<BodyState, string>>> = {
  dropped: 'calls came faster than the capture could take them',
  evicted: 'it made room for newer ones (capture.maxDiskBytes)',
};

function bodyNotStored(id: string, side: string, state: BodyState): SpikeError {
  return new SpikeError(
    'body-not-stored',
    `The ${side} body of ${id} is not stored: ${reasons[state] ?? state}.`,
    {
      reason: state,
    },
  );
}

function idsOf(queued: readonly QueuedBatch[]) {
  const seqs: number[] = [];
  const batches = new Map<number, number>();
  for (const { seq, source } of queued) {
    if (seq === null) batches.set(source, (batches.get(source) ?? 0) + 1);
    else seqs.push(seq);
  }
  return { seqs, batches: [...batches] };
}

/** As the header of the batch has it, if it can be believed at all: a flow takes more than 100 bytes. */
function announcedFlows(bytes: Buffer): number {
  return bytes.length < batchHeaderBytes
    ? 0
    : Math.min(bytes.readUInt32LE(8), Math.floor(bytes.length / 100));
}

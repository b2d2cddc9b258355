import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { SpikeError } from '#shared/contract/errors.ts';
import type { BodyState, Flow, FlowError } from '#shared/flow/flow.ts';
import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import type { FlowMessage } from '#shared/flow/message.ts';
import { bodyPlace, decodeFlow, MalformedBatchError, parseMessages, readIds } from './batch-codec.ts';
import type { IndexedFlow } from './batch-codec.ts';
import { newestOf } from './block-table.ts';
import type { BlockPlace, BlockTable } from './block-table.ts';
import { moveAside, pragma, removeCaptureFile } from './capture-file.ts';
import type { CaptureFileOptions } from './capture-file.ts';
import { rowValues, summaryColumns, summaryOfRow } from './capture-row.ts';
import type { FlowPatch } from './capture-row.ts';
import type { FlowBlock, PartedBatch } from './flow-block.ts';
import { lastWrite, openChecked } from './opened-capture.ts';
import type { Statements } from './opened-capture.ts';
import type { SqlCondition } from './search-sql.ts';

export interface CaptureStats {
  readonly flows: number;
  /** Pages of the file that are in use; the file itself may be larger, its free pages are used again. */
  readonly bytes: number;
  /** Start of the oldest flow, Unix ms; null when there is none. */
  readonly oldestAtMs: number | null;
}

export interface StoredPart {
  readonly state: BodyState;
  readonly bytes: Buffer;
}

/** Ids are of [0-9a-z]: above all of them. */
const aboveAllIds = '~';

/**
 * One capture on disk: plain flows in blocks, the others in batches as they came with a row each in the index, the oldest
 * of both making room for new ones.
 * Everything here is synchronous; it lives on the recorder's thread.
 */
export class CaptureStore {
  readonly #options: CaptureFileOptions;
  #database: DatabaseSync;
  #statements: Statements;
  #blocks: BlockTable;
  #flows: number;
  /** Batches and blocks have numbers of one sequence: the smaller one is older. */
  #newest: number;
  /** Flows that are recorded as open; may name some that have gone. */
  readonly #open = new Set<string>();
  readonly #pageBytes: number;
  /** The newest id that made room for others: whatever is asked for below it may have been here. */
  #evictedThrough = '';
  /** How much may be in use. The log beside the file comes on top, 16 MiB between transactions. */
  maxDiskBytes: number;

  constructor(options: CaptureFileOptions & { readonly maxDiskBytes: number }) {
    this.#options = options;
    this.maxDiskBytes = options.maxDiskBytes;
    const endedAtMs = lastWrite(options.directory);
    const opened = openChecked(options);
    this.#database = opened.database;
    this.#statements = opened.statements;
    this.#blocks = opened.blocks;
    this.#flows = opened.flows;
    this.#newest = opened.newest;
    this.#pageBytes = pragma(opened.database, 'page_size');
    this.#closeOpenFlows(endedAtMs);
  }

  /** Writes batches in one transaction, after making room for them. All or nothing: throws what SQLite throws. */
  write(batches: readonly PartedBatch[]): void {
    let added = 0;
    this.#transaction(() => {
      this.#makeRoom(batches.reduce((sum, batch) => sum + sizeOf(batch), 0));
      for (const batch of batches) {
        for (const { flowId, last, first, json } of batch.messages)
          this.#statements.insertMessages.run(flowId, last, first, json);
        if (batch.block !== null) added += this.#writeBlock(batch.block);
        if (batch.flows.length > 0) added += this.#writeBatch(batch);
      }
    });
    this.#flows += added;
  }

  /** Whether the flow is recorded as one that is open. */
  isOpen(id: string): boolean {
    return this.#open.has(id);
  }

  #writeBlock(block: FlowBlock): number {
    this.#blocks.insert(++this.#newest, block);
    return block.flows;
  }

  #writeBatch({ bytes, flows }: PartedBatch): number {
    const batch = ++this.#newest;
    this.#statements.insertBatch.run(batch, bytes);
    let added = 0;
    for (const flow of flows) added += this.#writeRow(flow, batch);
    return added;
  }

  /** A flow is new in nearly all cases; else the later record of an open flow takes the place of the earlier one. */
  #writeRow(flow: IndexedFlow, batch: number): number {
    const { id, durationMs } = flow.summary;
    if (durationMs === null) this.#open.add(id);
    else this.#open.delete(id);
    const values = rowValues(flow, batch);
    if (this.#statements.insertFlow.run(...values).changes === 1) return 1;
    this.#statements.replaceFlow.run(...values);
    return 0;
  }

  stats(): CaptureStats {
    return { flows: this.#flows, bytes: this.#usedBytes(), oldestAtMs: this.#oldestAtMs() };
  }

  #oldestAtMs(): number | null {
    const row = this.#statements.oldestFlow.get();
    const startedAtMs = (row?.['started_ms'] as number | undefined) ?? Infinity;
    const oldest = Math.min(startedAtMs, this.#blocks.oldestStartMs());
    return oldest === Infinity ? null : oldest;
  }

  /**
   * The bound of a window that begins below `before`, of about `rows` flows: those without a row are taken a block at a time.
   * '' when it reaches the end.
   */
  windowEnd(before: string | null, rows: number): string {
    const row = this.#statements.windowEnd.get(before ?? aboveAllIds, rows - 1);
    const ofRows = (row?.['id'] as string | undefined) ?? '';
    const ofBlocks = this.#blocks.windowEnd(before ?? aboveAllIds, rows);
    return ofRows > ofBlocks ? ofRows : ofBlocks;
  }

  /**
   * Rows that meet the condition with an id in [end, before), newest first.
   * @param limit Default: all.
   */
  summaries(
    condition: SqlCondition,
    before: string | null,
    end: string,
    limit = Number.MAX_SAFE_INTEGER,
  ): FlowSummary[] {
    const below = before ?? aboveAllIds;
    const indexed = this.#database
      .prepare(
        `SELECT ${summaryColumns} FROM flows WHERE id < ? AND id >= ? AND ${condition.sql} ORDER BY id DESC LIMIT ?`,
      )
      .all(below, end, ...condition.parameters, limit)
      .map(summaryOfRow);
    const plain = this.#blocks.summaries(condition.matches, below, end, limit);
    return plain.length === 0 ? indexed : newestOf(indexed, plain, limit);
  }

  count(condition: SqlCondition, before: string | null, end: string): number {
    const below = before ?? aboveAllIds;
    const row = this.#database
      .prepare(`SELECT count(*) AS n FROM flows WHERE id < ? AND id >= ? AND ${condition.sql}`)
      .get(below, end, ...condition.parameters);
    return Number(row?.['n'] ?? 0) + this.#blocks.count(condition.matches, below, end);
  }

  /** Throws `not-found`. */
  flow(id: string): Flow {
    const row = this.#statements.place.get(id);
    if (row !== undefined) return this.#decode(row);
    const { heads, entry } = this.#blockPlace(id);
    return decodeFlow(heads, entry.offset);
  }

  /** Null when it has made room for others since its id was read, or its record is damaged: `flow` says which. */
  flowIfThere(id: string): Flow | null {
    try {
      return this.flow(id);
    } catch (error) {
      if (error instanceof SpikeError || error instanceof MalformedBatchError) return null;
      throw error;
    }
  }

  #decode(place: Record<string, SQLOutputValue>): Flow {
    const flow = decodeFlow(this.#part(place, 0, Number(place['head_length'])), 0);
    if (place['patch'] === null) return flow;
    return { ...flow, ...(JSON.parse(place['patch'] as string) as FlowPatch) };
  }

  /**
   * What is stored of a body. Throws `not-found`.
   * @param maxBytes reads no more than that; default all.
   */
  body(id: string, side: 'request' | 'response', maxBytes = Infinity): StoredPart {
    const row = this.#statements.place.get(id);
    if (row === undefined) return this.#bodyInBlock(this.#blockPlace(id), side, maxBytes);
    const head = this.#part(row, 0, Number(row['head_length']));
    const { state, offset, length } = bodyPlace(head, 0, side);
    const wanted = Math.min(length, maxBytes);
    return { state, bytes: wanted === 0 ? Buffer.alloc(0) : this.#part(row, offset, wanted) };
  }

  #bodyInBlock(place: BlockPlace, side: 'request' | 'response', maxBytes: number): StoredPart {
    const { state, offset, length } = this.#blocks.bodyPlace(place, side);
    return { state, bytes: this.#blocks.bodyPart(place, offset, Math.min(length, maxBytes)) };
  }

  /**
   * Messages of a flow with an index above `after`, in their order; none for a flow that is not here.
   * @param enough Asked before each group is read: true ends it.
   */
  messages(id: string, after: number, enough: (sofar: readonly FlowMessage[]) => boolean): FlowMessage[] {
    const messages: FlowMessage[] = [];
    for (const row of this.#statements.messages.iterate(id, after)) {
      const json = row['json'] as Uint8Array;
      for (const message of parseMessages(Buffer.from(json.buffer, json.byteOffset, json.byteLength)))
        if (message.index > after) messages.push(message);
      if (enough(messages)) break;
    }
    return messages;
  }

  /** Ends flows that are open, with an error. Flows that are not here, or have ended, stay as they are. */
  markLost(ids: readonly string[], error: FlowError, endedAtMs: number): string[] {
    const marked: string[] = [];
    this.#transaction(() => {
      for (const id of ids) if (this.#end(id, error, endedAtMs)) marked.push(id);
    });
    return marked;
  }

  /** The rows of these flows, as far as they are here. */
  rowsOf(ids: readonly string[]): FlowSummary[] {
    const statement = this.#database.prepare(`SELECT ${summaryColumns} FROM flows WHERE id = ?`);
    return ids.flatMap((id) => {
      const row = statement.get(id);
      return row === undefined ? [] : [summaryOfRow(row)];
    });
  }

  /** Forgets everything, in no time whatever its size: the file is made anew. Returns how many flows there were. */
  clear(): number {
    const cleared = this.#flows;
    this.#database.close();
    removeCaptureFile(this.#options.directory);
    this.#reopen();
    return cleared;
  }

  /** After damage was found: the file is kept aside, and a new one begun. */
  beginAnew(damage: Error): void {
    this.#database.close();
    moveAside(this.#options, damage);
    this.#reopen();
  }

  close(): void {
    if (!this.#database.isOpen) return;
    this.#database.close();
  }

  #reopen(): void {
    const { database, statements, blocks, flows, newest } = openChecked(this.#options);
    this.#database = database;
    this.#statements = statements;
    this.#blocks = blocks;
    this.#flows = flows;
    this.#newest = newest;
    this.#open.clear();
    this.#evictedThrough = '';
  }

  #blockPlace(id: string): BlockPlace {
    const place = this.#blocks.place(id);
    if (place !== null) return place;
    const evicted = id <= this.#evictedThrough;
    throw new SpikeError(
      'not-found',
      evicted
        ? `There is no flow ${id} any more: it made room for newer ones (capture.maxDiskBytes).`
        : `There is no flow ${id} in the capture.`,
      evicted ? { reason: 'evicted' } : undefined,
    );
  }

  #part(place: Record<string, SQLOutputValue>, offset: number, length: number): Buffer {
    const row = this.#statements.part.get(
      Number(place['offset']) + offset + 1,
      length,
      place['batch'] as number,
    );
    const part = row?.['part'] as Uint8Array | undefined;
    if (part === undefined || part.length !== length)
      throw new MalformedBatchError('the batch is not there', offset);
    return Buffer.from(part.buffer, part.byteOffset, part.byteLength);
  }

  #usedBytes(): number {
    return (
      (pragma(this.#database, 'page_count') - pragma(this.#database, 'freelist_count')) * this.#pageBytes
    );
  }

  /** Takes the oldest flows out until what comes fits. What comes is written even when it is larger than the bound. */
  #makeRoom(incomingBytes: number): void {
    let evicted = false;
    while (this.#usedBytes() + incomingBytes > this.maxDiskBytes && this.#evictOldest()) evicted = true;
    // Messages came, and the flow itself was dropped: nobody else would take them out.
    if (evicted) this.#statements.deleteLeftMessages.run(this.#evictedThrough);
  }

  /** False when there is nothing left. */
  #evictOldest(): boolean {
    const batch = Number(this.#statements.oldestBatch.get()?.['batch'] ?? Infinity);
    const block = this.#blocks.oldest();
    if (block !== null && block.block < batch) {
      this.#blocks.delete(block.block);
      this.#flows -= block.flows;
      if (block.last > this.#evictedThrough) this.#evictedThrough = block.last;
    } else if (batch !== Infinity) {
      this.#evict(batch, this.#statements.batch.get(batch)?.['bytes'] as Uint8Array);
    } else return false;
    return true;
  }

  /** The batch itself says which rows are its own; no index on the batch is kept for it, which every insert would pay. */
  #evict(batch: number, bytes: Uint8Array): void {
    for (const id of this.#idsOf(batch, bytes)) {
      // Another batch has the flow by now when it stayed open.
      if (this.#statements.deleteFlow.run(id, batch).changes === 0) continue;
      this.#flows -= 1;
      this.#open.delete(id);
      this.#statements.deleteMessages.run(id);
      if (id > this.#evictedThrough) this.#evictedThrough = id;
    }
    this.#statements.deleteBatch.run(batch);
  }

  #idsOf(batch: number, bytes: Uint8Array): string[] {
    try {
      return readIds(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    } catch (error) {
      if (!(error instanceof MalformedBatchError)) throw error;
      // Only a damaged file has such a batch: the rows are looked for one by one.
      const rows = this.#database.prepare('SELECT id FROM flows WHERE batch = ?').all(batch);
      return rows.map((row) => row['id'] as string);
    }
  }

  #end(id: string, error: FlowError, endedAtMs: number): boolean {
    const row = this.#database
      .prepare('SELECT started_ms FROM flows WHERE id = ? AND duration_ms IS NULL')
      .get(id);
    if (row === undefined) return false;
    const patch: FlowPatch = { durationMs: Math.max(0, endedAtMs - (row['started_ms'] as number)), error };
    this.#open.delete(id);
    this.#statements.patchFlow.run(patch.durationMs, error.cause, JSON.stringify(patch), id);
    return true;
  }

  /** An agent that was killed left flows open; nobody will ever end them, so they end with its last write. */
  #closeOpenFlows(endedAtMs: number): void {
    const open = this.#database.prepare('SELECT id FROM flows WHERE duration_ms IS NULL').all();
    if (open.length === 0) return;
    const ids = open.map((row) => row['id'] as string);
    const message =
      'Spike ended while this call was open; when it ended is not known. The duration is until the last write.';
    this.markLost(ids, { code: 'spike-worker-lost', cause: 'spike-worker-lost', message }, endedAtMs);
  }

  #transaction(work: () => void): void {
    const [flows, evictedThrough] = [this.#flows, this.#evictedThrough];
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#flows = flows;
      this.#evictedThrough = evictedThrough;
      // SQLite rolls back by itself on a full disk; then there is nothing left to roll back.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

function sizeOf({ bytes, block, messages }: PartedBatch): number {
  const blockBytes = block === null ? 0 : block.heads.length + block.bodies.length;
  return messages.reduce((sum, { json }) => sum + json.length, bytes.length + blockBytes);
}

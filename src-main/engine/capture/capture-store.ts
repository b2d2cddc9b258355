import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { SpikeError } from '#shared/contract/errors.ts';
import type { BodyState, Flow, FlowError } from '#shared/flow/flow.ts';
import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import type { FlowMessage } from '#shared/flow/message.ts';
import { matchesParts } from '#shared/flow/search.ts';
import { withoutPort } from '#shared/flow/search-match.ts';
import { bodyPlace, decodeFlow, MalformedBatchError, parseMessages, readIds } from './batch-codec.ts';
import type { IndexedFlow, MessageGroup } from './batch-codec.ts';
import { isDamage, moveAside, openCaptureFile, pragma, removeCaptureFile } from './capture-file.ts';
import type { CaptureFileOptions } from './capture-file.ts';
import { rowColumns, rowValues, summaryColumns, summaryOfRow } from './capture-row.ts';
import type { FlowPatch } from './capture-row.ts';
import type { SqlCondition } from './search-sql.ts';

export interface CaptureStats {
  readonly flows: number;
  /** Pages of the file that are in use; the file itself may be larger, its free pages are used again. */
  readonly bytes: number;
  /** Start of the oldest flow, Unix ms; null when there is none. */
  readonly oldestAtMs: number | null;
}

/** A batch with its index, ready to be written. */
export interface IndexedBatch {
  readonly bytes: Buffer;
  readonly flows: readonly IndexedFlow[];
  readonly messages: readonly MessageGroup[];
}

export interface StoredPart {
  readonly state: BodyState;
  readonly bytes: Buffer;
}

/** Ids are of [0-9a-z]: above all of them. */
const aboveAllIds = '~';

interface Statements {
  readonly insertBatch: StatementSync;
  readonly insertFlow: StatementSync;
  readonly replaceFlow: StatementSync;
  readonly place: StatementSync;
  readonly part: StatementSync;
  readonly oldestBatch: StatementSync;
  readonly deleteBatch: StatementSync;
  readonly deleteFlow: StatementSync;
  readonly patchFlow: StatementSync;
  readonly insertMessages: StatementSync;
  readonly messages: StatementSync;
  readonly deleteMessages: StatementSync;
  readonly deleteLeftMessages: StatementSync;
}

/**
 * One capture on disk: batches as they came, an index row per flow, the oldest batches making room for new ones.
 * Everything here is synchronous; it lives on the recorder's thread.
 */
export class CaptureStore {
  readonly #options: CaptureFileOptions;
  #database: DatabaseSync;
  #statements: Statements;
  #flows: number;
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
    this.#flows = opened.flows;
    this.#pageBytes = pragma(opened.database, 'page_size');
    this.#closeOpenFlows(endedAtMs);
  }

  /** Writes batches in one transaction, after making room for them. All or nothing: throws what SQLite throws. */
  write(batches: readonly IndexedBatch[]): void {
    let added = 0;
    this.#transaction(() => {
      this.#makeRoom(batches.reduce((sum, batch) => sum + sizeOf(batch), 0));
      for (const { bytes, flows, messages } of batches) {
        for (const { flowId, last, first, json } of messages)
          this.#statements.insertMessages.run(flowId, last, first, json);
        if (flows.length === 0) continue;
        const batch = Number(this.#statements.insertBatch.run(bytes).lastInsertRowid);
        for (const flow of flows) added += this.#writeRow(flow, batch);
      }
    });
    this.#flows += added;
  }

  /** A flow is new in nearly all cases; else the later record of an open flow takes the place of the earlier one. */
  #writeRow(flow: IndexedFlow, batch: number): number {
    const values = rowValues(flow, batch);
    if (this.#statements.insertFlow.run(...values).changes === 1) return 1;
    this.#statements.replaceFlow.run(...values);
    return 0;
  }

  stats(): CaptureStats {
    const oldest = this.#database.prepare('SELECT started_ms FROM flows ORDER BY id LIMIT 1').get();
    return {
      flows: this.#flows,
      bytes: this.#usedBytes(),
      oldestAtMs: (oldest?.['started_ms'] as number | undefined) ?? null,
    };
  }

  /** The bound of a window of at most `rows` flows that begins below `before`; '' when it reaches the end. */
  windowEnd(before: string | null, rows: number): string {
    const row = this.#database
      .prepare('SELECT id FROM flows WHERE id < ? ORDER BY id DESC LIMIT 1 OFFSET ?')
      .get(before ?? aboveAllIds, rows - 1);
    return (row?.['id'] as string | undefined) ?? '';
  }

  /** Rows that meet the condition with an id in [end, before), newest first. */
  summaries(condition: SqlCondition, before: string | null, end: string, limit: number): FlowSummary[] {
    return this.#database
      .prepare(
        `SELECT ${summaryColumns} FROM flows WHERE id < ? AND id >= ? AND ${condition.sql} ORDER BY id DESC LIMIT ?`,
      )
      .all(before ?? aboveAllIds, end, ...condition.parameters, limit)
      .map(summaryOfRow);
  }

  count(condition: SqlCondition, before: string | null, end: string): number {
    const row = this.#database
      .prepare(`SELECT count(*) AS n FROM flows WHERE id < ? AND id >= ? AND ${condition.sql}`)
      .get(before ?? aboveAllIds, end, ...condition.parameters);
    return Number(row?.['n'] ?? 0);
  }

  /** Throws `not-found`. */
  flow(id: string): Flow {
    return this.#decode(this.#place(id));
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
    const place = this.#place(id);
    const head = this.#part(place, 0, Number(place['head_length']));
    const { state, offset, length } = bodyPlace(head, 0, side);
    const wanted = Math.min(length, maxBytes);
    return { state, bytes: wanted === 0 ? Buffer.alloc(0) : this.#part(place, offset, wanted) };
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
    const { database, statements, flows } = openChecked(this.#options);
    this.#database = database;
    this.#statements = statements;
    this.#flows = flows;
    this.#evictedThrough = '';
  }

  #place(id: string): Record<string, SQLOutputValue> {
    const place = this.#statements.place.get(id);
    if (place !== undefined) return place;
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

  /** Takes the oldest batches out until what comes fits. What comes is written even when it is larger than the bound. */
  #makeRoom(incomingBytes: number): void {
    let evicted = false;
    while (this.#usedBytes() + incomingBytes > this.maxDiskBytes) {
      const oldest = this.#statements.oldestBatch.get();
      if (oldest === undefined) break;
      this.#evict(Number(oldest['batch']), oldest['bytes'] as Uint8Array);
      evicted = true;
    }
    // Messages came, and the flow itself was dropped: nobody else would take them out.
    if (evicted) this.#statements.deleteLeftMessages.run(this.#evictedThrough);
  }

  /** The batch itself says which rows are its own; no index on the batch is kept for it, which every insert would pay. */
  #evict(batch: number, bytes: Uint8Array): void {
    for (const id of this.#idsOf(batch, bytes)) {
      // Another batch has the flow by now when it stayed open.
      if (this.#statements.deleteFlow.run(id, batch).changes === 0) continue;
      this.#flows -= 1;
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

interface OpenedFile {
  readonly database: DatabaseSync;
  readonly statements: Statements;
  readonly flows: number;
}

/** Opens the capture and reads its index once through; one whose index is damaged is moved aside as well. */
function openChecked(options: CaptureFileOptions): OpenedFile {
  const database = openCaptureFile(options);
  try {
    const flows = Number(database.prepare('SELECT count(*) AS n FROM flows').get()?.['n'] ?? 0);
    return { database, flows, statements: prepareStatements(database) };
  } catch (error) {
    database.close();
    if (!isDamage(error)) throw error;
    moveAside(options, error as Error);
  }
  const fresh = openCaptureFile(options);
  return { database: fresh, flows: 0, statements: prepareStatements(fresh) };
}

function prepareStatements(database: DatabaseSync): Statements {
  database.function('without_port', { deterministic: true }, (host) => withoutPort(host as string | null));
  database.function('any_matches', { deterministic: true }, anyMatches);
  const marks = rowColumns.map(() => '?').join(', ');
  const columns = rowColumns.join(', ');
  return {
    insertBatch: database.prepare('INSERT INTO batches (bytes) VALUES (?)'),
    insertFlow: database.prepare(`INSERT OR IGNORE INTO flows (${columns}) VALUES (${marks})`),
    replaceFlow: database.prepare(`REPLACE INTO flows (${columns}) VALUES (${marks})`),
    place: database.prepare('SELECT batch, offset, head_length, patch FROM flows WHERE id = ?'),
    part: database.prepare('SELECT substr(bytes, ?, ?) AS part FROM batches WHERE batch = ?'),
    oldestBatch: database.prepare('SELECT batch, bytes FROM batches ORDER BY batch LIMIT 1'),
    deleteBatch: database.prepare('DELETE FROM batches WHERE batch = ?'),
    deleteFlow: database.prepare('DELETE FROM flows WHERE id = ? AND batch = ?'),
    insertMessages: database.prepare(
      'INSERT OR IGNORE INTO messages (flow, last, first, json) VALUES (?, ?, ?, ?)',
    ),
    messages: database.prepare('SELECT json FROM messages WHERE flow = ? AND last > ? ORDER BY last'),
    deleteMessages: database.prepare('DELETE FROM messages WHERE flow = ?'),
    deleteLeftMessages: database.prepare(
      'DELETE FROM messages WHERE flow <= ? AND NOT EXISTS (SELECT 1 FROM flows WHERE id = messages.flow)',
    ),
    patchFlow: database.prepare('UPDATE flows SET duration_ms = ?, cause = ?, patch = ? WHERE id = ?'),
  };
}

function anyMatches(texts: unknown, parts: unknown): number {
  const wanted = JSON.parse(parts as string) as string[];
  return (JSON.parse(texts as string) as string[]).some((text) => matchesParts(text, wanted)) ? 1 : 0;
}

function sizeOf({ bytes, messages }: IndexedBatch): number {
  return messages.reduce((sum, { json }) => sum + json.length, bytes.length);
}

/** When the file was last written, before we touch it, in Unix ms; 0 when there is none, and so no flow to end. */
function lastWrite(directory: string): number {
  const times = ['current.sqlite', 'current.sqlite-wal'].map(
    (name) => statSync(join(directory, name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
  );
  return Math.max(...times);
}

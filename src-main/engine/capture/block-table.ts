import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import { bodyPlace, indexAt, MalformedBatchError } from './batch-codec.ts';
import { at } from './batch-format.ts';
import { blockEntries, headOffsets } from './flow-block.ts';
import type { BlockEntry, FlowBlock } from './flow-block.ts';
import { idAt } from './record-numbers.ts';
import { RecordRow } from './record-row.ts';

/**
 * Flows without a row of their own: blocks of some hundred, with the ids between which theirs lie. Those of two blocks
 * overlap, by as much as calls that ended together began apart.
 */
export const blockSchema = `
  CREATE TABLE blocks (
    block INTEGER PRIMARY KEY, first TEXT NOT NULL, last TEXT NOT NULL, flows INTEGER NOT NULL,
    started_ms REAL NOT NULL, heads BLOB NOT NULL, bodies BLOB NOT NULL
  ) STRICT;
  CREATE INDEX blocks_last ON blocks (last, first, flows);`;

/** Blocks that are kept open: whoever reads a flow reads its neighbours next. */
const maxOpened = 16;

/** A block as it is read. */
interface OpenedBlock {
  readonly block: number;
  readonly heads: Buffer;
  readonly offsets: readonly number[];
  /** From the newest id to the oldest, once somebody has asked for one of them. */
  newestFirst: readonly NamedEntry[] | null;
}

interface NamedEntry {
  readonly id: string;
  readonly entry: BlockEntry;
}

/** Where a flow of a block lies. */
export interface BlockPlace {
  readonly block: number;
  readonly heads: Buffer;
  readonly entry: BlockEntry;
}

/** The bounds of one block, as the index has them. */
interface Bounds {
  readonly block: number;
  readonly first: string;
  readonly last: string;
  readonly flows: number;
}

type RowTest = (row: FlowSummary) => boolean;

/** The blocks of one capture; lives as long as its database is open. */
export class BlockTable {
  readonly #insert: StatementSync;
  readonly #between: StatementSync;
  readonly #heads: StatementSync;
  readonly #bodies: StatementSync;
  readonly #oldest: StatementSync;
  readonly #oldestStart: StatementSync;
  readonly #delete: StatementSync;
  readonly #totals: StatementSync;
  /** In the order in which they were asked for. */
  readonly #opened = new Map<number, OpenedBlock>();
  readonly #row = new RecordRow(Buffer.alloc(0));
  /** The bodies that were read last. */
  #read: { readonly block: number; readonly bodies: Buffer } | null = null;

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare(
      'INSERT INTO blocks (block, first, last, flows, started_ms, heads, bodies) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    this.#between = database.prepare(
      'SELECT block, first, last, flows FROM blocks WHERE last >= ? AND first < ? ORDER BY last DESC',
    );
    this.#heads = database.prepare('SELECT heads FROM blocks WHERE block = ?');
    this.#bodies = database.prepare('SELECT bodies FROM blocks WHERE block = ?');
    this.#oldest = database.prepare('SELECT block, first, last, flows FROM blocks ORDER BY block LIMIT 1');
    this.#oldestStart = database.prepare('SELECT started_ms FROM blocks ORDER BY last LIMIT 1');
    this.#delete = database.prepare('DELETE FROM blocks WHERE block = ?');
    this.#totals = database.prepare('SELECT total(flows) AS flows, max(block) AS newest FROM blocks');
  }

  /** All flows of all blocks, and the newest block; 0 when there is none. Reads the index once through. */
  totals(): { flows: number; newest: number } {
    const row = this.#totals.get();
    return { flows: Number(row?.['flows'] ?? 0), newest: Number(row?.['newest'] ?? 0) };
  }

  insert(block: number, { firstId, lastId, flows, startedAtMs, heads, bodies }: FlowBlock): void {
    this.#insert.run(block, firstId, lastId, flows, startedAtMs, heads, bodies);
  }

  oldest(): Bounds | null {
    const row = this.#oldest.get();
    return row === undefined ? null : (row as unknown as Bounds);
  }

  /** When the first flow of the oldest block began, in Unix ms; Infinity when there is none. */
  oldestStartMs(): number {
    return (this.#oldestStart.get()?.['started_ms'] as number | undefined) ?? Infinity;
  }

  delete(block: number): void {
    this.#delete.run(block);
    this.#opened.delete(block);
    if (this.#read?.block === block) this.#read = null;
  }

  /** As `CaptureStore.windowEnd`. */
  windowEnd(before: string, rows: number): string {
    let flows = 0;
    for (const row of this.#between.iterate('', before)) {
      const { last, flows: more } = row as unknown as Bounds;
      if (flows >= rows && last < before) return last;
      flows += more;
    }
    return '';
  }

  /** The newest `limit` rows that match with an id in [end, before), newest first. */
  summaries(matches: RowTest, before: string, end: string, limit: number): FlowSummary[] {
    let found: FlowSummary[] = [];
    for (const bounds of this.#blocksBetween(end, before)) {
      // Whatever is in the blocks that follow is older than these.
      if (found.length >= limit && bounds.last < (found[limit - 1] as FlowSummary).id) break;
      const { heads } = this.#open(bounds.block);
      const rows = this.#matching(bounds, matches, before, end).map(
        (offset) => indexAt(heads, offset).summary,
      );
      if (rows.length > 0) found = newest([...found, ...rows], limit);
    }
    return found;
  }

  count(matches: RowTest, before: string, end: string): number {
    let count = 0;
    for (const bounds of this.#blocksBetween(end, before))
      count += this.#matching(bounds, matches, before, end).length;
    return count;
  }

  /** Null when it is in none of them. */
  place(id: string): BlockPlace | null {
    for (const opened of this.#opened.values()) {
      const entry = entryOf(opened, id);
      if (entry !== undefined) return { ...opened, entry };
    }
    for (const { block } of this.#blocksBetween(id, `${id}~`)) {
      const opened = this.#open(block);
      const entry = entryOf(opened, id);
      if (entry !== undefined) return { ...opened, entry };
    }
    return null;
  }

  /** Where a body lies among the bodies of its block, and its state. Throws `MalformedBatchError`. */
  bodyPlace({ heads, entry }: BlockPlace, side: 'request' | 'response') {
    const { state, offset, length } = bodyPlace(heads, entry.offset, side);
    const headLength = heads.readUInt32LE(entry.offset + at.headLength);
    return { state, offset: entry.bodiesAt + offset - headLength, length };
  }

  /** Throws `MalformedBatchError`. */
  bodyPart({ block }: BlockPlace, offset: number, length: number): Buffer {
    const bodies = this.#read?.block === block ? this.#read.bodies : this.#readBodies(block);
    if (offset + length > bodies.length) throw new MalformedBatchError('a body is not there', offset);
    return Buffer.from(bodies.subarray(offset, offset + length));
  }

  #blocksBetween(end: string, before: string): readonly Bounds[] {
    return this.#between.all(end, before) as unknown as Bounds[];
  }

  /** Where the flows begin that match with an id in [end, before). One that is damaged matches nothing. */
  #matching({ block, first, last }: Bounds, matches: RowTest, before: string, end: string): number[] {
    const { heads, offsets } = this.#open(block);
    const isWhole = first >= end && last < before;
    const found: number[] = [];
    for (const offset of offsets) {
      const row = this.#row.moveTo(offset, heads);
      if (!isWhole && (row.id >= before || row.id < end)) continue;
      if (matchesIfSound(row, matches)) found.push(offset);
    }
    return found;
  }

  #open(block: number): OpenedBlock {
    const known = this.#opened.get(block);
    if (known !== undefined) return known;
    const heads = bytesOf(this.#heads.get(block)?.['heads']);
    const opened = { block, heads, offsets: headOffsets(heads), newestFirst: null };
    this.#opened.set(block, opened);
    if (this.#opened.size > maxOpened) this.#opened.delete(this.#opened.keys().next().value as number);
    return opened;
  }

  #readBodies(block: number): Buffer {
    const bodies = bytesOf(this.#bodies.get(block)?.['bodies']);
    this.#read = { block, bodies };
    return bodies;
  }
}

function bytesOf(value: unknown): Buffer {
  const bytes = value as Uint8Array | undefined;
  return bytes === undefined
    ? Buffer.alloc(0)
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function entryOf(opened: OpenedBlock, id: string): BlockEntry | undefined {
  const entries = (opened.newestFirst ??= newestFirst(opened));
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle] as NamedEntry).id > id) low = middle + 1;
    else high = middle;
  }
  const found = entries[low];
  return found?.id === id ? found.entry : undefined;
}

function newestFirst({ heads }: OpenedBlock): NamedEntry[] {
  const named = blockEntries(heads).map((entry) => ({ id: idAt(heads, entry.offset), entry }));
  return named.sort((a, b) => (a.id < b.id ? 1 : -1));
}

function matchesIfSound(row: FlowSummary, matches: RowTest): boolean {
  try {
    return matches(row);
  } catch (error) {
    if (!(error instanceof MalformedBatchError)) throw error;
    return false;
  }
}

/** Null when the record is damaged. */
export function summaryAt(heads: Buffer, offset: number): FlowSummary | null {
  try {
    return indexAt(heads, offset).summary;
  } catch (error) {
    if (!(error instanceof MalformedBatchError)) throw error;
    return null;
  }
}

function newest(rows: FlowSummary[], limit: number): FlowSummary[] {
  rows.sort((a, b) => (a.id < b.id ? 1 : -1));
  return rows.length > limit ? rows.slice(0, limit) : rows;
}

/** Of two lists that are each newest first. */
export function newestOf(a: readonly FlowSummary[], b: readonly FlowSummary[], limit: number): FlowSummary[] {
  const rows: FlowSummary[] = [];
  for (let left = 0, right = 0; rows.length < limit;) {
    const [one, other] = [a[left], b[right]];
    if (one === undefined && other === undefined) break;
    if (other === undefined || (one !== undefined && one.id > other.id)) {
      rows.push(one as FlowSummary);
      left += 1;
    } else {
      rows.push(other);
      right += 1;
    }
  }
  return rows;
}

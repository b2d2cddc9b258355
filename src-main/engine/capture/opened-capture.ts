import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { matchesParts } from '#shared/flow/search.ts';
import { withoutPort } from '#shared/flow/search-match.ts';
import { BlockTable } from './block-table.ts';
import { isDamage, moveAside, openCaptureFile } from './capture-file.ts';
import type { CaptureFileOptions } from './capture-file.ts';
import { rowColumns } from './capture-row.ts';

/** What a store asks of its database again and again. */
export interface Statements {
  readonly insertBatch: StatementSync;
  readonly insertFlow: StatementSync;
  readonly replaceFlow: StatementSync;
  readonly place: StatementSync;
  readonly part: StatementSync;
  readonly oldestBatch: StatementSync;
  readonly batch: StatementSync;
  readonly oldestFlow: StatementSync;
  readonly windowEnd: StatementSync;
  readonly deleteBatch: StatementSync;
  readonly deleteFlow: StatementSync;
  readonly patchFlow: StatementSync;
  readonly insertMessages: StatementSync;
  readonly messages: StatementSync;
  readonly deleteMessages: StatementSync;
  readonly deleteLeftMessages: StatementSync;
}

export interface OpenedFile {
  readonly database: DatabaseSync;
  readonly statements: Statements;
  readonly blocks: BlockTable;
  readonly flows: number;
  /** The newest batch or block; 0 when there is none. */
  readonly newest: number;
}

/** Opens the capture and reads its index once through; one whose index is damaged is moved aside as well. */
export function openChecked(options: CaptureFileOptions): OpenedFile {
  const database = openCaptureFile(options);
  try {
    return readOnce(database);
  } catch (error) {
    database.close();
    if (!isDamage(error)) throw error;
    moveAside(options, error as Error);
  }
  return readOnce(openCaptureFile(options));
}

function readOnce(database: DatabaseSync): OpenedFile {
  const blocks = new BlockTable(database);
  const rows = Number(database.prepare('SELECT count(*) AS n FROM flows').get()?.['n'] ?? 0);
  const newestBatch = Number(database.prepare('SELECT max(batch) AS n FROM batches').get()?.['n'] ?? 0);
  const { flows, newest } = blocks.totals();
  const statements = prepareStatements(database);
  return { database, statements, blocks, flows: rows + flows, newest: Math.max(newest, newestBatch) };
}

function prepareStatements(database: DatabaseSync): Statements {
  database.function('without_port', { deterministic: true }, (host) => withoutPort(host as string | null));
  database.function('any_matches', { deterministic: true }, anyMatches);
  const marks = rowColumns.map(() => '?').join(', ');
  const columns = rowColumns.join(', ');
  return {
    insertBatch: database.prepare('INSERT INTO batches (batch, bytes) VALUES (?, ?)'),
    insertFlow: database.prepare(`INSERT OR IGNORE INTO flows (${columns}) VALUES (${marks})`),
    replaceFlow: database.prepare(`REPLACE INTO flows (${columns}) VALUES (${marks})`),
    place: database.prepare('SELECT batch, offset, head_length, patch FROM flows WHERE id = ?'),
    part: database.prepare('SELECT substr(bytes, ?, ?) AS part FROM batches WHERE batch = ?'),
    oldestBatch: database.prepare('SELECT batch FROM batches ORDER BY batch LIMIT 1'),
    batch: database.prepare('SELECT bytes FROM batches WHERE batch = ?'),
    oldestFlow: database.prepare('SELECT started_ms FROM flows ORDER BY id LIMIT 1'),
    windowEnd: database.prepare('SELECT id FROM flows WHERE id < ? ORDER BY id DESC LIMIT 1 OFFSET ?'),
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

/** When the file was last written, before we touch it, in Unix ms; 0 when there is none, and so no flow to end. */
export function lastWrite(directory: string): number {
  const times = ['current.sqlite', 'current.sqlite-journal'].map(
    (name) => statSync(join(directory, name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
  );
  return Math.max(...times);
}

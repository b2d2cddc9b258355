import { chmodSync, closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SpikeError } from '#shared/contract/errors.ts';
import type { Log } from '../log.ts';
import { blockSchema } from './block-table.ts';

export interface CaptureFileOptions {
  /** Where `current.sqlite` lies; made, readable by its owner alone, when it is not there. */
  readonly directory: string;
  readonly log: Log;
  /** Unix ms, for the name of a file that is moved aside. */
  readonly nowMs: () => number;
}

const applicationId = 0x53504b31; // "SPK1": tells our files from other SQLite files (sqlite.org/fileformat2, 1.3.17)
const schemaVersion = 3;
const sidecars = ['', '-wal', '-shm', '-journal'];

/**
 * Groups of messages as they came (message-codec.ts), read by flow and index. `messages` in `flows` is their number. This
 * is also the step from version 1, which had none: such a capture goes on being used.
 */
const addMessages = `
  ALTER TABLE flows ADD COLUMN messages INTEGER;
  CREATE TABLE messages (
    flow TEXT NOT NULL, last INTEGER NOT NULL, first INTEGER NOT NULL, json BLOB NOT NULL,
    PRIMARY KEY (flow, last)
  ) STRICT, WITHOUT ROWID;`;

/** Also the step from version 2, in which every flow had a row: those that are there keep theirs. */
const addBlocks = `${blockSchema} PRAGMA user_version = ${schemaVersion};`;

/**
 * Plain flows are in `blocks` (block-table.ts), the others in `batches` and `flows`. `flows` has what lists show and searches compare; the record itself lies in its batch. Without rowid, since ids are
 * time-ordered: rows are appended at the end of the one tree that there is, which is also the order of every list.
 */
const schema = `
  CREATE TABLE batches (batch INTEGER PRIMARY KEY AUTOINCREMENT, bytes BLOB NOT NULL) STRICT;
  CREATE TABLE flows (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, started_ms REAL NOT NULL, duration_ms REAL,
    caller TEXT NOT NULL, callee TEXT NOT NULL, method TEXT, host TEXT, path TEXT,
    status INTEGER, grpc_status INTEGER, size_bytes INTEGER NOT NULL, protocol TEXT NOT NULL,
    faults TEXT, faulted_status INTEGER NOT NULL, injected_ms REAL NOT NULL, playback INTEGER NOT NULL,
    cause TEXT, trace_id TEXT, route TEXT, connection_id TEXT NOT NULL,
    fault_texts TEXT, patch TEXT,
    batch INTEGER NOT NULL, offset INTEGER NOT NULL, head_length INTEGER NOT NULL, length INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  ${addMessages}
  ${addBlocks}
  PRAGMA application_id = ${applicationId};`;

/** SQLite's result code of a failure of node:sqlite (sqlite.org/rescode.html), without its extension; 0 for other errors. */
export function sqliteCode(error: unknown): number {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return 0;
  return error.errcode & 0xff;
}
export const sqlite = {
  busy: 5,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
};

/** Damage that no retry mends. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === sqlite.corrupt || code === sqlite.notADatabase || error instanceof ForeignFileError;
}

class ForeignFileError extends Error {
  readonly label: string;
  constructor(label: string, message: string) {
    super(message);
    this.label = label;
  }
}

/**
 * Opens the capture of a directory. A damaged file, a stranger's, or one of a newer version is moved aside with a
 * warning and a fresh one is begun. Throws `SpikeError`: `conflict` when another agent has it, `not-available` when
 * the directory cannot be written.
 */
export function openCaptureFile(options: CaptureFileOptions): DatabaseSync {
  const path = join(options.directory, 'current.sqlite');
  try {
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    return open(path);
  } catch (error) {
    if (!isDamage(error)) throw asSpikeError(error, path);
    moveAside(options, error as Error);
  }
  try {
    return open(path);
  } catch (error) {
    throw asSpikeError(error, path);
  }
}

/** Moves a damaged capture out of the way; it is kept, for whoever wants to rescue it. */
export function moveAside(options: CaptureFileOptions, reason: Error): void {
  const path = join(options.directory, 'current.sqlite');
  const label = reason instanceof ForeignFileError ? reason.label : 'corrupt';
  const time = new Date(options.nowMs()).toISOString().replace(/[:.]/g, '-');
  const aside = join(options.directory, `current.${label}-${time}.sqlite`);
  for (const suffix of sidecars) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  options.log.warn(
    { path, movedTo: aside, reason: reason.message },
    `The capture could not be read (${reason.message}); it was kept as ${aside}, and a new one is begun.`,
  );
}

/** Removes the capture; the database must be closed. */
export function removeCaptureFile(directory: string): void {
  for (const suffix of sidecars) rmSync(join(directory, 'current.sqlite') + suffix, { force: true });
}

function open(path: string): DatabaseSync {
  // Bodies hold secrets: the file is its owner's from its first byte; SQLite gives its side files the same mode.
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
  const database = new DatabaseSync(path);
  try {
    prepare(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * - Exclusive: one agent, one capture.
 * - Synchronous off: a killed process loses nothing, since the system has the pages. After a power cut the file may be
 *   damaged and is then moved aside. Waiting for the disk at each checkpoint made recording a good half slower, and a
 *   slow disk would make calls drop out of the capture, which for a debugging tool is the worse loss.
 * - A rollback journal, kept between transactions: it has what is overwritten, and nearly all that we write is new. A
 *   write-ahead log has every page, with a checksum, and the checkpoint writes it again: that was a quarter of the cost.
 * - Pages of 32 KiB: blocks take fewer of them; a tenth less than 16 KiB, with nothing to gain beyond.
 */
function prepare(database: DatabaseSync): void {
  database.exec('PRAGMA page_size = 32768; PRAGMA locking_mode = EXCLUSIVE;');
  database.exec('PRAGMA journal_mode = PERSIST; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;');
  database.exec('PRAGMA journal_size_limit = 16777216;');
  database.exec('PRAGMA cache_size = -8192;');
  database.exec('BEGIN IMMEDIATE');
  const version = pragma(database, 'user_version');
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all().length;
  if (version === 0 && tables === 0) database.exec(schema);
  else checkIsOurs(database, version);
  database.exec('COMMIT');
}

function checkIsOurs(database: DatabaseSync, version: number): void {
  if (pragma(database, 'application_id') !== applicationId)
    throw new ForeignFileError('foreign', 'it is not a capture of Spike');
  if (version === 1) database.exec(addMessages + addBlocks);
  else if (version === 2) database.exec(addBlocks);
  else if (version !== schemaVersion)
    throw new ForeignFileError(
      `version-${version}`,
      `its format has version ${version}, this Spike knows ${schemaVersion}`,
    );
  database.prepare('SELECT id, patch, length FROM flows ORDER BY id DESC LIMIT 1').get();
  database.prepare('SELECT batch, length(bytes) FROM batches ORDER BY batch DESC LIMIT 1').get();
  database.prepare('SELECT block, length(heads) FROM blocks ORDER BY block DESC LIMIT 1').get();
}

export function pragma(
  database: DatabaseSync,
  name: 'user_version' | 'application_id' | 'page_count' | 'page_size' | 'freelist_count',
): number {
  const row = database.prepare(`PRAGMA ${name}`).get();
  return Number(row?.[name] ?? 0);
}

function asSpikeError(error: unknown, path: string): Error {
  const message = error instanceof Error ? error.message : String(error);
  if (sqliteCode(error) === sqlite.busy)
    return new SpikeError(
      'conflict',
      `Another Spike uses the capture ${path}. Stop it, or start this one with another home directory.`,
    );
  const system = error instanceof Error && 'code' in error && 'syscall' in error;
  if (sqliteCode(error) === 0 && !system) return error instanceof Error ? error : new Error(message);
  return new SpikeError('not-available', `The capture ${path} cannot be opened: ${message}.`);
}

import type { MessageDraft } from '../decoder.ts';
import { bounded, counted, elapsedMs } from '../shown.ts';
import type { Tally } from './tally.ts';

/** A statement, as text or as a name that stands for one. */
export interface Statement {
  readonly text: string;
  /** `text` is only its first part. */
  readonly isCut: boolean;
}

/** What a client asks, from its first message to its answer; told once. */
export interface Command {
  text: string;
  isCut: boolean;
  /** Unix ms. */
  at: number;
  /** Payloads of the messages that ask it. */
  sizeBytes: number;
  /** Said in the summary behind what came of it: bound parameters, names, whether in a transaction. */
  readonly details: string[];
  /** A Parse that a Bind has taken up: it is told by the Execute, not by itself. */
  isTaken: boolean;
  isTold: boolean;
  /** It is to be shown; else it is counted alone, unless it fails, and little is read of it. */
  readonly isWanted: boolean;
  tally: Tally | null;
  /** What came of it where no tag says so. */
  outcome: string;
  copied: { direction: 'in' | 'out' | 'both'; bytes: number } | null;
  error: string | null;
  /** Unix ms of its last answer; null while there is none. */
  answeredAt: number | null;
}

export function newCommand(statement: Statement, at: number, sizeBytes: number, isWanted = true): Command {
  return {
    ...statement,
    at,
    sizeBytes,
    details: [],
    isTaken: false,
    isTold: false,
    isWanted,
    tally: null,
    outcome: '',
    copied: null,
    error: null,
    answeredAt: null,
  };
}

/** Names that clients give are theirs to choose; PostgreSQL itself uses 63 octets of one. */
export function shownName(name: string): string {
  return bounded(name, 64);
}

export function commandDraft(command: Command): MessageDraft {
  return {
    type: 'command',
    direction: 'request',
    at: command.at,
    durationMs: command.answeredAt === null ? null : elapsedMs(command.at, command.answeredAt),
    sizeBytes: command.sizeBytes,
    text: command.text,
    truncated: command.isCut,
    summary: summary(command),
    error: command.error,
  };
}

function summary(command: Command): string {
  const parts = [command.tally?.toString() ?? '', command.outcome];
  if (command.copied !== null)
    parts.push(`${counted(command.copied.bytes, 'byte')} ${copyWords[command.copied.direction]}`);
  return [...parts, ...command.details].filter((part) => part !== '').join(', ');
}

const copyWords = { in: 'in', out: 'out', both: 'streamed' };

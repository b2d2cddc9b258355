import { bounded, counted } from '../shown.ts';
import type { Command } from './command.ts';
import { noType } from './frames.ts';
import type { FrameSink } from './frames.ts';
import { errorText, readCString, readErrorFields } from './payload.ts';
import { tellSkipped } from './questions.ts';
import type { Session, Waiting } from './session.ts';
import { Tally } from './tally.ts';

const longestError = 4_096;
const longestNotice = 16_384;

/** Messages of a server by their type octet, and how much of each is read. Of rows, and of keys (`K`), nothing is. */
const wanted = new Int32Array(256).fill(-1);
for (const [letters, length] of [
  ['DdcKTtWGHIZnsv123V', 0],
  ['Z', 1],
  ['C', 256],
  ['S', 256],
  ['R', 256],
  ['E', longestError],
  ['N', longestNotice],
  ['A', longestNotice],
] as const) {
  for (const letter of letters) wanted[letter.charCodeAt(0)] = length;
}
wanted[noType] = 1;

/** "AuthenticationXXX" by the number in them; 10 is SASL with its mechanisms; others are steps of these. */
const authentications: Readonly<Record<number, string>> = {
  2: 'Kerberos V5',
  3: 'password in clear',
  5: 'md5 password',
  7: 'GSSAPI',
  9: 'SSPI',
};

const dataRow = 'D'.charCodeAt(0);
const copyData = 'd'.charCodeAt(0);

/** What a server sends: it tells the commands that it answers. */
export class Answers implements FrameSink {
  readonly #session: Session;
  /** Of the answer that is under way. */
  #rows = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  get isLost(): boolean {
    return this.#session.lostBecause !== null;
  }

  wanted(type: number): number {
    return wanted[type] ?? -1;
  }

  frame(type: number, bytes: Buffer, start: number, end: number, size: number): void {
    if (type === dataRow) this.#rows++;
    else if (type === copyData) this.#copied(size);
    else if (type === noType) this.#encryption(bytes[start] as number);
    else this.#answer(String.fromCharCode(type), bytes, start, end, size);
  }

  #answer(letter: string, bytes: Buffer, start: number, end: number, size: number): void {
    if (letter === 'C') return this.#complete(bytes, start, end);
    if (letter === 'Z') return this.#ready(start < end ? bytes[start] : undefined);
    if (letter === '1') return this.#parsed();
    if (letter === '2') return this.#expect('bind');
    if (letter === '3') return this.#expect('close');
    if (letter === 'T' || letter === 'n') return this.#described();
    if (letter === 'I') return this.#outcome('empty query');
    if (letter === 's') return this.#outcome(`${counted(this.#rows, 'row')}, more to come`);
    if (letter === 'V') return this.#returned();
    if (letter === 'G' || letter === 'H' || letter === 'W') return this.#copies(letter);
    if (letter === 'E') return this.#failed(bytes, start, end, size);
    if (letter === 'N') return this.#noticed(bytes, start, end, size);
    if (letter === 'A') return this.#notified(bytes, start, end, size);
    if (letter === 'R') return this.#authentication(bytes, start, end);
    if (letter === 'S') this.#parameter(bytes, start, end);
  }

  /** Only "no" can be read on: "yes" is followed by a handshake of TLS or GSSAPI. */
  #encryption(octet: number): void {
    if (octet !== 'N'.charCodeAt(0)) this.#session.lose('what follows is encrypted');
  }

  #authentication(bytes: Buffer, start: number, end: number): void {
    const first = this.#session.waiting.first;
    if (first?.kind !== 'startup' || first.command === null || end - start < 4) return;
    const kind = bytes.readUInt32BE(start);
    if (kind === 10) first.command.outcome = bounded(readCString(bytes, start + 4, end).text, 32);
    else first.command.outcome = authentications[kind] ?? first.command.outcome;
    if (kind === 0 && first.command.outcome === '') first.command.outcome = 'no password asked for';
  }

  #parameter(bytes: Buffer, start: number, end: number): void {
    const { text, next } = readCString(bytes, start, end);
    if (text !== 'client_encoding') return;
    const value = readCString(bytes, Math.min(next, end), end).text;
    this.#session.encoding = value === 'LATIN1' || value === 'SQL_ASCII' ? 'latin1' : 'utf8';
  }

  #expect(kind: Waiting['kind']): void {
    if (this.#session.waiting.first?.kind === kind) this.#session.answered();
    else this.#session.lose('an answer came that nothing had asked for');
  }

  #parsed(): void {
    const parse = this.#session.waiting.first;
    this.#expect('parse');
    if (parse?.kind !== 'parse' || parse.isTaken || parse.command === null) return;
    parse.command.outcome = 'prepared';
    this.#tellAnswered(parse.command);
  }

  /** RowDescription stands before the rows of a query, too: there it answers nothing. */
  #described(): void {
    if (this.#session.waiting.first?.kind === 'describe') this.#session.answered();
  }

  #complete(bytes: Buffer, start: number, end: number): void {
    const command = this.#current();
    if (command === null) return;
    if (command.isWanted) {
      command.tally ??= new Tally();
      command.tally.add(readCString(bytes, start, end).text);
    }
    this.#step(command);
  }

  #outcome(outcome: string): void {
    const command = this.#current();
    if (command === null) return;
    command.outcome = outcome;
    this.#step(command);
  }

  #returned(): void {
    const command = this.#current();
    if (command === null) return;
    command.outcome = 'returned';
    this.#step(command);
  }

  /** The command whose results come now. */
  #current(): Command | null {
    const first = this.#session.waiting.first;
    const command = first?.command ?? null;
    const runs = first?.kind === 'query' || first?.kind === 'execute' || first?.kind === 'function';
    if (command !== null && runs) return command;
    this.#session.lose('an answer came that nothing had asked for');
    return null;
  }

  /** One result is whole. Of a query there may be more: it is told when the server is ready again. */
  #step(command: Command): void {
    this.#rows = 0;
    this.#session.isCopyingIn = false;
    command.answeredAt = this.#session.now;
    if (this.#session.waiting.first?.kind !== 'execute') return;
    this.#session.answered();
    this.#session.tell(command);
  }

  #tellAnswered(command: Command): void {
    command.answeredAt = this.#session.now;
    this.#session.tell(command);
  }

  #ready(state: number | undefined): void {
    const session = this.#session;
    session.transaction = state === 0x54 /* T */ ? 'T' : state === 0x45 /* E */ ? 'E' : 'I';
    session.isCopyingIn = false;
    this.#rows = 0;
    const first = session.waiting.first;
    const ends =
      first?.kind === 'sync' ||
      first?.kind === 'query' ||
      first?.kind === 'function' ||
      first?.kind === 'startup';
    if (first === undefined || !ends)
      return session.lose('the server is ready for the next command before it has answered');
    session.answered();
    if (first.command === null) return;
    first.command.answeredAt ??= session.now;
    session.tell(first.command);
  }

  #failed(bytes: Buffer, start: number, end: number, size: number): void {
    const session = this.#session;
    const error = errorText(readErrorFields(bytes, start, end, session.encoding));
    const first = session.waiting.first;
    this.#rows = 0;
    session.isCopyingIn = false;
    if (first === undefined || first.kind === 'sync') {
      // A connection that is ended by the server, or a constraint that is checked when a Sync commits.
      session.notice('', '', error, size);
      return;
    }
    if (first.command !== null) {
      first.command.error = error;
      first.command.answeredAt = session.now;
    }
    if (first.kind === 'startup' || first.kind === 'query' || first.kind === 'function') return;
    if (first.command === null || first.command.isTold) session.notice('', '', error, size);
    else session.tell(first.command);
    this.#skipToSync();
  }

  /** Everything behind a failed message of the extended protocol goes unanswered, up to the Sync. */
  #skipToSync(): void {
    const session = this.#session;
    for (let first = session.waiting.first; first !== undefined; first = session.waiting.first) {
      if (first.kind === 'sync') return;
      session.answered();
      if (first.command !== null && (first.kind === 'execute' || first.kind === 'query')) {
        tellSkipped(session, first.command);
      }
    }
    session.skipsToSync = true;
  }

  #noticed(bytes: Buffer, start: number, end: number, size: number): void {
    const { severity, sqlState, message } = readErrorFields(bytes, start, end, this.#session.encoding);
    this.#session.notice(message, `${severity} ${sqlState}`, null, size);
  }

  /** NotificationResponse: who notifies, the channel, the payload. */
  #notified(bytes: Buffer, start: number, end: number, size: number): void {
    if (end - start < 4) return;
    const channel = readCString(bytes, start + 4, end, this.#session.encoding);
    const payload = readCString(bytes, Math.min(channel.next, end), end, this.#session.encoding);
    const from = `NOTIFY ${bounded(channel.text, 64)} from process ${bytes.readUInt32BE(start)}`;
    this.#session.notice(payload.text, from, null, size);
  }

  #copies(letter: 'G' | 'H' | 'W'): void {
    const session = this.#session;
    const command = this.#current();
    if (command === null) return;
    const direction = letter === 'G' ? 'in' : letter === 'H' ? 'out' : 'both';
    command.copied ??= { direction, bytes: 0 };
    command.copied.direction = direction;
    session.isCopyingIn = direction === 'in';
    // "The backend will ignore Flush and Sync messages received during copy-in mode": also those that came before it knew.
    if (direction === 'in' && session.waiting.first?.kind === 'execute') {
      session.waiting.keep(({ kind }) => kind !== 'sync');
    }
  }

  #copied(size: number): void {
    const copied = this.#session.waiting.first?.command?.copied ?? null;
    if (copied !== null) copied.bytes += size;
  }
}

import { messageTextLimit } from '#shared/flow/message.ts';
import { counted } from '../shown.ts';
import { newCommand, shownName } from './command.ts';
import type { Command, Statement } from './command.ts';
import { noType } from './frames.ts';
import type { FrameSink } from './frames.ts';
import { hidePasswords } from './hidden-passwords.ts';
import { readCString } from './payload.ts';
import type { CString } from './payload.ts';
import type { Session, Waiting } from './session.ts';
import { longestStartup, readStartup } from './startup.ts';
import { NamedThings } from './statements.ts';
import type { Portal, Prepared } from './statements.ts';

/** Octets that names are read within; a statement's name stands before its text. */
const longestNames = 1_024;
const statementLimit = 1_000;
const portalLimit = 200;
const storedTextLimit = 1024 * 1024;

/** Messages of a client by their type octet ("Message Formats"), and how much of each is read. Of passwords (`p`) nothing is. */
const wanted: Readonly<Record<number, number>> = {
  [noType]: longestStartup,
  [code('Q')]: messageTextLimit + 1,
  [code('P')]: longestNames + messageTextLimit + 1,
  [code('B')]: longestNames,
  [code('E')]: longestNames,
  [code('D')]: longestNames,
  [code('C')]: longestNames,
  [code('F')]: 4,
  [code('S')]: 0,
  [code('H')]: 0,
  [code('X')]: 0,
  [code('p')]: 0,
  [code('d')]: 0,
  [code('c')]: 0,
  [code('f')]: 0,
};

function code(letter: string): number {
  return letter.charCodeAt(0);
}

/** What a client sends: each command is made here, and told by the answers. */
export class Questions implements FrameSink {
  readonly #session: Session;
  readonly #prepared = new NamedThings<Prepared>(statementLimit, storedTextLimit);
  readonly #portals = new NamedThings<Portal>(portalLimit, storedTextLimit);
  /** The messages have types from the next one on. */
  readonly #begun: () => void;

  constructor(session: Session, begun: () => void) {
    this.#session = session;
    this.#begun = begun;
  }

  get isLost(): boolean {
    return this.#session.lostBecause !== null;
  }

  wanted(type: number): number {
    return wanted[type] ?? -1;
  }

  frame(type: number, bytes: Buffer, start: number, end: number, size: number): void {
    if (type === noType) return this.#startup(bytes, start, end, size);
    const letter = String.fromCharCode(type);
    const session = this.#session;
    if (letter === 'd' || letter === 'c' || letter === 'f') return this.#copy(letter, size);
    // The server passes over it, and so does the answer: CopyData apart, a Sync counts again only when COPY is over.
    if (session.isCopyingIn && (letter === 'S' || letter === 'H')) return;
    if (letter === 'S') {
      session.skipsToSync = false;
      session.wait('sync', null);
    } else if (letter === 'Q') this.#query(bytes, start, end, size);
    else if (letter === 'P') this.#parse(bytes, start, end, size);
    else if (letter === 'B') this.#bind(bytes, start, end, size);
    else if (letter === 'E') this.#execute(bytes, start, end, size);
    else if (letter === 'D') this.#describe(bytes, start, end);
    else if (letter === 'C') this.#close(bytes, start, end);
    else if (letter === 'F') this.#call(bytes, start, end, size);
  }

  #startup(bytes: Buffer, start: number, end: number, size: number): void {
    const session = this.#session;
    const startup = size > longestStartup ? { kind: 'unknown' as const } : readStartup(bytes, start, end);
    if (startup.kind === 'unknown')
      return session.lose('what the client begins with is not of this protocol');
    if (startup.kind === 'cancel') {
      session.tell(
        newCommand(
          { text: `cancel what process ${startup.processId} does`, isCut: false },
          session.now,
          size,
        ),
      );
      return;
    }
    if (startup.kind === 'session') {
      session.wait('startup', newCommand({ text: startup.text, isCut: false }, session.now, size));
      this.#begun();
      return;
    }
    session.asksEncryption = true;
  }

  #query(bytes: Buffer, start: number, end: number, size: number): void {
    if (!this.#session.wants) {
      this.#ask('query', this.#command(notRead, size, false), 0);
      return;
    }
    const { statement, charge } = this.#session.charge(
      this.#statement(readCString(bytes, start, end, this.#session.encoding)),
    );
    this.#ask('query', this.#command(statement, size), charge);
  }

  #parse(bytes: Buffer, start: number, end: number, size: number): void {
    const name = readCString(bytes, start, end);
    const read = this.#statement(readCString(bytes, Math.min(name.next, end), end, this.#session.encoding));
    const { statement, charge } = this.#session.charge(read);
    const command = this.#command(statement, size);
    if (name.text !== '') command.details.push(`as ${shownName(name.text)}`);
    const parse = this.#ask('parse', command, charge);
    this.#prepared.set(name.text, { ...read, name: name.text, parse }, read.text.length);
  }

  #bind(bytes: Buffer, start: number, end: number, size: number): void {
    const portalName = readCString(bytes, start, end);
    const name = readCString(bytes, Math.min(portalName.next, end), end);
    const prepared = this.#prepared.get(name.text) ?? unknownStatement(name.text);
    const parameterCount = name.isCut ? null : readParameterCount(bytes, name.next, end);
    const { statement, charge } = this.#session.charge(prepared);
    const command = this.#command(statement, size, this.#session.wants);
    const portal = { name: portalName.text, prepared, parameterCount, command, isExecuted: false };
    if (command.isWanted) command.details.push(...details(portal));
    this.#portals.set(portal.name, portal, statement.text.length);
    this.#ask('bind', command, charge);
  }

  #execute(bytes: Buffer, start: number, end: number, size: number): void {
    const name = readCString(bytes, start, end).text;
    const portal = this.#portals.get(name) ?? this.#unknownPortal(name);
    if (!portal.isExecuted) {
      portal.isExecuted = true;
      portal.command.sizeBytes += size;
      const { parse } = portal.prepared;
      const { statement, charge } = this.#session.charge(portal.command);
      portal.command.text = statement.text;
      portal.command.isCut = statement.isCut;
      if (parse !== null && !parse.isTaken && !parse.isAnswered) takeParse(parse, portal.command);
      this.#ask('execute', portal.command, charge);
      return;
    }
    const { statement, charge } = this.#session.charge(portal.prepared);
    const command = this.#command(statement, size);
    command.details.push(...details(portal));
    this.#ask('execute', command, charge);
  }

  /** Its own failure is the statement's. */
  #describe(bytes: Buffer, start: number, end: number): void {
    const name = readCString(bytes, Math.min(start + 1, end), end).text;
    const command =
      start < end && bytes[start] === code('P')
        ? this.#portals.get(name)?.command
        : this.#prepared.get(name)?.parse?.command;
    this.#ask('describe', command ?? null, 0);
  }

  #close(bytes: Buffer, start: number, end: number): void {
    const name = readCString(bytes, Math.min(start + 1, end), end).text;
    if (start < end && bytes[start] === code('P')) this.#portals.delete(name);
    else this.#prepared.delete(name);
    this.#ask('close', null, 0);
  }

  #call(bytes: Buffer, start: number, end: number, size: number): void {
    const oid = end - start < 4 ? 0 : bytes.readUInt32BE(start);
    this.#ask('function', this.#command({ text: `call of function ${oid}`, isCut: false }, size), 0);
  }

  #copy(letter: 'd' | 'c' | 'f', size: number): void {
    const session = this.#session;
    const copied = session.waiting.first?.command?.copied ?? null;
    if (copied === null || copied.direction === 'out') return;
    if (letter === 'd') copied.bytes += size;
    else session.isCopyingIn = false;
  }

  #ask(kind: Waiting['kind'], command: Command | null, charge: number): Waiting {
    const session = this.#session;
    if (!session.skipsToSync) return session.wait(kind, command, charge);
    if (command !== null && (kind === 'query' || kind === 'execute')) tellSkipped(session, command);
    return { kind, command, isTaken: false, isAnswered: true, charge: 0 };
  }

  #statement(text: CString): Statement {
    const isLong = text.text.length > messageTextLimit;
    return {
      text: hidePasswords(isLong ? text.text.slice(0, messageTextLimit) : text.text),
      isCut: text.isCut || isLong,
    };
  }

  #command(statement: Statement, size: number, isWanted = true): Command {
    const { text, isCut } = statement;
    const command = newCommand({ text, isCut }, this.#session.now, size, isWanted);
    if (this.#session.transaction === 'T') command.details.push('in a transaction');
    return command;
  }

  #unknownPortal(name: string): Portal {
    const prepared = { ...unknownStatement(''), text: `portal ${shownName(name)}` };
    return {
      name: '',
      prepared,
      parameterCount: null,
      command: this.#command(prepared, 0),
      isExecuted: false,
    };
  }
}

/** Of a command that is shown only if it fails. */
const notRead: Statement = { text: '', isCut: true };

/** Told at once: the server has failed before, and passes over it. */
export function tellSkipped(session: Session, command: Command): void {
  command.error ??= 'not run: something before it in its pipeline failed';
  session.tell(command);
}

/** A Parse and the Execute of what it has parsed are one command when they come without an answer in between. */
function takeParse(parse: Waiting, command: Command): void {
  if (parse.command === null) return;
  command.at = parse.command.at;
  command.sizeBytes += parse.command.sizeBytes;
  parse.command = command;
  parse.isTaken = true;
}

/** One that was parsed before Spike could see it, by SQL's PREPARE, or too long ago. */
function unknownStatement(name: string): Prepared {
  return { text: `statement ${shownName(name)}`, isCut: false, name: '', parse: null };
}

function details({
  name,
  prepared,
  parameterCount,
}: Pick<Portal, 'name' | 'prepared' | 'parameterCount'>): string[] {
  return [
    parameterCount === null || parameterCount === 0 ? '' : counted(parameterCount, 'parameter'),
    prepared.name === '' ? '' : `statement ${shownName(prepared.name)}`,
    name === '' ? '' : `portal ${shownName(name)}`,
  ];
}

/** Bind: formats first; two or more of them are one for each parameter. Null when it is out of what is read. */
function readParameterCount(bytes: Buffer, at: number, end: number): number | null {
  if (at + 2 > end) return null;
  const formatCount = bytes.readUInt16BE(at);
  if (formatCount > 1) return formatCount;
  const next = at + 2 + 2 * formatCount;
  return next + 2 > end ? null : bytes.readUInt16BE(next);
}

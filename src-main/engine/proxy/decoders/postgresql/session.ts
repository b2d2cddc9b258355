import { roomForAll } from '../decoder.ts';
import type { MessageOutput, MessageRoom } from '../decoder.ts';
import { WaitingQueue } from '../waiting-queue.ts';
import { commandDraft } from './command.ts';
import type { Command, Statement } from './command.ts';
import type { TextEncoding } from './payload.ts';

/** What a client has sent that the server answers, in the order of the answers. */
export interface Waiting {
  readonly kind:
    'startup' | 'query' | 'function' | 'parse' | 'bind' | 'describe' | 'execute' | 'close' | 'sync';
  /** What is told of it, now or with another message; null for what is never told by itself. */
  command: Command | null;
  /** A Parse: an Execute that came with it tells of it. */
  isTaken: boolean;
  isAnswered: boolean;
  /** Characters of its text that count towards `waitingTextLimit`. */
  charge: number;
}

/** Messages of a client without an answer; the decoder gives up on a client that sends more at once. */
export const waitingLimit = 32_768;
/** Characters of statements without an answer; those beyond are told without their text. */
export const waitingTextLimit = 4 * 1024 * 1024;

/** What both directions of one connection know of one another. */
export class Session {
  /** Unix ms of what passes now. */
  now = 0;
  /** Why nothing is read any more; null while it is. */
  lostBecause: string | null = null;
  readonly waiting = new WaitingQueue<Waiting>();
  /** As ReadyForQuery said last: idle, in a transaction, in a failed one. */
  transaction: 'I' | 'T' | 'E' = 'I';
  /** After an error the server passes over all that comes up to the next Sync ("Extended Query"). */
  skipsToSync = false;
  /** A COPY FROM STDIN is under way: what is not COPY is passed over. */
  isCopyingIn = false;
  /** The next octet of the server says whether it encrypts. */
  asksEncryption = false;
  encoding: TextEncoding = 'utf8';
  readonly #output: MessageOutput;
  readonly #room: MessageRoom;
  #waitingText = 0;
  #lastText = '';

  constructor(output: MessageOutput, room: MessageRoom = roomForAll) {
    this.#output = output;
    this.#room = room;
  }

  /** Whether a command that begins now is to be shown. */
  get wants(): boolean {
    return this.#room.wants(this.now);
  }

  lose(because: string): void {
    this.lostBecause ??= because;
  }

  /**
   * The text, or what stands for it when too much of it waits already. Commands in a row share one text (a prepared
   * statement): it counts once, and as answers come in order, so it is let go.
   */
  charge(statement: Statement): { statement: Statement; charge: number } {
    if (statement.text === this.#lastText && this.waiting.length > 0) return { statement, charge: 0 };
    if (this.#waitingText + statement.text.length > waitingTextLimit) {
      return { statement: { text: '', isCut: true }, charge: 0 };
    }
    this.#lastText = statement.text;
    this.#waitingText += statement.text.length;
    return { statement, charge: statement.text.length };
  }

  wait(kind: Waiting['kind'], command: Command | null, charge = 0): Waiting {
    const waiting = { kind, command, isTaken: false, isAnswered: false, charge };
    if (this.waiting.length >= waitingLimit)
      this.lose(`more than ${waitingLimit} messages wait for an answer`);
    else this.waiting.push(waiting);
    return waiting;
  }

  /** The first one has its answer. */
  answered(): Waiting | undefined {
    const first = this.waiting.shift();
    if (first === undefined) return undefined;
    first.isAnswered = true;
    this.#waitingText -= first.charge;
    return first;
  }

  /** Once: whatever comes of it later is not told any more. */
  tell(command: Command): void {
    if (command.isTold) return;
    command.isTold = true;
    if (command.isWanted || command.error !== null) this.#output(commandDraft(command));
    else this.#room.skip();
  }

  notice(text: string, summary: string, error: string | null, sizeBytes: number): void {
    this.#output({ type: 'notice', direction: 'response', at: this.now, sizeBytes, text, summary, error });
  }

  /** All that wait are told as they are: nothing more will come of them. */
  tellUnanswered(outcome: string): void {
    for (const { kind, command } of this.waiting.takeAll()) {
      if (command === null || command.isTold || kind === 'describe' || kind === 'close') continue;
      if (command.answeredAt === null) command.outcome = outcome;
      this.tell(command);
    }
    this.#waitingText = 0;
  }
}

import type { Direction } from '#shared/flow/flow.ts';
import { roomForAll } from '../decoder.ts';
import type { MessageOutput, MessageRoom, StreamDecoder } from '../decoder.ts';
import { counted, elapsedMs } from '../shown.ts';
import { WaitingQueue } from '../waiting-queue.ts';
import { Answers } from './answers.ts';
import type { Answer } from './answers.ts';
import { Questions } from './questions.ts';
import type { Question } from './questions.ts';
import { RespReader } from './resp-reader.ts';
import { isSubscriptionWord, Subscriptions } from './subscriptions.ts';

/** Commands that wait at once and are told; those beyond are counted, and answered in their turn. */
export const waitingLimit = 16_384;
/** Characters of the texts of them. */
export const waitingTextLimit = 1024 * 1024;

/** What MONITOR tells: when, which database and client, the command with its arguments; the values are left out. */
const monitored = /^\d+\.\d+ (\[[^\]]*\] "(?:[^"\\]|\\.)*")( "(?:[^"\\]|\\.)*")?( ")?/;

/** Commands and their answers, in order; what comes unasked in between is told as notices. */
export class RedisConversation implements StreamDecoder {
  readonly #output: MessageOutput;
  readonly #room: MessageRoom;
  readonly #questions = new Questions(
    (question) => this.#asked(question),
    () => this.#room.wants(this.#now),
  );
  readonly #answers = new Answers(
    () => !this.#isResp3 && (this.#subscriptions.any || this.#waiting.first?.spec.answers === 'subscription'),
    (answer) => this.#answered(answer),
    () => this.#reads(),
  );
  readonly #client = new RespReader(this.#questions);
  readonly #server = new RespReader(this.#answers);
  readonly #subscriptions = new Subscriptions();
  readonly #waiting = new WaitingQueue<Question>();
  #waitingText = 0;
  /** Commands behind those that wait: all that is known of them is that each will be answered. */
  #uncounted = 0;
  #untold = 0;
  #isMonitoring = false;
  /** The server has sent a push, so that none of its arrays is one. */
  #isResp3 = false;
  /** CLIENT REPLY: whether commands are answered at all. */
  #replies: 'on' | 'off' | 'skip-next' = 'on';
  #now = 0;
  #lostBecause: string | null = null;
  #isOver = false;

  constructor(output: MessageOutput, room: MessageRoom = roomForAll) {
    this.#output = output;
    this.#room = room;
  }

  get isLost(): boolean {
    return this.#lostBecause !== null;
  }

  bytes(direction: Direction, chunk: Buffer, at: number): void {
    if (this.isLost || this.#isOver) return;
    this.#now = at;
    const [reader, sink] =
      direction === 'request' ? [this.#client, this.#questions] : [this.#server, this.#answers];
    reader.read(chunk);
    if (reader.isLost || (sink.isLost && !this.isLost))
      this.#lose('the bytes are no messages of this protocol');
  }

  end(at: number): void {
    if (this.isLost || this.#isOver) return;
    this.#isOver = true;
    this.#now = at;
    this.#tellUnanswered('no answer');
  }

  #asked(question: Question): void {
    question.at = this.#now;
    if (!this.#isAnswered(question))
      return !question.isWanted ? this.#room.skip() : this.#tell(question, 'no answer asked for', null, null);
    if (question.spec.answers === 'replication') {
      this.#tell(question, '', null, null);
      return this.#lose('what follows is replication');
    }
    const tooMany =
      this.#uncounted > 0 ||
      this.#waiting.length >= waitingLimit ||
      this.#waitingText + question.text.length > waitingTextLimit;
    if (!tooMany) {
      this.#waitingText += question.text.length;
      this.#waiting.push(question);
    } else if (question.spec.answers === 'subscription' || question.spec.answers === 'monitor') {
      this.#lose(`more than ${waitingLimit} commands wait for an answer`);
    } else {
      this.#uncounted++;
      this.#untold++;
    }
  }

  /** CLIENT REPLY OFF and SKIP have no answer themselves, ON has one. */
  #isAnswered({ spec, shown }: Question): boolean {
    if (spec.answers === 'client' && shown[0]?.toUpperCase() === 'REPLY') {
      const mode = shown[1]?.toUpperCase();
      if (mode === 'ON') this.#replies = 'on';
      else if (mode === 'OFF') this.#replies = 'off';
      else if (mode === 'SKIP' && this.#replies === 'on') {
        this.#replies = 'skip-next';
        return false;
      }
      return this.#replies === 'on';
    }
    if (this.#replies !== 'skip-next') return this.#replies === 'on';
    this.#replies = 'on';
    return false;
  }

  #answered(answer: Answer): void {
    const word = answer.first.length === 0 ? '' : (answer.first[0] ?? '');
    this.#isResp3 ||= answer.type === '>';
    if (word !== '' && isSubscriptionWord(word)) return this.#confirmed(word, answer);
    if (answer.type === '>' || (answer.first.length > 0 && isMessage(word))) return this.#pushed(answer);
    if (this.#isMonitoring && answer.type === '+' && monitored.test(answer.status))
      return this.#monitored(answer);
    const waiting = this.#waiting.first;
    if (waiting === undefined) return this.#answeredUntold(answer);
    this.#finish(answer.summary, answer.error);
    if (answer.error !== null) return;
    if (waiting.spec.answers === 'monitor' && answer.status === 'OK') this.#isMonitoring = true;
    if (waiting.spec.answers === 'protocol') this.#isResp3 = false;
    if (waiting.spec.answers === 'reset') {
      this.#isResp3 = false;
      this.#isMonitoring = false;
      this.#subscriptions.clear();
    }
  }

  /** A server that says something before it is asked ends the connection: too many clients, a wrong port. */
  #answeredUntold(answer: Answer): void {
    if (this.#uncounted > 0) {
      this.#uncounted--;
      if (this.#uncounted === 0) this.#tellUntold();
    } else if (answer.error !== null) this.#notice('', '', answer.error, answer.sizeBytes);
    else this.#lose('an answer came that nothing had asked for');
  }

  #confirmed(word: string, answer: Answer): void {
    const waiting = this.#waiting.first;
    const expected = this.#subscriptions.confirmed(word, Number(answer.first[2]));
    if (waiting?.spec.answers !== 'subscription' || waiting.spec.name.toLowerCase() !== word) {
      // A shard that moves away ends its subscriptions unasked.
      return this.#notice([word, answer.first[1]].join(' '), '', null, answer.sizeBytes);
    }
    waiting.confirmed++;
    const left = waiting.argumentCount > 0 ? waiting.argumentCount - waiting.confirmed : expected - 1;
    if (left <= 0) this.#finish(counted(waiting.confirmed, 'channel'), null);
  }

  /** `message` channel, `pmessage` pattern channel, `invalidate` keys: what was published is data, and not told. */
  #pushed({ first, lastSize, summary, sizeBytes }: Answer): void {
    const isPublished = isMessage(first[0] ?? '');
    const names = first.slice(0, first[0] === 'pmessage' ? 3 : 2).filter((name) => name !== '');
    this.#notice(
      names.join(' '),
      isPublished ? counted(Math.max(0, lastSize), 'byte') : summary,
      null,
      sizeBytes,
    );
  }

  #monitored(answer: Answer): void {
    const match = monitored.exec(answer.status);
    if (match === null) return;
    const [, command, first, more] = match;
    this.#notice(`${command}${first ?? ''}${more === undefined ? '' : ' …'}`, '', null, answer.sizeBytes);
  }

  #finish(summary: string, error: string | null): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    this.#waitingText -= waiting.text.length;
    if (!waiting.isWanted && error === null) this.#room.skip();
    else this.#tell(waiting, summary, error, elapsedMs(waiting.at, this.#now));
  }

  /** Whether the next answer says something that somebody wants to know. */
  #reads(): boolean {
    const { first } = this.#waiting;
    return first === undefined || first.isWanted || this.#isMonitoring || first.spec.answers !== 'plain';
  }

  #tell(waiting: Question, summary: string, error: string | null, durationMs: number | null): void {
    const { at, sizeBytes, text, isCut } = waiting;
    this.#output({
      type: 'command',
      direction: 'request',
      at,
      durationMs,
      sizeBytes,
      text,
      truncated: isCut,
      summary: error === null ? summary : '',
      error,
    });
  }

  #notice(text: string, summary: string, error: string | null, sizeBytes: number): void {
    this.#output({ type: 'notice', direction: 'response', at: this.#now, sizeBytes, text, summary, error });
  }

  #tellUnanswered(summary: string): void {
    for (const waiting of this.#waiting.takeAll()) this.#tell(waiting, summary, null, null);
    this.#tellUntold();
  }

  #tellUntold(): void {
    if (this.#untold === 0) return;
    this.#notice(
      `${counted(this.#untold, 'command')} not shown: too many waited for an answer at once.`,
      '',
      null,
      0,
    );
    this.#untold = 0;
  }

  #lose(because: string): void {
    if (this.isLost) return;
    this.#lostBecause = because;
    this.#questions.isLost = this.#answers.isLost = true;
    this.#tellUnanswered('its answer was not read');
    this.#notice(`Not read from here on: ${because}.`, '', null, 0);
  }
}

function isMessage(word: string): boolean {
  return word === 'message' || word === 'pmessage' || word === 'smessage';
}

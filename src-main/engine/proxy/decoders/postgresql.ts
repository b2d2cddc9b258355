import type { Direction } from '#shared/flow/flow.ts';
import type { MessageOutput, MessageRoom, ProtocolDecoder, StreamDecoder } from './decoder.ts';
import { Answers } from './postgresql/answers.ts';
import { FrameReader } from './postgresql/frames.ts';
import { Questions } from './postgresql/questions.ts';
import { Session } from './postgresql/session.ts';
import { longestStartup, startupKind } from './postgresql/startup.ts';

/**
 * PostgreSQL's protocol, version 3 (PostgreSQL documentation, part VII, "Frontend/Backend Protocol"; 3.0 and 3.2).
 * CockroachDB, PgBouncer and others that speak it are read as it.
 */
export const postgresql: ProtocolDecoder = {
  protocol: 'postgresql',
  recognise,
  create: (output, room) => new Decoder(output, room),
};

/** A length, then a number that says which message it is: the one kind of message that has no type octet. */
function recognise(first: Buffer): 'yes' | 'no' | 'more' {
  if (first.length < 8) return first.length === 0 || first[0] === 0 ? 'more' : 'no';
  const length = first.readUInt32BE(0);
  return length >= 8 && length <= longestStartup && startupKind(first.readUInt32BE(4)) !== null
    ? 'yes'
    : 'no';
}

class Decoder implements StreamDecoder {
  readonly #session: Session;
  readonly #client: FrameReader;
  readonly #server: FrameReader;
  #isOver = false;

  constructor(output: MessageOutput, room?: MessageRoom) {
    const session = new Session(output, room);
    this.#session = session;
    const begun = (): void => {
      this.#client.framing = 'typed';
    };
    this.#client = new FrameReader(new Questions(session, begun), 'untyped');
    this.#server = new FrameReader(new Answers(session), 'typed');
  }

  get isLost(): boolean {
    return this.#session.lostBecause !== null;
  }

  bytes(direction: Direction, chunk: Buffer, at: number): void {
    if (this.isLost || this.#isOver) return;
    this.#session.now = at;
    const reader = direction === 'request' ? this.#client : this.#server;
    if (direction === 'response' && this.#session.asksEncryption) {
      this.#session.asksEncryption = false;
      reader.framing = 'octet';
    }
    reader.read(chunk);
    if (reader.isLost) this.#session.lose('the bytes are no messages of this protocol');
    if (this.isLost) this.#giveUp();
  }

  end(at: number): void {
    if (this.isLost || this.#isOver) return;
    this.#isOver = true;
    this.#session.now = at;
    this.#session.tellUnanswered('no answer');
  }

  #giveUp(): void {
    this.#session.tellUnanswered('its answer was not read');
    this.#session.notice(`Not read from here on: ${this.#session.lostBecause}.`, '', null, 0);
  }
}

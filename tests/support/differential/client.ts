import type { Socket } from 'node:net';
import { headOf } from './case.ts';
import type { DifferentialCase } from './case.ts';
import { MessageSplitter, statusOf } from './message-splitter.ts';
import type { WireMessage } from './message-splitter.ts';
import { writeSlowly } from './origin.ts';

/** What came back to the client of one case. */
export interface Returned {
  readonly messages: readonly WireMessage[];
  /** Bytes that belong to no message. */
  readonly rest: string;
  /** The server has ended the connection behind the last answer. */
  readonly ended: boolean;
}

/** A client that writes a case as it is, and keeps every byte that comes back. */
export async function play(
  socket: Socket,
  { requests, pipelined, pieces }: DifferentialCase,
  number: number,
  authority: string,
  prefix = '',
): Promise<Returned> {
  const answers = new Answers(
    socket,
    requests.map(({ method }) => method),
  );
  const texts = requests.map((request, index) => {
    const head = (request.before ?? '') + headOf(request, `${number}.${index}`, authority, prefix);
    return { head, body: request.body, waits: request.waits === true };
  });
  if (pipelined) {
    await writeSlowly(socket, texts.map(({ head, body }) => head + body).join(''), pieces);
  } else {
    for (const [index, { head, body, waits }] of texts.entries()) {
      if (waits) {
        await writeSlowly(socket, head, pieces);
        await answers.until(() => answers.heard > index);
        if (answers.finals === index) await writeSlowly(socket, body, pieces);
      } else await writeSlowly(socket, head + body, pieces);
      await answers.until(() => answers.finals > index);
    }
  }
  await answers.until(() => answers.finals >= requests.length);
  const isLast = answers.saysClose;
  if (isLast) await answers.until(() => answers.ended);
  socket.destroy();
  return { messages: answers.messages, rest: answers.rest, ended: isLast };
}

class Answers {
  ended = false;
  readonly #splitter: MessageSplitter;
  #error: Error | null = null;
  #wake: (() => void) | null = null;

  constructor(socket: Socket, methods: readonly string[]) {
    this.#splitter = new MessageSplitter(methods);
    socket.on('data', (bytes: Buffer) => {
      this.#splitter.push(bytes);
      this.#wake?.();
    });
    socket.on('end', () => {
      this.ended = true;
      this.#splitter.end();
      this.#wake?.();
    });
    socket.on('error', (error) => {
      this.#error = error;
      this.#wake?.();
    });
  }

  get messages(): readonly WireMessage[] {
    return this.#splitter.messages;
  }

  get rest(): string {
    return this.#splitter.rest;
  }

  get finals(): number {
    return this.messages.filter(({ head }) => statusOf(head) >= 200).length;
  }

  /** Requests that were told something, if only to go on. */
  get heard(): number {
    return this.messages.length === 0 ? 0 : this.finals + (statusOf(this.#last) < 200 ? 1 : 0);
  }

  /** Whether the last answer says that nothing follows it: in 1.0 that is so unless it says otherwise. */
  get saysClose(): boolean {
    if (this.ended) return true;
    const connection = /\r\nconnection:([^\r]*)/i.exec(this.#last)?.[1]?.toLowerCase() ?? '';
    return connection.includes('close');
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#error !== null) throw this.#error;
      if (this.ended) throw new Error(`ended after: ${JSON.stringify(this.messages)} ${this.rest}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  get #last(): string {
    return this.messages.at(-1)?.head ?? '';
  }
}

import type { Socket } from 'node:net';
import { caseField, piecesOf } from './case.ts';
import type { CaseAnswer, CaseRequest, DifferentialCase } from './case.ts';
import { MessageSplitter } from './message-splitter.ts';
import type { WireMessage } from './message-splitter.ts';

/** What reached the origin of one case: messages as they were on the wire, by the number of the request in its case. */
export type Arrived = (WireMessage | undefined)[];

/** The origin's side of every case: keeps what arrives, byte by byte, and answers as the case says. */
export class DifferentialOrigin {
  #arrived: Arrived = [];
  readonly #cases: readonly DifferentialCase[];

  constructor(cases: readonly DifferentialCase[]) {
    this.#cases = cases;
  }

  /** Takes what has arrived since the last time. */
  take(): Arrived {
    const arrived = this.#arrived;
    this.#arrived = [];
    return arrived;
  }

  serve(socket: Socket): void {
    const splitter = new MessageSplitter(null);
    let told: string | null = null;
    let work = Promise.resolve();
    const say = (answer: () => Promise<void>): void => {
      work = work.then(answer).catch(() => void socket.destroy());
    };
    socket.on('data', (bytes: Buffer) => {
      for (const message of splitter.push(bytes)) {
        const { request, index } = this.#find(message.head);
        this.#arrived[index] = message;
        const interim = told === message.head ? [] : request.answer.interim;
        told = null;
        say(() => answerWith(socket, request.answer, interim));
      }
      const head = splitter.pendingHead;
      if (head === null || told === head) return;
      const { request, index } = this.#find(head);
      if (request.waits !== true) return;
      told = head;
      if (request.answer.interim.length === 0) {
        // Refused before its body is asked for.
        this.#arrived[index] = { head, body: '' };
        return say(() => answerWith(socket, request.answer, []));
      }
      say(() => writeSlowly(socket, request.answer.interim.join(''), request.answer.pieces));
    });
    socket.on('end', () =>
      say(async () => {
        socket.end();
      }),
    );
  }

  #find(head: string): { request: CaseRequest; index: number } {
    const [, ofCase, ofRequest] = new RegExp(`\r\n${caseField}: (\\d+)\\.(\\d+)\r\n`, 'i').exec(head) ?? [];
    const request = this.#cases[Number(ofCase)]?.requests[Number(ofRequest)];
    if (request === undefined) throw new Error(`no case for ${head}`);
    return { request, index: Number(ofRequest) };
  }
}

async function answerWith(
  socket: Socket,
  { head, body, closes, pieces }: CaseAnswer,
  interim: readonly string[],
): Promise<void> {
  await writeSlowly(socket, interim.join('') + head + body, pieces);
  if (closes) socket.end();
}

/** A turn of the event loop between pieces, so that they arrive as pieces. */
export async function writeSlowly(socket: Socket, text: string, pieces: readonly number[]): Promise<void> {
  for (const piece of piecesOf(text, pieces)) {
    if (!socket.write(piece, 'latin1')) await new Promise((resolve) => socket.once('drain', resolve));
    else await new Promise((resolve) => setImmediate(resolve));
  }
}

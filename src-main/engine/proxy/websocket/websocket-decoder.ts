import { isUtf8 } from 'node:buffer';
import type { Direction } from '#shared/flow/flow.ts';
import { messageTextLimit } from '#shared/flow/message.ts';
import type { MessageType } from '#shared/flow/message.ts';
import type { MessageDraft, MessageOutput, StreamDecoder } from '../decoders/decoder.ts';
import { closeSummary, closeText } from './close.ts';
import { deflateAgreement } from './extensions.ts';
import { opcode } from './frame-parser.ts';
import { InflatingContent, MessageInflater } from './inflater.ts';
import type { InflatedMessage } from './inflater.ts';
import { KeptContent } from './kept-content.ts';
import { MessageReader } from './message-reader.ts';
import type { MessageReaderOwner, ReadMessage } from './message-reader.ts';

/** UTF-8 takes at most three bytes for what a text counts as one character. */
const keptTextBytes = messageTextLimit * 3;
const keptBinaryBytes = (messageTextLimit / 4) * 3;
const types: Readonly<Record<number, MessageType>> = {
  [opcode.text]: 'text',
  [opcode.binary]: 'binary',
  [opcode.close]: 'close',
  [opcode.ping]: 'ping',
  [opcode.pong]: 'pong',
};

export interface WebSocketDecoderParts {
  readonly output: MessageOutput;
  /** Messages are only counted from now on: their content is not looked at. */
  readonly isFull: () => boolean;
  /** The server's `Sec-WebSocket-Extensions`; null without. */
  readonly extensions: string | null;
}

type Content = KeptContent | InflatingContent;

/** A message that is told when those before it have been told. */
interface Waiting {
  draft: MessageDraft | null;
}

/**
 * The messages of a WebSocket, from the bytes of both directions after the handshake: over HTTP/1.1 and, as they are the
 * same bytes, in a stream of HTTP/2 (RFC 8441). It looks at what has been forwarded; compressed messages are told a little
 * later, in their order.
 */
export class WebSocketDecoder implements StreamDecoder {
  #waiting: Waiting[] = [];
  #at = 0;
  #settled: (() => void) | null = null;
  #isOver = false;
  readonly #parts: WebSocketDecoderParts;
  readonly #inflaters: Record<Direction, MessageInflater> | null;
  readonly #readers: Record<Direction, MessageReader<Content>>;

  constructor(parts: WebSocketDecoderParts) {
    this.#parts = parts;
    const deflate = deflateAgreement(parts.extensions);
    this.#inflaters =
      deflate === null
        ? null
        : {
            request: new MessageInflater(deflate.noContextTakeover.request),
            response: new MessageInflater(deflate.noContextTakeover.response),
          };
    this.#readers = {
      request: new MessageReader(true, deflate !== null, this.#owner('request')),
      response: new MessageReader(false, deflate !== null, this.#owner('response')),
    };
  }

  get isLost(): boolean {
    return this.#readers.request.isLost && this.#readers.response.isLost;
  }

  bytes(direction: Direction, chunk: Buffer, at: number): void {
    this.#at = at;
    this.#readers[direction].feed(chunk);
  }

  end(): void {
    this.#isOver = true;
    this.#inflaters?.request.inputEnded();
    this.#inflaters?.response.inputEnded();
    if (this.#waiting.length === 0) this.#close();
  }

  settled(): Promise<void> | null {
    if (this.#waiting.length === 0) return null;
    return new Promise((resolve) => {
      this.#settled = resolve;
    });
  }

  #owner(direction: Direction): MessageReaderOwner<Content> {
    return {
      messageBegan: (code, compressed) => this.#contentOf(direction, code, compressed),
      messageEnded: (message, content) => this.#ended(direction, message, content),
      messagesLost: ({ message }) =>
        this.#tell({ ...this.#draft(direction, opcode.binary, 0), error: message }),
    };
  }

  #contentOf(direction: Direction, code: number, compressed: boolean): Content | null {
    if (this.#parts.isFull()) {
      // Nothing is decompressed any more: its memory is worth more to others.
      this.#inflaters?.[direction].close();
      return null;
    }
    const keptBytes = code === opcode.text ? keptTextBytes : keptBinaryBytes;
    if (compressed && this.#inflaters !== null) return this.#inflaters[direction].begin(keptBytes);
    return new KeptContent(keptBytes);
  }

  #ended(direction: Direction, message: ReadMessage, content: Content | null): void {
    const draft = this.#draft(direction, message.opcode, message.sizeBytes);
    const problem = message.problem === null ? {} : { error: message.problem };
    if (!(content instanceof InflatingContent)) {
      const bytes = content?.bytes ?? Buffer.alloc(0);
      const truncated = bytes.length < message.sizeBytes;
      const shown = shownContent(message.opcode, { bytes, truncated, failure: null });
      return this.#tell({ ...draft, ...shown, ...problem });
    }
    const waiting: Waiting = { draft: null };
    this.#waiting.push(waiting);
    this.#inflaters?.[direction].end(content, (inflated) => {
      const shown = shownContent(message.opcode, inflated);
      waiting.draft = { ...draft, compressed: true, ...shown, ...problem };
      this.#tellWaiting();
    });
  }

  #draft(direction: Direction, code: number, sizeBytes: number): MessageDraft {
    return { type: types[code] ?? 'binary', direction, sizeBytes, at: this.#at };
  }

  #tell(draft: MessageDraft): void {
    if (this.#waiting.length === 0) this.#parts.output(draft);
    else this.#waiting.push({ draft });
  }

  #tellWaiting(): void {
    let count = 0;
    for (const { draft } of this.#waiting) {
      if (draft === null) break;
      this.#parts.output(draft);
      count += 1;
    }
    this.#waiting.splice(0, count);
    if (this.#waiting.length > 0) return;
    if (this.#isOver) this.#close();
    this.#settled?.();
  }

  #close(): void {
    this.#inflaters?.request.close();
    this.#inflaters?.response.close();
  }
}

type Shown = Pick<MessageDraft, 'text' | 'encoding' | 'truncated' | 'summary' | 'error'>;

/** A message for a person; what keeps it from being read is told in its error. */
function shownContent(code: number, { bytes, truncated, failure }: InflatedMessage): Partial<Shown> {
  const error = failure === null ? {} : { error: failure };
  if (code === opcode.close) return { text: closeText(bytes), summary: closeSummary(bytes), truncated };
  const text = code === opcode.binary ? null : textOf(bytes, truncated);
  if (text !== null) return { text, truncated, ...error };
  const broken =
    code === opcode.text && failure === null ? { error: 'It is not UTF-8 (RFC 6455, section 8.1).' } : error;
  return { text: bytes.toString('base64'), encoding: 'base64', truncated, ...broken };
}

/** null when it is no UTF-8; the end of a first part may be half a character. */
function textOf(bytes: Buffer, truncated: boolean): string | null {
  const most = truncated ? 3 : 0;
  for (let cut = 0; cut <= most && cut <= bytes.length; cut += 1) {
    const part = bytes.subarray(0, bytes.length - cut);
    if (isUtf8(part)) return part.toString('utf8');
  }
  return null;
}

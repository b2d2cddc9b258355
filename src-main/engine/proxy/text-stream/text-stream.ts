import { messageTextLimit } from '#shared/flow/message.ts';
import type { MessageDraft } from '../decoders/decoder.ts';
import type { FlowMessages } from '../flow-messages.ts';
import { ContentStream } from './content-stream.ts';
import { EventStreamParser } from './event-stream-parser.ts';
import type { ServerSentEvent } from './event-stream-parser.ts';
import { LineSplitter } from './line-splitter.ts';
import type { Line } from './line-splitter.ts';

/** One line, decoded, may be as long as this; beyond it is no stream of lines. */
export const streamLineLimitBytes = 16 * 1024 ** 2;

/** Every answer is asked, so the first look is the cheapest that there is; types are written in lower case, as all do. */
const mayBeStream = (fields: string): boolean => fields.includes('stream') || fields.includes('ndjson');
const streamType =
  /(?:^|\n)content-type:[ \t]*(?:(text\/event-stream)|application\/(?:x-ndjson|ndjson|stream\+json))[ \t]*[;\r]/i;
const contentEncoding = /(?:^|\n)content-encoding:[ \t]*([^\r]*)/i;

/** Whether a response is a text of events or lines that comes while it is read; told by its fields. */
export function streamKind(fields: string): 'events' | 'lines' | null {
  if (!mayBeStream(fields)) return null;
  const found = streamType.exec(fields);
  if (found === null) return null;
  return found[1] === undefined ? 'lines' : 'events';
}

/** Of events, or of lines. */
interface TextParser {
  feed(bytes: Buffer): void;
  end(): void;
  readonly openBytes: number;
}

/**
 * The events or lines of a response, told while it passes. The bytes themselves are forwarded by somebody else; nothing
 * of the stream is held but the line at hand.
 */
export class TextStream {
  readonly #messages: FlowMessages;
  readonly #now: () => number;
  readonly #content: ContentStream;
  readonly #parser: TextParser;
  readonly #type: 'event' | 'line';
  #isOver = false;

  /** @param fields Of the response, a line each. */
  constructor(kind: 'events' | 'lines', fields: string, messages: FlowMessages, now: () => number) {
    this.#messages = messages;
    this.#now = now;
    this.#type = kind === 'events' ? 'event' : 'line';
    this.#parser =
      kind === 'events'
        ? new EventStreamParser(messageTextLimit, (event) => this.#tellEvent(event))
        : new LineSplitter('lf', messageTextLimit * 3, (line) => this.#tellLine(line));
    this.#content = new ContentStream(
      contentEncoding.exec(fields)?.[1] ?? null,
      (bytes) => this.#read(bytes),
      (reason) => this.#fail(reason),
    );
  }

  data(bytes: Buffer): void {
    if (!this.#isOver) this.#content.write(bytes);
  }

  /** The response is over. Not null: the last message is told when it resolves. */
  end(): Promise<void> | null {
    if (this.#isOver) return null;
    const decoded = this.#content.end();
    if (decoded !== null) return decoded.then(() => this.#end());
    this.#end();
    return null;
  }

  #end(): void {
    if (this.#isOver) return;
    this.#parser.end();
    this.#isOver = true;
    this.#content.close();
  }

  #read(bytes: Buffer): void {
    if (this.#isOver) return;
    this.#parser.feed(bytes);
    if (this.#parser.openBytes > streamLineLimitBytes)
      this.#fail(`A line becomes larger than ${streamLineLimitBytes / 1024 ** 2} MiB.`);
  }

  #fail(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#content.close();
    this.#tell({ sizeBytes: 0, error: `What follows is not shown. ${reason}` });
  }

  #tellEvent({ name, id, data, truncated, sizeBytes, isCut }: ServerSentEvent): void {
    const summary = [name, id === null ? '' : `id ${id}`].filter((part) => part !== '').join(', ');
    this.#tell({ text: data, truncated, sizeBytes, summary, error: isCut ? cutError : null });
  }

  #tellLine({ bytes, sizeBytes }: Line): void {
    const text = bytes.toString('utf8').replace(/\r$/, '');
    // Lines that are empty keep a connection alive, and are nothing to show.
    if (text !== '') this.#tell({ text, truncated: bytes.length < sizeBytes, sizeBytes });
  }

  #tell(parts: Pick<MessageDraft, 'sizeBytes'> & Partial<MessageDraft>): void {
    const { isCoded } = this.#content;
    this.#messages.tell({
      type: this.#type,
      direction: 'response',
      at: this.#now(),
      compressed: isCoded,
      ...parts,
    });
  }
}

const cutError = 'The stream ended in the middle of it.';

import { createInflateRaw } from 'node:zlib';
import type { InflateRaw } from 'node:zlib';
import { KeptContent } from './kept-content.ts';
import type { MessageContent } from './message-reader.ts';

/** RFC 7692, section 7.2.2: what the sender took off the end of each message. */
const tail = Buffer.from([0x00, 0x00, 0xff, 0xff]);
/** One message may become as large as this; beyond it is no message but an attack, or nothing that anybody reads. */
export const inflatedMessageLimitBytes = 16 * 1024 ** 2;
/** Compressed bytes that wait to be decompressed: forwarding does not wait for it. */
export const inflateBacklogLimitBytes = 4 * 1024 ** 2;
/** Decompressors of one process, some 50 KiB each: WebSockets beyond are not decompressed. */
export const inflatersLimit = 1000;
let inflaters = 0;

export interface InflatedMessage {
  /** The first bytes. */
  readonly bytes: Buffer;
  /** There is more than `bytes` has. */
  readonly truncated: boolean;
  /** Why it could not be decompressed as a whole; null: it was. */
  readonly failure: string | null;
}

/** One message while it is decompressed. */
export class InflatingContent implements MessageContent {
  readonly kept: KeptContent;
  sizeBytes = 0;
  /** What has come while messages before it were decompressed. */
  waiting: Buffer[] = [];
  /** The sender ended its stream with it (RFC 7692, section 7.2.3.4): nothing more comes out. */
  isInflated = false;
  /** Set once the message is whole. */
  done: ((message: InflatedMessage) => void) | null = null;
  readonly #inflater: MessageInflater;

  constructor(inflater: MessageInflater, keptBytes: number) {
    this.#inflater = inflater;
    this.kept = new KeptContent(keptBytes);
  }

  get room(): number {
    return this.#inflater.failure === null ? Infinity : 0;
  }

  add(content: Buffer): void {
    this.#inflater.write(this, content);
  }
}

/**
 * Decompresses the messages of one direction, one after the other, on zlib's own threads: what passes does not wait for
 * it. Once it has failed it stays so: the window of later messages would not be right.
 */
export class MessageInflater {
  /** Why nothing is decompressed any more. */
  failure: string | null = null;
  #stream: InflateRaw | null = null;
  /** In their order; the first one is in the stream, the others wait. */
  #open: InflatingContent[] = [];
  #waitingBytes = 0;
  #isInputOver = false;
  readonly #resets: boolean;

  /** @param noContextTakeover Each message begins with an empty window. */
  constructor(noContextTakeover: boolean) {
    this.#resets = noContextTakeover;
  }

  /** @param keptBytes of what it becomes. */
  begin(keptBytes: number): InflatingContent {
    const content = new InflatingContent(this, keptBytes);
    if (this.failure === null) this.#open.push(content);
    return content;
  }

  write(content: InflatingContent, compressed: Buffer): void {
    if (this.failure !== null) return;
    const backlog = this.#waitingBytes + (this.#stream?.writableLength ?? 0);
    if (backlog + compressed.length > inflateBacklogLimitBytes)
      return this.#fail('It came faster than it could be decompressed.');
    // It is read on another thread, after whoever gave it has gone on.
    const copy = Buffer.from(compressed);
    if (content === this.#open[0]) return this.#feed(content, copy);
    content.waiting.push(copy);
    this.#waitingBytes += copy.length;
  }

  /** The message is whole. `done` is called later, or at once when it cannot be decompressed. */
  end(content: InflatingContent, done: (message: InflatedMessage) => void): void {
    if (this.failure !== null) return done(this.#failed(content));
    content.done = done;
    if (content === this.#open[0]) this.#finish(content);
  }

  close(): void {
    this.#fail('The flow was over.');
  }

  /** Nothing more comes: messages that are whole are decompressed, one that is not is given up. */
  inputEnded(): void {
    this.#isInputOver = true;
    if (this.#open[0]?.done === null) this.close();
  }

  #feed(content: InflatingContent, compressed: Buffer): void {
    if (!content.isInflated) this.#get()?.write(compressed);
  }

  #finish(content: InflatingContent): void {
    if (content.isInflated) return this.#settle(content);
    const stream = this.#get();
    if (stream === null) return;
    stream.write(tail);
    stream.flush(() => {
      if (stream === this.#stream) this.#settle(content);
    });
  }

  /** The first one is done; the next one has its turn. */
  #settle(content: InflatingContent): void {
    if (content !== this.#open[0]) return;
    this.#open.shift();
    if (this.#resets) this.#release();
    const { kept, sizeBytes } = content;
    content.done?.({ bytes: kept.bytes, truncated: sizeBytes > kept.bytes.length, failure: null });
    const next = this.#open[0];
    if (next === undefined) return;
    for (const bytes of next.waiting) {
      this.#waitingBytes -= bytes.length;
      this.#feed(next, bytes);
    }
    next.waiting = [];
    if (this.failure !== null) return;
    if (next.done !== null) this.#finish(next);
    else if (this.#isInputOver) this.close();
  }

  #get(): InflateRaw | null {
    if (this.failure !== null) return null;
    if (this.#stream !== null) return this.#stream;
    if (inflaters >= inflatersLimit) {
      this.#fail(`More than ${inflatersLimit} compressed directions are open in this worker.`);
      return null;
    }
    inflaters += 1;
    const stream = createInflateRaw();
    stream.on('data', (bytes: Buffer) => this.#inflated(bytes));
    stream.on('end', () => this.#ended(stream));
    stream.on('error', (error) => this.#fail(`It cannot be decompressed (${error.message}).`));
    this.#stream = stream;
    return stream;
  }

  #inflated(bytes: Buffer): void {
    const content = this.#open[0];
    if (content === undefined) return;
    content.sizeBytes += bytes.length;
    if (content.sizeBytes > inflatedMessageLimitBytes)
      return this.#fail(`It becomes larger than ${inflatedMessageLimitBytes / 1024 ** 2} MiB.`);
    content.kept.add(bytes);
  }

  /** The sender has ended its stream; with its next message it begins a new one. */
  #ended(stream: InflateRaw): void {
    if (stream !== this.#stream) return;
    this.#release();
    const content = this.#open[0];
    if (content === undefined) return;
    content.isInflated = true;
    if (content.done !== null) this.#settle(content);
  }

  #fail(reason: string): void {
    if (this.failure !== null) return;
    this.failure = reason;
    this.#release();
    const open = this.#open;
    this.#open = [];
    for (const content of open) content.done?.(this.#failed(content));
  }

  #failed({ kept }: InflatingContent): InflatedMessage {
    return { bytes: kept.bytes, truncated: true, failure: this.failure };
  }

  #release(): void {
    if (this.#stream === null) return;
    inflaters -= 1;
    this.#stream.removeAllListeners('data');
    this.#stream.destroy();
    this.#stream = null;
  }
}

import type { Transform } from 'node:stream';
import { codingsOf, contentDecoder } from '../../capture/body-decoding.ts';

/** Bytes that wait to be decompressed: forwarding does not wait for it. */
export const decodeBacklogLimitBytes = 4 * 1024 ** 2;

/**
 * The content of a stream, its codings undone while it passes (RFC 9110, section 8.4), on zlib's own threads. What a
 * sender has flushed comes out at once: decompressors hold nothing back.
 */
export class ContentStream {
  #first: Transform | null = null;
  #failed = false;
  readonly #codings: string[];
  readonly #content: (bytes: Buffer) => void;
  readonly #fail: (reason: string) => void;
  #ended: (() => void) | null = null;
  /** All has come out: what follows an end that the codings themselves have is none of it. */
  #isFinished = false;

  /** @param fail Called once: nothing follows. */
  constructor(
    contentEncoding: string | null,
    content: (bytes: Buffer) => void,
    fail: (reason: string) => void,
  ) {
    this.#codings = codingsOf(contentEncoding).reverse();
    this.#content = content;
    this.#fail = fail;
  }

  get isCoded(): boolean {
    return this.#codings.length > 0;
  }

  /** @param bytes as transferred; copied where they are not read at once. */
  write(bytes: Buffer): void {
    if (this.#failed || this.#isFinished) return;
    if (!this.isCoded) return this.#content(bytes);
    if (bytes.length === 0) return;
    this.#first ??= this.#open(bytes);
    if (this.#first === null) return;
    if (this.#first.writableLength + bytes.length > decodeBacklogLimitBytes)
      return this.#giveUp('It came faster than it could be decompressed.');
    this.#first.write(Buffer.from(bytes));
  }

  /** Not null: the last content is told when it resolves. */
  end(): Promise<void> | null {
    if (this.#first === null || this.#failed || this.#isFinished) return null;
    const first = this.#first;
    return new Promise((resolve) => {
      this.#ended = resolve;
      first.end();
    });
  }

  /** Lets go of everything; nothing more is told. */
  close(): void {
    this.#failed = true;
    this.#first?.destroy();
    this.#first = null;
    this.#ended?.();
  }

  #open(bytes: Buffer): Transform | null {
    const decoders = this.#codings.map((coding) => contentDecoder(coding)?.(bytes) ?? null);
    if (decoders.includes(null)) {
      this.#giveUp(`Its content coding (${this.#codings.join(', ')}) is not known here.`);
      return null;
    }
    const chain = decoders as Transform[];
    chain.forEach((decoder, index) => {
      const next = chain[index + 1];
      decoder.on('error', (error) => this.#giveUp(`It cannot be decompressed (${error.message}).`));
      decoder.on('data', (part: Buffer) => {
        if (next === undefined) this.#content(part);
        else next.write(part);
      });
      decoder.on('end', () => {
        if (next === undefined) this.#finished();
        else next.end();
      });
    });
    return chain[0] ?? null;
  }

  #finished(): void {
    this.#isFinished = true;
    this.#ended?.();
  }

  #giveUp(reason: string): void {
    if (this.#failed) return;
    // A stream that is broken off in its middle is the normal end of one (Z_BUF_ERROR).
    if (this.#ended === null) this.#fail(reason);
    this.close();
  }
}

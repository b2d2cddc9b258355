import type { MessageContent } from './message-reader.ts';

/** The first bytes of a message, copied: what they came in is not pinned. */
export class KeptContent implements MessageContent {
  #chunks: Buffer[] = [];
  #room: number;

  constructor(maxBytes: number) {
    this.#room = maxBytes;
  }

  get room(): number {
    return this.#room;
  }

  add(content: Buffer): void {
    const kept = content.length > this.#room ? content.subarray(0, this.#room) : content;
    if (kept.length === 0) return;
    this.#room -= kept.length;
    this.#chunks.push(Buffer.from(kept));
  }

  get bytes(): Buffer {
    return this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
  }
}

import type { BatchEncoder } from './batch-encoder.ts';
import type { MessageSource } from './flow-record.ts';

/** The flows that have messages for the next batch. Their messages stay with them until it is made. */
export class WaitingMessages {
  readonly #sources = new Set<MessageSource>();
  /** About how large they are. */
  sizeBytes = 0;

  get isEmpty(): boolean {
    return this.#sources.size === 0;
  }

  add(source: MessageSource, sizeBytes: number): void {
    this.#sources.add(source);
    this.sizeBytes += sizeBytes;
  }

  /** Puts them behind the flows of the batch: what ended with it has its last messages there. */
  takeInto(encoder: BatchEncoder, hasRoom: boolean): void {
    this.sizeBytes = 0;
    for (const source of this.#sources) {
      if (!hasRoom) source.drop();
      else {
        const messages = source.take();
        if (messages.length > 0) encoder.addMessages(source.flowId, messages);
      }
      if (!source.isWaiting) this.#sources.delete(source);
    }
  }

  clear(): void {
    for (const source of this.#sources) source.drop();
    this.#sources.clear();
    this.sizeBytes = 0;
  }
}

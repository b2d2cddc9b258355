/** Of one block. */
export const blockBytes = 65_536;
const maxSpare = 128;

/**
 * Memory for large bodies, in blocks that are used again. Read buffers that were kept for seconds would become old in V8's
 * heap, and what is old and outside of it is collected late: three times the memory that is held, and more.
 */
export class BodyBlocks {
  readonly #spare: Buffer[] = [];

  take(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
  }

  /** Nobody may look at it any more. */
  giveBack(block: Buffer): void {
    if (this.#spare.length < maxSpare) this.#spare.push(block);
  }
}

/** A body as its record holds it: pieces kept by reference, then blocks, the last one filled as far as `usedBytes`. */
export class PooledChunks {
  readonly #blocks: Buffer[] = [];
  readonly #pool: BodyBlocks;
  /** Of the last block. */
  #usedBytes = blockBytes;

  constructor(pool: BodyBlocks) {
    this.#pool = pool;
  }

  /** How many further blocks so many bytes take. */
  blocksFor(bytes: number): number {
    return Math.ceil(Math.max(0, bytes - (blockBytes - this.#usedBytes)) / blockBytes);
  }

  add(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#usedBytes === blockBytes) {
        this.#blocks.push(this.#pool.take());
        this.#usedBytes = 0;
      }
      const copied = bytes.copy(this.#blocks.at(-1) as Buffer, this.#usedBytes, at);
      this.#usedBytes += copied;
      at += copied;
    }
  }

  /** What was added, in order. */
  chunks(): Buffer[] {
    const last = this.#blocks.length - 1;
    return this.#blocks.map((block, index) => (index === last ? block.subarray(0, this.#usedBytes) : block));
  }

  /** The blocks are for others now; what `chunks` returned must not be looked at any more. */
  release(): void {
    for (const block of this.#blocks.splice(0)) this.#pool.giveBack(block);
    this.#usedBytes = blockBytes;
  }
}

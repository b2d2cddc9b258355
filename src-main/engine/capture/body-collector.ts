import { blockBytes, BodyBlocks, PooledChunks } from './body-blocks.ts';
import { noBody } from './flow-record.ts';
import type { BodyCapture } from './flow-record.ts';

/** Memory that longer chunks were read into is used again (io/direct-reads.ts): they are copied. */
const copiedFromBytes = 16_384;

/** Memory that the collectors of one worker hold together; the bound is on the sum, whatever their number. */
export interface BodyBudget {
  /** False, and nothing is taken, when there is not that much left. */
  take(bytes: number): boolean;
  give(bytes: number): void;
  /**
   * The same for what is beyond the first 64 KiB of bodies, which have a bound of their own within the other.
   * @param bodyBytes What one body may have: that much there is in any case.
   */
  takeBlocks(bytes: number, bodyBytes: number): boolean;
  giveBlocks(bytes: number): void;
  readonly blocks: BodyBlocks;
  readonly heldBytes: number;
}

/**
 * @param maxBytes default 64 MiB.
 * @param maxBlocksBytes of it for what is beyond the first 64 KiB of bodies: a few large ones are not to leave the others
 * without room, and hold memory for as long as they last. Default 20 MiB: two of the longest that are stored.
 */
export function createBodyBudget(
  maxBytes = 64 * 1024 ** 2,
  maxBlocksBytes = Math.min(maxBytes, 20 * 1024 ** 2),
): BodyBudget {
  let held = 0;
  let inBlocks = 0;
  const take = (bytes: number): boolean => {
    if (held + bytes > maxBytes) return false;
    held += bytes;
    return true;
  };
  return {
    blocks: new BodyBlocks(),
    take,
    give(bytes) {
      held -= bytes;
    },
    takeBlocks(bytes, bodyBytes) {
      if (inBlocks + bytes > Math.max(maxBlocksBytes, bodyBytes) || !take(bytes)) return false;
      inBlocks += bytes;
      return true;
    },
    giveBlocks(bytes) {
      inBlocks -= bytes;
      held -= bytes;
    },
    get heldBytes() {
      return held;
    },
  };
}

/**
 * Keeps the first part of one body while it passes. Ends by `finish` or `discard`, whichever comes first; what is added
 * afterwards is ignored.
 */
export class BodyCollector {
  readonly #budget: BodyBudget;
  readonly #maxBodyBytes: number;
  #chunks: Buffer[] = [];
  /** What is beyond the first pieces of a body. */
  #pooled: PooledChunks | null = null;
  #sizeBytes = 0;
  /** What was taken from the budget: for a chunk kept by reference, all that it pins. */
  #heldBytes = 0;
  #blocksBytes = 0;
  #state: 'none' | 'stored' | 'truncated' | 'dropped' | 'ended' = 'none';

  constructor(maxBodyBytes: number, budget: BodyBudget) {
    this.#maxBodyBytes = maxBodyBytes;
    this.#budget = budget;
  }

  /**
   * @param chunk content without framing. Up to 16 KiB, when it has at least half of its memory for itself, it is kept as it
   * is, and must not be written to afterwards; else it is copied.
   */
  add(chunk: Buffer): void {
    if (chunk.length === 0 || (this.#state !== 'none' && this.#state !== 'stored')) return;
    this.#state = 'stored';
    const room = this.#maxBodyBytes - this.#sizeBytes;
    if (chunk.length <= room) {
      this.#keep(chunk);
      return;
    }
    if (room > 0) this.#keep(chunk.subarray(0, room));
    if (this.#state === 'stored') this.#state = 'truncated';
  }

  /** What was kept; the budget has its share back, since the record now owns the bytes: that of blocks when they are released. */
  finish(): BodyCapture {
    const state = this.#state;
    const body: BodyCapture =
      state === 'none' || state === 'ended'
        ? noBody
        : { state, chunks: this.#chunks, sizeBytes: this.#sizeBytes };
    const pooled = this.#pooled;
    if (pooled !== null && body.sizeBytes > 0) {
      this.#chunks.push(...pooled.chunks());
      body.release = releaseOf(this.#budget, this.#blocksBytes, pooled);
      this.#blocksBytes = 0;
      this.#pooled = null;
    }
    this.discard();
    return body;
  }

  /** Lets go of everything. */
  discard(): void {
    this.#release();
    this.#state = 'ended';
  }

  #keep(chunk: Buffer): void {
    if (this.#sizeBytes + chunk.length > blockBytes) return this.#keepInBlocks(chunk);
    // A small slice pins the large buffer that it was read into: a copy costs less than what it would hold.
    const copies = chunk.length >= copiedFromBytes || chunk.length * 2 < chunk.buffer.byteLength;
    const held = copies ? chunk.length : chunk.buffer.byteLength;
    if (!this.#budget.take(held)) return this.#overBudget();
    this.#heldBytes += held;
    this.#sizeBytes += chunk.length;
    this.#chunks.push(copies ? Buffer.from(chunk) : chunk);
  }

  #keepInBlocks(chunk: Buffer): void {
    const pooled = (this.#pooled ??= new PooledChunks(this.#budget.blocks));
    const held = pooled.blocksFor(chunk.length) * blockBytes;
    if (!this.#budget.takeBlocks(held, this.#maxBodyBytes)) return this.#overBudget();
    this.#blocksBytes += held;
    this.#sizeBytes += chunk.length;
    pooled.add(chunk);
  }

  #overBudget(): void {
    this.#release();
    this.#state = 'dropped';
  }

  #release(): void {
    this.#pooled?.release();
    this.#pooled = null;
    this.#budget.give(this.#heldBytes);
    this.#budget.giveBlocks(this.#blocksBytes);
    this.#heldBytes = this.#blocksBytes = 0;
    this.#sizeBytes = 0;
    this.#chunks = [];
  }
}

/** Gives blocks and their share of the budget back, however often it is called. */
function releaseOf(budget: BodyBudget, bytes: number, pooled: PooledChunks): () => void {
  let left = bytes;
  return () => {
    pooled.release();
    budget.giveBlocks(left);
    left = 0;
  };
}

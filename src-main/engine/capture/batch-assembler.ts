import { FrameReader } from './batch-frame.ts';
import type { FrameVisitor } from './batch-frame.ts';

/** Batches of the usual size fit into one of these; a larger one has a buffer of its own. */
const usualBytes = 320 * 1024;
const maxSpare = 32;

/** Memory for batches, used again: garbage outside of V8's heap is what makes it collect most often. */
export class BatchBuffers {
  readonly #spare: ArrayBuffer[] = [];

  take(bytes: number): Buffer {
    if (bytes > usualBytes) return Buffer.allocUnsafeSlow(bytes);
    return Buffer.from(this.#spare.pop() ?? new ArrayBuffer(usualBytes), 0, bytes);
  }

  /** Nobody may look at it any more. */
  giveBack(batch: Buffer): void {
    const { buffer } = batch;
    if (!(buffer instanceof ArrayBuffer)) return;
    if (buffer.byteLength === usualBytes && this.#spare.length < maxSpare) this.#spare.push(buffer);
    else free(buffer);
  }
}

/** Gives memory back to the system now: as garbage it would wait for a collection, which sees little reason for one. */
function free(buffer: ArrayBuffer): void {
  buffer.transfer(0);
}

/** Puts together the batches of one worker's pipe. */
export class BatchAssembler {
  readonly #reader = new FrameReader();
  readonly #visitor: FrameVisitor;

  constructor(buffers: BatchBuffers, whole: (batch: Buffer) => void) {
    let batch: Buffer = Buffer.alloc(0);
    let end = 0;
    this.#visitor = {
      began({ bytes }) {
        batch = buffers.take(bytes);
        end = 0;
      },
      content(bytes) {
        batch.set(bytes, end);
        end += bytes.length;
      },
      ended: () => whole(batch),
    };
  }

  /** @param piece is copied; its memory, if it has it for itself, is gone then. */
  add(piece: Buffer): void {
    this.#reader.read(piece, this.#visitor);
    const { buffer } = piece;
    if (buffer instanceof ArrayBuffer && buffer.byteLength === piece.length) free(buffer);
  }
}

import { Socket } from 'node:net';
import type { BatchTail } from '../capture/capture-writer.ts';
import { frameHeaderBytes, writeFrameHeader } from '../capture/batch-frame.ts';

/** Behind stdin, stdout, stderr and the cluster's channel. */
export const batchPipeFd = 4;

/** Batches of the usual size fit with their header; buffers of this length are used again. */
const usualBytes = 320 * 1024;
const maxSpare = 8;

/** Where a batch carries the number of its flows (capture/batch-format.ts). */
const countAt = 8;

/**
 * The worker's end of its pipe to the recorder. Batches have a pipe of their own because the cluster's channel is dear: it
 * serialises, puts together and copies what it carries, in the primary's heap, which made capture cost twice as much.
 */
export class BatchPipe {
  readonly #socket: Socket;
  readonly #spare: Buffer[] = [];

  constructor(fd = batchPipeFd) {
    this.#socket = new Socket({ fd, readable: false, writable: true });
    // The primary is gone: its workers are about to end, and nobody is left to store anything.
    this.#socket.on('error', () => undefined);
  }

  /** Copies the batch, which the caller may use again; its tail is written from where it lies. */
  write(batch: Uint8Array, droppedFlows: number, droppedBodies: number, tail: BatchTail | null): void {
    const length = frameHeaderBytes + batch.length;
    const frame = length > usualBytes ? Buffer.allocUnsafeSlow(length) : this.#takeBuffer();
    const flows = new DataView(batch.buffer, batch.byteOffset).getUint32(countAt, true);
    const bytes = batch.length + (tail?.bytes ?? 0);
    writeFrameHeader(frame, { bytes, flows, droppedFlows, droppedBodies });
    frame.set(batch, frameHeaderBytes);
    this.#socket.cork();
    this.#socket.write(frame.subarray(0, length), () => this.#giveBack(frame));
    if (tail !== null) this.#writeTail(tail);
    this.#socket.uncork();
  }

  /** Calls back when all that was written is with the system, or cannot be any more. */
  end(done: () => void): void {
    if (this.#socket.destroyed) return done();
    this.#socket.once('close', done);
    this.#socket.end(() => this.#socket.destroy());
  }

  #writeTail({ chunks, taken }: BatchTail): void {
    const last = chunks.length - 1;
    for (const [index, chunk] of chunks.entries()) {
      // Also called when the pipe is gone: then nobody reads them any more.
      if (index === last) this.#socket.write(chunk, taken);
      else this.#socket.write(chunk);
    }
  }

  #takeBuffer(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(usualBytes);
  }

  #giveBack(frame: Buffer): void {
    if (frame.length === usualBytes && this.#spare.length < maxSpare) this.#spare.push(frame);
  }
}

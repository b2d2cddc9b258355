/**
 * How batches lie in a worker's pipe: one behind the other, each after a header of 16 bytes, little endian. What was
 * dropped travels with the batch that follows it.
 *
 *     u32 length of the batch · u32 flows in it · u32 flows dropped · u32 bodies dropped · the batch
 */
export const frameHeaderBytes = 16;

export interface FrameHeader {
  readonly bytes: number;
  readonly flows: number;
  readonly droppedFlows: number;
  readonly droppedBodies: number;
}

export function writeFrameHeader(target: Buffer, header: FrameHeader): void {
  target.writeUInt32LE(header.bytes, 0);
  target.writeUInt32LE(header.flows, 4);
  target.writeUInt32LE(header.droppedFlows, 8);
  target.writeUInt32LE(header.droppedBodies, 12);
}

/** What a reader finds, called in this order for each frame; `content` as often as its bytes come. */
export interface FrameVisitor {
  began(header: FrameHeader, raw: Buffer): void;
  content(bytes: Buffer): void;
  ended(): void;
}

/** Finds the frames in what comes out of a pipe, however it is cut. */
export class FrameReader {
  readonly #header = Buffer.alloc(frameHeaderBytes);
  /** Bytes of the header that have come. */
  #have = 0;
  /** Bytes of the batch that are still to come. */
  #left = 0;

  /** Whether some of a header has come, and not all of it. */
  get isInHeader(): boolean {
    return this.#have > 0 && this.#have < frameHeaderBytes;
  }

  read(chunk: Buffer, visitor: FrameVisitor): void {
    let at = 0;
    while (at < chunk.length) {
      at =
        this.#have < frameHeaderBytes
          ? this.#readHeader(chunk, at, visitor)
          : this.#readContent(chunk, at, visitor);
    }
  }

  #readHeader(chunk: Buffer, at: number, visitor: FrameVisitor): number {
    const header = this.#header;
    const copied = chunk.copy(header, this.#have, at);
    this.#have += copied;
    if (this.#have < frameHeaderBytes) return at + copied;
    this.#left = header.readUInt32LE(0);
    const flows = header.readUInt32LE(4);
    const [droppedFlows, droppedBodies] = [header.readUInt32LE(8), header.readUInt32LE(12)];
    visitor.began({ bytes: this.#left, flows, droppedFlows, droppedBodies }, header);
    if (this.#left === 0) this.#end(visitor);
    return at + copied;
  }

  #readContent(chunk: Buffer, at: number, visitor: FrameVisitor): number {
    const end = Math.min(chunk.length, at + this.#left);
    visitor.content(chunk.subarray(at, end));
    this.#left -= end - at;
    if (this.#left === 0) this.#end(visitor);
    return end;
  }

  #end(visitor: FrameVisitor): void {
    this.#have = 0;
    visitor.ended();
  }
}

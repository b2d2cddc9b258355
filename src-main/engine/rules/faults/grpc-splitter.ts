import type { MessageShape } from './stage.ts';

/** Compressed-flag and length of a message (gRPC over HTTP/2, Length-Prefixed-Message). */
const prefixBytes = 5;

/** Told what passes, in its order, cut at the borders of messages; whole or in parts, as it came. */
export interface GrpcPartOwner {
  head(part: Buffer): void;
  /** Behind the last byte of the head. */
  headEnded(): void;
  message(part: Buffer, isFirst: boolean, isLast: boolean): void;
}

/**
 * Finds the messages of one direction of a gRPC call behind its head, without keeping anything of them. What turns out to be
 * none (a flag that is neither 0 nor 1) is told as the rest of one message.
 */
export class GrpcSplitter {
  #headLeft: number | null = null;
  #prefix = Buffer.alloc(prefixBytes);
  #prefixRead = 0;
  #left = 0;
  readonly #shape: () => MessageShape;
  readonly #owner: GrpcPartOwner;

  constructor(shape: () => MessageShape, owner: GrpcPartOwner) {
    this.#shape = shape;
    this.#owner = owner;
  }

  feed(chunk: Buffer): void {
    let at = this.#readHead(chunk);
    while (at < chunk.length) at = this.#readMessage(chunk, at);
  }

  #readHead(chunk: Buffer): number {
    this.#headLeft ??= this.#shape().headBytes;
    if (this.#headLeft === 0) return 0;
    const taken = Math.min(this.#headLeft, chunk.length);
    this.#headLeft -= taken;
    this.#owner.head(taken === chunk.length ? chunk : chunk.subarray(0, taken));
    if (this.#headLeft === 0) this.#owner.headEnded();
    return taken;
  }

  #readMessage(chunk: Buffer, from: number): number {
    const isFirst = this.#prefixRead === 0;
    let at = from;
    if (this.#prefixRead < prefixBytes) {
      at += chunk.copy(this.#prefix, this.#prefixRead, at, at + prefixBytes - this.#prefixRead);
      this.#prefixRead += at - from;
      if (this.#prefixRead === prefixBytes)
        this.#left = (this.#prefix[0] as number) > 1 ? Infinity : this.#prefix.readUInt32BE(1);
    }
    const taken = this.#prefixRead < prefixBytes ? 0 : Math.min(this.#left, chunk.length - at);
    at += taken;
    this.#left -= taken;
    const isLast = this.#prefixRead === prefixBytes && this.#left === 0;
    if (isLast) this.#prefixRead = 0;
    this.#owner.message(chunk.subarray(from, at), isFirst, isLast);
    return at;
  }
}

import type { Direction } from '#shared/flow/flow.ts';
import type { MessageOutput, StreamDecoder } from '../decoders/decoder.ts';

/** Compressed-flag and length of a message (gRPC over HTTP/2, Length-Prefixed-Message). */
const prefixBytes = 5;

/** One direction of a call: how much of which message has come. */
class MessageCounter {
  #prefix = Buffer.alloc(prefixBytes);
  #prefixRead = 0;
  #sizeBytes = 0;
  #left = 0;
  readonly #whole: (sizeBytes: number, compressed: boolean) => void;

  constructor(whole: (sizeBytes: number, compressed: boolean) => void) {
    this.#whole = whole;
  }

  /** False when it is no sequence of messages: the flag of a prefix is neither 0 nor 1. */
  bytes(chunk: Buffer): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#prefixRead < prefixBytes) {
        const copied = chunk.copy(this.#prefix, this.#prefixRead, at, at + prefixBytes - this.#prefixRead);
        this.#prefixRead += copied;
        at += copied;
        if (this.#prefixRead < prefixBytes) return true;
        if ((this.#prefix[0] as number) > 1) return false;
        this.#left = this.#sizeBytes = this.#prefix.readUInt32BE(1);
      }
      const taken = Math.min(this.#left, chunk.length - at);
      at += taken;
      this.#left -= taken;
      if (this.#left > 0) return true;
      this.#prefixRead = 0;
      this.#whole(this.#sizeBytes, this.#prefix[0] === 1);
    }
    return true;
  }
}

/** The messages of one gRPC call: counted, measured and timed. Nothing of them is kept: without its schema a message says little. */
export class GrpcMessages implements StreamDecoder {
  isLost = false;
  #at = 0;
  readonly #counters: Readonly<Record<Direction, MessageCounter>>;

  constructor(output: MessageOutput) {
    const counter = (direction: Direction): MessageCounter =>
      new MessageCounter((sizeBytes, compressed) =>
        output({ type: 'grpc', direction, sizeBytes, compressed, at: this.#at }),
      );
    this.#counters = { request: counter('request'), response: counter('response') };
  }

  bytes(direction: Direction, chunk: Buffer, at: number): void {
    if (this.isLost) return;
    this.#at = at;
    if (!this.#counters[direction].bytes(chunk)) this.isLost = true;
  }

  end(): void {
    // What has not come whole is no message.
  }
}

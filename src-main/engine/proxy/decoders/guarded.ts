import type { Direction } from '#shared/flow/flow.ts';
import { bounded } from './shown.ts';
import type { MessageOutput, MessageRoom, ProtocolDecoder, StreamDecoder } from './decoder.ts';

/**
 * A decoder is a bystander: what is wrong in it must not end the connection that it looks at. When one throws it is given
 * up, once, and the flow says so: a bug is seen where it happened, with the bytes that led to it.
 */
export function guarded(protocol: ProtocolDecoder): ProtocolDecoder {
  return { ...protocol, create: (output, room) => new GuardedDecoder(protocol, output, room) };
}

class GuardedDecoder implements StreamDecoder {
  readonly #protocol: string;
  readonly #output: MessageOutput;
  readonly #decoder: StreamDecoder;
  #hasFailed = false;

  constructor(protocol: ProtocolDecoder, output: MessageOutput, room?: MessageRoom) {
    this.#protocol = protocol.protocol;
    this.#output = output;
    this.#decoder = protocol.create(output, room);
  }

  get isLost(): boolean {
    return this.#hasFailed || this.#decoder.isLost;
  }

  bytes(direction: Direction, chunk: Buffer, at: number): void {
    if (this.#hasFailed) return;
    try {
      this.#decoder.bytes(direction, chunk, at);
    } catch (error) {
      this.#fail(error, at);
    }
  }

  end(at: number): void {
    if (this.#hasFailed) return;
    try {
      this.#decoder.end(at);
    } catch (error) {
      this.#fail(error, at);
    }
  }

  settled(): Promise<void> | null {
    return this.#decoder.settled?.() ?? null;
  }

  #fail(error: unknown, at: number): void {
    this.#hasFailed = true;
    const what = bounded(error instanceof Error ? `${error.name}: ${error.message}` : String(error), 500);
    this.#output({
      type: 'notice',
      direction: 'response',
      at,
      sizeBytes: 0,
      text: `Not read from here on: the decoder for ${this.#protocol} has a defect. The connection is not affected.`,
      error: what,
    });
  }
}

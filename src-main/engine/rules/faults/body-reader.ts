import { ChunkDecoder } from '../../proxy/http1/chunk-decoder.ts';
import { defaultHttp1Limits } from '../../proxy/http1/limits.ts';
import type { BodyFraming } from './stage.ts';

/** Takes the framing off a body as it comes. */
export class BodyReader {
  /** The trailer section with its empty line, as it came; empty where there is none. */
  trailers: Buffer = Buffer.alloc(0);
  /** The framing is broken: a fault before has seen to that. */
  isBroken = false;
  readonly #chunks: ChunkDecoder | null;

  constructor(framing: BodyFraming) {
    this.#chunks = framing === 'chunked' ? new ChunkDecoder(defaultHttp1Limits.maxChunkExtensionBytes) : null;
  }

  /** What of these bytes is the body's own. */
  read(wire: Buffer): Buffer[] {
    const chunks = this.#chunks;
    if (chunks === null) return [wire];
    const data: Buffer[] = [];
    const end = chunks.atTrailers ? 0 : chunks.read(wire, 0, { onData: (piece) => void data.push(piece) });
    this.isBroken = chunks.refusal !== null;
    if (chunks.atTrailers) this.trailers = Buffer.concat([this.trailers, wire.subarray(end)]);
    return data;
  }
}

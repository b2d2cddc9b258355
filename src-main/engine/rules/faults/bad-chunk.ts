import type { FaultOf } from '#shared/rules/fault.ts';
import { byteCount } from '../fault-mark.ts';
import { chunkOf, endOfChunks, frameChunked } from './message-framing.ts';
import type { EditableHead } from './message-head.ts';
import { MessageStage } from './message-stage.ts';
import type { MessageEditor, NewPiece, Wanted } from './message-stage.ts';
import type { FaultImplementation, MessageShape, StageContext } from './stage.ts';

const nothing = Buffer.alloc(0);
/** Neither a size nor the beginning of an extension (RFC 9112, section 7.1). */
const noSize = 'xyz';

const words = {
  'bad-size': 'and then a size that is no number',
  'short-chunk': 'in a chunk that says twice as many',
  'missing-end': 'and closed without the last chunk',
} as const;

/**
 * Sends the answer in chunks, one of them broken:
 *
 *     bad-size      first half of the first piece as a chunk ▸ "xyz" ▸ the other half ▸ close
 *     short-chunk   twice the size of the first piece ▸ the piece ▸ close
 *     missing-end   every piece as a chunk ▸ close
 */
class BadChunkEditor implements MessageEditor {
  #isRight = false;
  readonly #how: FaultOf<'bad-chunk'>['how'];
  readonly #context: StageContext;

  constructor(fault: FaultOf<'bad-chunk'>, context: StageContext) {
    this.#how = fault.how;
    this.#context = context;
    context.mark.describe = () => 'breaks the chunks of the response';
  }

  head(head: EditableHead, { httpVersion, framing }: MessageShape): Wanted {
    const { mark } = this.#context;
    const why =
      httpVersion !== '1.1'
        ? `HTTP/${httpVersion ?? ''} knows no chunks`
        : framing === 'none'
          ? 'it has no body'
          : null;
    if (why !== null) {
      mark.describe = () => `left the response as it was: ${why}`;
      return 'untouched';
    }
    mark.bytes = 0;
    mark.describe = (at) =>
      at.outcome === 'released'
        ? 'sent the response in chunks, and was turned off before it broke one'
        : `sent ${byteCount(at.bytes)} of the body ${words[this.#how]}`;
    frameChunked(head);
    return 'pieces';
  }

  piece(data: Buffer): NewPiece {
    const { mark } = this.#context;
    mark.bytes = (mark.bytes ?? 0) + data.length;
    if (this.#isRight || this.#how === 'missing-end') return { bytes: chunkOf(data), closes: false };
    return { bytes: this.#broken(data), closes: true };
  }

  lastPiece(trailers: Buffer): NewPiece {
    if (this.#isRight) return { bytes: endOfChunks(trailers), closes: false };
    return { bytes: this.#how === 'missing-end' ? nothing : this.#broken(nothing), closes: true };
  }

  letGo(): void {
    this.#isRight = true;
    this.#context.mark.outcome = 'released';
  }

  #broken(data: Buffer): Buffer {
    if (this.#how === 'short-chunk') {
      const said = Math.max(1, data.length * 2).toString(16);
      return Buffer.concat([Buffer.from(`${said}\r\n`, 'latin1'), data]);
    }
    const middle = data.length >> 1;
    const good = middle === 0 ? nothing : chunkOf(data.subarray(0, middle));
    return Buffer.concat([good, chunkOf(data.subarray(middle), noSize)]);
  }
}

export const badChunk: FaultImplementation<'bad-chunk'> = {
  needsMessages: true,
  directions: () => ['response'],
  createStage: (fault, context) => new MessageStage(new BadChunkEditor(fault, context), context),
  answer: null,
};

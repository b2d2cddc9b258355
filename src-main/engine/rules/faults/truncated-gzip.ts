import { setField } from '../../proxy/http1/fields.ts';
import type { FaultOf } from '#shared/rules/fault.ts';
import { byteCount } from '../fault-mark.ts';
import { codingsIn, decodeContent, encodeContent } from './content-coding.ts';
import type { EditableHead } from './message-head.ts';
import { longestCollectedBytes, MessageStage } from './message-stage.ts';
import type { MessageEditor, NewBody, Wanted } from './message-stage.ts';
import type { FaultImplementation, MessageShape, StageContext } from './stage.ts';

/** Compresses what is not compressed with gzip yet, and leaves the end of that away. The framing says that it is whole. */
class TruncatedGzipEditor implements MessageEditor {
  readonly #share: number;
  readonly #context: StageContext;

  constructor(fault: FaultOf<'truncated-gzip'>, context: StageContext) {
    this.#share = fault.keepPercent / 100;
    this.#context = context;
    context.mark.describe = () => 'truncates the response';
  }

  head(_head: EditableHead, { framing }: MessageShape): Wanted {
    if (framing !== 'none') return 'whole';
    this.#leave('it has no body');
    return 'untouched';
  }

  async rewrite(body: Buffer, { fields }: EditableHead): Promise<NewBody | null> {
    const compressed = await this.#compressed(body, codingsIn(fields));
    if (typeof compressed === 'string') return this.#leave(compressed);
    const kept = compressed.subarray(0, Math.floor(compressed.length * this.#share));
    setField(fields, 'content-encoding', 'gzip');
    const { mark } = this.#context;
    mark.bytes = kept.length;
    mark.describe = () =>
      `sent ${byteCount(kept.length)} of the ${compressed.length.toLocaleString('en-US')} that the response has in gzip`;
    return { body: kept, declaredBytes: kept.length };
  }

  async #compressed(body: Buffer, codings: readonly string[]): Promise<Buffer | string> {
    if (codings.length === 1 && (codings[0] === 'gzip' || codings[0] === 'x-gzip')) return body;
    const content = await decodeContent(body, codings, longestCollectedBytes);
    return typeof content === 'string' ? content : await encodeContent(content, ['gzip']);
  }

  #leave(why: string): null {
    this.#context.mark.describe = () => `left the response as it was: ${why}`;
    return null;
  }
}

export const truncatedGzip: FaultImplementation<'truncated-gzip'> = {
  needsMessages: true,
  directions: () => ['response'],
  createStage: (fault, context) => new MessageStage(new TruncatedGzipEditor(fault, context), context),
  answer: null,
};

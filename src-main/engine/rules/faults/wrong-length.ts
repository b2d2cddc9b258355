import type { FaultOf } from '#shared/rules/fault.ts';
import { getField, setField } from '../../proxy/http1/fields.ts';
import { byteCount } from '../fault-mark.ts';
import type { EditableHead } from './message-head.ts';
import { MessageStage } from './message-stage.ts';
import type { Ending, MessageEditor, NewBody, Wanted } from './message-stage.ts';
import type { FaultImplementation, MessageShape, StageContext } from './stage.ts';

/**
 * Says another Content-Length than the body has. In HTTP/1 the connection cannot be used for anything else afterwards: it is
 * closed, or kept open until the client gives up. In HTTP/2 the stream ends as always, and is malformed (RFC 9113, section 8.1.1).
 */
class WrongLengthEditor implements MessageEditor {
  ending: Ending;
  readonly #by: number;
  readonly #context: StageContext;

  constructor(fault: FaultOf<'wrong-length'>, context: StageContext) {
    this.#by = fault.by;
    this.#context = context;
    this.ending = fault.then === 'wait' ? 'never' : 'close';
    context.mark.describe = () => 'says a wrong length of the response';
  }

  head(head: EditableHead, shape: MessageShape): Wanted {
    if (shape.httpVersion === '2' && this.ending === 'close') this.ending = 'end';
    if (shape.framing === 'none') return this.#untouched('it has no body');
    const said = Number(getField(head.fields, 'content-length') ?? NaN);
    const length = shape.framing === 'length' ? (shape.bodyBytes ?? NaN) : said;
    if (!Number.isSafeInteger(length)) return 'whole';
    const declared = this.#declare(length);
    if (declared === length) return this.#untouched('it is empty');
    setField(head.fields, 'content-length', String(declared));
    return 'head';
  }

  async rewrite(body: Buffer): Promise<NewBody | null> {
    const declaredBytes = this.#declare(body.length);
    if (declaredBytes !== body.length) return await Promise.resolve({ body, declaredBytes });
    this.#untouched('it is empty');
    return null;
  }

  #declare(length: number): number {
    const declared = Math.max(0, length + this.#by);
    const { mark } = this.#context;
    mark.bytes = declared;
    mark.describe = () => `said ${byteCount(declared)} of a body that has ${byteCount(length)}`;
    return declared;
  }

  #untouched(why: string): Wanted {
    const { mark } = this.#context;
    mark.bytes = null;
    mark.describe = () => `left the response as it was: ${why}`;
    return 'untouched';
  }
}

export const wrongLength: FaultImplementation<'wrong-length'> = {
  needsMessages: true,
  directions: () => ['response'],
  createStage: (fault, context) => new MessageStage(new WrongLengthEditor(fault, context), context),
  answer: null,
};

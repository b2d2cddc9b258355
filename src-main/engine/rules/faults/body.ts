import type { FaultOf } from '#shared/rules/fault.ts';
import { byteCount } from '../fault-mark.ts';
import { bodyChange } from './body-change.ts';
import type { BodyChange } from './body-change.ts';
import { codingsIn, decodeContent, encodeContent, isKnownCoding } from './content-coding.ts';
import type { EditableHead } from './message-head.ts';
import { longestCollectedBytes, MessageStage } from './message-stage.ts';
import type { MessageEditor, NewBody, Wanted } from './message-stage.ts';
import type { FaultImplementation, MessageShape, StageContext } from './stage.ts';

/** Changes a body: without its content codings, which are applied again afterwards. */
class BodyEditor implements MessageEditor {
  readonly #fault: FaultOf<'body'>;
  readonly #context: StageContext;

  constructor(fault: FaultOf<'body'>, context: StageContext) {
    this.#fault = fault;
    this.#context = context;
    context.mark.describe = () => `changes the body of the ${context.direction}`;
  }

  head({ fields }: EditableHead, { framing }: MessageShape): Wanted {
    if (framing === 'none') {
      this.#leave('it has no body');
      return 'untouched';
    }
    const unknown = codingsIn(fields).find((coding) => !isKnownCoding(coding));
    if (unknown !== undefined) {
      this.#leave(`its coding ${unknown} is not known`);
      return 'untouched';
    }
    return this.#fault.how === 'replace' ? 'replacement' : 'whole';
  }

  async rewrite(body: Buffer, { fields }: EditableHead): Promise<NewBody | null> {
    const codings = codingsIn(fields);
    const isReplaced = this.#fault.how === 'replace';
    const content = isReplaced ? body : await decodeContent(body, codings, longestCollectedBytes);
    if (typeof content === 'string') return this.#leave(content);
    const changed = changeOf(this.#fault)(content);
    if (typeof changed === 'string') return this.#leave(changed);
    const coded = await encodeContent(changed, codings);
    this.#describe(content, changed, codings);
    return { body: coded, declaredBytes: coded.length };
  }

  #describe(before: Buffer, after: Buffer, codings: readonly string[]): void {
    const { mark, direction } = this.#context;
    mark.bytes = after.length;
    const coded = codings.length === 0 ? '' : `, compressed as ${codings.join(', ')}`;
    mark.describe = () =>
      this.#fault.how === 'replace'
        ? `replaced the body of the ${direction} by ${byteCount(after.length)}${coded}`
        : `changed the body of the ${direction}, from ${byteCount(before.length)} to ${byteCount(after.length)}${coded}`;
  }

  #leave(why: string): null {
    const { mark, direction } = this.#context;
    mark.describe = () => `left the body of the ${direction} as it was: ${why}`;
    return null;
  }
}

const changes = new WeakMap<FaultOf<'body'>, BodyChange>();

/** Patterns and patches are compiled once a rule, not once a call. */
function changeOf(fault: FaultOf<'body'>): BodyChange {
  const known = changes.get(fault);
  if (known !== undefined) return known;
  const change = bodyChange(fault);
  changes.set(fault, change);
  return change;
}

export const body: FaultImplementation<'body'> = {
  needsMessages: true,
  directions: (fault) => [fault.direction],
  createStage: (fault, context) => new MessageStage(new BodyEditor(fault, context), context),
  answer: null,
};

import type { FaultOf } from '#shared/rules/fault.ts';
import { getField, removeField, setField } from '../../proxy/http1/fields.ts';
import type { EditableHead } from './message-head.ts';
import { MessageStage } from './message-stage.ts';
import type { MessageEditor, Wanted } from './message-stage.ts';
import type { FaultImplementation, MessageShape, StageContext } from './stage.ts';

/** Sets and removes fields. Those that frame the message are not among them: the schema refuses them. */
class HeadersEditor implements MessageEditor {
  readonly #fault: FaultOf<'headers'>;
  readonly #context: StageContext;

  constructor(fault: FaultOf<'headers'>, context: StageContext) {
    this.#fault = fault;
    this.#context = context;
    context.mark.describe = () => `changes the fields of the ${context.direction}`;
  }

  head({ fields }: EditableHead, { httpVersion }: MessageShape): Wanted {
    const removed: string[] = [];
    const set: string[] = [];
    for (const name of this.#fault.remove) {
      // In HTTP/2 there is no request without one (RFC 9113, section 8.3.1).
      const isNeeded = httpVersion === '2' && name.toLowerCase() === 'host';
      if (!isNeeded && removeField(fields, name) > 0) removed.push(name);
    }
    for (const [name, value] of Object.entries(this.#fault.set)) {
      const written = httpVersion === '2' ? http2Name(name, fields) : name;
      // A value may not have white space at its ends (RFC 9110, section 5.5): HTTP/2 refuses such a field.
      setField(fields, written, value.replace(/^[ \t]+|[ \t]+$/g, ''));
      set.push(name);
    }
    this.#describe(set, removed);
    return set.length + removed.length === 0 ? 'untouched' : 'head';
  }

  #describe(set: readonly string[], removed: readonly string[]): void {
    const did = [
      ...(set.length === 0 ? [] : [`set ${set.join(', ')}`]),
      ...(removed.length === 0 ? [] : [`removed ${removed.join(', ')}`]),
    ];
    const { mark, direction } = this.#context;
    mark.describe = () =>
      did.length === 0
        ? `left the ${direction} as it was: it had none of these fields`
        : `${did.join(', ')} in the ${direction}`;
  }
}

/** Names are in lower case (RFC 9113, section 8.2); what HTTP/1.1 says in Host is said in `:authority`. */
function http2Name(name: string, fields: readonly string[]): string {
  const lower = name.toLowerCase();
  return lower === 'host' && getField(fields, ':authority') !== null ? ':authority' : lower;
}

export const headers: FaultImplementation<'headers'> = {
  needsMessages: true,
  directions: (fault) => [fault.direction],
  createStage: (fault, context) => new MessageStage(new HeadersEditor(fault, context), context),
  answer: null,
};

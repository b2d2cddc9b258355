import type { FaultOf } from '#shared/rules/fault.ts';
import { opcode } from '../../proxy/websocket/frame-parser.ts';
import type { FaultMark } from '../fault-mark.ts';
import { messageCount } from '../fault-mark.ts';
import type { FrameContext, FrameMessage, FramePiece } from './frame-stage.ts';

type Chosen = Pick<FaultOf<'ws-drop'>, 'frames' | 'share'>;

const opcodes: Readonly<Record<Exclude<Chosen['frames'], 'any'>, readonly number[]>> = {
  data: [opcode.text, opcode.binary],
  text: [opcode.text],
  binary: [opcode.binary],
  ping: [opcode.ping],
  pong: [opcode.pong],
  close: [opcode.close],
};

/** Which messages a fault acts on: drawn with the first piece of each, and kept to its last. Counts them in the mark. */
export class FrameChoice {
  #isOff = false;
  /** At most a data message and a control frame in its middle. */
  readonly #chosen = new Set<FrameMessage>();
  #compressed = 0;
  readonly #rule: Chosen;
  readonly #context: FrameContext;

  constructor(rule: Chosen, context: FrameContext) {
    this.#rule = rule;
    this.#context = context;
    context.mark.messages = 0;
  }

  /** In the middle of a message that was chosen. */
  get isBusy(): boolean {
    return this.#chosen.size > 0;
  }

  has({ message, isFirst, isLast }: FramePiece): boolean {
    if (isFirst && !this.#isOff) this.#draw(message);
    const has = this.#chosen.has(message);
    if (has && isLast) this.#chosen.delete(message);
    return has;
  }

  /** Chooses nothing more. */
  release(): void {
    this.#isOff = true;
    const { mark } = this.#context;
    if (mark.outcome === 'acting') mark.outcome = 'released';
  }

  /** `3 messages of the response, 2 of them compressed`. */
  words({ messages, direction }: FaultMark): string {
    const compressed = this.#compressed === 0 ? '' : `, ${this.#compressed} of them compressed`;
    return `${messageCount(messages)} of the ${direction}${compressed}`;
  }

  #draw(message: FrameMessage): void {
    const { frames, share } = this.#rule;
    const isMeant = message.opcode >= 0 && (frames === 'any' || opcodes[frames].includes(message.opcode));
    if (!isMeant || (share < 1 && this.#context.random() >= share)) return;
    // A data message that was never ended is not continued behind the next one.
    if (message.opcode < opcode.close)
      for (const open of this.#chosen) if (open.opcode < opcode.close) this.#chosen.delete(open);
    this.#chosen.add(message);
    if (message.isCompressed) this.#compressed += 1;
    const { mark } = this.#context;
    mark.messages = (mark.messages ?? 0) + 1;
  }
}

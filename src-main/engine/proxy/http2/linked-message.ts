import type { Direction } from '#shared/flow/flow.ts';
import type { Cut, LocalAnswer, MessageShape } from '../../rules/faults/stage.ts';
import type { FaultPlan } from '../../rules/fault-plan.ts';
import type { Link, LinkSource } from '../../rules/link.ts';
import type { FlatFields } from '../http1/fields.ts';

/** Where a message goes that comes out of a link. */
export interface LinkedOutput {
  /** The whole head has come out; as a fault has changed it, else null. */
  head(changed: ChangedHead | null): void;
  data(bytes: Buffer): void;
  end(): void;
  /** A rule ends it before its time. */
  cut(how: Cut): void;
  resetStream(code: number): void;
  /** See `StageContext`. */
  endCall(trailers: FlatFields): void;
  answer?(answer: LocalAnswer): void;
  giveUp?(): void;
}

/** A head that faults have changed. */
export interface ChangedHead {
  readonly fields: FlatFields;
  /** The first line of its text; null: as it was. */
  readonly startLine: string | null;
  /** Whether a body may follow it. */
  readonly mayHaveBody: boolean;
}

/**
 * A message that passes a link. Links carry bytes: the head goes through as text, as in HTTP/1.1, so that every fault
 * finds its places in it; what is handed on, when so many bytes have come out, is the head itself.
 */
export class LinkedMessage {
  readonly #link: Link;
  /** Of the head that has not come out; null before the first byte: faults may make it another one. */
  #headLeft: number | null = null;
  readonly #shape: () => MessageShape;

  private constructor(shape: () => MessageShape, make: (message: LinkedMessage) => Link | null) {
    this.#shape = shape;
    this.#link = make(this) as Link;
  }

  /** Null when no fault stands on that direction. */
  static create(
    plan: FaultPlan,
    direction: Direction,
    output: LinkedOutput,
    source: LinkSource,
  ): LinkedMessage | null {
    const shape = (): MessageShape => plan.shapeOut(direction);
    const message = new LinkedMessage(shape, (made) =>
      plan.createLink(
        direction,
        {
          write: (bytes) => made.#out(bytes, output),
          end: () => output.end(),
          reset: () => output.cut('reset'),
          close: () => output.cut('close'),
          resetStream: (code) => output.resetStream(code),
          endCall: (trailers) => output.endCall(trailers),
          answer: (answer) => output.answer?.(answer),
          giveUp: () => output.giveUp?.(),
        },
        source,
      ),
    );
    return message.#link === null ? null : message;
  }

  /** Lets the head in. Apart from `create`, because it may come out at once. */
  begin(headText: string): void {
    this.#link.push(Buffer.from(headText, 'latin1'));
  }

  /** See `Link`. */
  get isCollecting(): boolean {
    return this.#link.isCollecting;
  }

  push(bytes: Buffer): void {
    this.#link.push(bytes);
  }

  end(): void {
    this.#link.end();
  }

  dispose(): void {
    this.#link.dispose();
  }

  #out(bytes: Buffer, output: LinkedOutput): void {
    this.#headLeft ??= this.#shape().headBytes;
    if (this.#headLeft === 0) return output.data(bytes);
    const ofHead = Math.min(this.#headLeft, bytes.length);
    this.#headLeft -= ofHead;
    if (this.#headLeft > 0) return;
    const { fields, startLine = null, framing } = this.#shape();
    output.head(fields === null ? null : { fields, startLine, mayHaveBody: framing !== 'none' });
    if (ofHead < bytes.length) output.data(bytes.subarray(ofHead));
  }
}

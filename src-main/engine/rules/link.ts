import type { FlatFields } from '../proxy/http1/fields.ts';
import type { CompiledRule } from './compiled-rules.ts';
import type { LocalAnswer, ReleaseReason, Stage, StageContext } from './faults/stage.ts';
import { HeldBytes } from './held-bytes.ts';
import type { LinkSource } from './held-bytes.ts';
import type { HoldBudget } from './hold-budget.ts';

export { linkHoldLimitBytes } from './held-bytes.ts';
export type { LinkSource } from './held-bytes.ts';

/** Where a link's bytes go. `write` answers false when the receiver is full; it calls `resume` on the link's source then. */
export interface LinkOutput {
  write(chunk: Buffer): void;
  end(): void;
  reset(): void;
  /** Ends the connection in an orderly way, in the middle of what it is in. */
  close(): void;
  /** See `StageContext`; absent where there are no streams. */
  resetStream?(code: number): void;
  endCall?(trailers: FlatFields): void;
  answer?(answer: LocalAnswer): void;
  giveUp?(): void;
}

interface Joint {
  readonly rule: CompiledRule;
  stage: Stage;
  next: Joint | null;
  /** What it may hold on top of what the link may. */
  collectsBytes: number;
}

/** What a stage can do to its link. */
export type StageOutput = Pick<
  StageContext,
  | 'emit'
  | 'emitEnd'
  | 'reset'
  | 'close'
  | 'resetStream'
  | 'endCall'
  | 'answer'
  | 'giveUp'
  | 'dropped'
  | 'added'
  | 'keeps'
  | 'collects'
>;
export type StageMaker = (out: StageOutput) => Stage;

/**
 * One direction of one connection or exchange, with its stages in order:
 *
 *     source ─► push ─► stage ─► stage ─► output
 *               ▲ pause/resume when more is held than it may, or than all may (`HeldBytes`)
 *
 * Stages may be added and removed while bytes pass. Removing one lets go of what it holds, in order.
 */
export class Link {
  #first: Joint | null = null;
  #disposed = false;
  /** A stage closes the connection: the end that is on its way through the others is that. */
  #closing = false;
  readonly #output: LinkOutput;
  readonly #held: HeldBytes;

  constructor(output: LinkOutput, source: LinkSource, budget: HoldBudget) {
    this.#output = output;
    this.#held = new HeldBytes(source, budget);
  }

  /** Bytes that came in and did not go out yet. */
  get heldBytes(): number {
    return this.#held.bytes;
  }

  /** A stage waits for all of a message before it lets any of it out. */
  get isCollecting(): boolean {
    return this.#held.mayCollect;
  }

  get rules(): readonly CompiledRule[] {
    const rules: CompiledRule[] = [];
    for (let joint = this.#first; joint !== null; joint = joint.next) rules.push(joint.rule);
    return rules;
  }

  /**
   * Puts a stage behind the others.
   * @param isLater Whether another rule comes after this one: the stage is put before the first stage of such a rule.
   */
  add(rule: CompiledRule, make: StageMaker, isLater: (other: CompiledRule) => boolean = never): void {
    const joint = { rule, stage: null as unknown as Stage, next: null as Joint | null, collectsBytes: 0 };
    joint.stage = make({
      emit: (chunk) => this.#toNext(joint, chunk),
      emitEnd: () => this.#endNext(joint),
      reset: () => {
        if (!this.#disposed) this.#output.reset();
      },
      close: () => this.#closeAfter(joint),
      resetStream: (code) => {
        if (!this.#disposed) this.#output.resetStream?.(code);
      },
      endCall: (trailers) => {
        if (!this.#disposed) this.#output.endCall?.(trailers);
      },
      answer: (answer) => {
        if (!this.#disposed) this.#output.answer?.(answer);
      },
      giveUp: () => {
        if (!this.#disposed) this.#output.giveUp?.();
      },
      dropped: (bytes) => this.#held.letGo(bytes),
      added: (bytes) => this.#held.add(bytes),
      keeps: (bytes) => this.#held.keep(bytes),
      collects: (bytes) => {
        const more = bytes - joint.collectsBytes;
        joint.collectsBytes = bytes;
        if (more !== 0) this.#held.allow(more);
      },
    });
    let before: Joint | null = null;
    let behind = this.#first;
    for (; behind !== null && !isLater(behind.rule); behind = behind.next) before = behind;
    joint.next = behind;
    if (before === null) this.#first = joint;
    else before.next = joint;
  }

  /** Lets go of what the stages of a rule hold and takes them out. Returns whether there were any. */
  release(matches: (rule: CompiledRule) => boolean, why: ReleaseReason = 'off'): boolean {
    let found = false;
    let before: Joint | null = null;
    for (let joint = this.#first; joint !== null; joint = joint.next) {
      if (!matches(joint.rule)) {
        before = joint;
        continue;
      }
      found = true;
      joint.stage.release(why);
      if (joint.stage.stays === true) {
        before = joint;
        continue;
      }
      // Its own `next` stays, so that a stage that is still emitting finds the way on.
      if (before === null) this.#first = joint.next;
      else before.next = joint.next;
    }
    return found;
  }

  push(chunk: Buffer): void {
    if (this.#disposed) return;
    this.#held.add(chunk.length);
    if (this.#first === null) this.#toOutput(chunk);
    else this.#first.stage.push(chunk);
    this.#held.pauseWhenFull();
  }

  end(): void {
    if (this.#disposed) return;
    if (this.#first !== null) this.#first.stage.end();
    else if (!this.#closing) this.#output.end();
  }

  /** The connection is gone: nothing more comes out, no timer is left. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (let joint = this.#first; joint !== null; joint = joint.next) joint.stage.dispose();
    this.#first = null;
    this.#held.close();
  }

  #toNext(joint: Joint, chunk: Buffer): void {
    if (this.#disposed) return;
    if (joint.next === null) this.#toOutput(chunk);
    else joint.next.stage.push(chunk);
  }

  #endNext(joint: Joint): void {
    if (this.#disposed) return;
    if (joint.next !== null) joint.next.stage.end();
    else if (this.#closing) this.#output.close();
    else this.#output.end();
  }

  /** What a stage has let through may still be held by those behind it: the connection is closed when the end comes out of them. */
  #closeAfter(joint: Joint): void {
    this.#closing = true;
    this.#endNext(joint);
  }

  #toOutput(chunk: Buffer): void {
    this.#output.write(chunk);
    this.#held.letGo(chunk.length);
  }
}

function never(): boolean {
  return false;
}

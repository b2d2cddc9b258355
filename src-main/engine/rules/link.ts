import type { FlatFields } from '../proxy/http1/fields.ts';
import type { CompiledRule } from './compiled-rules.ts';
import type { ReleaseReason, Stage, StageContext } from './faults/stage.ts';

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
}

/** What feeds a link and can be told to wait. */
export interface LinkSource {
  pause(): void;
  resume(): void;
}

interface Joint {
  readonly rule: CompiledRule;
  stage: Stage;
  next: Joint | null;
  /** What it may hold on top of what the link may. */
  collectsBytes: number;
}

/** A link holds at most this much before its source is told to wait; what a source has under way comes on top. */
export const linkHoldLimitBytes = 1_048_576;

/** What a stage can do to its link. */
export type StageOutput = Pick<
  StageContext,
  'emit' | 'emitEnd' | 'reset' | 'close' | 'resetStream' | 'endCall' | 'dropped' | 'added' | 'collects'
>;
export type StageMaker = (out: StageOutput) => Stage;

/**
 * One direction of one connection or exchange, with its stages in order:
 *
 *     source ─► push ─► stage ─► stage ─► output
 *               ▲ pause/resume when more than the limit is held
 *
 * Stages may be added and removed while bytes pass. Removing one lets go of what it holds, in order.
 */
export class Link {
  #first: Joint | null = null;
  #heldBytes = 0;
  #limitBytes = linkHoldLimitBytes;
  #paused = false;
  #disposed = false;
  /** A stage closes the connection: the end that is on its way through the others is that. */
  #closing = false;
  readonly #output: LinkOutput;
  readonly #source: LinkSource;

  constructor(output: LinkOutput, source: LinkSource) {
    this.#output = output;
    this.#source = source;
  }

  /** Bytes that came in and did not go out yet. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** A stage waits for all of a message before it lets any of it out. */
  get isCollecting(): boolean {
    return this.#limitBytes > linkHoldLimitBytes;
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
      dropped: (bytes) => this.#letGo(bytes),
      added: (bytes) => {
        this.#heldBytes += bytes;
      },
      collects: (bytes) => {
        this.#limitBytes += bytes - joint.collectsBytes;
        joint.collectsBytes = bytes;
        this.#letGo(0);
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
    this.#heldBytes += chunk.length;
    if (this.#first === null) this.#toOutput(chunk);
    else this.#first.stage.push(chunk);
    if (this.#heldBytes > this.#limitBytes && !this.#paused) {
      this.#paused = true;
      this.#source.pause();
    }
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
    this.#heldBytes -= chunk.length;
    this.#output.write(chunk);
    this.#letGo(0);
  }

  /** So many bytes are not held any more; with room for half of what may be held, more is taken. */
  #letGo(bytes: number): void {
    this.#heldBytes -= bytes;
    if (this.#paused && this.#heldBytes <= this.#limitBytes - linkHoldLimitBytes / 2) {
      this.#paused = false;
      this.#source.resume();
    }
  }
}

function never(): boolean {
  return false;
}

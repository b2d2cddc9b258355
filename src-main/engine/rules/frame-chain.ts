import type { Direction } from '#shared/flow/flow.ts';
import { FrameReader } from '../proxy/websocket/frame-reader.ts';
import type { CompiledRule } from './compiled-rules.ts';
import type { FrameOutput, FramePiece, FrameStage } from './faults/frame-stage.ts';
import { HeldBytes } from './held-bytes.ts';
import type { LinkSource } from './held-bytes.ts';
import type { HoldBudget } from './hold-budget.ts';
import type { LinkOutput } from './link.ts';

/** A stage and what is behind it. */
export interface FrameJoint {
  readonly rule: CompiledRule;
  readonly output: FrameOutput;
  stage: FrameStage | null;
  next: FrameJoint | null;
}

/**
 * One direction of a WebSocket, before its link: faults on frames see them as they came, faults on bytes what these have made of
 * them.
 *
 *     source ─► push ─► pieces of frames ─► stage ─► stage ─► link ─► output
 *
 * Without stages bytes pass as they are; only where frames begin is kept in mind.
 */
export class FrameChain {
  #first: FrameJoint | null = null;
  #disposed = false;
  /** What has come out while bytes are cut into pieces: it leaves as one. */
  #out: Buffer[] | null = null;
  readonly #reader: FrameReader;
  readonly #output: Pick<LinkOutput, 'write' | 'end' | 'close'>;
  readonly #held: HeldBytes;

  constructor(
    direction: Direction,
    output: Pick<LinkOutput, 'write' | 'end' | 'close'>,
    source: LinkSource,
    budget: HoldBudget,
  ) {
    this.#reader = new FrameReader(direction, (piece) => this.#enter(piece));
    this.#output = output;
    this.#held = new HeldBytes(source, budget);
  }

  get heldBytes(): number {
    return this.#held.bytes;
  }

  push(bytes: Buffer): void {
    if (this.#disposed) return;
    if (this.#first === null) {
      this.#reader.skip(bytes);
      return this.#output.write(bytes);
    }
    this.#held.add(bytes.length);
    const out: Buffer[] = (this.#out = []);
    this.#reader.feed(bytes);
    this.#out = null;
    this.#write(out);
    this.#held.pauseWhenFull();
  }

  end(): void {
    if (this.#disposed) return;
    if (this.#first === null) this.#output.end();
    else this.#first.stage?.end();
  }

  /** A place for a stage, not yet in the chain. */
  joint(rule: CompiledRule): FrameJoint {
    const joint: FrameJoint = { rule, stage: null, next: null, output: this.#outputOf(() => joint.next) };
    return joint;
  }

  /** @param isLater As of `Link.add`. */
  add(joint: FrameJoint, stage: FrameStage, isLater: (other: CompiledRule) => boolean): void {
    joint.stage = stage;
    let before: FrameJoint | null = null;
    let behind = this.#first;
    for (; behind !== null && !isLater(behind.rule); behind = behind.next) before = behind;
    joint.next = behind;
    if (before === null) this.#first = joint;
    else before.next = joint;
  }

  /** As of `Link`. */
  release(matches: (rule: CompiledRule) => boolean): boolean {
    let found = false;
    let before: FrameJoint | null = null;
    for (let joint = this.#first; joint !== null; joint = joint.next) {
      if (matches(joint.rule)) {
        found = true;
        joint.stage?.release();
      }
      if (!matches(joint.rule) || joint.stage?.stays === true) before = joint;
      else if (before === null) this.#first = joint.next;
      else before.next = joint.next;
    }
    if (found && this.#first === null && this.#out === null) this.#toOutput(this.#reader.takeUnsent());
    return found;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (let joint = this.#first; joint !== null; joint = joint.next) joint.stage?.dispose();
    this.#first = null;
    this.#held.close();
  }

  #outputOf(next: () => FrameJoint | null): FrameOutput {
    return {
      emit: (piece) => {
        const stage = next()?.stage ?? null;
        if (stage === null) this.#toOutput(piece.bytes);
        else if (!this.#disposed) stage.piece(piece);
      },
      emitEnd: () => {
        if (this.#disposed) return;
        const stage = next()?.stage ?? null;
        if (stage === null) this.#output.end();
        else stage.end();
      },
      close: () => {
        if (!this.#disposed) this.#output.close();
      },
      dropped: (bytes) => this.#held.letGo(bytes),
      added: (bytes) => this.#held.add(bytes),
      keeps: (bytes) => this.#held.keep(bytes),
      isMidFrame: () => this.#reader.isMidFrame,
    };
  }

  #enter(piece: FramePiece): void {
    const stage = this.#first?.stage ?? null;
    if (stage === null) this.#toOutput(piece.bytes);
    else stage.piece(piece);
  }

  #toOutput(bytes: Buffer): void {
    if (this.#disposed || bytes.length === 0) return;
    if (this.#out === null) this.#write([bytes]);
    else this.#out.push(bytes);
  }

  #write(out: readonly Buffer[]): void {
    if (this.#disposed || out.length === 0) return;
    const bytes = out.length === 1 ? (out[0] as Buffer) : Buffer.concat(out);
    this.#output.write(bytes);
    this.#held.letGo(bytes.length);
  }
}

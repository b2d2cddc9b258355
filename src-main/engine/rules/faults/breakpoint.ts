import { longestHeldBodyBytes } from '#shared/contract/held.ts';
import type { HeldAnswer, HeldEdit, HeldOutcome } from '#shared/contract/held.ts';
import { duration } from '#shared/rules/fault-effects.ts';
import type { FaultOf } from '#shared/rules/fault.ts';
import type { HoldAct, HoldReply } from '../../breakpoints/held-messages.ts';
import type { HeldThing, Hold } from '../../breakpoints/worker-holds.ts';
import type { Timer } from '../../clock.ts';
import { getField } from '../../proxy/http1/fields.ts';
import { byteCount, sizeWords } from '../fault-mark.ts';
import { linkHoldLimitBytes } from '../held-bytes.ts';
import { BodyReader } from './body-reader.ts';
import { answerInPlace, editMessage, localAnswerOf } from './held-edit.ts';
import type { EditedMessage } from './held-edit.ts';
import { requestLineOf, statusLineOf, viewOf } from './held-parts.ts';
import type { HeldParts } from './held-parts.ts';
import { readHead, writeHead } from './message-head.ts';
import type { EditableHead } from './message-head.ts';
import type { FaultImplementation, MessageShape, Stage, StageContext } from './stage.ts';

type Step =
  | 'head' // it is coming
  | 'asking' // whether it may be held
  | 'held'
  | 'passing' // as it comes
  | 'replaced' // another message has taken its place: what still comes is thrown away
  | 'gone'; // nobody is left to answer; it is kept for reading

const stillComing = 'it is still coming';
/** So much more of a body is told while it comes. */
const toldEveryBytes = 262_144;

/**
 * Holds a message whole, from its head on, until somebody decides, its time is up or its rule lets go. The body is collected
 * while it is held, and can be edited when it is there; what is decided before that is about the head, and the body follows.
 *
 *     head ──► asking ──► held ─┬─ release ──► passing, as it came or edited
 *                 │ refused     ├─ answer ───► replaced
 *                 ▼             └─ drop ─────► reset
 *              passing
 */
class BreakpointStage implements Stage, HeldThing {
  #step: Step = 'head';
  /** As it came. */
  #pieces: Buffer[] = [];
  #heldBytes = 0;
  #ended = false;
  /** Nothing comes out any more: its end was let out before it came, or it was cut. */
  #isOver = false;
  #head: EditableHead | null = null;
  #reader: BodyReader | null = null;
  /** The body without framing. */
  #data: Buffer[] = [];
  #bodyBytes = 0;
  /** What the list knows of it. */
  #told = { bytes: 0, ended: false };
  #reservedBytes = 0;
  /** Why the body is not there whole, and will not be; null: it is, or will be. */
  #why: string | null = null;
  #hold: Hold | null = null;
  #timer: Timer | null = null;
  #since = 0;
  readonly #fault: FaultOf<'breakpoint'>;
  readonly #context: StageContext;

  constructor(fault: FaultOf<'breakpoint'>, context: StageContext) {
    this.#fault = fault;
    this.#context = context;
    context.mark.describe = () => `holds the ${fault.at}`;
  }

  get stays(): boolean {
    return this.#step === 'replaced';
  }

  // --- bytes

  push(chunk: Buffer): void {
    switch (this.#step) {
      case 'head':
        this.#keep(chunk);
        if (this.#heldBytes >= this.#context.shape().headBytes) this.#headCame();
        return;
      case 'asking':
      case 'held':
        this.#keep(chunk);
        return this.#collect(chunk);
      case 'passing':
        return this.#context.emit(chunk);
      case 'replaced':
      case 'gone':
        this.#context.dropped(chunk.length);
    }
  }

  end(): void {
    this.#ended = true;
    if (this.#step === 'head') this.#pass();
    else if (this.#step === 'passing' || (this.#step === 'replaced' && !this.#isOver))
      this.#context.emitEnd();
    else if (this.#step === 'held') this.#tell();
  }

  release(): void {
    if (this.#step === 'head') this.#notHeld('it was let go before it had come');
    else if (this.#isHolding) this.#letGo('released as its rule was turned off or changed');
  }

  dispose(): void {
    if (!this.#isHolding) {
      this.#step = 'gone';
      return;
    }
    const isCallerGone = this.#context.isCallerGone();
    const isAdmitted = this.#step === 'held';
    const how = isCallerGone ? 'the caller hung up' : 'the call broke off';
    this.#settle(how);
    this.#step = 'gone';
    // One that was not admitted is not in the list: there is nothing to look at.
    if (isCallerGone && isAdmitted) this.#hold?.callerGone();
    else this.#hold?.over(isCallerGone ? 'caller-gone' : 'broken-off');
  }

  get #isHolding(): boolean {
    return this.#step === 'asking' || this.#step === 'held';
  }

  #keep(chunk: Buffer): void {
    this.#pieces.push(chunk);
    this.#heldBytes += chunk.length;
  }

  #headCame(): void {
    const shape = this.#context.shape();
    const came = Buffer.concat(this.#pieces);
    this.#pieces = [came];
    this.#head = readHead(came.toString('latin1', 0, shape.headBytes));
    const expected = this.#expectedBytes(shape);
    const refusal = this.#switchesProtocol(this.#head) ?? this.#lacksRoom(expected);
    if (refusal !== null) return this.#notHeld(refusal);
    this.#step = 'asking';
    this.#since = this.#context.clock.now();
    this.#reservedBytes = expected;
    this.#reader = new BodyReader(shape.framing ?? 'stream');
    // Who waits to be told to send the body is told so (`Link.isCollecting`); there is room for it when it has been admitted.
    if (this.#why === null) this.#context.collects(1);
    const body = came.subarray(shape.headBytes);
    if (body.length > 0) this.#collect(body);
    // What came together is told together.
    queueMicrotask(() => this.#ask());
  }

  /** What room is asked for: as much as is known, else what a link may hold anyway. */
  #expectedBytes({ bodyBytes, framing }: MessageShape): number {
    if (framing === 'none') return 0;
    const coding = getField((this.#head as EditableHead).fields, 'transfer-encoding') ?? 'chunked';
    if (framing === 'chunked' && coding.toLowerCase() !== 'chunked')
      this.#why = `its transfer coding is ${coding}`;
    if ((bodyBytes ?? 0) > longestHeldBodyBytes) this.#why = tooLong;
    return this.#why !== null || bodyBytes === null ? linkHoldLimitBytes : bodyBytes;
  }

  /** Behind it come bytes of another protocol, which nobody could hold back in parts. */
  #switchesProtocol(head: EditableHead): string | null {
    const isSwitch =
      this.#fault.at === 'request'
        ? getField(head.fields, 'upgrade') !== null || requestLineOf(head).method === 'CONNECT'
        : statusLineOf(head).status === 101 || this.#context.call().method === 'CONNECT';
    return isSwitch ? 'it switches to another protocol' : null;
  }

  #lacksRoom(bytes: number): string | null {
    const { budget } = this.#context;
    if (!budget.isFull && budget.hasRoomFor(bytes)) return null;
    budget.messageLeft();
    return `rules hold ${sizeWords(budget.limitBytes)} already`;
  }

  #collect(wire: Buffer): void {
    for (const piece of this.#reader?.read(wire) ?? []) {
      this.#bodyBytes += piece.length;
      if (this.#why === null) this.#data.push(piece);
    }
    if (this.#reader?.isBroken === true) this.#cannotEdit('its framing was broken before');
    else if (this.#bodyBytes > longestHeldBodyBytes) this.#cannotEdit(tooLong);
    if (this.#step !== 'held') return;
    if (this.#why === null && this.#context.budget.isFull) return this.#passesAfterAll(this.#lacksRoom(0));
    if (this.#bodyBytes - this.#told.bytes >= toldEveryBytes) this.#tell();
    this.#reserveMore();
  }

  #tell(): void {
    this.#told = { bytes: this.#bodyBytes, ended: this.#ended };
    this.#hold?.size(this.#bodyBytes);
  }

  /** Its length was not said, and it is about to be more than a link holds. */
  #reserveMore(): void {
    const { bodyBytes } = this.#context.shape();
    const isEnough = bodyBytes !== null || this.#reservedBytes > linkHoldLimitBytes;
    if (isEnough || this.#why !== null || this.#bodyBytes <= linkHoldLimitBytes / 2) return;
    this.#reservedBytes = longestHeldBodyBytes;
    this.#hold?.reserve(longestHeldBodyBytes);
  }

  /** Only its head can be edited: the body waits outside, as far as it has not come. */
  #cannotEdit(why: string): void {
    if (this.#why !== null) return;
    this.#why = why;
    this.#data = [];
    this.#context.collects(0);
    if (this.#step === 'held') this.#tell();
  }

  // --- being held

  #ask(): void {
    if (this.#step !== 'asking') return;
    const { breakpoints, mark } = this.#context;
    const { at, onTimeout, timeoutMs } = this.#fault;
    const head = this.#head as EditableHead;
    const { requestFields: _fields, ...call } = this.#context.call();
    const facts = {
      ...call,
      ...(at === 'request' ? { method: requestLineOf(head).method } : {}),
      ruleId: mark.ruleId,
      ruleName: mark.ruleName,
      at,
      onTimeout,
      status: at === 'request' ? null : statusLineOf(head).status,
      sizeBytes: this.#bodyBytes,
      heldAtMs: this.#since,
      expiresAtMs: this.#since + timeoutMs,
    };
    this.#told = { bytes: this.#bodyBytes, ended: this.#ended };
    this.#hold = breakpoints.ask(facts, this.#reservedBytes, this);
    if (this.#hold === null) return this.#notHeld('Spike stops');
    this.#timer = this.#context.clock.setTimer(timeoutMs, () => this.#timedOut());
  }

  verdict(refusal: string | null): void {
    if (this.#step === 'asking') {
      if (refusal !== null) return this.#notHeld(refusal);
      this.#step = 'held';
      if (this.#bodyBytes !== this.#told.bytes || this.#ended !== this.#told.ended) this.#tell();
      this.#reserveMore();
    } else if (this.#step !== 'held') return;
    else if (refusal !== null) return this.#passesAfterAll(refusal);
    if (this.#why === null) this.#context.collects(Math.max(1, this.#reservedBytes));
  }

  async act(act: HoldAct): Promise<HoldReply> {
    if (act.kind === 'read') return { kind: 'view', view: await viewOf(this.#parts) };
    if (this.#step !== 'held') return { kind: 'over' };
    switch (act.kind) {
      case 'release':
        return this.#releaseEdited(act.edit);
      case 'drop':
        this.#drop('dropped', 'dropped');
        return { kind: 'done', outcome: 'dropped' };
      case 'answer':
        return this.#answer(act.answer);
    }
  }

  letGo(): void {
    if (this.#isHolding) this.#letGo('released as Spike stops');
  }

  get #parts(): HeldParts {
    const head = this.#head as EditableHead;
    const { method, url, requestFields } = this.#context.call();
    const isWhole = this.#why === null && (this.#ended || this.#hasAllOfIt);
    return {
      at: this.#fault.at,
      head,
      shape: this.#context.shape(),
      body: isWhole ? Buffer.concat(this.#data) : null,
      why: isWhole ? null : (this.#why ?? stillComing),
      trailers: this.#reader?.trailers ?? noBytes,
      request: { method, target: targetOf(url), fieldsText: requestFields },
    };
  }

  async #releaseEdited(edit: HeldEdit): Promise<HoldReply> {
    if (Object.values(edit).every((part) => part === undefined)) {
      this.#goOn('released', 'released as it came');
      return { kind: 'done', outcome: 'released' };
    }
    const edited = await editMessage(this.#parts, edit);
    // Meanwhile its time may have been up, or the caller gone.
    if (this.#step !== 'held') return { kind: 'over' };
    if ('problems' in edited) return { kind: 'refused', problems: edited.problems };
    if (edited.changes.length === 0) {
      this.#goOn('released', 'released as it came');
      return { kind: 'done', outcome: 'released' };
    }
    this.#over('edited', `released edited: ${edited.changes.join(', ')}`);
    this.#emitInstead(edited);
    return { kind: 'done', outcome: 'edited' };
  }

  #answer(answer: HeldAnswer): HoldReply {
    this.#context.mark.status = answer.status;
    const instead =
      this.#fault.at === 'request' ? 'without asking the upstream' : "in place of the upstream's answer";
    const parts = this.#parts;
    this.#over('answered', `answered ${answer.status} by hand ${instead}`);
    this.#step = 'replaced';
    if (this.#fault.at === 'request') this.#context.answer(localAnswerOf(answer));
    else {
      this.#context.giveUp();
      this.#emitInstead({ ...answerInPlace(parts, answer), endsHere: true });
    }
    return { kind: 'done', outcome: 'answered' };
  }

  #drop(outcome: HeldOutcome, how: string): void {
    this.#over(outcome, how);
    this.#step = 'replaced';
    this.#isOver = true;
    this.#context.reset();
  }

  #timedOut(): void {
    if (!this.#isHolding) return;
    if (this.#fault.onTimeout === 'drop') this.#drop('timed-out', 'dropped by its time-out');
    else this.#goOn('timed-out', 'released by its time-out');
  }

  // --- the ends

  #letGo(how: string): void {
    this.#over('rule-off', how);
    this.#context.mark.outcome = 'released';
    this.#pass();
  }

  #goOn(outcome: HeldOutcome, how: string): void {
    this.#over(outcome, how);
    this.#pass();
  }

  #passesAfterAll(refusal: string | null): void {
    this.#goOn('passed', `let go: ${refusal ?? ''}`);
  }

  #over(outcome: HeldOutcome, how: string): void {
    this.#settle(how);
    this.#hold?.over(outcome);
  }

  #settle(how: string): void {
    this.#timer?.cancel();
    const { mark, clock } = this.#context;
    const heldMs = clock.now() - this.#since;
    mark.delayedMs = heldMs;
    mark.bytes = this.#bodyBytes;
    mark.outcome = 'done';
    const heldFor = duration(Math.round(heldMs));
    mark.describe = () => `was held for ${heldFor} at the ${this.#fault.at}, ${how}`;
  }

  #notHeld(why: string): void {
    const { mark } = this.#context;
    this.#timer?.cancel();
    mark.outcome = 'done';
    mark.describe = () => `the ${this.#fault.at} was not held: ${why}`;
    this.#pass();
  }

  /** What came goes on as it came, and so does what follows. */
  #pass(): void {
    this.#step = 'passing';
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#data = [];
    this.#context.collects(0);
    for (const piece of pieces) this.#context.emit(piece);
    if (this.#ended) this.#context.emitEnd();
  }

  #emitInstead({
    head,
    shape,
    wire,
    endsHere = false,
  }: EditedMessage & { readonly endsHere?: boolean }): void {
    const context = this.#context;
    const { headBytes } = context.shape();
    const came = this.#pieces;
    const bytes = writeHead(head);
    this.#pieces = [];
    this.#data = [];
    this.#step = wire === null || this.#ended ? 'passing' : 'replaced';
    context.reshape({ ...shape, headBytes: bytes.length, fields: head.fields, startLine: head.startLine });
    context.added(bytes.length + (wire?.length ?? 0));
    context.dropped(wire === null ? headBytes : this.#heldBytes);
    context.emit(bytes);
    const body = wire === null ? withoutHead(came, headBytes) : [wire];
    for (const piece of body) if (piece.length > 0) context.emit(piece);
    context.collects(0);
    this.#isOver = endsHere;
    if (this.#ended || endsHere) context.emitEnd();
  }

  /** All of a body has come whose end comes later, or with nothing more to come before it. */
  get #hasAllOfIt(): boolean {
    const { bodyBytes, framing } = this.#context.shape();
    return framing === 'none' || (bodyBytes !== null && this.#bodyBytes >= bodyBytes);
  }
}

/** What came, but for its head. The first piece has all of that. */
function withoutHead([first, ...rest]: readonly Buffer[], headBytes: number): Buffer[] {
  return first === undefined ? [] : [first.subarray(headBytes), ...rest];
}

function targetOf(url: string): string {
  const path = url.indexOf('/', url.indexOf('//') + 2);
  return path < 0 ? '/' : url.slice(path);
}

const tooLong = `it is longer than ${byteCount(longestHeldBodyBytes)}`;
const noBytes = Buffer.alloc(0);

/** Holds a message by hand. */
export const breakpoint: FaultImplementation<'breakpoint'> = {
  needsMessages: true,
  directions: ({ at }) => [at],
  createStage: (fault, context) => new BreakpointStage(fault, context),
  answer: null,
};

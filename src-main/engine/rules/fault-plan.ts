import type { AppliedFault, Direction, FlowError } from '#shared/flow/flow.ts';
import type { Fault } from '#shared/rules/fault.ts';
import { grpcStatusNames } from '#shared/flow/grpc-status.ts';
import { http2ErrorCodes } from '#shared/rules/faults/http2.ts';
import { noBreakpoints } from '../breakpoints/worker-holds.ts';
import type { Breakpoints } from '../breakpoints/worker-holds.ts';
import type { Clock, Random, Timer } from '../clock.ts';
import type { CompiledRule } from './compiled-rules.ts';
import { FaultMark } from './fault-mark.ts';
import { FlowMarks } from './flow-marks.ts';
import type { FrameChain } from './frame-chain.ts';
import { HoldBudget } from './hold-budget.ts';
import type { RuleHit } from './rule-hit.ts';
import { faultRegistry } from './faults/registry.ts';
import type { FrameStage } from './faults/frame-stage.ts';
import type {
  AnyFaultImplementation,
  CallKind,
  CallSeen,
  ConnectFault,
  Cut,
  HandshakeFault,
  LocalAnswer,
  MessageShape,
  ReleaseReason,
} from './faults/stage.ts';
import { Link } from './link.ts';
import type { LinkOutput, LinkSource, StageMaker } from './link.ts';

interface PlannedFault {
  readonly rule: CompiledRule;
  readonly hit: RuleHit;
  readonly fault: Fault;
  readonly implementation: AnyFaultImplementation;
}

/** How the rules of a tunnel stand to it and to each other. */
export interface RulePlace {
  /** Whether a rule was on when the tunnel was opened. */
  isFromStart(rule: CompiledRule): boolean;
  /** Whether one rule comes after another in the order of the rules. */
  isLater(one: CompiledRule, than: CompiledRule): boolean;
}

interface PlannedHandshake {
  readonly planned: PlannedFault;
  readonly fault: HandshakeFault;
  readonly mark: FaultMark;
}

/** A connection that a fault holds back. */
interface HeldConnection {
  readonly rule: CompiledRule;
  /** null: held until the rule is turned off. */
  readonly timer: Timer | null;
  letGo(): void;
}

const tunnelShape: MessageShape = {
  headBytes: 0,
  bodyBytes: null,
  httpVersion: null,
  framing: null,
  fields: null,
};

/**
 * What the rules that hit one call (or tunnel) do to it. Open while the call is: the runtime finds it here when a rule
 * is turned off.
 */
export class FaultPlan {
  /** All that hit it, but for those whose rules are off and that hold nothing there. */
  hits: RuleHit[] = [];
  readonly #marks = new FlowMarks();
  /** The shapes of the messages as they go into their links. */
  requestShape: MessageShape = tunnelShape;
  responseShape: MessageShape = tunnelShape;
  /** Where stages hold what somebody decides about. */
  breakpoints: Breakpoints = noBreakpoints;
  /** Set for calls, before their links are made. */
  call: () => CallSeen = unseen;
  /** The call ends because its caller hung up; set before `dispose`. */
  isCallerGone = false;
  /** What stages have made of them, by their places in the link; null: nothing else. */
  readonly #reshaped: Record<Direction, (MessageShape | null)[]> = { request: [], response: [] };
  #faults: PlannedFault[] = [];
  #links: Partial<Record<Direction, Link>> = {};
  /** Of a WebSocket. */
  #frames: Readonly<Record<Direction, FrameChain>> | null = null;
  #connecting: HeldConnection | null = null;
  #counted: Map<string, number> | null = null;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #startedAt: number;
  readonly #budget: HoldBudget;

  /** @param budget What all rules of the worker may hold; by default its own. */
  constructor(
    hits: readonly RuleHit[],
    clock: Clock,
    random: Random,
    startedAt: number,
    budget = new HoldBudget(),
  ) {
    this.#budget = budget;
    this.#clock = clock;
    this.#random = random;
    this.#startedAt = startedAt;
    for (const hit of hits) this.#plan(hit);
  }

  get marks(): readonly FaultMark[] {
    return this.#marks.all;
  }

  get rules(): readonly CompiledRule[] {
    return [...new Set(this.#faults.map((planned) => planned.rule))];
  }

  /** What the call is, by default one of HTTP/1: faults that act on other calls only are told, and do nothing. */
  callIs(call: CallKind = { isHttp2: false, isGrpc: false }): void {
    const acts = ({ implementation: { needsCall } }: PlannedFault): boolean =>
      needsCall === undefined || call[needsCall];
    for (const planned of this.#faults) {
      if (acts(planned)) continue;
      const mark = this.#mark(planned, null);
      const what = planned.implementation.needsCall === 'isGrpc' ? 'gRPC in HTTP/2' : 'in HTTP/2';
      mark.outcome = 'done';
      mark.describe = () => `did nothing: the call is not ${what}`;
    }
    this.#faults = this.#faults.filter(acts);
  }

  /** The code of the GOAWAY that the client's connection gets, marked as done; null for none. */
  takeGoaway(): number | null {
    return this.#takeCode(
      (implementation, fault) => implementation.goaway?.(fault as never) ?? null,
      (name) => `ended the client's connection with GOAWAY ${name}`,
    );
  }

  /** The code that the stream is reset with at once, marked as done; null when it is not. */
  takeStreamReset(): number | null {
    return this.#takeCode(
      (implementation, fault) => implementation.resetsStreamAtStart?.(fault as never) ?? null,
      (name) => `reset the stream with ${name} before anything was sent`,
    );
  }

  #takeCode(
    codeOf: (implementation: AnyFaultImplementation, fault: Fault) => number | null,
    describe: (name: string) => string,
  ): number | null {
    for (const planned of this.#faults) {
      const code = codeOf(planned.implementation, planned.fault);
      if (code === null) continue;
      const mark = this.#mark(planned, null);
      mark.outcome = 'done';
      mark.code = code;
      mark.describe = () => describe(http2ErrorCodes[code] ?? String(code));
      return code;
    }
    return null;
  }

  /** How the connection is ended at once, marked as done; null when it is not. */
  takeCutAtStart(): Cut | null {
    for (const planned of this.#faults) {
      const cut = planned.implementation.cutsAtStart?.(planned.fault as never) ?? null;
      if (cut === null) continue;
      const mark = this.#mark(planned, null);
      mark.outcome = 'done';
      mark.bytes = 0;
      mark.describe = () => `${cut === 'reset' ? 'reset' : 'closed'} the connection before anything was sent`;
      return cut;
    }
    return null;
  }

  /**
   * Puts a fault in place of connecting. `done` is called once: with the failure when its time is over, or with null when the
   * rule is turned off before, and it is connected after all.
   * @returns Whether there is such a fault; false: `done` is not called.
   */
  takeConnectFault(done: (failure: FlowError | null) => void): boolean {
    for (const planned of this.#faults) {
      const fault = planned.implementation.failsConnecting?.(planned.fault as never) ?? null;
      if (fault === null) continue;
      this.#connecting = this.#holdConnection(planned, fault, done);
      return true;
    }
    return false;
  }

  /** The upstream that gets the call in place of the one that was meant, marked as done; null when that one does. */
  takeRedirect(): string | null {
    for (const planned of this.#faults) {
      const to = planned.implementation.redirectsTo?.(planned.fault as never) ?? null;
      if (to === null) continue;
      const mark = this.#mark(planned, 'request');
      mark.outcome = 'done';
      mark.describe = () => `sent the call to ${to}`;
      return to;
    }
    return null;
  }

  /** What is done to a TLS handshake: `done` is called once, when what stalls it is over, or let go. */
  takeHandshakeFaults(done: (faults: readonly HandshakeFault[]) => void): void {
    const taken: PlannedHandshake[] = [];
    for (const planned of this.#faults) {
      const fault = planned.implementation.handshake?.(planned.fault as never);
      if (fault === undefined) continue;
      const mark = this.#mark(planned, null);
      mark.describe = () => fault.describe;
      taken.push({ planned, fault, mark });
    }
    const finish = (): void => {
      for (const { mark } of taken) if (mark.outcome === 'acting') mark.outcome = 'done';
      // What was turned off while something stalled does nothing any more.
      done(taken.filter(({ planned }) => this.#faults.includes(planned)).map(({ fault }) => fault));
    };
    const stalling = taken.find(({ fault }) => fault.kind === 'stall');
    if (stalling === undefined) return finish();
    this.#connecting = this.#holdHandshake(stalling, finish);
  }

  /**
   * The answer that replaces the upstream's, from the first fault that gives one; null when the upstream's is taken.
   * @param wasAsked The upstream has answered already.
   */
  takeAnswer(wasAsked = false): LocalAnswer | null {
    for (const planned of this.#faults) {
      const answer = planned.implementation.answer?.(planned.fault as never, planned.hit) ?? null;
      if (answer === null) continue;
      const mark = this.#mark(planned, 'response');
      mark.status = answer.status;
      mark.outcome = 'done';
      const how = wasAsked ? "in place of the upstream's answer" : 'without asking the upstream';
      mark.code = answer.grpc?.status ?? null;
      mark.describe = () => `answered ${answerWords(answer)} ${how}`;
      return answer;
    }
    return null;
  }

  /** The link of a direction, with its stages; null when no fault stands on it. */
  createLink(direction: Direction, output: LinkOutput, source: LinkSource): Link | null {
    const planned = this.#faults.filter((one) => this.#standsOn(one, direction));
    if (planned.length === 0) return null;
    const link = new Link(output, source, this.#budget);
    this.#links[direction] = link;
    for (const one of planned) this.#addStage(link, one, direction);
    return link;
  }

  /** The shape of a message as it comes out of its link; known from its first byte on. */
  shapeOut(direction: Direction): MessageShape {
    return this.#shapeBefore(direction, this.#reshaped[direction].length);
  }

  /** Adds what a further rule does; before the links that it is to stand on are made. */
  add(hit: RuleHit): void {
    this.#plan(hit);
  }

  /** Puts the stages of further rules on an existing link (a tunnel whose rules changed), in the order of the rules. */
  extend(
    hits: readonly RuleHit[],
    links: Readonly<Record<Direction, Link>>,
    place: RulePlace = { isFromStart: () => true, isLater: () => false },
    frames: Readonly<Record<Direction, FrameChain>> | null = null,
  ): void {
    this.#frames = frames;
    for (const hit of hits) {
      for (const planned of this.#plan(hit)) {
        for (const direction of ['request', 'response'] as const) {
          this.#links[direction] = links[direction];
          const isFit = planned.implementation.needsMessages !== true;
          if (isFit && this.#standsOn(planned, direction))
            this.#addStage(links[direction], planned, direction, place);
        }
        if (frames !== null) this.#addFrameStages(frames, planned, place);
      }
    }
  }

  /** Lets go of what a rule holds; true when it held or could still have touched this call. */
  release(rule: CompiledRule, why: ReleaseReason = 'off'): boolean {
    const matches = (one: CompiledRule): boolean => one === rule;
    if (why === 'changed') this.#carry(rule);
    const request = this.#links.request?.release(matches, why) ?? false;
    const response = this.#links.response?.release(matches, why) ?? false;
    const saying = this.#frames?.request.release(matches) ?? false;
    const hearing = this.#frames?.response.release(matches) ?? false;
    this.#marks.settle(rule.rule.id);
    this.#faults = this.#faults.filter((planned) => planned.rule !== rule);
    this.hits = this.hits.filter((hit) => hit.rule !== rule || hit.holds);
    const connecting = this.#connecting?.rule === rule ? this.#connecting : null;
    // Last: the call goes on at once, without anything of the rule.
    connecting?.letGo();
    return request || response || saying || hearing || connecting !== null;
  }

  get heldBytes(): number {
    const inFrames = (this.#frames?.request.heldBytes ?? 0) + (this.#frames?.response.heldBytes ?? 0);
    return inFrames + (this.#links.request?.heldBytes ?? 0) + (this.#links.response?.heldBytes ?? 0);
  }

  /** The call is over: nothing is held and nothing acts any more. */
  dispose(): void {
    this.#connecting?.timer?.cancel();
    this.#connecting = null;
    this.#links.request?.dispose();
    this.#links.response?.dispose();
    this.#frames?.request.dispose();
    this.#frames?.response.dispose();
    this.#marks.settle();
  }

  applied(): readonly AppliedFault[] {
    return this.#marks.applied();
  }

  #holdConnection(
    planned: PlannedFault,
    fault: ConnectFault,
    done: (failure: FlowError | null) => void,
  ): HeldConnection | null {
    const mark = this.#mark(planned, null);
    mark.describe = (at) => (at.outcome === 'released' ? 'was let go and connected' : fault.describe);
    const over = (failure: FlowError | null): void => {
      this.#connecting = null;
      mark.delayedMs = this.#clock.now() - since;
      mark.outcome = failure === null ? 'released' : 'done';
      done(failure);
    };
    const since = this.#clock.now();
    if (fault.afterMs === 0) {
      over(fault.failure);
      return null;
    }
    const timer = this.#clock.setTimer(fault.afterMs, () => over(fault.failure));
    const letGo = (): void => {
      timer.cancel();
      over(null);
    };
    return { rule: planned.rule, timer, letGo };
  }

  #holdHandshake({ planned, fault, mark }: PlannedHandshake, done: () => void): HeldConnection {
    const since = this.#clock.now();
    const over = (outcome: 'done' | 'released'): void => {
      this.#connecting = null;
      mark.delayedMs = this.#clock.now() - since;
      mark.outcome = outcome;
      done();
    };
    const stallMs = fault.kind === 'stall' ? fault.stallMs : 0;
    const timer = stallMs === 0 ? null : this.#clock.setTimer(stallMs, () => over('done'));
    const letGo = (): void => {
      timer?.cancel();
      over('released');
    };
    return { rule: planned.rule, timer, letGo };
  }

  #plan(hit: RuleHit): PlannedFault[] {
    const { rule, faults = rule.rule.faults, unread = null } = hit;
    this.hits.push(hit);
    if (unread !== null) this.#markUnread(rule, unread);
    const planned = faults.map((fault) => ({
      rule,
      hit,
      fault,
      implementation: faultRegistry[fault.type] as unknown as AnyFaultImplementation,
    }));
    this.#faults.push(...planned);
    return planned;
  }

  #standsOn(planned: PlannedFault, direction: Direction): boolean {
    const { implementation, fault } = planned;
    return (
      implementation.createStage !== null && implementation.directions(fault as never).includes(direction)
    );
  }

  #addFrameStages(
    chains: Readonly<Record<Direction, FrameChain>>,
    planned: PlannedFault,
    place: RulePlace,
  ): void {
    const { rule, fault, implementation } = planned;
    if (implementation.frames === undefined) return;
    const mark = this.#mark(planned, 'direction' in fault ? fault.direction : null);
    const joints = { request: chains.request.joint(rule), response: chains.response.joint(rule) };
    const out = { request: joints.request.output, response: joints.response.output };
    const context = { clock: this.#clock, random: this.#random, mark, out, budget: this.#budget };
    const stages = Object.entries(implementation.frames(fault as never, context));
    for (const [direction, stage] of stages as [Direction, FrameStage][])
      chains[direction].add(joints[direction], stage, (other) => place.isLater(other, rule));
    for (const [, stage] of stages) stage.begin?.();
  }

  #addStage(link: Link, planned: PlannedFault, direction: Direction, at?: RulePlace): void {
    const create = planned.implementation.createStage;
    if (create === null) return;
    const { rule, fault } = planned;
    const mark = this.#mark(planned, direction);
    const reshaped = this.#reshaped[direction];
    // Bytes that are not opened have no shape: their stages, which come and go, take no place.
    const place = at === undefined ? reshaped.push(null) - 1 : 0;
    const counter = counterOf(rule.rule.id, fault.type, direction);
    const make: StageMaker = (out) =>
      create(fault as never, {
        clock: this.#clock,
        random: this.#random,
        budget: this.#budget,
        direction,
        mark,
        isFromStart: at?.isFromStart(rule) ?? true,
        bytesBefore: this.#counted?.get(counter) ?? 0,
        breakpoints: { ask: (...asked) => this.breakpoints.ask(...asked) },
        call: () => this.call(),
        isCallerGone: () => this.isCallerGone,
        shape: () => this.#shapeBefore(direction, place),
        reshape: (shape) => {
          reshaped[place] = shape;
        },
        ...out,
      });
    link.add(rule, make, at === undefined ? undefined : (other) => at.isLater(other, rule));
    this.#counted?.delete(counter);
  }

  /** What a rule has counted stays with the link when the rule is changed. */
  #carry({ rule }: CompiledRule): void {
    for (const mark of this.marks) {
      if (mark.ruleId !== rule.id || mark.outcome !== 'acting' || mark.direction === null) continue;
      this.#counted ??= new Map();
      this.#counted.set(counterOf(rule.id, mark.type, mark.direction), mark.bytes ?? 0);
    }
  }

  #shapeBefore(direction: Direction, place: number): MessageShape {
    const made = this.#reshaped[direction].findLast((shape, index) => index < place && shape !== null);
    return made ?? (direction === 'response' ? this.responseShape : this.requestShape);
  }

  #markUnread({ rule: { id, name } }: CompiledRule, unread: string): void {
    const atMs = this.#clock.now() - this.#startedAt;
    const mark = new FaultMark(id, name, 'asked-by-header', null, atMs);
    mark.outcome = 'done';
    mark.describe = () => `did nothing: ${unread}`;
    this.#marks.add(mark);
  }

  #mark(planned: PlannedFault, direction: Direction | null): FaultMark {
    const { id, name } = planned.rule.rule;
    const atMs = this.#clock.now() - this.#startedAt;
    const mark = new FaultMark(id, name, planned.fault.type, direction, atMs);
    this.#marks.add(mark);
    return mark;
  }
}

function unseen(): CallSeen {
  return { flowId: null, caller: null, callee: null, method: '', url: '', requestFields: '' };
}

function answerWords({ status, grpc }: LocalAnswer): string {
  if (grpc === undefined) return String(status);
  return grpc.status === null ? 'without a gRPC status' : (grpcStatusNames[grpc.status] ?? '');
}

function counterOf(ruleId: string, type: string, direction: Direction): string {
  return `${ruleId}\n${type}\n${direction}`;
}

import type { Fault } from '#shared/rules/fault.ts';
import type { ActiveRule } from '../cluster/messages.ts';
import { isAsked } from './asked-faults.ts';
import type { CallFacts, TunnelFacts } from './call-facts.ts';
import { compileMatch, matchesHead, withoutQuery } from './match.ts';
import type { CompiledMatch } from './match.ts';
import { OrderedIndex, segmentOf } from './rule-index.ts';
import { compileTrigger } from './trigger-draw.ts';
import type { CompiledTrigger } from './trigger-draw.ts';
import { faultRegistry } from './faults/registry.ts';

/** What the enabled rules need, as bits of one integer: a call pays one `&` to learn that nothing applies to it. */
export const needs = {
  /** Some rule is on. */
  rules: 1,
  /** Some rule asks for the caller, so a call must wait until the caller has been looked up. */
  caller: 2,
  /** Some rule can act on tunnels. */
  tunnels: 4,
  /** Some rule asks for the callee: as with the caller. */
  callee: 8,
  /** Some rule can be about HTTP calls. */
  calls: 16,
  /** Some rule can keep a tunnel from being connected. */
  connecting: 32,
  /** Some rule acts on TLS handshakes with clients. */
  handshakes: 64,
} as const;

export interface CompiledRule {
  readonly rule: ActiveRule;
  readonly match: CompiledMatch;
  readonly trigger: CompiledTrigger;
  /** Whether it can do something to an HTTP call. */
  readonly actsOnCalls: boolean;
  /** Whether it can do something to bytes that are not opened. */
  readonly actsOnTunnels: boolean;
  /** Whether it can do something to the frames of WebSockets. */
  readonly actsOnFrames: boolean;
  /** Whether that is all that it can do to calls: it is about those that ask for a WebSocket. */
  readonly isForFrames: boolean;
  /** Whether it can keep the upstream from being connected. */
  readonly failsConnecting: boolean;
  /** Whether it acts on TLS handshakes with clients. */
  readonly actsOnHandshakes: boolean;
  /** Whether the call itself says what some of its faults do. */
  readonly asksCall: boolean;
}

/** The rules that can match the calls of one edge and host; most often none. */
export type Candidates = readonly CompiledRule[];

/** The candidates of one edge and host; those that can be about HTTP calls, and these by their paths. */
interface EdgeRules {
  readonly all: Candidates;
  readonly calls: Candidates;
  readonly byPath: OrderedIndex<CompiledRule> | null;
}

const none: Candidates = [];
const cachedEdgesLimit = 4096;
/** With fewer rules an index costs more than it saves. */
const worthAnIndex = 16;

/**
 * The enabled rules of one configuration, compiled. Immutable; a new configuration makes a new one, which takes over the
 * compiled form of the rules that stay as they were.
 */
export class CompiledRules {
  readonly needs: number;
  readonly list: readonly CompiledRule[];
  readonly #on: ReadonlySet<CompiledRule>;
  readonly #byCallee: OrderedIndex<CompiledRule>;
  readonly #byEdge = new Map<string, Map<string, Map<string, EdgeRules>>>();
  #edges = 0;

  constructor(rules: readonly ActiveRule[], before: CompiledRules | null = null) {
    const known = new Map(before?.list.map((compiled) => [identityOf(compiled.rule), compiled]));
    this.list = rules.map((rule) => known.get(identityOf(rule)) ?? compileRule(rule));
    this.#on = new Set(this.list);
    this.#byCallee = new OrderedIndex(this.list, ({ match }) => match.keys.callee);
    this.needs = this.list.reduce((bits, compiled) => bits | bitsOf(compiled), 0);
  }

  /** The rules whose edge part matches; found once per edge and host, then looked up. */
  candidates(caller: string, callee: string, host: string): Candidates {
    return this.#edge(caller, callee, host).all;
  }

  /** The rules whose edge and head match an HTTP call, in their order; the shared empty list when none does. */
  matchCall(facts: CallFacts): Candidates {
    const { calls, byPath } = this.#edge(facts.caller, facts.callee, facts.host);
    if (calls.length === 0) return none;
    const path = withoutQuery(facts.path);
    let matching: CompiledRule[] | null = null;
    for (const rule of byPath?.find(path, segmentOf(path)) ?? calls) {
      if (rule.isForFrames && facts.upgrade?.toLowerCase() !== 'websocket') continue;
      if (matchesHead(rule.match, facts, path)) (matching ??= []).push(rule);
    }
    return matching ?? none;
  }

  /** The rules that match a tunnel and can do something to it. */
  matchTunnel(facts: TunnelFacts): Candidates {
    return this.matchConnection(facts).filter(({ actsOnTunnels }) => actsOnTunnels);
  }

  /** The rules that match an open WebSocket by what was asked for, and can do something to its bytes or frames. */
  matchWebSocket(facts: CallFacts, status: number): Candidates {
    const isMeant = ({ match }: CompiledRule): boolean =>
      match.body === null && (match.status === null || match.status(status));
    const asCall = this.matchCall(facts);
    const asTunnel = this.matchConnection(facts);
    return this.list.filter(
      (rule) =>
        (rule.actsOnTunnels || rule.actsOnFrames) &&
        ((asCall.includes(rule) && isMeant(rule)) || asTunnel.includes(rule)),
    );
  }

  /** The rules that match a connection of which nothing has passed yet, whatever they do. */
  matchConnection(facts: TunnelFacts): Candidates {
    return this.candidates(facts.caller, facts.callee, facts.host).filter(
      ({ match }) => match.aboutTunnels && match.tunnel(facts),
    );
  }

  /** Whether that rule is still on, as it was. */
  has(compiled: CompiledRule): boolean {
    return this.#on.has(compiled);
  }

  /** Three looks into maps by texts that the connection keeps: nothing is made for a call. */
  #edge(caller: string, callee: string, host: string): EdgeRules {
    const found = this.#byEdge.get(caller)?.get(callee)?.get(host);
    return found ?? this.#remember(caller, callee, host);
  }

  #remember(caller: string, callee: string, host: string): EdgeRules {
    if (this.#edges >= cachedEdgesLimit) {
      this.#byEdge.clear();
      this.#edges = 0;
    }
    this.#edges += 1;
    const byCallee = inner(this.#byEdge, caller);
    const byHost = inner(byCallee, callee);
    const all = this.#byCallee
      .find(callee.toLowerCase())
      .filter(({ match }) => match.edge(caller, callee, host));
    const calls = all.filter(({ actsOnCalls, match }) => actsOnCalls && match.aboutCalls);
    const byPath =
      calls.length < worthAnIndex ? null : new OrderedIndex(calls, ({ match }) => match.keys.path);
    const edge = { all, calls, byPath };
    byHost.set(host, edge);
    return edge;
  }
}

function inner<T>(map: Map<string, Map<string, T>>, key: string): Map<string, T> {
  let found = map.get(key);
  if (found === undefined) map.set(key, (found = new Map()));
  return found;
}

/** The same id and epoch: the same rule, unchanged, and on since then. */
function identityOf(rule: ActiveRule): string {
  return `${rule.id}\n${rule.epoch}`;
}

function compileRule(rule: ActiveRule): CompiledRule {
  return {
    rule,
    match: compileMatch(rule.match),
    trigger: compileTrigger(rule.trigger),
    actsOnTunnels: rule.faults.some(actsOnTunnels),
    actsOnFrames: rule.faults.some(actsOnFrames),
    isForFrames: rule.faults.length > 0 && rule.faults.every(actsOnFrames),
    actsOnCalls: rule.faults.some(({ type }) => faultRegistry[type].handshake === undefined),
    actsOnHandshakes: rule.faults.some(({ type }) => faultRegistry[type].handshake !== undefined),
    failsConnecting: rule.faults.some(({ type }) => faultRegistry[type].failsConnecting !== undefined),
    asksCall: rule.faults.some(isAsked),
  };
}

function bitsOf({
  match,
  actsOnCalls,
  actsOnTunnels,
  failsConnecting,
  actsOnHandshakes,
}: CompiledRule): number {
  let bits: number = needs.rules;
  if (match.needsCaller) bits |= needs.caller;
  if (match.needsCallee) bits |= needs.callee;
  if (actsOnCalls && match.aboutCalls) bits |= needs.calls;
  if (actsOnTunnels && match.aboutTunnels) bits |= needs.tunnels;
  if (failsConnecting && match.aboutTunnels) bits |= needs.connecting;
  if (actsOnHandshakes && match.aboutTunnels) bits |= needs.handshakes;
  return bits;
}

function actsOnFrames({ type }: Fault): boolean {
  return faultRegistry[type].frames !== undefined;
}

function actsOnTunnels(fault: Fault): boolean {
  const implementation = faultRegistry[fault.type];
  return implementation.createStage !== null && implementation.needsMessages !== true;
}

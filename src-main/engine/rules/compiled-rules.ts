import type { Fault } from '#shared/rules/fault.ts';
import type { ActiveRule } from '../cluster/messages.ts';
import { compileMatch } from './match.ts';
import type { CallFacts, CompiledMatch } from './match.ts';
import { isCounted } from './trigger-draw.ts';
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
} as const;

export interface CompiledRule {
  readonly rule: ActiveRule;
  readonly match: CompiledMatch;
  /** The trigger needs the primary: counted, or drawn from a seed (exact over all workers). */
  readonly counted: boolean;
  readonly probability: number;
  /** Whether it can do something to bytes that are not opened. */
  readonly actsOnTunnels: boolean;
}

/** The rules that can match the calls of one edge and host; most often none. */
export type Candidates = readonly CompiledRule[];

const none: Candidates = [];
const cachedEdgesLimit = 4096;

/**
 * The enabled rules of one configuration, compiled. Immutable; a new configuration makes a new one, which takes over the
 * compiled form of the rules that stay as they were.
 */
export class CompiledRules {
  readonly needs: number;
  readonly list: readonly CompiledRule[];
  #byEdge = new Map<string, Candidates>();

  constructor(rules: readonly ActiveRule[], before: CompiledRules | null = null) {
    const known = new Map(before?.list.map((compiled) => [identityOf(compiled.rule), compiled]));
    this.list = rules.map((rule) => known.get(identityOf(rule)) ?? compileRule(rule));
    let bits = this.list.length > 0 ? needs.rules : 0;
    for (const compiled of this.list) {
      if (compiled.match.needsCaller) bits |= needs.caller;
      if (compiled.match.needsCallee) bits |= needs.callee;
      if (compiled.actsOnTunnels && !compiled.match.needsHttp) bits |= needs.tunnels;
    }
    this.needs = bits;
  }

  /** The rules whose edge part matches; found once per edge and host, then looked up. */
  candidates(caller: string, callee: string, host: string): Candidates {
    const key = `${caller}\n${callee}\n${host}`;
    let found = this.#byEdge.get(key);
    if (found === undefined) {
      found = this.list.filter((compiled) => compiled.match.edge(caller, callee, host));
      if (found.length === 0) found = none;
      if (this.#byEdge.size >= cachedEdgesLimit) this.#byEdge.clear();
      this.#byEdge.set(key, found);
    }
    return found;
  }

  /** The rules that match an HTTP call, in their order; the shared empty list when none does. */
  matchCall(facts: CallFacts): Candidates {
    const candidates = this.candidates(facts.caller, facts.callee, facts.host);
    if (candidates.length === 0) return none;
    const matching = candidates.filter((compiled) => compiled.match.call(facts.method, facts.path));
    return matching.length === 0 ? none : matching;
  }

  /** The rules that match a tunnel and can do something to it. */
  matchTunnel(caller: string, callee: string, host: string): Candidates {
    return this.candidates(caller, callee, host).filter(
      (compiled) => compiled.actsOnTunnels && !compiled.match.needsHttp,
    );
  }

  /** Whether that rule is still on, as it was. */
  has(compiled: CompiledRule): boolean {
    return this.list.includes(compiled);
  }
}

/** The same id and epoch: the same rule, unchanged, and on since then. */
function identityOf(rule: ActiveRule): string {
  return `${rule.id}\n${rule.epoch}`;
}

function compileRule(rule: ActiveRule): CompiledRule {
  return {
    rule,
    match: compileMatch(rule.match),
    counted: isCounted(rule.trigger),
    probability: rule.trigger.probability ?? 1,
    actsOnTunnels: rule.faults.some(actsOnTunnels),
  };
}

function actsOnTunnels(fault: Fault): boolean {
  return faultRegistry[fault.type].createStage !== null;
}

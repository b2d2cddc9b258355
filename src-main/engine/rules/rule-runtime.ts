import type { Clock, Random } from '../clock.ts';
import { noBreakpoints } from '../breakpoints/worker-holds.ts';
import type { Breakpoints } from '../breakpoints/worker-holds.ts';
import type { ActiveRule } from '../cluster/messages.ts';
import { asCallAsks } from './asked-faults.ts';
import { CompiledRules } from './compiled-rules.ts';
import type { Candidates, CompiledRule } from './compiled-rules.ts';
import { FaultPlan } from './fault-plan.ts';
import { HoldBudget } from './hold-budget.ts';
import type { RuleHit } from './rule-hit.ts';
import type { Decision } from './trigger-counter.ts';
import { drawHits } from './trigger-draw.ts';

/** Whoever counts for all workers. */
export interface Primary {
  /** Asks whether this call is one that the rule hits; `reply` is called once, later. */
  ask(ruleId: string, epoch: number, reply: (decision: Decision) => void): void;
  /** A call that held one of the places of a rule (`Decision.holds`) is over. */
  release(ruleId: string, epoch: number): void;
}

/** Something open for long that wants to know when the rules have changed: a tunnel. */
export interface RulesFollower {
  rulesChanged(): void;
}

/**
 * The rules of one worker while they act: which calls they hit, which plans are open, how often they hit.
 */
export class RuleRuntime {
  compiled = new CompiledRules([]);
  readonly followers = new Set<RulesFollower>();
  /** What the rules of this worker hold in memory, all calls together. */
  readonly budget = new HoldBudget();
  /** Where calls are held by hand; by default none is. */
  breakpoints: Breakpoints = noBreakpoints;
  /** Called with each hit: there is something for `takeHits`. */
  hitCounted: (() => void) | null = null;
  #open = new Map<CompiledRule, Set<FaultPlan>>();
  #hits = new Map<string, number>();
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #primary: Primary;

  constructor(clock: Clock, random: Random, primary: Primary) {
    this.#clock = clock;
    this.#random = random;
    this.#primary = primary;
  }

  /**
   * Takes over the rules that are on now. A rule that is gone or has a new epoch lets go of the calls that it held;
   * an unchanged one keeps its compiled form and its holds. Returns how many calls were let go.
   */
  configure(rules: readonly ActiveRule[]): number {
    const next = new CompiledRules(rules, this.compiled);
    this.compiled = next;
    const released = new Set<FaultPlan>();
    const on = new Set(rules.map(({ id }) => id));
    for (const [rule, plans] of this.#open) {
      if (next.has(rule)) continue;
      this.#open.delete(rule);
      const why = on.has(rule.rule.id) ? 'changed' : 'off';
      for (const plan of plans) if (plan.release(rule, why)) released.add(plan);
    }
    for (const follower of this.followers) follower.rulesChanged();
    return released.size;
  }

  /**
   * Which of the matching rules hit. Calls back at once unless a rule has to be asked of the primary. The hits are the
   * caller's: they go into a plan (`open`, `adopt`), or back (`giveBack`) when the call is over by then.
   */
  trigger(candidates: Candidates, done: (hits: readonly RuleHit[]) => void): void {
    if (!candidates.some(({ trigger }) => trigger.counted)) {
      return done(candidates.filter((rule) => this.#hitsAtOnce(rule)).map(plainHit));
    }
    const hits: (RuleHit | null)[] = candidates.map((rule) =>
      !rule.trigger.counted && this.#hitsAtOnce(rule) ? plainHit(rule) : null,
    );
    let waiting = 0;
    candidates.forEach((rule, index) => {
      if (!rule.trigger.counted) return;
      waiting += 1;
      this.#primary.ask(rule.rule.id, rule.rule.epoch, ({ hit, retryAfterMs, holds }) => {
        if (hit) hits[index] = { rule, retryAfterMs, holds };
        waiting -= 1;
        if (waiting === 0) done(this.#stillOn(hits));
      });
    });
  }

  /** The hits as they act on a call with these fields; those that it does not ask for are given back. */
  asCallAsks(hits: readonly RuleHit[], fields: () => readonly string[]): readonly RuleHit[] {
    if (!hits.some(({ rule }) => rule.asksCall)) return hits;
    const asked = hits.map((hit) => (hit.rule.asksCall ? asCallAsks(hit, fields(), this.#random) : hit));
    this.giveBack(hits.filter((_, index) => asked[index] === null));
    return asked.filter((hit) => hit !== null);
  }

  /** A plan for a call that rules hit; counted, and found again when one of them is turned off. `close` it. */
  open(hits: readonly RuleHit[], startedAt: number): FaultPlan {
    const plan = new FaultPlan(hits, this.#clock, this.#random, startedAt, this.budget);
    plan.breakpoints = this.breakpoints;
    for (const hit of hits) this.adopt(plan, hit);
    return plan;
  }

  /** Counts a hit of a rule and keeps the plan where the rule finds it. */
  adopt(plan: FaultPlan, { rule }: RuleHit): void {
    this.#hits.set(rule.rule.id, (this.#hits.get(rule.rule.id) ?? 0) + 1);
    this.hitCounted?.();
    this.carry(plan, rule);
  }

  /** Keeps the plan where the rule finds it: the hit goes on with what the call has become, and has been counted. */
  carry(plan: FaultPlan, rule: CompiledRule): void {
    const plans = this.#open.get(rule);
    if (plans === undefined) this.#open.set(rule, new Set([plan]));
    else plans.add(plan);
  }

  /** @param keep Hits that go on with what the call has become: they keep their places. */
  close(plan: FaultPlan, keep: readonly RuleHit[] = []): void {
    plan.dispose();
    for (const [rule, plans] of this.#open) {
      if (plans.delete(plan) && plans.size === 0) this.#open.delete(rule);
    }
    this.giveBack(plan.hits.filter((hit) => !keep.includes(hit)));
  }

  /** The calls of these hits are over, or came to nothing. */
  giveBack(hits: readonly RuleHit[]): void {
    for (const { rule, holds } of hits) if (holds) this.#primary.release(rule.rule.id, rule.rule.epoch);
  }

  /** Hits since the last time it was asked, by rule id; null when there were none. */
  takeHits(): Record<string, number> | null {
    if (this.#hits.size === 0) return null;
    const hits = Object.fromEntries(this.#hits);
    this.#hits.clear();
    return hits;
  }

  #hitsAtOnce({ rule, trigger }: CompiledRule): boolean {
    return trigger.isAwake(this.#clock.now() - rule.sinceMs) && drawHits(trigger, 0, this.#random);
  }

  /** While the primary was asked, any of them may have been turned off: then nothing is held for it there either. */
  #stillOn(hits: readonly (RuleHit | null)[]): RuleHit[] {
    return hits.filter((hit) => hit !== null).filter(({ rule }) => this.compiled.has(rule));
  }
}

function plainHit(rule: CompiledRule): RuleHit {
  return { rule, retryAfterMs: null, holds: false };
}

import type { Clock, Random } from '../clock.ts';
import type { ActiveRule } from '../cluster/messages.ts';
import { CompiledRules } from './compiled-rules.ts';
import type { Candidates, CompiledRule } from './compiled-rules.ts';
import { FaultPlan } from './fault-plan.ts';

/** Asks whoever counts for all workers whether this call is one that the rule hits. */
export type AskPrimary = (ruleId: string, epoch: number, reply: (hit: boolean) => void) => void;

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
  #open = new Map<CompiledRule, Set<FaultPlan>>();
  #hits = new Map<string, number>();
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #ask: AskPrimary;

  constructor(clock: Clock, random: Random, ask: AskPrimary) {
    this.#clock = clock;
    this.#random = random;
    this.#ask = ask;
  }

  /**
   * Takes over the rules that are on now. A rule that is gone or has a new epoch lets go of the calls that it held;
   * an unchanged one keeps its compiled form and its holds. Returns how many calls were let go.
   */
  configure(rules: readonly ActiveRule[]): number {
    const next = new CompiledRules(rules, this.compiled);
    this.compiled = next;
    const released = new Set<FaultPlan>();
    for (const [rule, plans] of this.#open) {
      if (next.has(rule)) continue;
      this.#open.delete(rule);
      for (const plan of plans) if (plan.release(rule)) released.add(plan);
    }
    for (const follower of this.followers) follower.rulesChanged();
    return released.size;
  }

  /**
   * Which of the matching rules hit. Calls back at once unless a rule has to be asked of the primary.
   */
  trigger(candidates: Candidates, done: (hit: readonly CompiledRule[]) => void): void {
    let waiting = 0;
    const hit = candidates.map((compiled) => {
      if (compiled.counted) waiting += 1;
      else return compiled.probability >= 1 || this.#random() < compiled.probability;
      return false;
    });
    if (waiting === 0) return done(candidates.filter((_, index) => hit[index]));
    // While it was asked, any of them may have been turned off.
    const finish = (): void =>
      done(candidates.filter((compiled, index) => hit[index] && this.compiled.has(compiled)));
    candidates.forEach((compiled, index) => {
      if (!compiled.counted) return;
      this.#ask(compiled.rule.id, compiled.rule.epoch, (answer) => {
        hit[index] = answer;
        waiting -= 1;
        if (waiting === 0) finish();
      });
    });
  }

  /** A plan for a call that rules hit; counted, and found again when one of them is turned off. `close` it. */
  open(rules: readonly CompiledRule[], startedAt: number): FaultPlan {
    const plan = new FaultPlan(rules, this.#clock, this.#random, startedAt);
    for (const rule of rules) this.adopt(plan, rule);
    return plan;
  }

  /** Counts a hit of a rule and keeps the plan where the rule finds it. */
  adopt(plan: FaultPlan, rule: CompiledRule): void {
    this.#hits.set(rule.rule.id, (this.#hits.get(rule.rule.id) ?? 0) + 1);
    const plans = this.#open.get(rule);
    if (plans === undefined) this.#open.set(rule, new Set([plan]));
    else plans.add(plan);
  }

  close(plan: FaultPlan): void {
    plan.dispose();
    for (const [rule, plans] of this.#open) {
      if (plans.delete(plan) && plans.size === 0) this.#open.delete(rule);
    }
  }

  /** Hits since the last time it was asked, by rule id; null when there were none. */
  takeHits(): Record<string, number> | null {
    if (this.#hits.size === 0) return null;
    const hits = Object.fromEntries(this.#hits);
    this.#hits.clear();
    return hits;
  }
}

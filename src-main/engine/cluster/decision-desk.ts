import type { Random } from '../clock.ts';
import { triggerHits } from '../rules/trigger-draw.ts';
import type { ActiveRule } from './messages.ts';

interface Ledger {
  readonly rule: ActiveRule;
  /** Matching calls asked for so far, over all workers. */
  asked: number;
}

/**
 * Where calls of all workers are counted, for the rules that need it ("the first 3", seeded draws): one running index a
 * rule, so that the answer is exact however the calls fall on the workers. Asked once a matching call, in the order in
 * which the questions reach the primary. No I/O; as many entries as rules are on.
 */
export class DecisionDesk {
  #ledgers = new Map<string, Ledger>();
  readonly #random: Random;

  /** @param random Draws of rules that have a probability and a count, but no seed. */
  constructor(random: Random) {
    this.#random = random;
  }

  /** The rules that are on now, before the workers are told. A new epoch counts from zero; an old one goes on. */
  configure(rules: readonly ActiveRule[]): void {
    const next = new Map<string, Ledger>();
    for (const rule of rules) {
      const before = this.#ledgers.get(rule.id);
      next.set(rule.id, { rule, asked: before?.rule.epoch === rule.epoch ? before.asked : 0 });
    }
    this.#ledgers = next;
  }

  /**
   * Counts one matching call and says whether the rule hits it. A rule that is off by now, or is asked about in an
   * epoch that is over, hits nothing and counts nothing: the worker has not heard of the change yet.
   */
  decide(ruleId: string, epoch: number): boolean {
    const ledger = this.#ledgers.get(ruleId);
    if (ledger === undefined || ledger.rule.epoch !== epoch) return false;
    const index = ledger.asked;
    ledger.asked += 1;
    return triggerHits(ledger.rule.trigger, index, this.#random);
  }
}

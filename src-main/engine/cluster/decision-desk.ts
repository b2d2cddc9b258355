import type { Clock, Random } from '../clock.ts';
import { missed, TriggerCounter } from '../rules/trigger-counter.ts';
import type { Decision } from '../rules/trigger-counter.ts';
import { compileTrigger } from '../rules/trigger-draw.ts';
import type { ActiveRule } from './messages.ts';

interface Ledger {
  readonly epoch: number;
  readonly counter: TriggerCounter;
  /** Places of `maxConcurrent` that the calls of each worker hold. */
  readonly held: Map<number, number>;
}

/**
 * Where calls of all workers are counted, for the rules that need it ("the first 3", seeded draws, "at most 2 at once"): one
 * counter a rule, so that the answer is exact however the calls fall on the workers. Asked once a matching call, in the order
 * in which the questions reach the primary. No I/O; as many entries as rules are on.
 */
export class DecisionDesk {
  #ledgers = new Map<string, Ledger>();
  readonly #random: Random;
  readonly #clock: Pick<Clock, 'now'>;

  /** @param random Draws of rules that have a probability and a count, but no seed. */
  constructor(random: Random, clock: Pick<Clock, 'now'>) {
    this.#random = random;
    this.#clock = clock;
  }

  /** The rules that are on now, before the workers are told. A new epoch counts from zero; an old one goes on. */
  configure(rules: readonly ActiveRule[]): void {
    const next = new Map<string, Ledger>();
    for (const rule of rules) {
      const before = this.#ledgers.get(rule.id);
      next.set(rule.id, before?.epoch === rule.epoch ? before : newLedger(rule));
    }
    this.#ledgers = next;
  }

  /**
   * Counts one matching call of a worker and says whether the rule hits it. A rule that is off by now, or is asked about in an
   * epoch that is over, hits nothing and counts nothing: the worker has not heard of the change yet.
   */
  decide(worker: number, ruleId: string, epoch: number): Decision {
    const ledger = this.#ledger(ruleId, epoch);
    if (ledger === null) return missed;
    const decision = ledger.counter.decide(this.#clock.now(), this.#random);
    if (decision.holds) ledger.held.set(worker, (ledger.held.get(worker) ?? 0) + 1);
    return decision;
  }

  /** A call that held a place is over. Of an epoch that is over nothing is held any more. */
  release(worker: number, ruleId: string, epoch: number): void {
    const ledger = this.#ledger(ruleId, epoch);
    const held = ledger?.held.get(worker) ?? 0;
    if (ledger === null || held === 0) return;
    ledger.held.set(worker, held - 1);
    ledger.counter.release();
  }

  /** A worker is gone, and its calls with it: what they held is free again. */
  workerLost(worker: number): void {
    for (const { counter, held } of this.#ledgers.values()) {
      counter.release(held.get(worker) ?? 0);
      held.delete(worker);
    }
  }

  #ledger(ruleId: string, epoch: number): Ledger | null {
    const ledger = this.#ledgers.get(ruleId);
    return ledger?.epoch === epoch ? ledger : null;
  }
}

function newLedger(rule: ActiveRule): Ledger {
  return {
    epoch: rule.epoch,
    counter: new TriggerCounter(compileTrigger(rule.trigger), rule.sinceMs),
    held: new Map(),
  };
}

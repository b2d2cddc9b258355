import { drawHits } from './trigger-draw.ts';
import type { CompiledTrigger } from './trigger-draw.ts';

/** What a trigger says of one matching call. */
export interface Decision {
  readonly hit: boolean;
  /** Of a call that is over a quota: ms until the quota lets calls pass again; null for every other. */
  readonly retryAfterMs: number | null;
  /** Whether it takes one of the places of `maxConcurrent`: `release` gives it back when the call is over. */
  readonly holds: boolean;
}

export const missed: Decision = { hit: false, retryAfterMs: null, holds: false };
const plainHit: Decision = { hit: true, retryAfterMs: null, holds: false };

/**
 * Counts the calls that match one rule, since it was turned on, and says which are hit (shared/rules/trigger.ts has the order
 * in which the parts are asked). No clock of its own: times come in, and are expected not to go back.
 */
export class TriggerCounter {
  readonly #trigger: CompiledTrigger;
  readonly #sinceMs: number;
  /** Calls that matched while the rule was awake. */
  #matched = 0;
  #held = 0;
  #quota = { fromMs: -Infinity, passed: 0 };

  constructor(trigger: CompiledTrigger, sinceMs: number) {
    this.#trigger = trigger;
    this.#sinceMs = sinceMs;
  }

  decide(nowMs: number, random: () => number): Decision {
    const trigger = this.#trigger;
    if (!trigger.isAwake(nowMs - this.#sinceMs)) return missed;
    const index = this.#matched++;
    if (!trigger.takesPlace(index) || !drawHits(trigger, index, random)) return missed;
    const retryAfterMs = this.#overQuota(nowMs);
    if (retryAfterMs === 0) return missed;
    if (trigger.maxConcurrent === Infinity)
      return retryAfterMs === null ? plainHit : { hit: true, retryAfterMs, holds: false };
    if (this.#held >= trigger.maxConcurrent) return missed;
    this.#held += 1;
    return { hit: true, retryAfterMs, holds: true };
  }

  /** Calls that held a place are over. */
  release(count = 1): void {
    this.#held = Math.max(0, this.#held - count);
  }

  /**
   * 0: the quota lets it pass; null: there is none. A period begins with the first call after the last one has ended, so that
   * n calls pass in it however they come; a sliding window would need the time of each.
   */
  #overQuota(nowMs: number): number | null {
    const { quota } = this.#trigger;
    if (quota === null) return null;
    if (nowMs >= this.#quota.fromMs + quota.periodMs) this.#quota = { fromMs: nowMs, passed: 0 };
    if (this.#quota.passed < quota.calls) {
      this.#quota.passed += 1;
      return 0;
    }
    return Math.max(1, this.#quota.fromMs + quota.periodMs - nowMs);
  }
}

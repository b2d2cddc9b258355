import type { Fault } from '#shared/rules/fault.ts';
import type { CompiledRule } from './compiled-rules.ts';

/** A rule that hits one call, with what its trigger said. */
export interface RuleHit {
  readonly rule: CompiledRule;
  /** The call is over the rule's quota: ms until calls pass again, for Retry-After; null without a quota. */
  readonly retryAfterMs: number | null;
  /** It has one of the places of `maxConcurrent`, until the call is over. */
  readonly holds: boolean;
  /** What it does to this call, where the call says that itself (`asked-faults.ts`); absent: what the rule says. */
  readonly faults?: readonly Fault[];
  /** What the call asks for and cannot be read; null or absent: nothing. */
  readonly unread?: string | null;
}

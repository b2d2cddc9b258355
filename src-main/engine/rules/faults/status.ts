import type { FaultOf } from '#shared/rules/fault.ts';
import type { RuleHit } from '../rule-hit.ts';
import type { FaultImplementation } from './stage.ts';

/** RFC 6585, section 4, and RFC 9110, section 15.6.4: they may say when to come again. */
const mayRetryLater: ReadonlySet<number> = new Set([429, 503]);

/** Answers in place of the upstream, which is not asked. Delays of the same rule or of others still apply to the answer. */
export const status: FaultImplementation<'status'> = {
  directions: () => [],
  createStage: null,
  answer: (fault, hit) => ({
    status: fault.status,
    headers: { ...retryAfter(fault, hit), ...fault.headers },
    body: fault.body,
  }),
};

/** Over a quota, the time until calls pass again, in whole seconds (RFC 9110, section 10.2.3); what the rule says goes before. */
function retryAfter({ status: code, headers }: FaultOf<'status'>, hit: RuleHit): Record<string, string> {
  const isSaid = Object.keys(headers).some((name) => name.toLowerCase() === 'retry-after');
  if (hit.retryAfterMs === null || isSaid || !mayRetryLater.has(code)) return {};
  return { 'retry-after': String(Math.max(1, Math.ceil(hit.retryAfterMs / 1000))) };
}

import { describe, expect, it } from 'vitest';
import { RuleDefinitionSchema } from '#shared/rules/rule.ts';
import type { Flow } from '#shared/flow/flow.ts';
import { ruleFor } from '../../../src-renderer/features/live/detail/break-like-this.ts';

function flowTo(url: string | null): Flow {
  const http = url === null ? null : { method: 'POST', url };
  return { caller: { name: 'checkout' }, callee: { name: 'payments' }, http } as Flow;
}

describe('a rule for calls like one', () => {
  it('matches caller, callee, method and the path without its query', () => {
    expect(ruleFor(flowTo('https://payments/v1/charge?x=1'), 'slow')).toEqual({
      name: 'checkout to payments, POST /v1/charge, slow 2 s',
      enabled: true,
      match: { caller: 'checkout', callee: 'payments', method: 'POST', path: '/v1/charge' },
      faults: [{ type: 'latency', latencyMs: 2000 }],
    });
  });

  it('keeps a path that ends with a slash from being read as a regular expression', () => {
    expect(ruleFor(flowTo('http://payments/v1/charge/'), 'reset').match?.path).toBe('/v1/charge/*');
    expect(ruleFor(flowTo('http://payments/'), 'reset').match?.path).toBe('/');
  });

  it('makes rules that the contract takes', () => {
    for (const breaking of ['slow', 'unavailable', 'reset', 'hold'] as const) {
      expect(RuleDefinitionSchema.safeParse(ruleFor(flowTo('http://payments/a'), breaking)).success).toBe(
        true,
      );
    }
    expect(ruleFor(flowTo(null), 'slow').match).toEqual({ caller: 'checkout', callee: 'payments' });
    expect(ruleFor(flowTo('http://payments/a'), 'unavailable').trigger).toEqual({ probability: 0.5 });
  });
});

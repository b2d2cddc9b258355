import { describe, expect, it } from 'vitest';
import type { RuleInput } from '../../../../src-shared/rules/rule.ts';
import { RuleDefinitionSchema } from '../../../../src-shared/rules/rule.ts';
import { isAboutAll, ruleFindings } from '../../../../src-shared/rules/rule-findings.ts';
import type { FoundRule, SeenNames } from '../../../../src-shared/rules/rule-findings.ts';
import type { Match } from '../../../../src-shared/rules/match.ts';

const nothingSeen: SeenNames = { services: new Set(), routes: new Set() };
const refuse: RuleInput['faults'] = [{ type: 'reset', at: 'start' }];
const answer: RuleInput['faults'] = [{ type: 'status', status: 503 }];
const held: RuleInput['faults'] = [{ type: 'breakpoint' }];
const slow: RuleInput['faults'] = [{ type: 'latency', latencyMs: 5 }];

function rule(id: string, parts: Partial<RuleInput> = {}): FoundRule {
  return { ...RuleDefinitionSchema.parse({ name: id, enabled: true, faults: slow, ...parts }), id };
}
const fieldsOf = (parts: Partial<RuleInput>, seen = nothingSeen): string[] =>
  ruleFindings([rule('r', parts)], seen).map(({ severity, field }) => `${severity} ${field}`);

describe('findings of one rule', () => {
  it.each<[Partial<RuleInput>, string[]]>([
    [{}, []],
    [{ match: { method: 'POST', path: '/v1/*', grpc: { service: 'a' } } }, []],
    [{ match: { protocol: 'tcp', path: '/x', status: 500 } }, ['never match.path', 'never match.status']],
    [{ match: { protocol: 'tcp' }, faults: answer }, ['never faults']],
    [{ match: { protocol: 'tcp' }, faults: held }, ['never faults']],
    [{ match: { protocol: 'websocket' }, faults: held }, ['never faults']],
    [{ match: { protocol: 'grpc' }, faults: held }, []],
    [{ match: { grpc: {}, method: 'GET' } }, ['never match.method']],
    [{ match: { protocol: 'grpc', method: 'get' } }, ['never match.method']],
    [{ match: { grpc: {}, protocol: 'http' } }, ['never match.protocol']],
    [{ match: { grpc: { service: 'a', method: 'b' }, path: '/a/c' } }, ['never match.path']],
    [{ match: { grpc: { service: 'a', method: 'b' }, path: '/a/*' } }, []],
    [{ match: { protocol: 'websocket', body: { contains: 'a' } } }, ['never match.body']],
    [{ match: { path: 'v1' } }, ['never match.path']],
    [{ match: { path: '/v1?debug=1' } }, ['hint match.path']],
    [{ match: { path: '/orders-?' } }, []],
    [{ trigger: { probability: 0 } }, ['never trigger.probability']],
    [{ trigger: { first: 3, every: 5 } }, ['never trigger.every']],
    [{ trigger: { expires: '5s', window: { from: '5s' } } }, ['never trigger.expires']],
    [
      { trigger: { window: { from: '20s', to: '50s' }, schedule: { every: '60s', for: '10s' } } },
      ['never trigger.schedule'],
    ],
    [{ trigger: { window: { from: '20s', to: '61s' }, schedule: { every: '60s', for: '10s' } } }, []],
    [{ trigger: { seed: 1 } }, ['hint trigger.seed']],
  ])('%j: %j', (parts, found) => {
    expect(fieldsOf(parts)).toEqual(found);
  });

  it('hints at names that nobody has seen, once somebody has been seen', () => {
    const seen: SeenNames = { services: new Set(['web', 'orders']), routes: new Set(['orders']) };
    const parts = { match: { caller: 'wep', callee: 'ORD*', route: 'order', listener: 'proxy' } };
    expect(fieldsOf(parts, seen)).toEqual(['hint match.caller', 'hint match.route']);
    expect(fieldsOf(parts)).toEqual([]);
  });
});

describe('a rule behind another', () => {
  const shadowedBy = (first: Partial<RuleInput>, second: Partial<RuleInput>): (string | null)[] =>
    ruleFindings([rule('first', first), rule('second', second)], nothingSeen).map(
      ({ otherRuleId }) => otherRuleId,
    );

  it.each<[boolean, Partial<RuleInput>, Partial<RuleInput>]>([
    [true, { faults: refuse }, { match: { callee: 'a' } }],
    [true, { faults: refuse, match: { callee: 'a' } }, { match: { callee: 'a', path: '/x' } }],
    [true, { faults: refuse, match: { path: '/x/*' } }, { match: { path: '/x/y' } }],
    [true, { faults: answer }, { faults: answer }],
    [true, { faults: answer }, { faults: [{ type: 'hang', direction: 'request' }] }],
    [false, { faults: answer }, { faults: slow }],
    [false, { faults: slow }, { faults: slow }],
    [false, { faults: refuse, enabled: false }, {}],
    [false, { faults: refuse }, { enabled: false }],
    [false, { faults: refuse, trigger: { probability: 0.5 } }, {}],
    [false, { faults: refuse, trigger: { first: 3 } }, {}],
    [false, { faults: refuse, match: { callee: 'a' } }, {}],
    [false, { faults: refuse, match: { status: 500 } }, { match: { status: 500 } }],
  ])('%s: %j before %j', (isShadowed, first, second) => {
    expect(shadowedBy(first, second)).toEqual(isShadowed ? ['first'] : []);
  });

  it.each<[boolean, Match, Match]>([
    [true, {}, { caller: 'a' }],
    [true, { caller: '*' }, {}],
    [true, { callee: 'PAY*' }, { callee: 'payments' }],
    [false, { path: '/A' }, { path: '/a' }],
    [false, { path: '/a/*' }, { path: '/a/b*' }], // true, but not certain from the patterns alone
    [true, { status: '5xx' }, { status: '500-503' }],
    [false, { status: '500-503' }, { status: '5xx' }],
    [true, { header: { a: '1' } }, { header: { a: '1', b: '2' } }],
    [false, { header: { a: '1', b: '2' } }, { header: { a: '1' } }],
    [false, { protocol: 'http' }, { protocol: 'grpc' }],
  ])('%s: all of %j is about all of %j', (expected, wide, narrow) => {
    expect(isAboutAll(wide, narrow)).toBe(expected);
  });

  it('is found in 10,000 rules without comparing them all with each other', () => {
    const rules = Array.from({ length: 10_000 }, (_, index) =>
      rule(`r${index}`, { faults: refuse, match: { path: `/${index}` } }),
    );
    expect(ruleFindings(rules, nothingSeen)).toEqual([]);
  });
});

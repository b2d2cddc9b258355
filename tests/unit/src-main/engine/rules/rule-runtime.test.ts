import { describe, expect, it } from 'vitest';
import type { ActiveRule } from '../../../../../src-main/engine/cluster/messages.ts';
import { CompiledRules, needs } from '../../../../../src-main/engine/rules/compiled-rules.ts';
import { compileText } from '../../../../../src-main/engine/rules/match.ts';
import { RuleRuntime } from '../../../../../src-main/engine/rules/rule-runtime.ts';
import { activeRule } from '../../../../support/data-plane-harness.ts';
import type { RuleText } from '../../../../support/data-plane-harness.ts';
import { ManualClock } from '../../../../support/manual-clock.ts';

const status: RuleText['faults'] = [{ type: 'status', status: 500 }];
const hang: RuleText['faults'] = [{ type: 'hang' }];
const make = (text: Partial<RuleText>): ActiveRule => activeRule({ name: 'r', faults: status, ...text });
const call = { caller: 'web', callee: 'Orders', method: 'GET', host: 'orders.local', path: '/a/b?x=1' };

describe('texts', () => {
  it.each<[string, boolean, string, boolean]>([
    ['orders', false, 'ORDERS', true],
    ['/A', true, '/a', false],
    ['/api/*', true, '/api/x/y', true],
    ['/api/?', true, '/api/xy', false],
    ['*.local', false, 'a.LOCAL', true],
    ['a.b', false, 'axb', false],
    ['/api/', true, '/api/', true],
    ['/^\\/v\\d+\\/x$/', true, '/v12/x', true],
    ['/^\\/v\\d+\\/x$/', true, '/v/x', false],
    ['/abc/i', true, 'xABCx', true],
    ['/^get$/', false, 'GET', true],
  ])('%j (case %s) against %j is %s', (pattern, caseSensitive, value, expected) => {
    expect(compileText(pattern, caseSensitive)(value)).toBe(expected);
  });

  it('names an expression that is none', () => {
    expect(() => compileText('/(/', true)).toThrow(SyntaxError);
  });
});

describe('compiled rules', () => {
  it('say in bits what they need', () => {
    const bits = (...rules: ActiveRule[]): number => new CompiledRules(rules).needs;
    expect(bits()).toBe(0);
    expect(bits(make({}))).toBe(needs.rules);
    expect(bits(make({ match: { caller: 'a' } }))).toBe(needs.rules | needs.caller);
    expect(bits(make({ match: { callee: 'a' } }))).toBe(needs.rules | needs.callee);
    expect(bits(make({ faults: hang }))).toBe(needs.rules | needs.tunnels);
    expect(bits(make({ faults: hang, match: { path: '/x' } }))).toBe(needs.rules);
  });

  it('match calls by edge, host, method and path without its query, and tunnels by what tunnels have', () => {
    const rules = new CompiledRules([
      make({ name: 'edge', match: { caller: 'WEB', callee: 'orders' } }),
      make({ name: 'path', match: { path: '/a/b' } }),
      make({ name: 'method', match: { method: 'POST' } }),
      make({ name: 'hang', faults: hang, match: { host: '*.local' } }),
    ]);
    const names = rules.matchCall(call).map(({ rule }) => rule.id);
    expect(names).toEqual(['edge', 'path', 'hang']);
    expect(rules.matchTunnel('web', 'orders', 'orders.local').map(({ rule }) => rule.id)).toEqual(['hang']);
    expect(rules.candidates('web', 'Orders', 'orders.local')).toBe(
      rules.candidates('web', 'Orders', 'orders.local'),
    );
    expect(rules.matchCall({ ...call, callee: 'b', host: 'b', path: '/' })).toHaveLength(0);
  });

  it('keep the compiled form of what stays, and only of that', () => {
    const before = new CompiledRules([make({ name: 'a' }), make({ name: 'b' })]);
    const after = new CompiledRules([make({ name: 'a' }), make({ name: 'b', epoch: 2 })], before);
    expect(after.list[0]).toBe(before.list[0]);
    expect(after.list[1]).not.toBe(before.list[1]);
  });
});

describe('the runtime', () => {
  function runtime(...rules: ActiveRule[]) {
    const asked: ((hit: boolean) => void)[] = [];
    const made = new RuleRuntime(
      new ManualClock(),
      () => 0.5,
      (_rule, _epoch, reply) => void asked.push(reply),
    );
    made.configure(rules);
    return { made, asked };
  }

  it('draws at once, and asks for what is counted', () => {
    const { made, asked } = runtime(
      make({ name: 'often', trigger: { probability: 0.6 } }),
      make({ name: 'seldom', trigger: { probability: 0.4 } }),
      make({ name: 'first', trigger: { first: 2 } }),
    );
    const hits: string[][] = [];
    made.trigger(made.compiled.list, (hit) => hits.push(hit.map(({ rule }) => rule.id)));
    expect(hits).toEqual([]);
    asked[0]?.(true);
    expect(hits).toEqual([['often', 'first']]);
    made.trigger(made.compiled.list.slice(0, 2), (hit) => hits.push(hit.map(({ rule }) => rule.id)));
    expect(hits[1]).toEqual(['often']);
  });

  it('hits nothing with a rule that was turned off while another was asked for', () => {
    const { made, asked } = runtime(make({ name: 'always' }), make({ name: 'first', trigger: { first: 2 } }));
    let hits: string[] = ['not called'];
    made.trigger(made.compiled.list, (hit) => (hits = hit.map(({ rule }) => rule.id)));
    made.configure([make({ name: 'first', trigger: { first: 2 } })]);
    asked[0]?.(true);
    expect(hits).toEqual(['first']);
  });

  it('lets go of the calls of rules that are gone or changed, counts them, and keeps the others', () => {
    const rules = ['a', 'b'].map((name) => make({ name, faults: hang }));
    const { made } = runtime(...rules);
    const out: string[] = [];
    for (const compiled of made.compiled.list) {
      const plan = made.open([compiled], 0);
      const output = {
        write: (chunk: Buffer) => void out.push(chunk.toString()),
        end: () => undefined,
        reset: () => undefined,
        close: () => undefined,
      };
      plan
        .createLink('response', output, { pause: () => undefined, resume: () => undefined })
        ?.push(Buffer.from(compiled.rule.id));
    }
    expect(made.takeHits()).toEqual({ a: 1, b: 1 });
    expect(made.takeHits()).toBeNull();
    expect(made.configure(rules)).toBe(0);
    expect(made.configure([rules[0]!, make({ name: 'b', faults: hang, epoch: 2 })])).toBe(1);
    expect(out).toEqual(['b']);
    expect(made.configure([])).toBe(1);
    expect(out).toEqual(['b', 'a']);
  });
});

import { describe, expect, it } from 'vitest';
import type { ActiveRule } from '../../../../../src-main/engine/cluster/messages.ts';
import { CompiledRules, needs } from '../../../../../src-main/engine/rules/compiled-rules.ts';
import type { CallFacts } from '../../../../../src-main/engine/rules/call-facts.ts';
import type { RuleHit } from '../../../../../src-main/engine/rules/rule-hit.ts';
import { RuleRuntime } from '../../../../../src-main/engine/rules/rule-runtime.ts';
import type { Decision } from '../../../../../src-main/engine/rules/trigger-counter.ts';
import { activeRule } from '../../../../support/data-plane-harness.ts';
import type { RuleText } from '../../../../support/data-plane-harness.ts';
import { ManualClock } from '../../../../support/manual-clock.ts';

const status: RuleText['faults'] = [{ type: 'status', status: 500 }];
const hang: RuleText['faults'] = [{ type: 'hang' }];
const make = (text: Partial<RuleText>): ActiveRule => activeRule({ name: 'r', faults: status, ...text });
const call: CallFacts = {
  caller: 'web',
  callee: 'Orders',
  method: 'GET',
  host: 'orders.local',
  path: '/a/b?x=1',
  route: null,
  listener: null,
  fields: [],
  upgrade: null,
};
const hitOf = (holds = false): Decision => ({ hit: true, retryAfterMs: null, holds });
const idsOf = (hits: readonly RuleHit[]): string[] => hits.map(({ rule }) => rule.rule.id);

describe('compiled rules', () => {
  it('say in bits what they need', () => {
    const bits = (...rules: ActiveRule[]): number => new CompiledRules(rules).needs;
    expect(bits()).toBe(0);
    const calls = needs.rules | needs.calls;
    expect(bits(make({}))).toBe(calls);
    expect(bits(make({ match: { caller: 'a' } }))).toBe(calls | needs.caller);
    expect(bits(make({ match: { callee: 'a' } }))).toBe(calls | needs.callee);
    expect(bits(make({ faults: hang }))).toBe(calls | needs.tunnels);
    expect(bits(make({ faults: hang, match: { path: '/x' } }))).toBe(calls);
    expect(bits(make({ faults: hang, match: { status: '5xx' } }))).toBe(calls);
    expect(bits(make({ faults: hang, match: { protocol: 'tcp' } }))).toBe(needs.rules | needs.tunnels);
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
    expect(rules.matchTunnel({ ...call, callee: 'orders' }).map(({ rule }) => rule.id)).toEqual(['hang']);
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

describe('many rules', () => {
  it('are found by their callee and path, in their order, with those that have neither', () => {
    const rules = Array.from({ length: 200 }, (_, index) =>
      make({
        name: `r${index}`,
        match: {
          ...(index % 2 === 0 && { callee: `svc-${index % 10}` }),
          ...(index % 3 === 0 && { path: `/p/${index % 5}` }),
        },
      }),
    );
    const compiled = new CompiledRules(rules);
    for (const callee of ['SVC-4', 'svc-0', 'other']) {
      for (const path of ['/p/0?q=1', '/p/3', '/elsewhere']) {
        const expected = rules.filter(
          ({ match }) =>
            (match.callee === undefined || match.callee === callee.toLowerCase()) &&
            (match.path === undefined || match.path === path.split('?')[0]),
        );
        const found = compiled.matchCall({ ...call, callee, path });
        expect(found.map(({ rule }) => rule.id)).toEqual(expected.map(({ id }) => id));
      }
    }
  });
});

describe('the runtime', () => {
  function runtime(...rules: ActiveRule[]) {
    const asked: ((decision: Decision) => void)[] = [];
    const released: string[] = [];
    const clock = new ManualClock();
    const made = new RuleRuntime(clock, () => 0.5, {
      ask: (_rule, _epoch, reply) => void asked.push(reply),
      release: (rule) => void released.push(rule),
    });
    made.configure(rules);
    return { made, asked, released, clock };
  }

  it('draws at once, and asks for what is counted', () => {
    const { made, asked } = runtime(
      make({ name: 'often', trigger: { probability: 0.6 } }),
      make({ name: 'seldom', trigger: { probability: 0.4 } }),
      make({ name: 'first', trigger: { first: 2 } }),
    );
    const hits: string[][] = [];
    made.trigger(made.compiled.list, (hit) => hits.push(idsOf(hit)));
    expect(hits).toEqual([]);
    asked[0]?.(hitOf());
    expect(hits).toEqual([['often', 'first']]);
    made.trigger(made.compiled.list.slice(0, 2), (hit) => hits.push(idsOf(hit)));
    expect(hits[1]).toEqual(['often']);
  });

  it('knows by itself when a rule sleeps', () => {
    const clock = new ManualClock();
    const rule = {
      ...make({ name: 'late', trigger: { window: { from: '10s', to: '20s' } } }),
      sinceMs: clock.now(),
    };
    const { made, clock: now } = runtime(rule);
    const counts: number[] = [];
    for (const advance of [0, 9999, 1, 9999, 1]) {
      now.advance(advance);
      made.trigger(made.compiled.list, (hits) => counts.push(hits.length));
    }
    expect(counts).toEqual([0, 0, 1, 1, 0]);
  });

  it('hits nothing with a rule that was turned off while another was asked for', () => {
    const { made, asked } = runtime(make({ name: 'always' }), make({ name: 'first', trigger: { first: 2 } }));
    let hits: string[] = ['not called'];
    made.trigger(made.compiled.list, (hit) => (hits = idsOf(hit)));
    made.configure([make({ name: 'first', trigger: { first: 2 } })]);
    asked[0]?.(hitOf());
    expect(hits).toEqual(['first']);
  });

  it('gives a place back when the plan is closed, and not before what the call has become is over', () => {
    const { made, asked, released } = runtime(make({ name: 'two', trigger: { maxConcurrent: 2 } }));
    let hits: readonly RuleHit[] = [];
    made.trigger(made.compiled.list, (hit) => (hits = hit));
    asked[0]?.(hitOf(true));
    const exchange = made.open(hits, 0);
    made.close(exchange, hits); // upgraded
    expect(released).toEqual([]);
    made.close(made.open(hits, 0));
    expect(released).toEqual(['two']);
    made.giveBack(hits);
    expect(released).toEqual(['two', 'two']);
  });

  it('lets go of the calls of rules that are gone or changed, counts them, and keeps the others', () => {
    const rules = ['a', 'b'].map((name) => make({ name, faults: hang }));
    const { made } = runtime(...rules);
    const out: string[] = [];
    for (const rule of made.compiled.list) {
      const plan = made.open([{ rule, retryAfterMs: null, holds: false }], 0);
      const output = {
        write: (chunk: Buffer) => void out.push(chunk.toString()),
        end: () => undefined,
        reset: () => undefined,
        close: () => undefined,
      };
      plan
        .createLink('response', output, { pause: () => undefined, resume: () => undefined })
        ?.push(Buffer.from(rule.rule.id));
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

import { beforeEach, describe, expect, it, vi } from 'vitest';
import { RuleDefinitionSchema } from '#shared/rules/rule.ts';
import type { Rule } from '#shared/rules/rule.ts';
import { applyRuleEvent, useRules } from '../../../../src-renderer/stores/rules-store.ts';

// The store asks the agent of a page; here nobody is asked.
vi.mock('../../../../src-renderer/stores/connection-store.ts', () => ({ agent: () => null }));

function ruleOf(id: string, hits: number): Rule {
  const definition = RuleDefinitionSchema.parse({ name: id, faults: [{ type: 'hang' }] });
  return { ...definition, id, version: 1, enabledAt: null, expiresAt: null, hits, sentence: '' };
}

const newestHits = (id: string) => useRules.getState().histories.get(id)?.counts.at(-1);

describe('the hits that the agent tells of', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_700_000_000_000 });
    useRules.setState({ rules: [ruleOf('a', 5), ruleOf('b', 0)], histories: new Map() });
    return () => vi.useRealTimers();
  });

  it('are added up over time, from what was known when the window opened', () => {
    applyRuleEvent({ type: 'rule.hits', hits: { a: 7 } });
    applyRuleEvent({ type: 'rule.hits', hits: { a: 10, b: 1 } });
    expect([newestHits('a'), newestHits('b')]).toEqual([5, 1]);
    expect(useRules.getState().rules?.map(({ hits }) => hits)).toEqual([10, 1]);
  });

  it('of a rule that is not there, or was removed, are not kept', () => {
    applyRuleEvent({ type: 'rule.hits', hits: { a: 7, gone: 3 } });
    expect(newestHits('gone')).toBeUndefined();
    applyRuleEvent({ type: 'rule.removed', id: 'a' });
    expect(newestHits('a')).toBeUndefined();
  });
});

describe('rules that are changed', () => {
  const states = () => useRules.getState().rules?.map(({ id, enabled, version }) => [id, enabled, version]);
  const on = (id: string, version: number): Rule => ({ ...ruleOf(id, 0), enabled: true, version });
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_700_000_000_000 });
    useRules.setState({ rules: [ruleOf('a', 0), ruleOf('b', 0)], histories: new Map() });
    return () => vi.useRealTimers();
  });

  it('are taken over together, once, however many are told of', () => {
    let commits = 0;
    const end = useRules.subscribe(() => (commits += 1));
    for (const id of ['a', 'b', 'c']) applyRuleEvent({ type: 'rule.changed', rule: on(id, 2) });
    expect(commits).toBe(0);
    vi.runAllTimers();
    end();
    expect(commits).toBe(1);
    expect(states()).toEqual([
      ['a', true, 2],
      ['b', true, 2],
      ['c', true, 2],
    ]);
  });

  it('are not put back by what was told before the answer to this window', () => {
    applyRuleEvent({ type: 'rule.changed', rule: on('a', 2) });
    useRules.setState({ rules: [{ ...ruleOf('a', 0), version: 3 }] });
    vi.runAllTimers();
    expect(states()).toEqual([['a', false, 3]]);
  });

  it('stand where an order says that comes right after them', () => {
    applyRuleEvent({ type: 'rule.changed', rule: on('c', 1) });
    applyRuleEvent({ type: 'rule.reordered', ids: ['c', 'b', 'a'] });
    expect(states()?.map(([id]) => id)).toEqual(['c', 'b', 'a']);
    applyRuleEvent({ type: 'rule.changed', rule: on('c', 2) });
    applyRuleEvent({ type: 'rule.removed', id: 'c' });
    vi.runAllTimers();
    expect(states()?.map(([id]) => id)).toEqual(['b', 'a']);
  });
});

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

import { describe, expect, it } from 'vitest';
import { RuleDefinitionSchema } from '#shared/rules/rule.ts';
import type { Rule } from '#shared/rules/rule.ts';
import {
  dropPlace,
  listRows,
  stepPlace,
} from '../../../../../src-renderer/features/faults/list/list-rows.ts';
import { groupRules } from '../../../../../src-renderer/features/faults/rule-groups.ts';

function ruleOf(id: string, callee: string, origin?: 'toxiproxy'): Rule {
  const definition = RuleDefinitionSchema.parse({ name: id, match: { callee }, faults: [{ type: 'hang' }] });
  const rule = { ...definition, id, version: 1, enabledAt: null, expiresAt: null, hits: 0, sentence: '' };
  return origin === undefined ? rule : { ...rule, origin };
}
const rules = [ruleOf('a', 'x'), ruleOf('b', 'y'), ruleOf('c', 'x'), ruleOf('toxic', 'x', 'toxiproxy')];
const ofX = [rules[0]!, rules[2]!, rules[3]!];

describe('the place of a rule that is moved', () => {
  it('is before another one, whatever stands between them elsewhere', () => {
    expect(dropPlace(rules, 'c', 'a', 'above')).toBe('a');
    expect(dropPlace(rules, 'a', 'c', 'below')).toBeNull();
    expect(dropPlace(rules, 'c', 'a', 'below')).toBe('b');
    expect(dropPlace(rules, 'b', 'a', 'below')).toBe('c');
  });

  it('by one is within its group, and not behind those of others', () => {
    expect(stepPlace(rules, ofX, 'c', -1)).toBe('a');
    expect(stepPlace(rules, ofX, 'a', 1)).toBeNull();
    expect(stepPlace(rules, ofX, 'a', -1)).toBeUndefined();
    expect(stepPlace(rules, ofX, 'c', 1)).toBeUndefined();
  });
});

describe('the rows of the list', () => {
  it('are headings and rules; a group that is closed is its heading', () => {
    const groups = groupRules(rules, 'origin');
    expect(groups.map(({ title }) => title)).toEqual(['Made here', 'By clients of Toxiproxy’s API']);
    const { rows, sections } = listRows(groups, new Set(['Made here']));
    expect(rows.map(({ kind }) => kind)).toEqual(['head', 'head', 'rule']);
    expect(sections.map(({ first, end }) => [first, end])).toEqual([
      [0, 1],
      [1, 3],
    ]);
  });

  it('by scenario, a rule stands with all that turn it on', () => {
    const scenarios = ['one', 'two'].map((name) => ({ name, steps: [{ at: '0s', enable: ['a'] }] }));
    expect(groupRules(rules.slice(0, 3), 'scenario', scenarios).map(({ title }) => title)).toEqual([
      'one, two',
      'In no scenario',
    ]);
  });
});

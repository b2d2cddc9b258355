import { describe, expect, it } from 'vitest';
import { RuleDefinitionSchema } from '#shared/rules/rule.ts';
import type { Rule, RuleInput } from '#shared/rules/rule.ts';
import { onForWords, turnsOffWords } from '../../../../../src-renderer/features/faults/on-for.ts';
import {
  fewRules,
  groupRules,
  searchRules,
} from '../../../../../src-renderer/features/faults/rule-groups.ts';

function ruleOf(name: string, input: Partial<RuleInput> = {}): Rule {
  const definition = RuleDefinitionSchema.parse({ name, faults: [{ type: 'hang' }], ...input });
  return { ...definition, id: name, version: 1, enabledAt: null, expiresAt: null, hits: 0, sentence: '' };
}
const names = (rules: readonly Rule[]) => rules.map(({ name }) => name);

describe('groupRules', () => {
  it('leaves a few as they are, and divides many by callee in their order', () => {
    const few = Array.from({ length: fewRules }, (_, at) =>
      ruleOf(`r${at}`, { match: { callee: `c${at % 2}` } }),
    );
    expect(groupRules(few)).toEqual([{ title: null, rules: few }]);
    const many = [...few, ruleOf('all')];
    expect(groupRules(many).map(({ title, rules }) => [title, names(rules)])).toEqual([
      ['c0', ['r0', 'r2', 'r4', 'r6']],
      ['c1', ['r1', 'r3', 'r5']],
      ['Any callee', ['all']],
    ]);
  });
});

describe('searchRules', () => {
  const rules = [
    ruleOf('payments is slow', { enabled: true, match: { callee: 'payments' } }),
    ruleOf('tea', { faults: [{ type: 'status', status: 418 }] }),
  ];

  it('finds by name, by what the rule does, and by its state', () => {
    expect(names(searchRules(rules, 'SLOW pay'))).toEqual(['payments is slow']);
    expect(names(searchRules(rules, '418'))).toEqual(['tea']);
    expect(names(searchRules(rules, 'on'))).toEqual(['payments is slow']);
    expect(names(searchRules(rules, 'off'))).toEqual(['tea']);
    expect(searchRules(rules, ' ')).toBe(rules);
    expect(searchRules(rules, 'tea slow')).toEqual([]);
  });
});

describe('how long a rule is on', () => {
  it('is said in seconds, minutes, hours', () => {
    expect(onForWords(28_400)).toBe('on for 28 s');
    expect(onForWords(148_000)).toBe('on for 2 min 28 s');
    expect(turnsOffWords(180_000)).toBe('turns off in 3 min 00 s');
    expect(turnsOffWords(3_900_000)).toBe('turns off in 1 h 05 min');
    expect(turnsOffWords(-1)).toBe('turns off now');
  });
});

import { useState } from 'react';
import type { Rule } from '#shared/rules/rule.ts';
import { moveRule, useRules } from '../../../stores/rules-store.ts';
import { openView } from '../../../stores/view-store.ts';
import { useKeys } from '../../../ui/keys.ts';
import { counted, ordinal } from '../../../ui/words.ts';
import { startNewRule } from '../draft-store.ts';
import type { RuleGroup } from '../rule-groups.ts';
import { stepPlace } from './list-rows.ts';

/** The keys of the list. @returns what a reader of the screen is told of a rule that was moved. */
export function useListKeys(
  groups: readonly RuleGroup[],
  selected: Rule | null,
  toggle: (rule: Rule) => void,
): string {
  const [said, setSaid] = useState('');
  const select = (by: -1 | 1) => {
    const listed = groups.flatMap(({ rules }) => rules);
    const next = listed[listed.findIndex((rule) => rule.id === selected?.id) + by];
    if (next) openView('faults', next.id);
  };
  const move = async (by: -1 | 1) => {
    if (selected === null) return;
    if (selected.origin !== undefined) return setSaid(`The order of ${selected.name} is not yours.`);
    const group = groups.find(({ rules }) => rules.some(({ id }) => id === selected.id));
    const place = stepPlace(useRules.getState().rules ?? [], group?.rules ?? [], selected.id, by);
    if (place === undefined) return setSaid(`${selected.name} is ${by < 0 ? 'first' : 'last'} already.`);
    if (!(await moveRule(selected.id, place))) return;
    const rules = useRules.getState().rules ?? [];
    const at = rules.findIndex(({ id }) => id === selected.id);
    setSaid(`${selected.name} is now tried ${ordinal(at + 1)} of ${counted(rules.length, 'rule')}.`);
  };
  const arrow = (by: -1 | 1) => (event: KeyboardEvent) => (event.altKey ? void move(by) : select(by));
  useKeys({
    j: () => select(1),
    ArrowDown: arrow(1),
    k: () => select(-1),
    ArrowUp: arrow(-1),
    n: () => startNewRule(),
    d: () => selected && startNewRule(selected),
    e: () => document.getElementById('rule-name')?.focus(),
    ' ': () => selected && toggle(selected),
  });
  return said;
}

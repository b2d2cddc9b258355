import type { Rule } from '#shared/rules/rule.ts';
import { ruleSentence } from '#shared/rules/sentence.ts';

/** Rules of one callee, in the order in which they are tried. */
export interface RuleGroup {
  /** null: the list is not divided. */
  readonly title: string | null;
  readonly rules: readonly Rule[];
}

/** So many rules are in sight at once, and need neither headings nor a search. */
export const fewRules = 7;
const anyCallee = 'Any callee';

/**
 * The list in parts, by callee and not by on and off: a rule that is turned on must not move under the pointer, and rules of
 * different callees do not act on the same calls, so that the order within a group is the order that matters.
 */
export function groupRules(rules: readonly Rule[]): readonly RuleGroup[] {
  if (rules.length <= fewRules) return [{ title: null, rules }];
  const groups = new Map<string, Rule[]>();
  for (const rule of rules) {
    const title = rule.match.callee ?? anyCallee;
    const known = groups.get(title);
    if (known === undefined) groups.set(title, [rule]);
    else known.push(rule);
  }
  return [...groups].map(([title, members]) => ({ title, rules: members }));
}

/** The rules that have every word in their name, id, or what they do; `on` and `off` are words for the state. */
export function searchRules(rules: readonly Rule[], search: string): readonly Rule[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rules;
  return rules.filter((rule) => {
    const text = `${rule.name} ${rule.id} ${ruleSentence(rule)}`.toLowerCase();
    const state = rule.enabled ? 'on' : 'off';
    return words.every((word) => (word === 'on' || word === 'off' ? word === state : text.includes(word)));
  });
}

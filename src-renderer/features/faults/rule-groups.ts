import type { Rule } from '#shared/rules/rule.ts';
import { ruleSentence } from '#shared/rules/sentence.ts';
import { rulesOf } from '#shared/scenarios/scenario.ts';
import type { Scenario } from '#shared/scenarios/scenario.ts';

/** Rules that belong together, in the order in which they are tried. */
export interface RuleGroup {
  /** null: the list is not divided. */
  readonly title: string | null;
  readonly rules: readonly Rule[];
}

/** So many rules are in sight at once, and need neither headings nor a search. */
export const fewRules = 7;

export const groupings = ['callee', 'scenario', 'origin', 'none'] as const;
export type Grouping = (typeof groupings)[number];

/**
 * The list in parts, and not by on and off: a rule that is turned on must not move under the pointer. By callee, since rules of
 * different callees do not act on the same calls, so that the order within a group is the order that matters.
 */
export function groupRules(
  rules: readonly Rule[],
  grouping: Grouping = 'callee',
  scenarios: readonly Pick<Scenario, 'name' | 'steps'>[] = [],
): readonly RuleGroup[] {
  if (rules.length === 0) return [];
  const isPlain = grouping === 'none' || (grouping === 'callee' && rules.length <= fewRules);
  if (isPlain) return [{ title: null, rules }];
  const titleOf = titling(grouping, scenarios);
  const groups = new Map<string, Rule[]>();
  for (const rule of rules) {
    const title = titleOf(rule);
    const known = groups.get(title);
    if (known === undefined) groups.set(title, [rule]);
    else known.push(rule);
  }
  return [...groups].map(([title, members]) => ({ title, rules: members }));
}

function titling(
  grouping: Exclude<Grouping, 'none'>,
  scenarios: readonly Pick<Scenario, 'name' | 'steps'>[],
): (rule: Rule) => string {
  if (grouping === 'callee') return ({ match }) => match.callee ?? 'Any callee';
  if (grouping === 'origin') return ({ origin }) => originTitles[origin ?? 'users'];
  const users = new Map<string, string[]>();
  for (const scenario of scenarios) {
    for (const id of rulesOf(scenario)) users.set(id, [...(users.get(id) ?? []), scenario.name]);
  }
  return ({ id, origin }) => {
    if (origin === 'scenario') return originTitles.scenario;
    return users.get(id)?.join(', ') ?? 'In no scenario';
  };
}

const originTitles = {
  users: 'Made here',
  toxiproxy: 'By clients of Toxiproxy’s API',
  scenario: 'Of the scenario that runs',
} as const;

/** The rules that have every word in their name, id, or what they do; `on` and `off` are words for the state. */
export function searchRules(rules: readonly Rule[], search: string): readonly Rule[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rules;
  return rules.filter((rule) => {
    const state = rule.enabled ? 'on' : 'off';
    const texts = words.filter((word) => word !== 'on' && word !== 'off');
    if (words.some((word) => (word === 'on' || word === 'off') && word !== state)) return false;
    if (texts.length === 0) return true;
    const text = searchedText(rule);
    return texts.every((word) => text.includes(word));
  });
}

const searchedTexts = new WeakMap<object, string>();

/** A sentence takes its time, and a key is typed while there are 10,000 rules: it is made once for what a rule says. */
function searchedText(rule: Rule): string {
  // Hits make a new rule ten times a second; what it does stays the same object.
  const known = searchedTexts.get(rule.faults);
  if (known?.startsWith(`${rule.name.toLowerCase()}\n`) === true) return known;
  const text = `${rule.name}\n${rule.id}\n${ruleSentence(rule)}`.toLowerCase();
  searchedTexts.set(rule.faults, text);
  return text;
}

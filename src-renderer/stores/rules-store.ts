import { create } from 'zustand';
import type { AgentEvent } from '#shared/contract/events.ts';
import type { Rule, RuleInput } from '#shared/rules/rule.ts';
import { counted, ordinal } from '../ui/words.ts';
import { agent } from './connection-store.ts';
import { addHits, hitsSince } from './hit-history.ts';
import type { HitHistory } from './hit-history.ts';
import { dismissToast, showToast, tellFailure } from './toast-store.ts';

interface RulesStore {
  /** In the order in which they are tried; null until the agent has said them. */
  rules: readonly Rule[] | null;
  /** "Stop all" was pressed and the agent has not confirmed yet. */
  stopping: boolean;
  /** Hits over the last minutes by rule id, since this window is open. */
  histories: ReadonlyMap<string, HitHistory>;
}

export const useRules = create<RulesStore>(() => ({
  rules: null,
  stopping: false,
  histories: new Map(),
}));

export async function loadRules(): Promise<void> {
  useRules.setState({ rules: await agent().rules.list() });
}

/** Changed rules that are not in the list yet, by id: when thousands are turned on at once, each is told by itself. */
const changed = new Map<string, Rule>();
const takeChangedAfterMs = 16;
let takingChanged: ReturnType<typeof setTimeout> | undefined;

/** Keeps the list in step with what the agent tells. */
export function applyRuleEvent(event: AgentEvent): void {
  if (event.type === 'rule.changed') {
    changed.set(event.rule.id, event.rule);
    takingChanged ??= setTimeout(takeChanged, takeChangedAfterMs);
    return;
  }
  if (event.type.startsWith('rule.')) takeChanged(); // in the order in which they were told
  const { rules } = useRules.getState();
  if (rules === null) return;
  if (event.type === 'rule.hits') noteHits(rules, event.hits);
  if (event.type === 'rule.removed') forgetHits(event.id);
  const next = rulesAfter(rules, event);
  if (next !== rules) useRules.setState({ rules: next });
}

function takeChanged(): void {
  clearTimeout(takingChanged);
  takingChanged = undefined;
  const { rules } = useRules.getState();
  if (rules !== null && changed.size > 0) {
    // An answer to this window may have come first, and be newer.
    const newest = (rule: Rule): Rule => {
      const told = changed.get(rule.id);
      changed.delete(rule.id);
      return told === undefined || told.version < rule.version ? rule : told;
    };
    const known = rules.map(newest);
    useRules.setState({ rules: [...known, ...changed.values()] });
  }
  changed.clear();
}

function noteHits(rules: readonly Rule[], hits: Readonly<Record<string, number>>): void {
  const now = Date.now();
  const histories = new Map(useRules.getState().histories);
  for (const [id, count] of Object.entries(hits)) {
    const known = rules.find((rule) => rule.id === id);
    const more = known === undefined ? 0 : hitsSince(known.hits, count);
    if (more > 0) histories.set(id, addHits(histories.get(id), more, now));
  }
  useRules.setState({ histories });
}

function forgetHits(id: string): void {
  const histories = new Map(useRules.getState().histories);
  if (histories.delete(id)) useRules.setState({ histories });
}

function rulesAfter(rules: readonly Rule[], event: AgentEvent): readonly Rule[] {
  switch (event.type) {
    case 'rule.removed':
      return rules.filter((rule) => rule.id !== event.id);
    case 'rule.reordered':
      return inOrder(rules, event.ids);
    case 'rule.hits':
      return rules.map((rule) => {
        const hits = event.hits[rule.id];
        return hits === undefined || hits === rule.hits ? rule : { ...rule, hits };
      });
    default:
      return rules;
  }
}

/** What the order does not name stays at the end. */
function inOrder(rules: readonly Rule[], ids: readonly string[]): readonly Rule[] {
  const places = new Map(ids.map((id, place) => [id, place]));
  const placeOf = ({ id }: Rule): number => places.get(id) ?? ids.length;
  return [...rules].sort((a, b) => placeOf(a) - placeOf(b));
}

function putRule(rules: readonly Rule[], changed: Rule): readonly Rule[] {
  return rules.some((rule) => rule.id === changed.id)
    ? rules.map((rule) => (rule.id === changed.id ? changed : rule))
    : [...rules, changed];
}

/** Runs a command about rules; a failure is told, and answered with null. */
async function attempt<T>(command: () => Promise<T>): Promise<T | null> {
  try {
    return await command();
  } catch (error) {
    tellFailure(error);
    return null;
  }
}

function accept(rule: Rule | null): Rule | null {
  if (rule !== null) useRules.setState(({ rules }) => ({ rules: putRule(rules ?? [], rule) }));
  return rule;
}

/** Turns a rule on or off. @returns the rule as it is now; null when that failed (which was told). */
export async function setRuleEnabled(id: string, enabled: boolean): Promise<Rule | null> {
  const { rules } = agent();
  return accept(await attempt(() => (enabled ? rules.enable({ id }) : rules.disable({ id }))));
}

/** Turns several rules on or off, all or none, and offers to undo it. */
export async function switchRules(ids: readonly string[], enabled: boolean): Promise<void> {
  const answer = await attempt(() => agent().rules.switch({ ids: [...ids], enabled }));
  if (answer === null || answer.changed.length === 0) return;
  showToast({
    tone: 'ok',
    text: `${counted(answer.changed.length, 'rule')} turned ${enabled ? 'on' : 'off'}`,
    action: { label: 'Undo', run: () => void switchRules(answer.changed, !enabled) },
  });
}

let moved: { readonly id: string; readonly toast: number } | null = null;

/** Puts a rule before another one (null: behind the last), at once in the window, and offers to undo it. */
export async function moveRule(id: string, before: string | null): Promise<boolean> {
  const { rules } = useRules.getState();
  const was = rules?.find((_rule, index) => rules[index - 1]?.id === id);
  const rule = rules?.find((known) => known.id === id);
  if (rules === null || rule === undefined || before === id || was?.id === before) return false;
  const rest = rules.filter((other) => other !== rule).map((other) => other.id);
  const at = before === null ? rest.length : rest.indexOf(before);
  useRules.setState({ rules: inOrder(rules, [...rest.slice(0, at), id, ...rest.slice(at)]) });
  const answer = await attempt(() => agent().rules.move({ params: { id }, body: { before } }));
  if (answer === null) {
    useRules.setState(({ rules: now }) => ({
      rules:
        now === null
          ? null
          : inOrder(
              now,
              rules.map((other) => other.id),
            ),
    }));
    return false;
  }
  useRules.setState(({ rules: now }) => ({ rules: now === null ? null : inOrder(now, answer.ids) }));
  // A rule that is moved step by step is told of once.
  if (moved?.id === id) dismissToast(moved.toast);
  const back = was?.origin === undefined ? (was?.id ?? null) : null;
  const toast = showToast({
    tone: 'ok',
    text: `${rule.name} is tried ${ordinal(answer.ids.indexOf(id) + 1)} of ${counted(answer.ids.length, 'rule')}`,
    action: { label: 'Undo', run: () => void moveRule(id, back) },
  });
  moved = { id, toast };
  return true;
}

/** Makes a rule. @returns null when that failed (which was told). */
export async function createRule(rule: RuleInput): Promise<Rule | null> {
  return accept(await attempt(() => agent().rules.create(rule)));
}

/** A name that no rule has yet: `name`, else `name 2`, `name 3`, … */
export function freeRuleName(name: string, taken: readonly Pick<Rule, 'name'>[]): string {
  const names = new Set(taken.map((rule) => rule.name));
  if (!names.has(name)) return name;
  let number = 2;
  while (names.has(`${name} ${number}`)) number += 1;
  return `${name} ${number}`;
}

/** Stops all faults at once, then offers to undo it. */
export async function stopAllFaults(): Promise<void> {
  const { rules, stopping } = useRules.getState();
  if (stopping || !rules?.some((rule) => rule.enabled)) return;
  useRules.setState({ stopping: true });
  const stopped = await attempt(() => agent().rules.disableAll());
  useRules.setState(({ rules: now }) => ({
    stopping: false,
    rules:
      stopped === null || now === null
        ? now
        : now.map((rule) => (stopped.disabled.includes(rule.id) ? { ...rule, enabled: false } : rule)),
  }));
  if (stopped === null) return;
  showToast({
    tone: 'ok',
    text: `${counted(stopped.disabled.length, 'fault')} stopped, ${counted(stopped.released, 'call')} let go`,
    action: { label: 'Undo', run: () => void switchRules(stopped.disabled, true) },
  });
}

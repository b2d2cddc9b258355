import { create } from 'zustand';
import { RuleDefinitionSchema } from '#shared/rules/rule.ts';
import type { Rule, RuleInput } from '#shared/rules/rule.ts';
import { errorMessage } from '../../bridge/error-message.ts';
import { AgentUnreachable } from '../../bridge/agent-link.ts';
import { agent } from '../../stores/connection-store.ts';
import { freeRuleName, useRules } from '../../stores/rules-store.ts';
import { openView } from '../../stores/view-store.ts';
import { matchDraftOf } from './match-draft.ts';
import { draftOf, emptyDraft, readDraft } from './rule-draft.ts';
import type { DraftReading, RuleDraft } from './rule-draft.ts';

/**
 * What is in the editor. A new rule waits for Save; a rule that exists is saved by itself as soon as the form is valid
 * and nobody has typed for a moment.
 *
 *     edit ─► draft ─► readDraft ─┬─ problems: shown in place, the last valid rule holds
 *                                 └─ valid ─(400 ms)─► rules.update ─► saved, or the agent's refusal in place
 */
export type SaveState =
  | { kind: 'clean' }
  | { kind: 'invalid' }
  | { kind: 'waiting' }
  | { kind: 'saving' }
  | { kind: 'saved' }
  | { kind: 'refused'; message: string };

interface DraftStore {
  /** The rule that is edited; null: a new one. */
  ruleId: string | null;
  draft: RuleDraft | null;
  save: SaveState;
}

/** The address of a rule that does not exist yet: no id has this letter. */
export const newRuleItem = '+new';
const quietMs = 400;

export const useDraft = create<DraftStore>(() => ({ ruleId: null, draft: null, save: { kind: 'clean' } }));

let timer: ReturnType<typeof setTimeout> | undefined;

/** Opens the editor with a new rule, empty or like another one. */
export function startNewRule(like?: Rule): void {
  flush();
  const rules = useRules.getState().rules ?? [];
  const draft =
    like === undefined
      ? emptyDraft(freeRuleName('New rule', rules))
      : { ...draftOf(like), name: freeRuleName(`${like.name} copy`, rules) };
  useDraft.setState({ ruleId: null, draft, save: { kind: 'clean' } });
  openView('faults', newRuleItem);
}

/** Opens the editor with a rule that is not saved yet. */
export function startNewRuleFrom(input: RuleInput): void {
  flush();
  const rules = useRules.getState().rules ?? [];
  const { match = {}, ...rest } = input;
  const rule = RuleDefinitionSchema.parse({ ...rest, name: freeRuleName(input.name, rules) });
  // A match that somebody typed may be no pattern: the form says so in its place.
  const draft = { ...draftOf(rule), match: matchDraftOf(match) };
  const valid = readDraft(draft).problems === null;
  useDraft.setState({ ruleId: null, draft, save: { kind: valid ? 'clean' : 'invalid' } });
  openView('faults', newRuleItem);
}

/** Takes a rule into the editor, or what the agent has made of it since; what is being typed stays. */
export function editRule(rule: Rule): void {
  const { ruleId, save } = useDraft.getState();
  if (ruleId === rule.id && save.kind !== 'clean' && save.kind !== 'saved') return;
  if (ruleId === rule.id && sameAsDraft(rule)) return;
  if (ruleId !== rule.id) flush();
  useDraft.setState({ ruleId: rule.id, draft: draftOf(rule), save: { kind: 'clean' } });
}

function sameAsDraft(rule: Rule): boolean {
  const { draft } = useDraft.getState();
  if (draft === null) return false;
  const { rule: read } = readDraft(draft);
  const { name, match, trigger, faults } = rule;
  return canonical(read) === canonical({ name, match, trigger, faults });
}

/** Keys in order, so that two ways to write the same rule compare as the same. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, field: unknown) =>
    typeof field === 'object' && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : 1)))
      : field,
  );
}

/** A change in the form. */
export function changeDraft(change: Partial<RuleDraft>): void {
  const { ruleId, draft } = useDraft.getState();
  if (draft === null) return;
  const next = { ...draft, ...change };
  const valid = readDraft(next).problems === null;
  clearTimeout(timer);
  if (ruleId === null) return useDraft.setState({ draft: next, save: { kind: valid ? 'clean' : 'invalid' } });
  useDraft.setState({ draft: next, save: { kind: valid ? 'waiting' : 'invalid' } });
  if (valid) timer = setTimeout(() => void saveChanges(), quietMs);
}

/** Saves at once what waits to be saved: the editor is about to show something else. */
function flush(): void {
  clearTimeout(timer);
  if (useDraft.getState().save.kind === 'waiting') void saveChanges();
}

async function saveChanges(): Promise<void> {
  const { ruleId, draft } = useDraft.getState();
  const reading: DraftReading | null = draft === null ? null : readDraft(draft);
  if (ruleId === null || reading === null || reading.rule === null) return;
  setSave(draft, { kind: 'saving' });
  try {
    accept(await agent().rules.update({ params: { id: ruleId }, body: reading.rule }));
    setSave(draft, { kind: 'saved' });
  } catch (error) {
    setSave(draft, { kind: 'refused', message: refusal(error) });
  }
}

/** Says how saving went, unless the form has gone on since. */
function setSave(draft: RuleDraft | null, save: SaveState): void {
  if (useDraft.getState().draft === draft) useDraft.setState({ save });
}

/** Makes the new rule, and goes on editing it. */
export async function saveNewRule(enabled: boolean): Promise<void> {
  const { draft } = useDraft.getState();
  const reading = draft === null ? null : readDraft(draft);
  if (reading === null || reading.rule === null) return;
  useDraft.setState({ save: { kind: 'saving' } });
  try {
    const rule = await agent().rules.create({ ...reading.rule, enabled });
    accept(rule);
    useDraft.setState({ ruleId: rule.id, save: { kind: 'saved' } });
    openView('faults', rule.id);
  } catch (error) {
    useDraft.setState({ save: { kind: 'refused', message: refusal(error) } });
  }
}

export function discardDraft(): void {
  clearTimeout(timer);
  useDraft.setState({ ruleId: null, draft: null, save: { kind: 'clean' } });
}

function accept(rule: Rule): void {
  useRules.setState(({ rules }) => {
    const known = rules ?? [];
    const present = known.some((other) => other.id === rule.id);
    return {
      rules: present ? known.map((other) => (other.id === rule.id ? rule : other)) : [...known, rule],
    };
  });
}

function refusal(error: unknown): string {
  return error instanceof AgentUnreachable
    ? 'The agent cannot be reached. Nothing was saved.'
    : errorMessage(error);
}

import { create } from 'zustand';
import { RuleDefinitionSchema } from '#shared/rules/rule.ts';
import type { Rule, RuleInput } from '#shared/rules/rule.ts';
import { errorMessage } from '../../bridge/error-message.ts';
import { AgentUnreachable } from '../../bridge/agent-link.ts';
import { agent } from '../../stores/connection-store.ts';
import { freeRuleName, useRules } from '../../stores/rules-store.ts';
import { showToast } from '../../stores/toast-store.ts';
import { openView } from '../../stores/view-store.ts';
import { matchDraftOf } from './match-draft.ts';
import { draftOf, emptyDraft, readDraft, withKeysOf } from './rule-draft.ts';
import type { DraftReading, RuleDraft } from './rule-draft.ts';
import { readRuleText } from './rule-text.ts';
import type { TextProblem } from './rule-text.ts';
import type { TextLanguage } from './rule-yaml.ts';

/**
 * What is in the editor. A new rule waits for Save; a rule that exists is saved by itself as soon as the form is valid
 * and nobody has typed for a moment.
 *
 *     edit ─► draft ─► readDraft ─┬─ problems: shown in place, the last valid rule holds
 *     text ─► readRuleText ─► draft   └─ valid ─(400 ms)─► rules.update ─► saved, or the agent's refusal in place
 *                  └─ a problem: shown in place, the draft stays as it is and is not saved
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
  /** The text beside the form, from its first change until it is left or the form says something else. */
  written: WrittenText | null;
  /** Whether the text turns the rule on or off, with what is saved next; null: neither. */
  enabled: boolean | null;
}

export interface WrittenText {
  readonly text: string;
  readonly language: TextLanguage;
  /** What it last said of `enabled`. */
  readonly enabled: boolean;
  readonly commented: boolean;
  /** Why it is not in the form. */
  readonly problem: TextProblem | null;
}

/** The address of a rule that does not exist yet: no id has this letter. */
export const newRuleItem = '+new';
const quietMs = 400;
const languageWords: Readonly<Record<TextLanguage, string>> = { yaml: 'YAML', json: 'JSON' };

export const useDraft = create<DraftStore>(() => ({
  ruleId: null,
  draft: null,
  save: { kind: 'clean' },
  written: null,
  enabled: null,
}));

let timer: ReturnType<typeof setTimeout> | undefined;

// Stop all is the last word: what was typed just before, and is not saved yet, turns nothing on behind it.
useRules.subscribe(({ stopping }, before) => {
  if (stopping && !before.stopping && useDraft.getState().enabled === true)
    useDraft.setState({ enabled: null, written: null });
});

/** Opens the editor with a new rule, empty or like another one. */
export function startNewRule(like?: Rule): void {
  flush();
  const rules = useRules.getState().rules ?? [];
  const draft =
    like === undefined
      ? emptyDraft(freeRuleName('New rule', rules))
      : { ...draftOf(like), name: freeRuleName(`${like.name} copy`, rules) };
  open(null, draft);
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
  open(null, draft, readDraft(draft).problems === null ? 'clean' : 'invalid');
  openView('faults', newRuleItem);
}

/** Takes a rule into the editor, or what the agent has made of it since; what is being typed stays. */
export function editRule(rule: Rule): void {
  const { ruleId, save, written } = useDraft.getState();
  if (ruleId === rule.id && save.kind !== 'clean' && save.kind !== 'saved') return;
  if (ruleId === rule.id && sameAsDraft(rule)) {
    if (written !== null && written.enabled !== rule.enabled) useDraft.setState({ written: null });
    return;
  }
  if (ruleId !== rule.id) flush();
  open(rule.id, draftOf(rule));
}

function open(ruleId: string | null, draft: RuleDraft | null, kind: 'clean' | 'invalid' = 'clean'): void {
  tellLostText();
  useDraft.setState({ ruleId, draft, save: { kind }, written: null, enabled: null });
}

/** What was written and could not be read goes as something else comes in its place. */
function tellLostText(): void {
  const { draft, written } = useDraft.getState();
  if (draft === null || written === null || written.problem === null) return;
  const name = draft.name === '' ? '' : ` for “${draft.name}”`;
  showToast({ tone: 'info', text: `The ${languageWords[written.language]} written${name} was not taken` });
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
  const { draft } = useDraft.getState();
  if (draft === null) return;
  tellLostText();
  useDraft.setState({ written: null });
  putDraft({ ...draft, ...change });
}

function putDraft(draft: RuleDraft): void {
  const { ruleId } = useDraft.getState();
  const valid = readDraft(draft).problems === null;
  clearTimeout(timer);
  if (ruleId === null) return useDraft.setState({ draft, save: { kind: valid ? 'clean' : 'invalid' } });
  useDraft.setState({ draft, save: { kind: valid ? 'waiting' : 'invalid' } });
  if (valid) timer = setTimeout(() => void saveChanges(), quietMs);
}

/** A change in the text beside the form: a rule goes into the form at once, what is none waits and says why. */
export function changeText(text: string, language: TextLanguage): void {
  const { ruleId, draft, written, enabled } = useDraft.getState();
  if (draft === null) return;
  const isOn = savedRule(ruleId)?.enabled ?? false;
  const said = written?.enabled ?? enabled ?? isOn;
  const read = readRuleText(text, { language, ruleId });
  if (read.problem !== null) {
    clearTimeout(timer);
    // What was wished and not yet sent is wished anew by the text that is corrected, not by what comes in its place.
    const unread = { text, language, enabled: enabled === null ? said : isOn, commented: false };
    return useDraft.setState({
      written: { ...unread, problem: read.problem },
      enabled: null,
      save: { kind: 'invalid' },
    });
  }
  // Only a change that somebody made there: a rule that was turned off meanwhile is not turned on by an older text.
  const wish = read.rule.enabled === said ? enabled : read.rule.enabled;
  const isCurrent = read.rule.enabled === (wish ?? isOn);
  const taken = {
    text,
    language,
    enabled: read.rule.enabled,
    commented: read.commented,
    problem: null,
  };
  useDraft.setState({ written: isCurrent ? taken : null, enabled: wish });
  putDraft(withKeysOf(draft, read.draft));
}

/** The text is left: what is in the form is written as the form writes it, what is not stays to be corrected. */
export function leaveText(): void {
  if (useDraft.getState().written?.problem === null) useDraft.setState({ written: null });
}

/** Takes what the form says for the text. */
export function dropText(): void {
  const { ruleId, draft, enabled } = useDraft.getState();
  const wasUnread = isUnread();
  useDraft.setState({ written: null });
  if (draft === null || !wasUnread) return;
  const rule = savedRule(ruleId);
  if (rule !== undefined && enabled === null && sameAsDraft(rule)) {
    return useDraft.setState({ save: { kind: 'clean' } });
  }
  putDraft(draft);
}

/** Another way to write the rule: what could not be read goes, and that is told. */
export function dropTextWithWord(): void {
  tellLostText();
  dropText();
}

/** What is written says something that the form does not. */
function isUnread(): boolean {
  const { written } = useDraft.getState();
  return written !== null && written.problem !== null;
}

function savedRule(ruleId: string | null): Rule | undefined {
  return useRules.getState().rules?.find(({ id }) => id === ruleId);
}

/** Saves at once what waits to be saved: the editor is about to show something else. */
function flush(): void {
  clearTimeout(timer);
  if (useDraft.getState().save.kind === 'waiting') void saveChanges();
}

async function saveChanges(): Promise<void> {
  const { ruleId, draft, enabled } = useDraft.getState();
  const reading: DraftReading | null = draft === null ? null : readDraft(draft);
  if (ruleId === null || reading === null || reading.rule === null) return;
  setSave(draft, { kind: 'saving' });
  try {
    const body = { ...reading.rule, ...(enabled === null ? {} : { enabled }) };
    accept(await agent().rules.update({ params: { id: ruleId }, body }));
    endWish(ruleId, enabled);
    setSave(draft, { kind: 'saved' });
  } catch (error) {
    // It is not turned on by a later change that says nothing of it.
    endWish(ruleId, enabled);
    setSave(draft, { kind: 'refused', message: refusal(error) });
  }
}

function endWish(ruleId: string, enabled: boolean | null): void {
  const now = useDraft.getState();
  if (now.ruleId === ruleId && now.enabled === enabled) useDraft.setState({ enabled: null });
}

/** Says how saving went, unless the form has gone on since. */
function setSave(draft: RuleDraft | null, save: SaveState): void {
  if (useDraft.getState().draft === draft) useDraft.setState({ save });
}

/** Makes the new rule, and goes on editing it. */
export async function saveNewRule(enabled: boolean): Promise<void> {
  const { draft } = useDraft.getState();
  const reading = draft === null || isUnread() ? null : readDraft(draft);
  if (reading === null || reading.rule === null) return;
  useDraft.setState({ save: { kind: 'saving' } });
  try {
    const rule = await agent().rules.create({ ...reading.rule, enabled });
    accept(rule);
    useDraft.setState({ ruleId: rule.id, save: { kind: 'saved' }, written: null });
    openView('faults', rule.id);
  } catch (error) {
    useDraft.setState({ save: { kind: 'refused', message: refusal(error) } });
  }
}

export function discardDraft(): void {
  clearTimeout(timer);
  open(null, null);
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

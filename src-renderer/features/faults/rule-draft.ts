import type { z } from 'zod';
import type { FaultType } from '#shared/rules/fault.ts';
import { RuleDefinitionSchema } from '#shared/rules/rule.ts';
import type { Rule, RuleDefinition, RuleInput } from '#shared/rules/rule.ts';
import { newFaultFields, readFault, writeFault } from './fault-fields.ts';
import type { FieldProblems } from './fault-fields.ts';
import { emptyMatch, matchDraftOf, readMatchDraft, testProblems } from './match-draft.ts';
import type { MatchDraft } from './match-draft.ts';
import { emptyTrigger, readTriggerDraft, triggerDraftOf } from './trigger-draft.ts';
import type { TriggerDraft } from './trigger-draft.ts';

/** A rule as it stands in the form: texts, whether they are valid or not. */
export interface RuleDraft {
  readonly name: string;
  readonly match: MatchDraft;
  readonly trigger: TriggerDraft;
  readonly faults: readonly FaultDraft[];
}

export interface FaultDraft {
  /** Keeps its form as faults come and go. */
  readonly key: number;
  readonly type: FaultType;
  readonly fields: Readonly<Record<string, string>>;
}

/**
 * What is wrong, by field: `name`, `match.path`, `match.tests.3` (by the row's key), `percent`, `window.to`,
 * `faults.3.latencyMs` (by the fault's key), `faults`.
 */
export type Problems = FieldProblems;

/** What the form is about: the agent keeps the rest of a rule. */
export type EditedRule = Pick<RuleDefinition, 'name' | 'match' | 'trigger' | 'faults'>;

let lastKey = 0;

export function newFaultDraft(type: FaultType): FaultDraft {
  lastKey += 1;
  return { key: lastKey, type, fields: newFaultFields(type) };
}

/** A rule that does nothing yet but slow every call, and is off. */
export function emptyDraft(name: string): RuleDraft {
  return { name, match: emptyMatch, trigger: emptyTrigger, faults: [newFaultDraft('latency')] };
}

export function draftOf(rule: Pick<Rule, 'name' | 'match' | 'trigger' | 'faults'>): RuleDraft {
  return {
    name: rule.name,
    match: matchDraftOf(rule.match),
    trigger: triggerDraftOf(rule.trigger),
    faults: rule.faults.map((fault) => {
      lastKey += 1;
      return { key: lastKey, type: fault.type, fields: writeFault(fault) };
    }),
  };
}

/** A rule that was written as text: what stays in its place keeps its part of the form. */
export function withKeysOf(before: RuleDraft, draft: RuleDraft): RuleDraft {
  const tests = draft.match.tests.map((test, at) => {
    const old = before.match.tests[at];
    return old?.of === test.of ? { ...test, key: old.key } : test;
  });
  const faults = draft.faults.map((fault, at) => {
    const old = before.faults[at];
    return old?.type === fault.type ? { ...fault, key: old.key } : fault;
  });
  return { ...draft, match: { ...draft.match, tests }, faults };
}

export type DraftReading = { rule: EditedRule; problems: null } | { rule: null; problems: Problems };

/** The rule that the form says, or what is wrong with it and where. */
export function readDraft(draft: RuleDraft): DraftReading {
  const { trigger, problems: triggerProblems } = readTriggerDraft(draft.trigger);
  const problems: Record<string, string> = { ...triggerProblems, ...testProblems(draft.match.tests) };
  const faults = draft.faults.flatMap(({ key, type, fields }) => {
    const read = readFault(type, fields);
    for (const [field, problem] of Object.entries(read.problems ?? {}))
      problems[`faults.${key}.${field}`] = problem;
    return read.fault === null ? [] : [read.fault];
  });
  if (draft.faults.length === 0) problems['faults'] = 'A rule needs a fault: what happens to the calls.';
  const match = readMatchDraft(draft.match) as RuleInput['match'];
  const read = RuleDefinitionSchema.safeParse({ name: draft.name, match, trigger, faults });
  if (!read.success) {
    for (const issue of read.error.issues) {
      const at = placeOf(issue, draft.match);
      if (at !== null) problems[at] ??= wordsOf(issue);
    }
  }
  if (!read.success || Object.keys(problems).length > 0) return { rule: null, problems };
  const { name } = read.data;
  return {
    rule: { name, match: read.data.match, trigger: read.data.trigger, faults: read.data.faults },
    problems: null,
  };
}

/** The field of an issue; null for what has been said of its own fields. */
function placeOf({ path }: z.core.$ZodIssue, { tests }: MatchDraft): string | null {
  if (path[0] === 'name') return 'name';
  if (path[0] !== 'match') return null;
  if (path[1] !== 'query' && path[1] !== 'header') return path.join('.');
  const row =
    tests.find((test) => test.of === path[1] && test.name === path[2]) ??
    tests.find(({ of }) => of === path[1]);
  return row === undefined ? path.join('.') : `match.tests.${row.key}`;
}

function wordsOf({ path, code, message }: z.core.$ZodIssue): string {
  if (path[0] === 'name') return 'A rule needs a name of up to 200 letters.';
  if (path.at(-1) === 'firstBytes') return 'Expected a whole number from 1 to 1,048,576.';
  return code === 'too_small' ? 'Expected a text.' : message;
}

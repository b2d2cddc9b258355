import type { FaultType } from '#shared/rules/fault.ts';
import { RuleDefinitionSchema, TriggerSchema } from '#shared/rules/rule.ts';
import type { Match, Rule, RuleDefinition, RuleInput, Trigger } from '#shared/rules/rule.ts';
import { newFaultFields, readFault, readNumber, writeFault } from './fault-fields.ts';
import type { FieldProblems } from './fault-fields.ts';

/** A rule as it stands in the form: texts, whether they are valid or not. */
export interface RuleDraft {
  readonly name: string;
  readonly match: Readonly<Record<MatchKey, string>>;
  readonly often: Often;
  /** Percent of the matching calls; 100 is every call. */
  readonly percent: string;
  readonly first: string;
  readonly seed: string;
  readonly faults: readonly FaultDraft[];
  /** What the rule says beyond the fields of the form (from its file, or the API): kept as it is. */
  readonly beyond: { readonly match: Match; readonly trigger: Trigger };
}

export const matchKeys = ['caller', 'callee', 'method', 'path', 'host'] as const;
export type MatchKey = (typeof matchKeys)[number];

/** `some` and `first` may be given together: the first n, and of those a share. */
export type Often = 'every' | 'some' | 'first';

export interface FaultDraft {
  /** Keeps its form as faults come and go. */
  readonly key: number;
  readonly type: FaultType;
  readonly fields: Readonly<Record<string, string>>;
}

/** What is wrong, by field: `name`, `match.path`, `percent`, `faults.3.latencyMs` (by the fault's key), `faults`. */
export type Problems = FieldProblems;

let lastKey = 0;

export function newFaultDraft(type: FaultType): FaultDraft {
  lastKey += 1;
  return { key: lastKey, type, fields: newFaultFields(type) };
}

/** A rule that does nothing yet but slow every call, and is off. */
export function emptyDraft(name: string): RuleDraft {
  return {
    name,
    match: { caller: '', callee: '', method: '', path: '', host: '' },
    often: 'every',
    percent: '50',
    first: '3',
    seed: '',
    faults: [newFaultDraft('latency')],
    beyond: { match: {}, trigger: {} },
  };
}

export function draftOf(rule: Pick<Rule, 'name' | 'match' | 'trigger' | 'faults'>): RuleDraft {
  const { probability, first, seed, ...trigger } = rule.trigger;
  const {
    caller: _caller,
    callee: _callee,
    method: _method,
    path: _path,
    host: _host,
    ...match
  } = rule.match;
  return {
    name: rule.name,
    match: Object.fromEntries(matchKeys.map((key) => [key, rule.match[key] ?? ''])) as RuleDraft['match'],
    often: first !== undefined ? 'first' : probability !== undefined ? 'some' : 'every',
    percent: probability === undefined ? (first === undefined ? '50' : '100') : percentOf(probability),
    first: String(first ?? 3),
    seed: seed === undefined ? '' : String(seed),
    faults: rule.faults.map((fault) => {
      lastKey += 1;
      return { key: lastKey, type: fault.type, fields: writeFault(fault) };
    }),
    beyond: { match, trigger },
  };
}

function percentOf(probability: number): string {
  return String(Number((probability * 100).toPrecision(6)));
}

export type DraftReading =
  | { rule: Pick<RuleDefinition, 'name' | 'match' | 'trigger' | 'faults'>; problems: null }
  | { rule: null; problems: Problems };

/** The rule that the form says, or what is wrong with it and where. */
export function readDraft(draft: RuleDraft): DraftReading {
  const problems: Record<string, string> = {};
  const trigger = readTrigger(draft, problems);
  const faults = draft.faults.flatMap(({ key, type, fields }) => {
    const read = readFault(type, fields);
    for (const [field, problem] of Object.entries(read.problems ?? {}))
      problems[`faults.${key}.${field}`] = problem;
    return read.fault === null ? [] : [read.fault];
  });
  if (draft.faults.length === 0) problems['faults'] = 'A rule needs a fault: what happens to the calls.';
  const whole: RuleInput = { name: draft.name, match: readMatch(draft), trigger, faults };
  const read = RuleDefinitionSchema.safeParse(whole);
  if (!read.success) {
    for (const { path, message } of read.error.issues) {
      const at = path.join('.');
      if (path[0] === 'name') problems['name'] = 'A rule needs a name of up to 200 letters.';
      else if (path[0] === 'match') problems[at] = message;
    }
  }
  if (!read.success || Object.keys(problems).length > 0) return { rule: null, problems };
  const { name, match } = read.data;
  return { rule: { name, match, trigger: read.data.trigger, faults: read.data.faults }, problems: null };
}

function readMatch({ match, beyond }: RuleDraft): Match {
  const given = matchKeys.map((key) => [key, match[key].trim()] as const).filter(([, text]) => text !== '');
  return { ...Object.fromEntries(given), ...beyond.match };
}

function readTrigger(draft: RuleDraft, problems: Record<string, string>): Trigger {
  const trigger: Trigger = { ...draft.beyond.trigger };
  if (draft.often !== 'every') {
    const percent = readNumber(draft.percent.replace('%', ''));
    const probability = percent === undefined ? NaN : Number((percent / 100).toPrecision(8));
    if (!TriggerSchema.shape.probability.safeParse(probability).success) {
      problems['percent'] = 'Expected 0 to 100 %.';
    } else if (draft.often === 'some' || probability !== 1) trigger.probability = probability;
  }
  if (draft.often === 'first') {
    const first = readNumber(draft.first);
    if (first === undefined || !TriggerSchema.shape.first.safeParse(first).success) {
      problems['first'] = 'Expected a whole number from 1 to 1,000,000,000.';
    } else trigger.first = first;
  }
  const seed = readNumber(draft.seed);
  if (seed === undefined || draft.often === 'every') return trigger;
  if (TriggerSchema.shape.seed.safeParse(seed).success) trigger.seed = seed;
  else problems['seed'] = 'Expected a whole number from 0 to 4,294,967,295.';
  return trigger;
}

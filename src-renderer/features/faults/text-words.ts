import type { z } from 'zod';
import { faultSchemas } from '#shared/rules/fault.ts';
import type { FaultType } from '#shared/rules/fault.ts';
import { MatchSchema, RuleDefinitionSchema, TriggerSchema } from '#shared/rules/rule.ts';
import { expectedNumber, faultForms } from './fault-fields.ts';
import type { FaultField } from './fault-fields.ts';

type Issue = z.core.$ZodIssue;

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping of keys to values',
  record: 'a mapping of names to texts',
};

/** What was expected of a rule that is written as text. @param rule what was written @param present whether something stands at the place */
export function sentenceOf(issue: Issue, rule: unknown, present: boolean): string {
  const name = String(issue.path.findLast((step) => typeof step === 'string') ?? 'rule');
  if (issue.code === 'unrecognized_keys') return unknownKey(issue, rule);
  if (issue.code === 'custom') return issue.message;
  if (!present) return `Expected “${name}” here. It is missing.`;
  if (issue.code === 'invalid_union' && name === 'type') return unknownType(valueAt(rule, issue.path));
  const field = fieldAt(issue.path, rule);
  if (field?.kind === 'number') return expectedNumber(field);
  return wordsOf(issue);
}

function wordsOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `Expected ${kinds[issue.expected] ?? issue.expected}.`;
    case 'invalid_value':
      return `Expected ${either(issue.values.map(String))}.`;
    case 'too_small':
    case 'too_big':
      return bounded(issue);
    case 'invalid_key':
      return issue.issues[0]?.message ?? issue.message;
    default:
      return issue.message;
  }
}

function bounded(issue: Extract<Issue, { code: 'too_small' | 'too_big' }>): string {
  const bound = (issue.code === 'too_small' ? issue.minimum : issue.maximum).toLocaleString('en-US');
  const words = `${issue.code === 'too_small' ? 'at least' : 'at most'} ${bound}`;
  if (issue.origin === 'string')
    return issue.code === 'too_small'
      ? 'Expected a text that is not empty.'
      : `Expected a text of ${words} letters.`;
  if (issue.origin === 'array') return `Expected ${words} in the list.`;
  return `Expected a number of ${words}.`;
}

function unknownKey(issue: Extract<Issue, { code: 'unrecognized_keys' }>, rule: unknown): string {
  const known = knownKeys(issue.path, rule);
  const words = `“${issue.keys[0] ?? ''}” is not known here.`;
  return known.length === 0 ? words : `${words} Expected ${either(known)}.`;
}

/** The keys that may stand at a path; those of a fault depend on its type. */
function knownKeys(path: readonly PropertyKey[], rule: unknown): string[] {
  if (path.length === 0) return Object.keys(RuleDefinitionSchema.shape).filter((key) => key !== 'id');
  if (path.length === 1 && path[0] === 'match') return Object.keys(MatchSchema.shape);
  if (path.length === 1 && path[0] === 'trigger') return Object.keys(TriggerSchema.shape);
  if (path.length !== 2 || path[0] !== 'faults') return [];
  const type = faultTypeAt(path, rule);
  return type === null ? [] : ['type', ...faultForms[type].fields.map(({ key }) => key)];
}

/** More are too many to be read. */
const mostListed = 12;

function unknownType(type: unknown): string {
  const types = Object.keys(faultSchemas);
  const listed = `${types.slice(0, mostListed).join(', ')} and ${types.length - mostListed} more`;
  const given = typeof type === 'string' ? `There is no fault “${type}”. ` : '';
  return `${given}Expected one of ${listed}.`;
}

function either(options: readonly string[]): string {
  return options.length === 1 ? String(options[0]) : `one of ${options.join(', ')}`;
}

function fieldAt(path: readonly PropertyKey[], rule: unknown): FaultField | undefined {
  const type = path[0] === 'faults' && path.length === 3 ? faultTypeAt(path.slice(0, 2), rule) : null;
  return type === null ? undefined : faultForms[type].fields.find(({ key }) => key === path[2]);
}

function faultTypeAt(path: readonly PropertyKey[], rule: unknown): FaultType | null {
  const type = valueAt(rule, [...path, 'type']);
  return typeof type === 'string' && Object.hasOwn(faultSchemas, type) ? (type as FaultType) : null;
}

function valueAt(top: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, step) => (value as Record<PropertyKey, unknown> | null | undefined)?.[step],
    top,
  );
}

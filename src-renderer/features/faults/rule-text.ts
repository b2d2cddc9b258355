import { jsonLanguage } from '@codemirror/lang-json';
import { Lexer, parseDocument } from 'yaml';
import type { Document, YAMLError } from 'yaml';
import type { z } from 'zod';
import { RuleDefinitionSchema } from '#shared/rules/rule.ts';
import type { RuleDefinition } from '#shared/rules/rule.ts';
import { draftOf, readDraft } from './rule-draft.ts';
import type { RuleDraft } from './rule-draft.ts';
import type { TextLanguage } from './rule-yaml.ts';
import { isPresent, keyOffset, placeAt, valueOffset } from './text-place.ts';
import type { Path, Place } from './text-place.ts';
import { sentenceOf } from './text-words.ts';

/**
 * A rule that somebody writes as text, read into the form.
 *
 *     text ─► parse ─► the one rule ─► schema ─► form ─► draft
 *               └───────────┴────────────┴────────┴────► the first problem, and where it is
 */
export type TextReading =
  | {
      readonly rule: RuleDefinition;
      readonly draft: RuleDraft;
      /** There are comments, for which a rule has no place. */
      readonly commented: boolean;
      readonly problem: null;
    }
  | { readonly rule: null; readonly problem: TextProblem };

export interface TextProblem extends Place {
  readonly sentence: string;
}

interface TextOf {
  readonly language: TextLanguage;
  /** Whose text it is; null: a rule that does not exist yet. */
  readonly ruleId: string | null;
}

interface Defect {
  readonly offset: number;
  readonly sentence: string;
}

/** A text, parsed: the value and where its parts stand. */
interface Parsed {
  readonly document: Document;
  readonly value: unknown;
}

/** An alias bomb multiplies by its references; no honest rule comes near. */
const maxAliasCount = 1000;

export function readRuleText(text: string, of: TextOf): TextReading {
  const refuse = ({ offset, sentence }: Defect): TextReading => ({
    rule: null,
    problem: { ...placeAt(text, offset), sentence },
  });
  const parsed = of.language === 'json' ? parseJson(text) : parseYaml(text);
  if ('sentence' in parsed) return refuse(parsed);
  const one = onlyRule(parsed);
  if ('sentence' in one) return refuse(one);
  const read = RuleDefinitionSchema.safeParse(one.value);
  if (!read.success) return refuse(firstDefect(parsed.document, one, read.error.issues));
  const rule = read.data;
  const draft = draftOf(rule);
  const defect = notHere(rule, of) ?? formDefect(rule, draft);
  if (defect !== null)
    return refuse({ ...defect, offset: valueOffset(parsed.document, [...one.at, ...defect.path]) });
  return { rule, draft, commented: of.language === 'yaml' && hasComments(text), problem: null };
}

function parseYaml(text: string): Parsed | Defect {
  const document = parseNodes(text);
  if ('sentence' in document) return document;
  const [error] = document.errors;
  if (error !== undefined) return { offset: error.pos[0], sentence: yamlSentence(error) };
  try {
    return { document, value: document.toJS({ maxAliasCount }) as unknown };
  } catch (error) {
    // yaml throws ReferenceError for an alias without its anchor, and for too many of them.
    if (!(error instanceof ReferenceError)) throw error;
    return { offset: 0, sentence: `Expected valid YAML: ${error.message}.` };
  }
}

/** JSON itself says whether it is; YAML, which has nearly all of it, where its parts stand. */
function parseJson(text: string): Parsed | Defect {
  let value: unknown;
  try {
    value = JSON.parse(text) as unknown;
  } catch {
    return text.trim() === ''
      ? { offset: 0, sentence: 'Expected a rule; there is nothing.' }
      : { offset: jsonErrorOffset(text), sentence: 'Expected valid JSON.' };
  }
  const document = parseNodes(text);
  if ('sentence' in document) return document;
  const twice = document.errors.find(({ code }) => code === 'DUPLICATE_KEY');
  return twice === undefined ? { document, value } : { offset: twice.pos[0], sentence: yamlSentence(twice) };
}

function parseNodes(text: string): Document.Parsed | Defect {
  try {
    return parseDocument(text, { prettyErrors: false, stringKeys: true, logLevel: 'error' });
  } catch (error) {
    // The parser recurses: what is nested beyond the stack is refused.
    if (error instanceof RangeError) return { offset: 0, sentence: 'The text is nested too deeply.' };
    throw error;
  }
}

/** Browsers do not always say where it was: the grammar that colours it does. */
function jsonErrorOffset(text: string): number {
  let first: number | null = null;
  jsonLanguage.parser.parse(text).iterate({
    enter: ({ type, from }) => {
      if (type.isError) first ??= from;
    },
  });
  return first ?? text.trimEnd().length;
}

const yamlSentences: Partial<Record<YAMLError['code'], string>> = {
  DUPLICATE_KEY: 'Expected every key once; this one was given before.',
  MULTIPLE_DOCS: 'Expected one rule; a second document begins here.',
  TAB_AS_INDENT: 'Expected spaces; YAML does not allow a tab as indentation.',
};

function yamlSentence({ code, message }: YAMLError): string {
  return yamlSentences[code] ?? `Expected valid YAML: ${message.replace(/\.$/, '')}.`;
}

interface OneRule {
  readonly value: unknown;
  /** Where it stands: in a list, or by itself. */
  readonly at: Path;
}

/** The rule by itself, or as the only one of a list, as it stands in the file. */
function onlyRule({ document, value }: Parsed): OneRule | Defect {
  if (value === null || value === undefined)
    return { offset: 0, sentence: 'Expected a rule; there is nothing.' };
  if (!Array.isArray(value)) return { value, at: [] };
  if (value.length === 0) return { offset: 0, sentence: 'Expected a rule; the list is empty.' };
  if (value.length > 1) {
    const sentence = `Expected one rule; these are ${value.length}. Others are made with New rule, or imported.`;
    return { offset: valueOffset(document, [1]), sentence };
  }
  return { value: value[0] as unknown, at: [0] };
}

function firstDefect(
  document: Document,
  { value, at }: OneRule,
  issues: readonly z.core.$ZodIssue[],
): Defect {
  const defects = issues.map((issue): Defect => {
    const path = [...at, ...issue.path];
    const isKey = issue.code === 'unrecognized_keys' || issue.code === 'invalid_key';
    const ofKey = issue.code === 'unrecognized_keys' ? [...path, issue.keys[0] ?? ''] : path;
    return {
      offset: isKey ? keyOffset(document, ofKey) : valueOffset(document, path),
      sentence: sentenceOf(issue, value, isPresent(document, path)),
    };
  });
  return defects.reduce((first, next) => (next.offset < first.offset ? next : first));
}

interface Refusal {
  readonly path: Path;
  readonly sentence: string;
}

/** What a rule may say in a file, but is not said here. */
function notHere({ id, enabled }: RuleDefinition, { ruleId }: TextOf): Refusal | null {
  if (id !== undefined && id !== ruleId)
    return {
      path: ['id'],
      sentence:
        ruleId === null
          ? 'The id is made from the name when the rule is saved: leave it out.'
          : `The id of a rule does not change: expected ${ruleId}, or none.`,
    };
  if (enabled && ruleId === null)
    return { path: ['enabled'], sentence: 'A new rule is off: “Save and turn on” turns it on.' };
  return null;
}

/** What the schema takes and the form does not hold, such as a path of nothing but spaces, which it takes for none. */
function formDefect(rule: RuleDefinition, draft: RuleDraft): Refusal | null {
  const { rule: held, problems } = readDraft(draft);
  const [problem] = Object.entries(problems ?? {});
  if (problem !== undefined) return { path: pathOf(problem[0], draft), sentence: problem[1] };
  const { name, match, trigger, faults } = rule;
  const path = firstLost({ name, match, trigger, faults }, held);
  return path === null ? null : { path, sentence: 'The form has no field for this.' };
}

/** Where one value says what the other does not; spaces aside. */
function firstLost(said: unknown, held: unknown): Path | null {
  if (typeof said !== 'object' || said === null) return isHeld(said, held) ? null : [];
  for (const [key, value] of Object.entries(said)) {
    const path = firstLost(value, (held as Record<string, unknown> | null | undefined)?.[key]);
    if (path !== null) return [key, ...path];
  }
  return null;
}

function isHeld(said: unknown, held: unknown): boolean {
  if (typeof said !== 'string' || typeof held !== 'string') return said === held;
  return said.replace(/\s/g, '') === held.replace(/\s/g, '');
}

/** Where a field of the form stands in the rule. */
function pathOf(field: string, { match, faults }: RuleDraft): Path {
  const [part = '', second = '', ...rest] = field.split('.');
  if (part === 'faults') return ['faults', faults.findIndex(({ key }) => key === Number(second)), ...rest];
  if (part === 'match' && second === 'tests') {
    const test = match.tests.find(({ key }) => key === Number(rest[0]));
    return test === undefined ? ['match'] : ['match', test.of, test.name];
  }
  if (part === 'name' || part === 'match') return field.split('.');
  return ['trigger', ...(part === 'percent' ? ['probability'] : field.split('.'))];
}

/** The lexer's sign that the next token is the text of a block. */
const scalarSign = '\u001f';

function hasComments(text: string): boolean {
  const tokens = [...new Lexer().lex(text)];
  return tokens.some((token, index) => token.startsWith('#') && tokens[index - 1] !== scalarSign);
}

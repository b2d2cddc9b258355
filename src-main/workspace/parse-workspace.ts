import { parseDocument } from 'yaml';
import type { Document, YAMLError } from 'yaml';
import type { z } from 'zod';
import type { RouteDefinition } from '#shared/routes/route.ts';
import { ruleIdFromName } from '#shared/rules/rule.ts';
import type { RuleDefinition } from '#shared/rules/rule.ts';
import { scenarioIssues } from '#shared/scenarios/scenario.ts';
import { WorkspaceSchema } from '#shared/workspace/workspace.ts';
import type { Workspace } from '#shared/workspace/workspace.ts';
import { defectAt } from './defect.ts';
import type { Defect } from './defect.ts';
import { sentenceOf } from './defect-sentence.ts';
import { expandDocument } from './environment.ts';
import type { Environment } from './environment.ts';
import { isPresent, keyOffset, valueOffset } from './node-place.ts';
import type { Path } from './node-place.ts';

/** A rule with the id that it has in the engine. */
export type IdentifiedRule = RuleDefinition & { id: string };

export interface Definitions {
  readonly rules: readonly IdentifiedRule[];
  readonly routes: readonly RouteDefinition[];
}

export interface ParsedWorkspace extends Definitions {
  readonly text: string;
  /** With its placeholders; ranges are offsets of `text`. */
  readonly document: Document.Parsed;
  readonly workspace: Workspace;
}

export type WorkspaceParse = { ok: true; parsed: ParsedWorkspace } | { ok: false; defect: Defect };

/** An alias bomb multiplies by its references; no honest file comes near. */
const maxAliasCount = 1000;

/** Reads a workspace file. The first defect by its place is given; there is no partial result. */
export function parseWorkspace(text: string, environment: Environment): WorkspaceParse {
  const refuse = (offset: number, sentence: string): WorkspaceParse => ({
    ok: false,
    defect: defectAt(text, offset, sentence),
  });
  const document = readYaml(text);
  if ('sentence' in document) return refuse(document.offset, document.sentence);
  if (document.contents === null) return refuse(0, 'The file is empty. Expected at least "version: 1".');
  const newer = newerVersion(document);
  if (newer !== null) return refuse(valueOffset(document, ['version']), newer);

  const expansion = expandDocument(document, environment);
  if (!expansion.ok) return refuse(expansion.offset, expansion.sentence);
  const data = plainData(expansion.document);
  if (!data.ok) return refuse(0, data.sentence);
  const checked = checkedAgain(document, data.value, expansion.unquoted);
  if (!checked.success) {
    const { offset, sentence } = firstDefect(document, checked.error.issues, data.value);
    return refuse(offset, sentence);
  }
  const workspace = checked.data;
  const rules = identified(workspace.rules);
  const [issue] = scenarioIssues(workspace.scenarios, rules);
  if (issue !== undefined) return refuse(valueOffset(document, issue.path), issue.message);
  return { ok: true, parsed: { text, document, workspace, rules, routes: workspace.routes } };
}

function readYaml(text: string): Document.Parsed | { offset: number; sentence: string } {
  try {
    const document = parseDocument(text, { prettyErrors: false, stringKeys: true, logLevel: 'error' });
    const [error] = document.errors;
    return error === undefined ? document : { offset: error.pos[0], sentence: yamlSentence(error, text) };
  } catch (error) {
    // The parser recurses: what is nested beyond the stack is refused, not answered with a crash.
    if (error instanceof RangeError) return { offset: 0, sentence: 'The file is nested too deeply.' };
    throw error;
  }
}

const yamlSentences: Partial<Record<YAMLError['code'], string>> = {
  DUPLICATE_KEY: 'Expected every key once; this one was given before.',
  MULTIPLE_DOCS: 'Expected one document; a second begins here.',
  TAB_AS_INDENT: 'Expected spaces; YAML does not allow a tab as indentation.',
};

function yamlSentence(error: YAMLError, text: string): string {
  const known = yamlSentences[error.code];
  if (known !== undefined) return known;
  const line = text.slice(text.lastIndexOf('\n', error.pos[0] - 1) + 1).split('\n', 1)[0] ?? '';
  const hint = /[{[,:]\s*\$\{/.test(line) ? ' Within { } and [ ] a placeholder needs quotes: "${NAME}".' : '';
  return `Expected valid YAML: ${error.message.replace(/\.$/, '')}.${hint}`;
}

function newerVersion(document: Document.Parsed): string | null {
  const version: unknown = document.get?.('version');
  if (typeof version !== 'number' || !Number.isInteger(version) || version <= 1) return null;
  return `Expected version 1: this file is of version ${version}, made for a newer Spike. Update Spike, or use an older file.`;
}

function plainData(
  document: Document.Parsed,
): { ok: true; value: unknown } | { ok: false; sentence: string } {
  try {
    return { ok: true, value: document.toJS({ maxAliasCount }) };
  } catch (error) {
    // yaml throws ReferenceError for an alias without its anchor, and for too many of them.
    if (!(error instanceof ReferenceError)) throw error;
    const bomb = error.message.startsWith('Excessive');
    return {
      ok: false,
      sentence: bomb ? 'Aliases expand to more than Spike reads.' : `Expected valid YAML: ${error.message}.`,
    };
  }
}

type Checked = z.ZodSafeParseResult<Workspace>;

/**
 * In a flow mapping a placeholder has to be quoted, which makes it a text. Where the schema wants something else,
 * the value is taken as it would be without its quotes.
 */
function checkedAgain(document: Document, value: unknown, unquoted: ReadonlyMap<number, unknown>): Checked {
  const first = WorkspaceSchema.safeParse(value);
  if (first.success || unquoted.size === 0) return first;
  for (const issue of first.error.issues) {
    if (issue.code !== 'invalid_type' || !isPresent(document, issue.path)) continue;
    const plain = unquoted.get(valueOffset(document, issue.path));
    if (plain !== undefined) replaceAt(value, issue.path, plain);
  }
  return WorkspaceSchema.safeParse(value);
}

function replaceAt(top: unknown, path: Path, value: unknown): void {
  const parent = valueAt(top, path.slice(0, -1)) as Record<PropertyKey, unknown>;
  const last = path.at(-1);
  if (last !== undefined) parent[last] = value;
}

function valueAt(top: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) => (value as Record<PropertyKey, unknown> | undefined)?.[step],
    top,
  );
}

function firstDefect(document: Document, issues: readonly z.core.$ZodIssue[], data: unknown) {
  const defects = issues.map((issue) => {
    const present = isPresent(document, issue.path);
    const sentence = sentenceOf(issue, { present, value: valueAt(data, issue.path) });
    return { offset: offsetOf(document, issue), sentence };
  });
  const first = defects.reduce((a, b) => (b.offset < a.offset ? b : a));
  const others = new Set(defects.map(({ offset }) => offset)).size - 1;
  const more =
    others === 0 ? '' : ` (${others} more ${others === 1 ? 'place needs' : 'places need'} correction.)`;
  return { offset: first.offset, sentence: first.sentence + more };
}

function offsetOf(document: Document, issue: z.core.$ZodIssue): number {
  if (issue.code !== 'unrecognized_keys') return valueOffset(document, issue.path);
  return keyOffset(document, [...issue.path, issue.keys[0] ?? '']) ?? valueOffset(document, issue.path);
}

/** Gives every rule the id that it has in the engine: its own, else one made from its name that no other rule has. */
export function identified(rules: readonly RuleDefinition[]): IdentifiedRule[] {
  const taken = new Set(rules.flatMap(({ id }) => (id === undefined ? [] : [id])));
  return rules.map((rule) => {
    if (rule.id !== undefined) return { ...rule, id: rule.id };
    const wanted = ruleIdFromName(rule.name);
    let id = wanted;
    for (let n = 2; taken.has(id); n++) id = `${wanted}-${n}`;
    taken.add(id);
    return { ...rule, id };
  });
}

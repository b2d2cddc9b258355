import { LineCounter, parseAllDocuments } from 'yaml';
import type { Document } from 'yaml';
import { SpikeError } from '#shared/contract/errors.ts';
import { findFaultFilters, importFaultFilter } from '#shared/rules/interop/envoy.ts';
import { mostImportedRules, withUniqueNames } from '#shared/rules/interop/imported.ts';
import type { Imported } from '#shared/rules/interop/imported.ts';
import { importVirtualService } from '#shared/rules/interop/istio.ts';
import { RuleDefinitionSchema } from '#shared/rules/rule.ts';
import type { RuleDefinition, RuleInput } from '#shared/rules/rule.ts';
import { valueOffset } from '../workspace/node-place.ts';
import { describeIssues } from './input-issues.ts';
import type { InputIssue, InputProblem } from './input-issues.ts';
import { importOwnRule, isOwnFile, isOwnRule, notesOfFile } from './own-rules.ts';

/** A place in the text: which document (from 1), which line of the text (from 1). */
interface TextPlace {
  readonly document: number;
  readonly line: number;
}
type ImportProblem = InputProblem & TextPlace;
type PlacedNote = TextPlace & { readonly at: string; readonly message: string };

export interface ImportedRules {
  readonly rules: RuleDefinition[];
  readonly notes: PlacedNote[];
}

type Path = readonly PropertyKey[];

/** Of all that is wrong, so much is told; the message counts the rest. */
const mostTold = 100;

/** A part of a document that may have faults, and the rules that it makes. */
interface Source {
  readonly path: Path;
  /** Spike's own, of which there may be as many as an agent has; those of others multiply. */
  readonly isOwn?: true;
  read(): Imported;
}

interface ReadDocument {
  readonly number: number;
  readonly value: unknown;
  lineOf(path: Path): number;
}

/** An alias bomb multiplies by its references; no honest file comes near. */
const maxAliasCount = 1000;
const expected =
  "Expected rules of Spike, VirtualServices of Istio or configurations of Envoy's fault filter (HTTPFault)";

/**
 * The rules that a text of Spike, Istio or Envoy makes, in YAML or JSON, valid and with names that differ.
 * @throws SpikeError `invalid-input` with all that is wrong in `details`; then nothing of the text is taken.
 */
export function importRules(text: string, enabled: boolean): ImportedRules {
  const rules: RuleInput[] = [];
  const notes: PlacedNote[] = [];
  const problems: ImportProblem[] = [];
  let known = 0;
  for (const document of readDocuments(text)) {
    const place = (path: Path): TextPlace => ({ document: document.number, line: document.lineOf(path) });
    const sources = sourcesOf(document.value, [], enabled);
    if (sources.length === 0) {
      const what = kindOf(document.value);
      if (isKubernetes(document.value))
        notes.push({ ...place([]), at: '', message: `${what} is skipped: it has no faults.` });
      else problems.push({ ...place([]), path: '', message: `${expected}, found ${what}.`, expected: null });
    }
    known += sources.length;
    for (const { path, isOwn, read } of sources) {
      const result = read();
      if (result.ok) {
        rules.push(...result.rules);
        for (const { at, message } of result.notes)
          notes.push({ ...place([...path, ...stepsOf(at)]), at: joined(path, at), message });
      } else problems.push(...problemsOf(result.issues, path, place));
      if (isOwn !== true && rules.length > mostImportedRules) throw tooMany();
    }
  }
  if (problems.length > 0) throw refusal(problems);
  if (known === 0) throw new SpikeError('invalid-input', `${expected}; the text has none.`);
  return { rules: checked(rules, enabled), notes };
}

function readDocuments(text: string): ReadDocument[] {
  const lines = new LineCounter();
  const parsed = parse(text, lines);
  const problems = parsed.flatMap((document, index) =>
    document.errors.map((error) => {
      const { line } = lines.linePos(error.pos[0]);
      return {
        document: index + 1,
        line,
        path: '',
        message: `This is not valid YAML: ${error.message.replace(/\.$/, '')}.`,
        expected: null,
      };
    }),
  );
  if (problems.length > 0) throw refusal(problems);
  return parsed
    .map((document, index) => ({
      number: index + 1,
      value: plainData(document, index + 1),
      lineOf: (path: Path) => lines.linePos(valueOffset(document, path)).line,
    }))
    .filter(({ value }) => value !== null && value !== undefined);
}

function parse(text: string, lineCounter: LineCounter): Document.Parsed[] {
  try {
    const documents = parseAllDocuments(text, {
      lineCounter,
      prettyErrors: false,
      stringKeys: true,
      logLevel: 'error',
    });
    return Array.isArray(documents) ? (documents as Document.Parsed[]) : [];
  } catch (error) {
    // The parser recurses: what is nested beyond the stack is refused, not answered with a crash.
    if (error instanceof RangeError) throw new SpikeError('invalid-input', 'The text is nested too deeply.');
    throw error;
  }
}

function plainData(document: Document.Parsed, number: number): unknown {
  try {
    return document.toJS({ maxAliasCount });
  } catch (error) {
    // yaml throws ReferenceError for an alias without its anchor, and for too many of them.
    if (!(error instanceof ReferenceError)) throw error;
    throw new SpikeError('invalid-input', `Document ${number} is not valid YAML: ${error.message}.`);
  }
}

/** Lists of kubectl (`kind: List`) and plain ones are gone through; an Envoy configuration is searched. */
function sourcesOf(value: unknown, path: Path, enabled: boolean): Source[] {
  const each = (items: readonly unknown[], ...at: PropertyKey[]): Source[] =>
    items.flatMap((item, index) => sourcesOf(item, [...path, ...at, index], enabled));
  if (Array.isArray(value)) return each(value);
  if (typeof value !== 'object' || value === null) return [];
  const fields = value as Record<string, unknown>;
  if (isOwnRule(fields)) return [{ path, isOwn: true, read: () => importOwnRule(value, enabled) }];
  if (isOwnFile(fields)) return ownFileSources(fields, path, enabled);
  const { kind, apiVersion, items } = fields;
  const isIstio = typeof apiVersion === 'string' && apiVersion.startsWith('networking.istio.io/');
  if (isIstio && kind === 'VirtualService') return [{ path, read: () => importVirtualService(value) }];
  if (Array.isArray(items) && typeof kind === 'string' && kind.endsWith('List')) return each(items, 'items');
  return findFaultFilters(value).map((filter) => ({
    path: [...path, ...filter.path],
    read: () => importFaultFilter(filter, 'Envoy fault filter'),
  }));
}

function ownFileSources(file: Record<string, unknown>, path: Path, enabled: boolean): Source[] {
  const rules = (file['rules'] as unknown[]).map((rule, index): Source => ({
    path: [...path, 'rules', index],
    isOwn: true,
    read: () => importOwnRule(rule, enabled),
  }));
  return [{ path, read: () => ({ ok: true, rules: [], notes: notesOfFile(file) }) }, ...rules];
}

function isKubernetes(value: unknown): boolean {
  const { kind, apiVersion } = (value ?? {}) as Record<string, unknown>;
  return typeof kind === 'string' && typeof apiVersion === 'string';
}

function kindOf(value: unknown): string {
  const { kind, '@type': type, apiVersion } = (value ?? {}) as Record<string, unknown>;
  if (typeof kind === 'string')
    return `${kind}${typeof apiVersion === 'string' ? ` (${apiVersion})` : ''}`.slice(0, 200);
  if (typeof type === 'string') return type.slice(0, 200);
  if (Array.isArray(value)) return 'a list without them';
  return typeof value === 'object' ? 'a mapping without them' : `a ${typeof value}`;
}

/** The path of a note, as steps: `spec.http[0].fault`. */
function stepsOf(at: string): PropertyKey[] {
  return [...at.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([step, index]) =>
    index === undefined ? step : Number(index),
  );
}

function joined(path: Path, at: string): string {
  const before = pathText(path);
  if (before === '' || at === '') return before + at;
  return `${before}${at.startsWith('[') ? '' : '.'}${at}`;
}

function pathText(path: Path): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '');
}

function problemsOf(
  issues: readonly InputIssue[],
  path: Path,
  place: (path: Path) => TextPlace,
): ImportProblem[] {
  return issues.flatMap((issue) => {
    const steps = (issue.path ?? []).map((step) => (typeof step === 'object' ? step.key : step));
    const whole = { ...issue, path: [...path, ...steps] };
    return describeIssues([whole]).map((problem) => ({ ...problem, ...place(whole.path) }));
  });
}

/** The readers make valid rules; should one not be, it is refused like any other input, by its name. */
function checked(rules: readonly RuleInput[], enabled: boolean): RuleDefinition[] {
  return withUniqueNames(rules).map((rule) => {
    const result = RuleDefinitionSchema.safeParse({ ...rule, enabled });
    if (result.success) return result.data;
    const problems = describeIssues(result.error.issues);
    const [first] = problems;
    throw new SpikeError(
      'invalid-input',
      `The rule "${rule.name}" that this makes is not valid: \`${first?.path}\`: ${first?.message}`,
      problems,
    );
  });
}

function refusal(problems: readonly ImportProblem[]): SpikeError {
  const [first] = problems;
  const where = first === undefined ? '' : `Document ${first.document}, line ${first.line}`;
  const path = first === undefined || first.path === '' ? '' : `, \`${first.path}\``;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return new SpikeError(
    'invalid-input',
    `${where}${path}: ${first?.message}${more} No rule was added.`,
    problems.slice(0, mostTold),
  );
}

function tooMany(): SpikeError {
  return new SpikeError(
    'invalid-input',
    `The text makes more than ${mostImportedRules} rules. No rule was added.`,
  );
}

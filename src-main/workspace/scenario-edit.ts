// A change of the scenarios, made in the text of the file: the others, and what stands around them, are not touched. The one that
// is changed is taken out, changed as a YAML document of its own, so that its comments stay, and put back in its place.
import { isDeepStrictEqual } from 'node:util';
import { isMap, isNode, isSeq, parseDocument, YAMLSeq } from 'yaml';
import type { Document, Node, YAMLMap } from 'yaml';
import type { Scenario, ScenarioStep } from '#shared/scenarios/scenario.ts';
import { withoutAliases } from './document-edit.ts';
import { escaped, valueEdits } from './edits.ts';
import type { Environment } from './environment.ts';
import { placeOf } from './node-place.ts';
import { parseWorkspace } from './parse-workspace.ts';
import type { ParsedWorkspace } from './parse-workspace.ts';
import { contentEnd, dashOffset, newlineOf, spliced } from './text-splice.ts';

/** `before`: the name that it has until then; null: a new one. `scenario` null: it is removed. */
export interface ScenarioChange {
  readonly before: string | null;
  readonly scenario: Scenario | null;
}

/** The scenarios after a change; the new one is the last. */
export function changedScenarios(scenarios: readonly Scenario[], change: ScenarioChange): Scenario[] {
  const { before, scenario } = change;
  if (before === null) return scenario === null ? [...scenarios] : [...scenarios, scenario];
  return scenarios.flatMap((known) => (known.name === before ? (scenario ?? []) : known));
}

/** The file's text with the change made. Null where no way of writing led to what was meant. */
export function scenarioEdit(
  parsed: ParsedWorkspace,
  change: ScenarioChange,
  environment: Environment,
): string | null {
  const wanted = changedScenarios(parsed.workspace.scenarios, change);
  for (const edited of [inPlace, inText, inDocument]) {
    const text = edited(parsed, change);
    const written = text === null ? null : parseWorkspace(text, environment);
    if (written?.ok !== true) continue;
    const { scenarios: _before, ...rest } = parsed.workspace;
    const { scenarios, ...restNow } = written.parsed.workspace;
    if (isDeepStrictEqual(scenarios, wanted) && isDeepStrictEqual(rest, restNow)) return text;
  }
  return null;
}

/** A few characters, where the steps are as many as before. */
function inPlace(parsed: ParsedWorkspace, { before, scenario }: ScenarioChange): string | null {
  const index = parsed.workspace.scenarios.findIndex(({ name }) => name === before);
  const was = parsed.workspace.scenarios[index];
  if (was === undefined || scenario === null || was.steps.length !== scenario.steps.length) return null;
  return spliced(parsed, valueEdits(withoutEmpty(was), withoutEmpty(scenario), ['scenarios', index]));
}

/** An empty list says nothing: a file leaves it out. */
function withoutEmpty({ assert, ...rest }: Scenario): object {
  return { ...rest, ...(assert.length > 0 && { assert }) };
}

function inText(parsed: ParsedWorkspace, { before, scenario }: ScenarioChange): string | null {
  if (before === null) return scenario === null ? null : appended(parsed, scenario);
  const index = parsed.workspace.scenarios.findIndex(({ name }) => name === before);
  const list = placeOf(parsed.document, ['scenarios'])?.node;
  const item = isSeq(list) && list.flow !== true ? list.items[index] : undefined;
  if (!isSeq(list) || !isNode(item)) return null;
  const { text } = parsed;
  const from = item.range?.[0] ?? 0;
  const to = contentEnd(text, item);
  const column = from - (text.lastIndexOf('\n', from - 1) + 1);
  if (scenario === null) return list.items.length < 2 ? null : withoutItem(text, item, to);
  const block = `${' '.repeat(column)}${text.slice(from, to)}\n`;
  const document = parseDocument(block);
  const was = parsed.workspace.scenarios[index];
  if (document.errors.length > 0 || !isMap(document.contents) || was === undefined) return null;
  changeMap(document, document.contents, was, scenario);
  return text.slice(0, from) + indented(textOf(document), column, newlineOf(text)) + text.slice(to);
}

/** Its lines, and the comments right above it. */
function withoutItem(text: string, item: Node, to: number): string | null {
  const dash = dashOffset(text, item.range?.[0] ?? 0);
  if (dash === null) return null;
  let from = text.lastIndexOf('\n', dash - 1) + 1;
  for (;;) {
    const above = text.lastIndexOf('\n', from - 2) + 1;
    if (from === 0 || !/^[ \t]*#/.test(text.slice(above, from))) break;
    from = above;
  }
  const end = text.indexOf('\n', to);
  const rest = end < 0 ? '' : text.slice(end + 1);
  return text.slice(0, from).replace(/(\r?\n)(\r?\n)+$/, '$1$2') + rest;
}

function appended({ document: file, text }: ParsedWorkspace, scenario: Scenario): string | null {
  const newline = newlineOf(text);
  const document = parseDocument('{}');
  document.contents = scenarioNode(document, scenario) as never;
  const block = textOf(document);
  const list = placeOf(file, ['scenarios']);
  if (list === null || list.depth === 0) {
    const head = text.endsWith('\n') || text === '' ? text : `${text}${newline}`;
    return `${head}${newline}scenarios:${newline}  - ${indented(block, 4, newline)}${newline}`;
  }
  const last = isSeq(list.node) && list.node.flow !== true ? list.node.items.at(-1) : undefined;
  const dash = isNode(last) ? dashOffset(text, last.range?.[0] ?? 0) : null;
  if (!isNode(last) || dash === null) return null;
  const column = dash - (text.lastIndexOf('\n', dash - 1) + 1);
  const at = text.indexOf('\n', contentEnd(text, last));
  const end = at < 0 ? text.length : text[at - 1] === '\r' ? at - 1 : at;
  const item = `${' '.repeat(column)}- ${indented(block, column + 2, newline)}`;
  return `${text.slice(0, end)}${newline}${newline}${item}${text.slice(end)}`;
}

/** The same through the document of the whole file: columns may move. */
function inDocument(
  { document: source, text, workspace }: ParsedWorkspace,
  change: ScenarioChange,
): string | null {
  const document = withoutAliases(source.clone() as Document);
  const index = workspace.scenarios.findIndex(({ name }) => name === change.before);
  const { scenario } = change;
  if (scenario === null) document.deleteIn(['scenarios', index]);
  else if (index >= 0) document.setIn(['scenarios', index], scenarioNode(document, scenario));
  else {
    if (!isSeq(document.get('scenarios'))) document.set('scenarios', document.createNode([]));
    document.addIn(['scenarios'], scenarioNode(document, scenario));
  }
  return document.toString({ lineWidth: 0 }).replaceAll(/\r?\n/g, newlineOf(text));
}

function changeMap(document: Document, map: YAMLMap, was: Scenario, now: Scenario): void {
  if (was.name !== now.name) map.set('name', escaped(now.name));
  if (was.duration !== now.duration) map.set('duration', now.duration);
  const steps = map.get('steps', true);
  if (isSeq(steps)) steps.items = stepNodes(document, steps.items, was.steps, now.steps);
  if (isDeepStrictEqual(was.assert, now.assert)) return;
  if (now.assert.length === 0) map.delete('assert');
  else map.set('assert', document.createNode(escaped(now.assert)));
}

/** A step that is as before keeps its node, with its comments, wherever it stands now; the others are changed in turn. */
function stepNodes(
  document: Document,
  nodes: readonly unknown[],
  was: readonly ScenarioStep[],
  now: readonly ScenarioStep[],
): unknown[] {
  const left = new Set(was.keys());
  const take = (fits: (index: number) => boolean): number | undefined => {
    const found = [...left].find(fits);
    if (found !== undefined) left.delete(found);
    return found;
  };
  const same = now.map((step) => take((index) => isDeepStrictEqual(was[index], step)));
  return now.map((step, index) => {
    const kept = same[index];
    if (kept !== undefined) return nodes[kept];
    const changed = take(() => true);
    const node = changed === undefined ? undefined : nodes[changed];
    const before = changed === undefined ? undefined : was[changed];
    if (!isMap(node) || before === undefined) return stepNode(document, step);
    changeStep(document, node, before, step);
    return node;
  });
}

const stepKeys = ['at', 'for', 'name', 'enable', 'disable', 'rule'] as const;

function changeStep(document: Document, node: YAMLMap, was: ScenarioStep, now: ScenarioStep): void {
  for (const key of stepKeys) {
    if (isDeepStrictEqual(was[key], now[key])) continue;
    if (now[key] === undefined) node.delete(key);
    else node.set(key, document.createNode(escaped(now[key]), { flow: true }));
  }
}

/** On one line, unless it brings a rule along. */
function stepNode(document: Document, step: ScenarioStep): Node {
  const said = Object.fromEntries(
    stepKeys.filter((key) => step[key] !== undefined).map((key) => [key, escaped(step[key])]),
  );
  const node = document.createNode(said, { flow: step.rule === undefined });
  if (isMap(node)) for (const { value } of node.items) if (isSeq(value)) value.flow = true;
  return node;
}

function scenarioNode(document: Document, { name, duration, steps, assert }: Scenario): Node {
  const map = document.createNode({ name: escaped(name), duration }) as YAMLMap;
  const list = new YAMLSeq();
  list.items = steps.map((step) => stepNode(document, step));
  map.set('steps', list);
  if (assert.length > 0) map.set('assert', document.createNode(escaped(assert)));
  return map;
}

function textOf(document: Document): string {
  return document.toString({ lineWidth: 100 }).trimEnd();
}

/** The first line stands where it is put. */
function indented(block: string, column: number, newline: string): string {
  const lines = block.split(/\r?\n/);
  return lines
    .map((line, index) => (index === 0 || line === '' ? line : `${' '.repeat(column)}${line}`))
    .join(newline);
}

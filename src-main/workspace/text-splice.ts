// An edit as a few characters in place, so that a toggle is a one-word change in the user's version control: nothing
// else of the file moves, not even the spaces that align its columns.
import { isAlias, isCollection, isMap, isNode, isScalar, isSeq, Scalar, stringify } from 'yaml';
import type { Node, Pair, YAMLMap, YAMLSeq } from 'yaml';
import type { Edit } from './edits.ts';
import { placeOf } from './node-place.ts';
import type { Path, Place } from './node-place.ts';
import type { ParsedWorkspace } from './parse-workspace.ts';

/** Characters `from` to `to` are replaced by `text`. */
interface Splice {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

type SetEdit = Extract<Edit, { kind: 'set' }>;
type AppendEdit = Extract<Edit, { kind: 'append' }>;

/** The text with the edits made, or null where one of them needs more than characters in place. */
export function spliced(parsed: ParsedWorkspace, edits: readonly Edit[]): string | null {
  const splices: Splice[] = [];
  for (const edit of edits) {
    const splice = spliceFor(parsed, edit);
    if (splice === null) return null;
    splices.push(splice);
  }
  return applied(parsed.text, splices);
}

function applied(text: string, splices: readonly Splice[]): string | null {
  // From the end, so that offsets before stay true. At one offset the first edit has to end up first.
  const ordered = splices.map((splice, index) => ({ ...splice, index }));
  ordered.sort((a, b) => b.from - a.from || b.index - a.index);
  let result = text;
  let limit = text.length;
  for (const { from, to, text: replacement } of ordered) {
    if (to > limit) return null; // two edits of the same characters
    result = result.slice(0, from) + replacement + result.slice(to);
    limit = from;
  }
  return result;
}

function spliceFor(parsed: ParsedWorkspace, edit: Edit): Splice | null {
  if (edit.kind === 'set') return setSplice(parsed, edit);
  if (edit.kind === 'append') return appendSplice(parsed, edit);
  return deleteSplice(parsed, edit.path);
}

/** As it would stand within [ ]: safe in a block as well. One line, whatever it holds. */
function flowText(value: unknown): string {
  const text = stringify([value], { collectionStyle: 'flow', lineWidth: 0, defaultStringType: 'PLAIN' });
  return text.trim().replace(/^\[ ?/, '').replace(/ ?\]$/, '');
}

function setSplice({ document, text }: ParsedWorkspace, { path, value, keyOrder }: SetEdit): Splice | null {
  const place = placeOf(document, path);
  if (place === null || passesAlias(place)) return null;
  if (place.depth === path.length) {
    return isInline(place.node, text) && isNode(place.pair?.value ?? place.node)
      ? { from: place.node.range?.[0] ?? 0, to: place.node.range?.[1] ?? 0, text: flowText(value) }
      : null;
  }
  if (place.depth < path.length - 1 || !isMap(place.node)) return null;
  const entry = `${flowText(path.at(-1))}: ${flowText(value)}`;
  return insertion(place.node, entry, predecessor(place.node, String(path.at(-1)), keyOrder), text);
}

/** An anchored node is meant in several places, and an alias stands for another: neither may change in place. */
function passesAlias({ node }: Place): boolean {
  return isAlias(node) || (node as { anchor?: string }).anchor !== undefined;
}

/** On one line, as far as its value goes. */
function isInline(node: Node, text: string): boolean {
  const block = isCollection(node)
    ? node.flow !== true
    : isScalar(node) && (node.type === Scalar.BLOCK_FOLDED || node.type === Scalar.BLOCK_LITERAL);
  return !block && !text.slice(node.range?.[0], node.range?.[1]).includes('\n');
}

/** The pair that a new key follows: the nearest that comes before it in the order of the schema. */
function predecessor(map: YAMLMap, key: string, keyOrder: readonly string[]): Pair | undefined {
  const before = keyOrder.slice(0, keyOrder.indexOf(key)).reverse();
  for (const name of before) {
    const pair = map.items.find((item) => isScalar(item.key) && item.key.value === name);
    if (pair !== undefined) return pair;
  }
  return map.items.at(-1);
}

function insertion(map: YAMLMap, entry: string, after: Pair | undefined, text: string): Splice | null {
  const [from = 0, to = 0] = map.range ?? [];
  if (after === undefined) return map.flow === true ? { from, to, text: `{ ${entry} }` } : null;
  if (!isNode(after.value) || !isNode(after.key) || !isInline(after.value, text)) return null;
  const end = after.value.range?.[1] ?? 0;
  if (map.flow === true) return { from: end, to: end, text: `, ${entry}` };
  const at = lineEnd(text, end);
  const indent = ' '.repeat(columnOf(text, after.key.range?.[0] ?? 0));
  return { from: at, to: at, text: `${newlineOf(text)}${indent}${entry}` };
}

function appendSplice({ document, text }: ParsedWorkspace, { list, value }: AppendEdit): Splice | null {
  const sequence = placeOf(document, [list])?.node;
  const last = isSeq(sequence) && sequence.flow !== true ? sequence.items.at(-1) : undefined;
  if (!isNode(last) || last.range === undefined || last.range === null) return null;
  const at = lineEnd(text, contentEnd(text, last));
  const dash = dashOffset(text, last.range[0]);
  if (dash === null) return null;
  const indent = ' '.repeat(columnOf(text, dash));
  const newline = newlineOf(text);
  const lines = (list === 'rules' ? ruleLines(value) : [`- ${flowText(value)}`]).map(
    (line) => `${newline}${indent}${line}`,
  );
  return { from: at, to: at, text: lines.join('') };
}

/** A rule in the way of the documentation: its fields one a line, each fault on a line. */
function ruleLines(rule: Record<string, unknown>): string[] {
  const lines = Object.entries(rule).flatMap(([key, value]) =>
    Array.isArray(value)
      ? [`${key}:`, ...value.map((item) => `  - ${flowText(item)}`)]
      : [`${key}: ${flowText(value)}`],
  );
  return lines.map((line, index) => `${index === 0 ? '- ' : '  '}${line}`);
}

function deleteSplice({ document, text }: ParsedWorkspace, path: Path): Splice | null {
  const place = placeOf(document, path);
  const parent = placeOf(document, path.slice(0, -1));
  if (place === null || parent === null || place.depth < path.length || passesAlias(place)) return null;
  if (isSeq(parent.node)) return itemDeletion(parent.node, place.node, text);
  return isMap(parent.node) && place.pair !== null ? pairDeletion(parent.node, place.pair, text) : null;
}

/** The lines of an item in a block list. The last that is left becomes `[]`, which is no matter of lines. */
function itemDeletion(list: YAMLSeq, item: Node, text: string): Splice | null {
  const dash = dashOffset(text, item.range?.[0] ?? 0);
  if (list.flow === true || list.items.length < 2 || dash === null) return null;
  const from = text.lastIndexOf('\n', dash - 1) + 1;
  if (text.slice(from, dash).trim() !== '') return null;
  return { from, to: pastLine(text, contentEnd(text, item)), text: '' };
}

function pairDeletion(map: YAMLMap, pair: Pair, text: string): Splice | null {
  const index = map.items.indexOf(pair);
  const [key, value] = [pair.key, pair.value];
  if (map.items.length < 2 || !isNode(key) || !isNode(value) || !isInline(value, text)) return null;
  const [from, to] = [key.range?.[0] ?? 0, value.range?.[1] ?? 0];
  if (map.flow === true) return flowPairDeletion(map, index, { from, to, text: '' });
  const start = text.lastIndexOf('\n', from - 1) + 1;
  return text.slice(start, from).trim() === '' ? { from: start, to: pastLine(text, to), text: '' } : null;
}

function flowPairDeletion(map: YAMLMap, index: number, { from, to }: Splice): Splice {
  const previous = map.items[index - 1]?.value;
  if (isNode(previous)) return { from: previous.range?.[1] ?? from, to, text: '' };
  const next = map.items[index + 1]?.key;
  return { from, to: isNode(next) ? (next.range?.[0] ?? to) : to, text: '' };
}

/** The offset of the dash before an item, which stands on the item's line; null when it does not. */
export function dashOffset(text: string, itemOffset: number): number | null {
  const dash = text.lastIndexOf('-', itemOffset - 1);
  return dash >= 0 && text.slice(dash + 1, itemOffset).trim() === '' ? dash : null;
}

/** Where the last character of a node's content ends: a block's range goes on to the next line. */
export function contentEnd(text: string, node: Node): number {
  return text.slice(0, node.range?.[1] ?? 0).trimEnd().length;
}

function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1);
}

/** The end of the line, before its line break. */
function lineEnd(text: string, offset: number): number {
  const at = text.indexOf('\n', offset);
  if (at < 0) return text.length;
  return text[at - 1] === '\r' ? at - 1 : at;
}

function pastLine(text: string, offset: number): number {
  const at = text.indexOf('\n', offset);
  return at < 0 ? text.length : at + 1;
}

export function newlineOf(text: string): '\r\n' | '\n' {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

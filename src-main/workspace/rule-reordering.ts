// The rules of a file in another order. A rule takes along the comment lines right above it and those indented below it; blank
// lines, and comments that a blank line parts from a rule, stay where they are: they head a part of the file.
import { isNode, isSeq } from 'yaml';
import type { Document, Node, YAMLSeq } from 'yaml';
import { withoutAliases } from './document-edit.ts';
import { contentEnd, dashOffset, newlineOf } from './text-splice.ts';
import { placeOf } from './node-place.ts';
import type { ParsedWorkspace } from './parse-workspace.ts';

/** Characters `from` to `to`: whole lines, without the last line break. */
interface Region {
  readonly from: number;
  readonly to: number;
}

/** @param order Where each rule of the new list stands in the file. Null where rules do not stand on lines of their own. */
export function reorderedText({ document, text }: ParsedWorkspace, order: readonly number[]): string | null {
  const list = placeOf(document, ['rules'])?.node;
  if (!isSeq(list) || list.flow === true || list.items.length !== order.length) return null;
  const regions = list.items.map((item) => (isNode(item) ? regionOf(text, item) : null));
  let result = '';
  let done = 0;
  for (const [index, region] of regions.entries()) {
    const taken = regions[order[index] ?? -1];
    if (region === null || taken === null || taken === undefined || region.from < done) return null;
    result += text.slice(done, region.from) + text.slice(taken.from, taken.to);
    done = region.to;
  }
  return result + text.slice(done);
}

function regionOf(text: string, item: Node): Region | null {
  const dash = dashOffset(text, item.range?.[0] ?? 0);
  if (dash === null) return null;
  const start = lineStart(text, dash);
  if (text.slice(start, dash).trim() !== '') return null;
  return { from: commentsAbove(text, start), to: commentsBelow(text, contentEnd(text, item), dash - start) };
}

function commentsAbove(text: string, start: number): number {
  let from = start;
  while (from > 0) {
    const above = lineStart(text, from - 1);
    if (!/^[ \t]*#/.test(text.slice(above, from))) break;
    from = above;
  }
  return from;
}

/** Comments that are indented deeper than the dash belong to the rule above them. */
function commentsBelow(text: string, end: number, column: number): number {
  let to = lineEnd(text, end);
  for (;;) {
    const line = /^\r?\n([ \t]*)#[^\n]*/.exec(text.slice(to));
    if (line === null || (line[1] ?? '').length <= column) return to;
    to += line[0].replace(/\r$/, '').length;
  }
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

function lineEnd(text: string, offset: number): number {
  const at = text.indexOf('\n', offset);
  if (at < 0) return text.length;
  return text[at - 1] === '\r' ? at - 1 : at;
}

/** The same through the YAML document: columns may move. */
export function reorderedByDocument(
  { document: source, text }: ParsedWorkspace,
  order: readonly number[],
): string | null {
  const document = withoutAliases(source.clone() as Document);
  const list = document.get('rules');
  if (!isSeq(list) || list.items.length !== order.length) return null;
  const items = list.items;
  (list as YAMLSeq).items = order.map((place) => items[place]);
  return document.toString({ lineWidth: 0 }).replaceAll(/\r?\n/g, newlineOf(text));
}

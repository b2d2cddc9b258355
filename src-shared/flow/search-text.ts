import type { SearchNode, SearchPattern } from './search-ast.ts';
import { searchKeys } from './search-keys.ts';
import { parseSearch } from './search-parser.ts';
import { tokenizeSearch } from './search-tokens.ts';

/** The search as text; reading it gives the same search again. */
export function printSearch(node: SearchNode): string {
  return print(node, 'or');
}

/** `inside`: what binds around the text, so that parentheses stand only where they are needed. */
function print(node: SearchNode, inside: 'or' | 'and' | 'not'): string {
  switch (node.type) {
    case 'all':
      return '';
    case 'or':
    case 'and': {
      const text = node.nodes
        .map((part) => printPart(part, node.type))
        .join(node.type === 'or' ? ' or ' : ' ');
      const loose = inside === 'or' || (inside === 'and' && node.type === 'and');
      return loose ? text : `(${text})`;
    }
    case 'not':
      return `-${print(node.node, 'not')}`;
    case 'word':
      return printWord(node.pattern);
    case 'text':
      return `${node.key}:${printValue(node.pattern)}`;
    case 'ids':
      return `id:${node.ids.join(',')}`;
    case 'choice':
      return `${node.key}:${node.value}`;
    case 'number':
      return `${node.key}${node.op}${plainNumber(node.value)}`;
    case 'status-class':
      return `status:${printClass(node.low, node.high)}`;
  }
}

/** A group of the same kind within a group keeps its parentheses, so that the same tree is read again. */
function printPart(node: SearchNode, type: 'or' | 'and'): string {
  return node.type === type ? `(${print(node, 'or')})` : print(node, type);
}

function printWord(pattern: SearchPattern): string {
  const value = printValue(pattern);
  const tokens = tokenizeSearch(value);
  const plain = tokens.length === 1 && (tokens[0]?.kind === 'value' || tokens[0]?.kind === 'number');
  return plain && !/^[1-9](?:\dx|xx)$/i.test(value) ? value : quote(pattern.text);
}

function printValue({ text, glob }: SearchPattern): string {
  const bare = /^[^\s()"][^\s()]*$/.test(text) && text.includes('*') === glob;
  return bare ? text : quote(text);
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function plainNumber(value: number): string {
  // No exponents in the language: what is below them is below any clock, what is above them above any size.
  return String(value).includes('e') ? value.toFixed(value < 1 ? 9 : 0) : String(value);
}

function printClass(low: number, high: number): string {
  const digits = String(low);
  if (high - low === 99) return `${digits[0]}xx`;
  return `${digits.slice(0, 2)}x`;
}

/**
 * The search narrowed by one more term, as a click on a service does it. A term that is there already is not repeated,
 * its opposite is replaced, and a search that does not parse is left as it is.
 */
export function addTerm(search: string, term: string): string {
  const trimmed = search.trim();
  const parsed = parseSearch(trimmed);
  if (!parsed.ok || !parseSearch(term).ok) return search;
  if (parsed.ast.type === 'all') return term;
  if (parsed.ast.type === 'or') return `(${trimmed}) ${term}`;
  const added = printSearch(parseOrAll(term));
  const nodes = parsed.ast.type === 'and' ? parsed.ast.nodes : [parsed.ast];
  const texts = nodes.map(printSearch);
  if (texts.includes(added)) return trimmed;
  const opposite = added.startsWith('-') ? added.slice(1) : `-${added}`;
  if (!texts.includes(opposite)) return `${trimmed} ${term}`;
  return nodes.map((node, index) => (texts[index] === opposite ? term : print(node, 'and'))).join(' ');
}

function parseOrAll(term: string): SearchNode {
  const parsed = parseSearch(term);
  return parsed.ok ? parsed.ast : { type: 'all' };
}

/** The search in words, for a reader of the screen and for an empty result: "caller is checkout, and latency > 1000 ms". */
export function explainSearch(node: SearchNode): string {
  switch (node.type) {
    case 'all':
      return 'every call';
    case 'and':
      return node.nodes.map(explainPart).join(', and ');
    case 'or':
      return node.nodes.map(explainPart).join(', or ');
    case 'not':
      return `not ${explainPart(node.node)}`;
    case 'word':
      return `"${node.pattern.text}" in method, host, path, service or status`;
    case 'text':
      return `${described(node.key)} is ${node.pattern.text}`;
    case 'ids':
      return node.ids.length === 1 ? `the call ${node.ids[0]}` : `one of ${node.ids.length} calls`;
    case 'choice':
      return `${described(node.key)} is ${node.value}`;
    case 'number':
      return `${node.key} ${node.op} ${plainNumber(node.value)}${{ status: '', latency: ' ms', size: ' B' }[node.key]}`;
    case 'status-class':
      return `status from ${node.low} to ${node.high}`;
  }
}

function explainPart(node: SearchNode): string {
  return node.type === 'and' || node.type === 'or' ? `(${explainSearch(node)})` : explainSearch(node);
}

function described(name: string): string {
  const found = searchKeys.find(({ key }) => key === name)?.description ?? name;
  return found.charAt(0).toLowerCase() + found.slice(1);
}

/** What could stand at the caret: `from` and `to` are what an accepted option replaces. */
export interface SearchCompletion {
  readonly from: number;
  readonly to: number;
  readonly options: readonly { readonly label: string; readonly detail: string }[];
}

/** Fields while a word is typed, known values after a field. Names of services are the caller's to add (`key`). */
export function completeSearch(search: string, caret: number): SearchCompletion & { key: string | null } {
  const tokens = tokenizeSearch(search.slice(0, caret));
  const last = tokens.at(-1);
  const touches = last !== undefined && last.at + last.length === caret;
  const operator = tokens.at(last?.kind === 'operator' ? -1 : -2);
  const inValue = touches && operator?.kind === 'operator' && operator.at + operator.length >= last.at;
  if (!inValue) {
    const typed = touches && last.kind === 'value' && !last.quoted ? last.text.toLowerCase() : '';
    return { key: null, from: caret - typed.length, to: caret, options: keyOptions(typed) };
  }
  const from = operator.at + operator.length;
  const key = tokens[tokens.indexOf(operator) - 1]?.text ?? null;
  const typed = search.slice(from, caret).toLowerCase();
  const values = searchKeys.find((known) => known.key === key)?.values ?? [];
  const fitting = values.filter((value) => value.toLowerCase().startsWith(typed));
  return { key, from, to: caret, options: fitting.map((label) => ({ label, detail: '' })) };
}

function keyOptions(typed: string): { label: string; detail: string }[] {
  const fitting = searchKeys.filter(({ key }) => key.startsWith(typed));
  return fitting.map(({ key, compares, description }) => ({
    label: key + (compares === 'duration' || compares === 'size' ? '>' : ':'),
    detail: description,
  }));
}

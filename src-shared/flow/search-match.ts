import type { FlowSummary } from './flow-summary.ts';
import type { SearchNode, SearchPattern } from './search-ast.ts';
import { textKeys } from './search-keys.ts';
import type { TextKey } from './search-keys.ts';

/**
 * What a row does not hold: answered where the flow is stored. The pattern is matched anywhere in a header line
 * (`name: value`) or in a body, and against the name and the type of a rule that acted.
 */
export interface StoredTexts {
  headerLines(): Iterable<string>;
  bodyTexts(): Iterable<string>;
  /** Rule id, rule name and type of each fault that acted. */
  faultTexts(): Iterable<string>;
}

/** `needs-store`: the row alone cannot tell. */
export type RowMatch = boolean | 'needs-store';

/** The search as a test of loaded rows. */
export function compileSearch(ast: SearchNode): (row: FlowSummary) => RowMatch {
  const test = compile(ast);
  return (row) => test(row, null);
}

/** The search as a test of a stored flow: always decided. */
export function compileStoredSearch(ast: SearchNode): (row: FlowSummary, stored: StoredTexts) => boolean {
  const test = compile(ast);
  return (row, stored) => test(row, stored) === true;
}

/** Whether there is a term that only the stored flow can answer: a header or a body, or the one that is asked for. */
export function needsContent(ast: SearchNode, key?: 'header' | 'body'): boolean {
  if (ast.type === 'and' || ast.type === 'or') return ast.nodes.some((node) => needsContent(node, key));
  if (ast.type === 'not') return needsContent(ast.node, key);
  if (ast.type !== 'text' || (ast.key !== 'header' && ast.key !== 'body')) return false;
  return key === undefined || ast.key === key;
}

/**
 * The parts of a pattern, in lower case: the text must have them in this order, the first at its beginning and the last
 * at its end (an empty one is at both). `*` alone is `['', '']`, which is also what asks for "any".
 */
export function patternParts(pattern: SearchPattern, key: TextKey | 'word'): string[] {
  const parts = lowerAscii(pattern.text).split(pattern.glob ? /\*+/ : /(?!)/);
  const compares = key === 'word' ? 'part' : textKeys[key].compares;
  const anywhere = key === 'word' || key === 'header' || key === 'body' || !pattern.glob;
  if (compares === 'prefix') return parts.at(-1) === '' && parts.length > 1 ? parts : [...parts, ''];
  if (compares === 'part' && anywhere) return surround(parts);
  return parts;
}

/** The same for every place that matches: SQL's LIKE folds the letters of ASCII and no others. */
export function matchesParts(text: string, parts: readonly string[]): boolean {
  const lower = lowerAscii(text);
  const first = parts[0] as string;
  if (parts.length === 1) return lower === first;
  const last = parts[parts.length - 1] as string;
  if (!lower.startsWith(first) || !lower.endsWith(last)) return false;
  let from = first.length;
  const end = lower.length - last.length;
  for (let index = 1; index < parts.length - 1; index += 1) {
    const part = parts[index] as string;
    const found = lower.indexOf(part, from);
    if (found < 0) return false;
    from = found + part.length;
  }
  return from <= end;
}

export function lowerAscii(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text;
}

function surround(parts: string[]): string[] {
  const open = parts[0] === '' && parts.length > 1 ? parts : ['', ...parts];
  return open.at(-1) === '' && open.length > 2 ? open : [...open, ''];
}

type Test = (row: FlowSummary, stored: StoredTexts | null) => RowMatch;

function compile(node: SearchNode): Test {
  switch (node.type) {
    case 'all':
      return () => true;
    case 'and':
      return every(node.nodes.map(compile), false);
    case 'or':
      return every(node.nodes.map(compile), true);
    case 'not':
      return negated(compile(node.node));
    case 'word':
      return wordTest(patternParts(node.pattern, 'word'));
    case 'text':
      return textTest(node.key, patternParts(node.pattern, node.key));
    case 'ids': {
      const ids = new Set(node.ids);
      return (row) => ids.has(row.id);
    }
    case 'choice':
      return choiceTest(node.key, node.value);
    case 'number':
      return numberTest(node);
    case 'status-class':
      return (row) => row.status !== null && row.status >= node.low && row.status <= node.high;
  }
}

/** `or` when one `true` decides, `and` when one `false` does; what cannot be told stays so unless another decides. */
function every(tests: readonly Test[], decisive: boolean): Test {
  return (row, stored) => {
    let result: RowMatch = !decisive;
    for (const test of tests) {
      const match = test(row, stored);
      if (match === decisive) return decisive;
      if (match === 'needs-store') result = match;
    }
    return result;
  };
}

function negated(test: Test): Test {
  return (row, stored) => {
    const match = test(row, stored);
    return match === 'needs-store' ? match : !match;
  };
}

function wordTest(parts: readonly string[]): Test {
  const has = (text: string | null): boolean => text !== null && matchesParts(text, parts);
  return (row) =>
    has(row.path) ||
    has(row.host) ||
    has(row.caller) ||
    has(row.callee) ||
    has(row.method) ||
    (row.status !== null && has(String(row.status)));
}

function textTest(key: TextKey, parts: readonly string[]): Test {
  const has = (text: string | null): boolean => text !== null && matchesParts(text, parts);
  const any = (texts: Iterable<string>): boolean => {
    for (const text of texts) if (matchesParts(text, parts)) return true;
    return false;
  };
  switch (key) {
    case 'service':
      return (row) => has(row.caller) || has(row.callee);
    case 'host':
      return (row) => has(row.host) || has(withoutPort(row.host));
    case 'trace':
      return (row) => has(row.traceId);
    case 'error':
      return (row) => has(row.cause);
    case 'fault':
      return (row, stored) => {
        if (row.faults.length === 0) return false;
        return any(row.faults) || (stored === null ? 'needs-store' : any(stored.faultTexts()));
      };
    case 'rule':
      return (row) => any(row.faults);
    case 'header':
      return (_row, stored) => (stored === null ? 'needs-store' : any(stored.headerLines()));
    case 'body':
      return (_row, stored) => (stored === null ? 'needs-store' : any(stored.bodyTexts()));
    default:
      return (row) => has(row[key]);
  }
}

/** `host:*.example` means the name; whoever wants the port writes it. */
export function withoutPort(host: string | null): string | null {
  const port = host === null ? null : /:\d+$/.exec(host);
  return port === null ? null : (host as string).slice(0, port.index);
}

function choiceTest(key: 'proto' | 'kind' | 'playback', value: string): Test {
  if (key === 'proto') return (row) => row.protocol === value;
  if (key === 'kind') return (row) => row.kind === value;
  return (row) => row.playback === (value === 'yes');
}

function numberTest(node: Extract<SearchNode, { type: 'number' }>): Test {
  const { key, op, value } = node;
  const compare = comparisons[op];
  const field = key === 'status' ? 'status' : key === 'latency' ? 'durationMs' : 'sizeBytes';
  return (row) => {
    const actual = row[field];
    return actual !== null && compare(actual, value);
  };
}

const comparisons = {
  '>': (a: number, b: number): boolean => a > b,
  '>=': (a: number, b: number): boolean => a >= b,
  '<': (a: number, b: number): boolean => a < b,
  '<=': (a: number, b: number): boolean => a <= b,
  '=': (a: number, b: number): boolean => a === b,
} as const;

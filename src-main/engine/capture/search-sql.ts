import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import type { NumberKey, SearchNode, TextKey } from '#shared/flow/search.ts';
import { compileSearch, patternParts } from '#shared/flow/search.ts';

/** A condition with its parameters; the text of a search never becomes part of the SQL. */
export interface SqlCondition {
  readonly sql: string;
  readonly parameters: readonly (string | number)[];
  /** The same on the row of a flow that has none in the index. Such a flow has no faults, which rows know by id only. */
  readonly matches: (row: FlowSummary) => boolean;
}

/**
 * The search as a condition on the columns of `flows`. It lets through every flow that matches, and exactly those unless
 * the search has `header:` or `body:` terms (`needsContent`): such a term is taken as true here, on whichever side of a
 * `-` it stands, and whoever asks must look into the flows that are left.
 */
export function searchToSql(ast: SearchNode): SqlCondition {
  const parameters: (string | number)[] = [];
  const test = compileSearch(ast);
  return { sql: condition(ast, false, parameters), parameters, matches: (row) => test(row) !== false };
}

/** `negated` is pushed down to the leaves, since "not maybe" is still maybe. */
function condition(node: SearchNode, negated: boolean, parameters: (string | number)[]): string {
  switch (node.type) {
    case 'not':
      return condition(node.node, !negated, parameters);
    case 'and':
    case 'or': {
      const word = (node.type === 'or') === negated ? ' AND ' : ' OR ';
      return `(${node.nodes.map((part) => condition(part, negated, parameters)).join(word)})`;
    }
    default: {
      if (node.type === 'text' && (node.key === 'header' || node.key === 'body')) return '1';
      const sql = leaf(node, parameters);
      // NULL is neither true nor false in SQL; in the language an absent value matches nothing.
      return negated ? `NOT ifnull(${sql}, 0)` : `ifnull(${sql}, 0)`;
    }
  }
}

type Leaf = Exclude<SearchNode, { type: 'and' | 'or' } | { type: 'not' }>;

function leaf(node: Leaf, parameters: (string | number)[]): string {
  switch (node.type) {
    case 'all':
      return '1';
    case 'word':
      return anyLike(wordColumns, likePattern(patternParts(node.pattern, 'word')), parameters);
    case 'text':
      return textLeaf(node.key, patternParts(node.pattern, node.key), parameters);
    case 'ids':
      parameters.push(JSON.stringify(node.ids));
      return 'id IN (SELECT value FROM json_each(?))';
    case 'choice':
      if (node.key === 'playback') return node.value === 'yes' ? 'playback = 1' : 'playback = 0';
      parameters.push(node.value);
      return node.key === 'proto' ? 'protocol = ?' : 'kind = ?';
    case 'number':
      parameters.push(node.value);
      return `${numberColumns[node.key]} ${node.op} ?`;
    case 'status-class':
      parameters.push(node.low, node.high);
      return 'status BETWEEN ? AND ?';
  }
}

const wordColumns = ['path', 'host', 'caller', 'callee', 'method', 'status'];
const numberColumns: Readonly<Record<NumberKey, string>> = {
  status: 'status',
  latency: 'duration_ms',
  size: 'size_bytes',
};
const textColumns: Readonly<
  Record<Exclude<TextKey, 'fault' | 'rule' | 'header' | 'body'>, readonly string[]>
> = {
  service: ['caller', 'callee'],
  caller: ['caller'],
  callee: ['callee'],
  method: ['method'],
  host: ['host', 'without_port(host)'],
  path: ['path'],
  route: ['route'],
  trace: ['trace_id'],
  error: ['cause'],
};

function textLeaf(key: TextKey, parts: readonly string[], parameters: (string | number)[]): string {
  if (key === 'header' || key === 'body') return '1';
  if (key !== 'fault' && key !== 'rule') return anyLike(textColumns[key], likePattern(parts), parameters);
  parameters.push(JSON.stringify(parts));
  const column = key === 'rule' ? 'faults' : 'fault_texts';
  // CASE, since SQLite may evaluate both sides of an AND, and most flows would pay the call for nothing.
  return `CASE WHEN ${column} IS NULL THEN 0 ELSE any_matches(${column}, ?) END`;
}

function anyLike(columns: readonly string[], pattern: string, parameters: (string | number)[]): string {
  const tests = columns.map((column) => {
    parameters.push(pattern);
    return `ifnull(${column} LIKE ? ESCAPE '\\', 0)`;
  });
  return tests.length === 1 ? (tests[0] as string) : `(${tests.join(' OR ')})`;
}

/** Of parts in their order (see `patternParts`) the pattern of LIKE, which folds the letters of ASCII as we do. */
function likePattern(parts: readonly string[]): string {
  return parts.map((part) => part.replace(/[\\%_]/g, '\\$&')).join('%');
}

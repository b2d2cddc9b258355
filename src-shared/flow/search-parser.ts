import { maxSearchDepth, maxSearchIds, maxSearchTerms } from './search-ast.ts';
import type { Comparison, SearchNode, SearchPattern, SearchResult } from './search-ast.ts';
import { choiceKeys, isChoiceKey, isListKey, isNumberKey, isTextKey, searchKeys } from './search-keys.ts';
import type { ChoiceKey, NumberKey } from './search-keys.ts';
import { tokenizeSearch } from './search-tokens.ts';
import type { SearchToken } from './search-tokens.ts';

/**
 * Reads a search.
 *
 *     search = [ either ]
 *     either = both { "or" both }
 *     both   = one { one }                  space means and
 *     one    = "-" one | "(" either ")" | key operator value | value
 */
export function parseSearch(search: string): SearchResult {
  const parser = new Parser(search);
  try {
    return { ok: true, ast: parser.search() };
  } catch (error) {
    if (!(error instanceof NotUnderstood)) throw error;
    const { message, at, length } = error;
    return { ok: false, error: { message, at, length } };
  }
}

class NotUnderstood extends Error {
  readonly at: number;
  readonly length: number;
  constructor(message: string, place: { at: number; length: number }) {
    super(message);
    this.at = place.at;
    this.length = place.length;
  }
}

class Parser {
  readonly #tokens: SearchToken[];
  readonly #end: { at: number; length: number };
  #next = 0;
  #terms = 0;

  constructor(search: string) {
    this.#tokens = tokenizeSearch(search);
    this.#end = { at: search.length, length: 0 };
  }

  search(): SearchNode {
    if (this.#tokens.length === 0) return { type: 'all' };
    const node = this.#either(0);
    const rest = this.#tokens[this.#next];
    if (rest !== undefined) throw new NotUnderstood('This parenthesis was not opened.', rest);
    return node;
  }

  #either(depth: number): SearchNode {
    const nodes = [this.#both(depth)];
    while (this.#tokens[this.#next]?.kind === 'or') {
      this.#next += 1;
      nodes.push(this.#both(depth));
    }
    return joined('or', nodes);
  }

  #both(depth: number): SearchNode {
    const nodes = [this.#one(depth)];
    for (;;) {
      const kind = this.#tokens[this.#next]?.kind;
      if (kind === undefined || kind === 'or' || kind === 'close') return joined('and', nodes);
      nodes.push(this.#one(depth));
    }
  }

  #one(depth: number): SearchNode {
    const token = this.#take('a word or a field such as service:orders');
    if (depth > maxSearchDepth) throw new NotUnderstood(`More than ${maxSearchDepth} levels deep.`, token);
    switch (token.kind) {
      case 'not':
        return { type: 'not', node: this.#one(depth + 1) };
      case 'open':
        return this.#group(token, depth);
      case 'key':
        return this.#field(token);
      case 'value':
      case 'number':
        this.#count(token);
        return word(token);
      case 'error':
        throw this.#wrong(token);
      default:
        throw new NotUnderstood('Expected a word or a field such as service:orders here.', token);
    }
  }

  #group(open: SearchToken, depth: number): SearchNode {
    const node = this.#either(depth + 1);
    if (this.#tokens[this.#next]?.kind !== 'close')
      throw new NotUnderstood('This parenthesis is not closed.', open);
    this.#next += 1;
    return node;
  }

  #field(key: SearchToken): SearchNode {
    this.#count(key);
    const operator = this.#take('an operator');
    const value = this.#tokens[this.#next];
    const adjoins = value !== undefined && value.at === operator.at + operator.length;
    if (!adjoins || (value.kind !== 'value' && value.kind !== 'number' && value.kind !== 'error'))
      throw new NotUnderstood(
        `Expected a value after ${key.text}${operator.text}${example(key.text)}`,
        operator,
      );
    this.#next += 1;
    if (value.kind === 'error') throw this.#wrong(value);
    if (isNumberKey(key.text)) return numberTerm(key.text, operator, value);
    if (operator.text !== ':' && operator.text !== '=')
      throw new NotUnderstood(`${key.text} is a text: expected ":" here.`, operator);
    if (isListKey(key.text)) return idsTerm(value);
    if (isChoiceKey(key.text)) return choiceTerm(key.text, value);
    if (!isTextKey(key.text)) throw new TypeError(`no such key: ${key.text}`);
    if (value.text === '') throw new NotUnderstood(`Expected a text${example(key.text)}`, value);
    return { type: 'text', key: key.text, pattern: pattern(value) };
  }

  #count(token: SearchToken): void {
    this.#terms += 1;
    if (this.#terms > maxSearchTerms) throw new NotUnderstood(`More than ${maxSearchTerms} terms.`, token);
  }

  #take(expected: string): SearchToken {
    const token = this.#tokens[this.#next];
    if (token === undefined) throw new NotUnderstood(`Expected ${expected} here.`, this.#end);
    this.#next += 1;
    return token;
  }

  #wrong(token: SearchToken): NotUnderstood {
    // An error token followed by its operator is a field that does not exist.
    if (this.#tokens[this.#tokens.indexOf(token) + 1]?.kind === 'operator') {
      const names = searchKeys.map(({ key }) => key).join(', ');
      return new NotUnderstood(`There is no field "${token.text}". Expected one of ${names}.`, token);
    }
    return new NotUnderstood(`Expected ${token.text}.`, token);
  }
}

function joined(type: 'and' | 'or', nodes: SearchNode[]): SearchNode {
  return nodes.length === 1 ? (nodes[0] as SearchNode) : { type, nodes };
}

function pattern(token: SearchToken): SearchPattern {
  return { text: token.text, glob: !token.quoted && token.text.includes('*') };
}

function idsTerm(value: SearchToken): SearchNode {
  const ids = [...new Set(value.text.toLowerCase().split(','))].filter((id) => id !== '').sort();
  if (ids.some((id) => !/^[0-9a-z]+$/.test(id)) || ids.length === 0)
    throw new NotUnderstood(`Expected ids of flows, with commas between them${example('id')}`, value);
  if (ids.length > maxSearchIds) throw new NotUnderstood(`More than ${maxSearchIds} ids.`, value);
  return { type: 'ids', ids };
}

function word(token: SearchToken): SearchNode {
  if (token.text === '') throw new NotUnderstood('Expected a text between the quotes.', token);
  const range = token.quoted ? null : statusClass(token.text);
  return range === null ? { type: 'word', pattern: pattern(token) } : { type: 'status-class', ...range };
}

/** `5xx`: 500 to 599, `50x`: 500 to 509. */
function statusClass(text: string): { low: number; high: number } | null {
  if (!/^[1-9](?:\dx|xx)$/i.test(text)) return null;
  return { low: Number(text.replace(/x/gi, '0')), high: Number(text.replace(/x/gi, '9')) };
}

function numberTerm(key: NumberKey, operator: SearchToken, value: SearchToken): SearchNode {
  const equal = operator.text === ':' || operator.text === '=';
  if (key === 'status' && equal) {
    if (value.text === '*') return { type: 'number', key, op: '>=', value: 0 };
    const range = statusClass(value.text);
    if (range !== null) return { type: 'status-class', ...range };
  }
  const amount = readAmount(key, value.text);
  if (amount === null) throw new NotUnderstood(`Expected ${amounts[key]}${example(key)}`, value);
  return { type: 'number', key, op: equal ? '=' : (operator.text as Comparison), value: amount };
}

const amounts = {
  status: 'a status such as 404, or a class such as 5xx',
  latency: 'a duration such as 250ms, 1.5s or 2m',
  size: 'a size such as 512, 10kB or 1MiB',
} as const;
const units: Readonly<Record<NumberKey, Readonly<Record<string, number>>>> = {
  status: { '': 1 },
  latency: { '': 1, us: 0.001, µs: 0.001, ms: 1, s: 1000, m: 60_000, min: 60_000 },
  size: { '': 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3 },
};

function readAmount(key: NumberKey, text: string): number | null {
  const parts = /^(\d{1,15}(?:\.\d{1,9})?)([a-zµ]*)$/i.exec(text);
  if (parts === null) return null;
  const unit = (parts[2] as string).toLowerCase();
  return Object.hasOwn(units[key], unit) ? Number(parts[1]) * (units[key][unit] as number) : null;
}

const yes = ['yes', 'true', '*'];
const no = ['no', 'false'];

function choiceTerm(key: ChoiceKey, value: SearchToken): SearchNode {
  let wanted = value.text.toLowerCase();
  if (key === 'playback') wanted = yes.includes(wanted) ? 'yes' : no.includes(wanted) ? 'no' : wanted;
  if (!choiceKeys[key].values.includes(wanted))
    throw new NotUnderstood(`Expected one of ${choiceKeys[key].values.join(', ')}.`, value);
  return { type: 'choice', key, value: wanted };
}

function example(name: string): string {
  const found = searchKeys.find(({ key }) => key === name);
  return found === undefined ? '.' : `, as in ${found.example}.`;
}

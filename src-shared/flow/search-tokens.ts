import { isListKey, isNumberKey, isTextKey, isChoiceKey } from './search-keys.ts';

/** A piece of a search: what the parser reads and what the search box colours. */
export interface SearchToken {
  readonly kind: 'key' | 'operator' | 'value' | 'number' | 'or' | 'not' | 'open' | 'close' | 'error';
  /** Offset in the text, in UTF-16 code units. */
  readonly at: number;
  readonly length: number;
  /** What is meant: without quotes and escapes. For `error`, what was expected. */
  readonly text: string;
  /** In quotes: every character stands for itself, also `*`, and `or` is a word. */
  readonly quoted: boolean;
}

const keyed = /([A-Za-z]+)(:|>=|<=|>|<|=)/y;
const quotedText = /"((?:[^"\\]|\\.)*)"/sy;
const bareText = /[^\s()]+/y;
const space = /\s+/y;

/**
 * The tokens of a search, in order, without the white space between them. Never fails: what is not understood is a
 * token of kind `error`.
 */
export function tokenizeSearch(search: string): SearchToken[] {
  const tokens: SearchToken[] = [];
  let at = 0;
  const push = (kind: SearchToken['kind'], length: number, text: string, quoted = false): void => {
    tokens.push({ kind, at, length, text, quoted });
    at += length;
  };
  while (at < search.length) {
    const gap = match(space, search, at);
    if (gap !== null) {
      at += gap[0].length;
      continue;
    }
    const character = search[at] as string;
    const key = match(keyed, search, at);
    if (character === '(') push('open', 1, '(');
    else if (character === ')') push('close', 1, ')');
    else if (character === '-' && at + 1 < search.length && !/\s/.test(search[at + 1] as string))
      push('not', 1, '-');
    else if (key !== null && isKey(key, search, at)) {
      const [, name = '', operator = ''] = key;
      push(known(name) ? 'key' : 'error', name.length, name.toLowerCase());
      push('operator', operator.length, operator);
      readValue(search, at, push, true);
    } else readValue(search, at, push, false);
  }
  return tokens;
}

type Push = (kind: SearchToken['kind'], length: number, text: string, quoted?: boolean) => void;

function readValue(search: string, at: number, push: Push, afterKey: boolean): void {
  if (search[at] === '"') {
    const quoted = match(quotedText, search, at);
    if (quoted === null) push('error', search.length - at, 'a closing quote');
    else push('value', quoted[0].length, (quoted[1] as string).replace(/\\(.)/gs, '$1'), true);
    return;
  }
  const bare = match(bareText, search, at)?.[0];
  if (bare === undefined) return; // The parser says that a value is missing.
  if (!afterKey && bare.toLowerCase() === 'or') push('or', bare.length, 'or');
  else if (/^\d/.test(bare)) push('number', bare.length, bare);
  else push('value', bare.length, bare);
}

function known(name: string): boolean {
  const lower = name.toLowerCase();
  return isTextKey(lower) || isListKey(lower) || isChoiceKey(lower) || isNumberKey(lower);
}

/** `orders:8080` and `https://…` are words; `sevice:orders` is a mistake that should be told. */
function isKey(found: RegExpExecArray, search: string, at: number): boolean {
  if (known(found[1] as string)) return true;
  return found[2] === ':' && !/\d|\//.test(search[at + found[0].length] ?? '');
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

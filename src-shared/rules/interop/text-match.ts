import { expressionOf, isPlain } from '../pattern.ts';

/** Patterns of Spike (pattern.ts) for the ways in which Envoy and Istio compare texts, and back. */

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const expression = (source: string, anyCase: boolean): string => `/${source}/${anyCase ? 'i' : ''}`;

/** This text and no other. */
export function exactly(text: string, anyCase = false): string {
  return !anyCase && text !== '' && isPlain(text) ? text : expression(`^${escaped(text)}$`, anyCase);
}

export function beginningWith(text: string, anyCase = false): string {
  return !anyCase && isPlain(text) ? `${text}*` : expression(`^${escaped(text)}`, anyCase);
}

export function endingWith(text: string, anyCase = false): string {
  return !anyCase && isPlain(text) ? `*${text}` : expression(`${escaped(text)}$`, anyCase);
}

export function containing(text: string, anyCase = false): string {
  return !anyCase && isPlain(text) ? `*${text}*` : expression(`(?:${escaped(text)})`, anyCase);
}

/** Envoy and Istio match a whole text with an expression; Spike finds one anywhere. */
export function matching(source: string, anyCase = false): string {
  return expression(`^(?:${source})$`, anyCase);
}

/** As Istio's StringMatch has it; an empty one asks only that there is a value. */
export type StringMatch = { exact: string } | { prefix: string } | { regex: string } | Record<string, never>;

/** What a pattern is in Istio. `anyCase`: Spike compares the field without regard to case; plain texts pass as they are. */
export function stringMatchOf(pattern: string, anyCase = false): StringMatch {
  if (pattern === '*') return {};
  const found = expressionOf(pattern);
  if (found !== null) return { regex: flag(found.anyCase || anyCase) + wholeOf(found.source) };
  if (isPlain(pattern)) return { exact: pattern };
  if (/^[^*?]+\*$/.test(pattern)) return { prefix: pattern.slice(0, -1) };
  const source = pattern.replace(/[.*+?^${}()|[\]\\]/g, (sign) =>
    sign === '*' ? '.*' : sign === '?' ? '.' : `\\${sign}`,
  );
  return { regex: flag(anyCase) + source };
}

const flag = (anyCase: boolean): string => (anyCase ? '(?i)' : '');

function wholeOf(source: string): string {
  const inner = /^\^\(\?:(.*)\)\$$/s.exec(source)?.[1];
  return inner !== undefined && isBalanced(inner) ? inner : `.*(?:${source}).*`;
}

/** Whether no parenthesis closes one that was opened before: `a)|(b` would end the group that it stands in. */
function isBalanced(source: string): boolean {
  if (source.includes('\\Q')) return false;
  let depth = 0;
  for (const sign of source.replace(/\\./gs, '').replace(/\[[^\]]*\]/g, '')) {
    if (sign === '(') depth += 1;
    else if (sign === ')') depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

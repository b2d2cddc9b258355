import { RE2JS, RE2JSException } from 're2js';

/**
 * Patterns: a plain text, a glob (`*` any run of characters, `?` one), or `/regular expression/` with an optional `i`.
 *
 * Each is tested in time that grows with the text alone, whatever the pattern: these run on the data path, against texts
 * that peers choose. So regular expressions are those of RE2, without back references and look-around (ADR 0017).
 */
export type TextTest = (value: string) => boolean;

const always: TextTest = () => true;
export const longestPattern = 2048;

/** Whether the pattern is a text that is compared as a whole: neither a glob nor a regular expression. */
export function isPlain(pattern: string): boolean {
  return !/[*?]/.test(pattern) && expressionOf(pattern) === null;
}

/** A pattern that takes this name and no other: one that has the signs of a pattern becomes an expression of itself. */
export function literalPattern(name: string): string {
  if (isPlain(name) && !/^\/.*\/i?$/.test(name)) return name;
  return `/^${name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')}$/i`;
}

/** A test of a whole text. Absent and `*` take every text. Throws a `SyntaxError` for an expression that is none. */
export function compileText(pattern: string | undefined, caseSensitive: boolean): TextTest {
  if (pattern === undefined || pattern === '*') return always;
  const expression = expressionOf(pattern);
  if (expression !== null) return compileExpression(expression.source, caseSensitive && !expression.anyCase);
  if (/[*?]/.test(pattern)) return compileGlob(pattern, caseSensitive);
  if (caseSensitive) return (value) => value === pattern;
  const lower = pattern.toLowerCase();
  return (value) => value === pattern || (value.length === pattern.length && value.toLowerCase() === lower);
}

/** A test that looks for a regular expression anywhere in a text. Throws a `SyntaxError` that names the expression. */
export function compileExpression(source: string, caseSensitive: boolean): TextTest {
  try {
    const expression = RE2JS.compile(source, caseSensitive ? 0 : RE2JS.CASE_INSENSITIVE);
    return (value) => expression.test(value);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    // It shows the expression with the flag that it was given in front.
    const reason = error.message.replace(/^error parsing regexp: /, '').replace('`(?i)', '`');
    throw new SyntaxError(`/${source}/ is not a regular expression of RE2: ${reason}.`);
  }
}

/** Puts `replacement` (with `$1`, `$&`, `$<name>`, `$$`, as in JavaScript) in place of every match. Throws as above. */
export function compileReplacement(source: string, replacement: string): (text: string) => string {
  compileExpression(source, true);
  const expression = RE2JS.compile(source);
  return (text) => expression.matcher(text).replaceAll(replacement);
}

/** What is wrong with a pattern, as a sentence; null for a good one. */
export function patternProblem(pattern: string): string | null {
  return problemOf(() => compileText(pattern, true));
}

export function expressionProblem(source: string): string | null {
  return problemOf(() => compileExpression(source, true));
}

function problemOf(compile: () => unknown): string | null {
  try {
    compile();
    return null;
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}

/**
 * The regular expression that a pattern is; null for a text or a glob. A path may well begin and end with a slash: it is an
 * expression only with a flag, or with a sign that paths rarely have.
 */
export function expressionOf(pattern: string): { source: string; anyCase: boolean } | null {
  const parts = /^\/(.+)\/(i?)$/s.exec(pattern);
  if (parts === null) return null;
  const [, source = '', flag] = parts;
  return flag === 'i' || /[\\^$()[\]{}|+]/.test(source) ? { source, anyCase: flag === 'i' } : null;
}

function compileGlob(pattern: string, caseSensitive: boolean): TextTest {
  const glob = (caseSensitive ? pattern : pattern.toLowerCase()).replace(/\*+/g, '*');
  // Most texts that do not match differ at their beginning.
  const begin = glob.slice(0, glob.search(/[*?]/));
  const matches: TextTest = (value) => value.startsWith(begin) && globMatches(glob, value);
  return caseSensitive ? matches : (value) => matches(value.toLowerCase());
}

/** Goes back to the last star only: what an earlier one took need never be given back. At most glob × text steps. */
function globMatches(glob: string, value: string): boolean {
  let at = 0;
  let star = -1;
  let afterStar = 0;
  for (let i = 0; i < value.length;) {
    const sign = glob[at];
    if (sign === '*') {
      star = at++;
      afterStar = i;
    } else if (sign !== undefined && (sign === '?' || sign === value[i])) {
      at += 1;
      i += 1;
    } else if (star >= 0) {
      at = star + 1;
      i = ++afterStar;
    } else return false;
  }
  return glob[at] === undefined || (glob[at] === '*' && at === glob.length - 1);
}

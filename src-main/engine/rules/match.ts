import type { Match } from '#shared/rules/rule.ts';

/** What is known of a call when rules are looked up; '' where a protocol has no such thing (a tunnel has no path). */
export interface CallFacts {
  readonly caller: string;
  readonly callee: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
}

export type TextTest = (value: string) => boolean;
const always: TextTest = () => true;

/** A match, compiled. The parts that an edge decides are apart from those that differ from call to call. */
export interface CompiledMatch {
  readonly needsCaller: boolean;
  readonly needsCallee: boolean;
  /** A tunnel has neither method nor path: a rule that asks for one of them is not about tunnels. */
  readonly needsHttp: boolean;
  edge(caller: string, callee: string, host: string): boolean;
  call(method: string, path: string): boolean;
}

/** Compiles a match. Throws a `SyntaxError` for a regular expression that is none, naming it. */
export function compileMatch(match: Match): CompiledMatch {
  const caller = compileText(match.caller, false);
  const callee = compileText(match.callee, false);
  const host = compileText(match.host, false);
  const method = compileText(match.method, false);
  const path = compileText(match.path, true);
  return {
    needsCaller: match.caller !== undefined,
    needsCallee: match.callee !== undefined,
    needsHttp: match.method !== undefined || match.path !== undefined,
    edge: (callerName, calleeName, hostName) => caller(callerName) && callee(calleeName) && host(hostName),
    call: (methodName, pathText) => method(methodName) && path(withoutQuery(pathText)),
  };
}

/** Whether a rule could be about calls from `caller` to `callee` (for the map: hosts and paths are not looked at). */
export function matchesEdge(match: Match, caller: string, callee: string): boolean {
  return compileText(match.caller, false)(caller) && compileText(match.callee, false)(callee);
}

/** A test from a glob (`*`, `?`), a plain text, or `/regular expression/` with an optional `i`. */
export function compileText(pattern: string | undefined, caseSensitive: boolean): TextTest {
  if (pattern === undefined || pattern === '*') return always;
  const expression = regularExpressionOf(pattern, caseSensitive);
  if (expression !== null) return (value) => expression.test(value);
  if (caseSensitive) return (value) => value === pattern;
  const lower = pattern.toLowerCase();
  return (value) => value === pattern || value.toLowerCase() === lower;
}

function regularExpressionOf(pattern: string, caseSensitive: boolean): RegExp | null {
  // A path may well begin and end with a slash: only `/^…/` or `/…$/` style texts, or ones with a flag, are expressions.
  const parts = /^\/(.+)\/(i?)$/s.exec(pattern);
  if (parts !== null && (parts[2] === 'i' || /[\\^$()[\]{}|+]/.test(parts[1] as string))) {
    return new RegExp(parts[1] as string, parts[2] === 'i' || !caseSensitive ? 'i' : '');
  }
  if (!/[*?]/.test(pattern)) return null;
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source}$`, caseSensitive ? 's' : 'is');
}

function withoutQuery(path: string): string {
  const question = path.indexOf('?');
  return question < 0 ? path : path.slice(0, question);
}

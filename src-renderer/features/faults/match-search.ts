import type { Match, ValueTest } from '#shared/rules/match.ts';
import { isPlain } from '#shared/rules/pattern.ts';

/** The calls of a match as a search of Live. */
export interface MatchSearch {
  readonly search: string;
  /** Whether it finds these calls and no others; else it finds more, since the search has no words for the rest. */
  readonly exact: boolean;
}

/** Says a match in the language of the search box, as far as that has words for it. */
export function matchSearch(match: Match): MatchSearch {
  const terms: string[] = [];
  let exact = true;
  const add = (key: string, value: string | null): void => {
    const written = value === null ? null : quoted(value);
    if (written === null) exact = false;
    else terms.push(`${key}:${written}`);
  };
  for (const key of ['caller', 'callee', 'method', 'route'] as const) {
    const pattern = match[key];
    if (pattern !== undefined) add(key, asGlob(pattern));
  }
  for (const key of ['host', 'path'] as const) {
    const pattern = match[key];
    if (pattern === undefined) continue;
    addLonger(key, asGlob(pattern), terms);
    exact = false;
  }
  if (match.protocol !== undefined) terms.push(protocolTerms[match.protocol]);
  if (match.protocol === 'tcp' || match.protocol === 'http') exact = false;
  if (match.grpc !== undefined) terms.push(...grpcTerms(match.grpc));
  if (match.traceId !== undefined) add('trace', isPlain(match.traceId) ? match.traceId : null);
  if (match.status !== undefined) addStatus(String(match.status), terms);
  for (const [name, test] of Object.entries(match.header ?? {})) add('header', headerText(name, test));
  if (match.query !== undefined || match.header !== undefined || match.listener !== undefined) exact = false;
  if (match.body !== undefined) {
    add('body', match.body.contains ?? null);
    exact = false;
  }
  return { search: terms.join(' '), exact };
}

const protocolTerms = {
  http: '-proto:grpc -proto:ws -proto:tcp -proto:tls',
  grpc: 'proto:grpc',
  websocket: 'proto:ws',
  tcp: 'kind:tcp',
} as const;

/** null for what the search has no sign for: `?` and expressions. */
function asGlob(pattern: string): string | null {
  return isPlain(pattern.replaceAll('*', '')) ? pattern : null;
}

/** null: a star in quotes would be a star, and without them the text would end at its space. */
function quoted(value: string): string | null {
  if (/^[^\s()"][^\s()]*$/.test(value)) return value;
  return value.includes('*') ? null : `"${value.replace(/["\\]/g, '\\$&')}"`;
}

/**
 * The search knows hosts with their port and paths with their query, which a match has not: it finds a plain text anywhere in
 * them, a glob with or without what follows.
 */
function addLonger(key: 'host' | 'path', glob: string | null, terms: string[]): void {
  const value = glob === null ? null : quoted(glob);
  if (value === null) return;
  const isOpen = !value.includes('*') || value.endsWith('*');
  const longer = `${key}:${value}${key === 'host' ? ':' : '?'}*`;
  terms.push(isOpen ? `${key}:${value}` : `(${key}:${value} or ${longer})`);
}

function grpcTerms({ service, method }: NonNullable<Match['grpc']>): string[] {
  const isSaid = [service, method].every((part) => part === undefined || asGlob(part) !== null);
  const path =
    service === undefined && method === undefined ? [] : [`path:/${service ?? '*'}/${method ?? '*'}`];
  return ['proto:grpc', ...(isSaid ? path : [])];
}

function addStatus(status: string, terms: string[]): void {
  const alternatives = status.split(',').map((text) => {
    const [from, to] = text.trim().split('-');
    return to === undefined ? `status:${from}` : `(status>=${from} status<=${to})`;
  });
  terms.push(alternatives.length === 1 ? alternatives[0]! : `(${alternatives.join(' or ')})`);
}

/** A header line as it stands: a name that is there, with its value where that is plain. */
function headerText(name: string, test: ValueTest): string | null {
  if (test === false) return null;
  return test === true || !isPlain(test) ? `${name}: ` : `${name}: ${test}`;
}

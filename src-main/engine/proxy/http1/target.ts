import type { Http1ErrorCode } from './http1-error.ts';

/** Where a request wants to go, from its target and its Host field (RFC 9112, section 3.2). */
export interface RequestTarget {
  readonly form: 'origin' | 'absolute' | 'authority' | 'asterisk';
  /** Lower case, of an absolute-form target; null else: the connection knows whether it is https. */
  readonly scheme: string | null;
  /** Host and port as written, fit for a Host field; '' when the request names none. */
  readonly authority: string;
  /** Name or address without brackets, as written; '' when the request names none. */
  readonly host: string;
  /** null when not written: the scheme's default. */
  readonly port: number | null;
  /** What to ask the upstream for in origin-form: path and query, `*`, or '' for CONNECT. */
  readonly path: string;
}

export interface Authority {
  readonly host: string;
  readonly port: number | null;
}

const namePattern = /^([\w.~-]+)(?::([0-9]{0,5}))?$/;
const bracketPattern = /^\[([0-9A-Fa-f:.]+)\](?::([0-9]{0,5}))?$/;
// Every scheme that a proxy can be asked for is of letters only; which of them are served is for the caller to say.
const schemePattern = /^[a-z]+$/;

/** Host and optional port. Null for anything else: user information, sub-delims, a port beyond 65535, a bad IPv6 literal. */
export function parseAuthority(text: string): Authority | null {
  const bracketed = text.startsWith('[');
  const match = (bracketed ? bracketPattern : namePattern).exec(text);
  if (!match) return null;
  const host = match[1] as string;
  if (bracketed && !isIpv6(host)) return null;
  // "host:" is valid and means the default port (RFC 3986, section 3.2.3).
  const port = match[2] ? Number(match[2]) : null;
  return port !== null && (port > 65_535 || port === 0) ? null : { host, port };
}

/** An IPv6 address without zone (RFC 4291, section 2.2). By hand, since node:net is out of bounds for a codec. */
export function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1);
  const endsInIpv4 = last !== undefined && last.includes('.') && !text.endsWith('::');
  if (endsInIpv4 && !isIpv4(last)) return false;
  const plain = endsInIpv4 ? groups.slice(0, -1) : groups;
  if (!plain.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return false;
  const width = plain.length + (endsInIpv4 ? 2 : 0);
  return halves.length === 2 ? width <= 7 : width === 8;
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return (
    parts.length === 4 && parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256)
  );
}

/**
 * Reads a target that does not begin with `/`; the parser calls it once for every such request.
 * Returns the code of the refusal where the target is none of the forms that the method may use.
 */
export function readSpecialTarget(
  method: string,
  target: string,
  host: string | null,
): RequestTarget | Http1ErrorCode {
  if (method === 'CONNECT') return readAuthorityForm(target);
  if (target === '*') {
    return method === 'OPTIONS' ? hostTarget('asterisk', host, '*') : 'invalid-target';
  }
  return readAbsoluteForm(method, target);
}

/** For origin-form and asterisk-form: what the (already validated) Host field says. */
export function hostTarget(form: 'origin' | 'asterisk', host: string | null, path: string): RequestTarget {
  const authority = host ? parseAuthority(host) : null;
  return {
    form,
    scheme: null,
    authority: host ?? '',
    host: authority?.host ?? '',
    port: authority?.port ?? null,
    path,
  };
}

function readAuthorityForm(target: string): RequestTarget | Http1ErrorCode {
  const authority = parseAuthority(target);
  // CONNECT has no default port (RFC 9110, section 9.3.6).
  if (!authority || authority.port === null) return 'invalid-target';
  return { form: 'authority', scheme: null, authority: target, ...authority, path: '' };
}

/** In absolute-form the target wins over the Host field (RFC 9112, section 3.2.2). */
function readAbsoluteForm(method: string, target: string): RequestTarget | Http1ErrorCode {
  const colon = target.indexOf('://');
  if (colon < 1) return 'invalid-target';
  const scheme = target.slice(0, colon).toLowerCase();
  const start = colon + 3;
  const end = authorityEnd(target, start);
  const authority = parseAuthority(target.slice(start, end));
  if (!schemePattern.test(scheme) || !authority) return 'invalid-target';
  const rest = target.slice(end);
  return {
    form: 'absolute',
    scheme,
    authority: target.slice(start, end),
    ...authority,
    path: originForm(method, rest),
  };
}

function originForm(method: string, rest: string): string {
  if (rest.startsWith('/')) return rest;
  // RFC 9112, section 3.2.4: OPTIONS for a URI without path and query asks about the server as a whole.
  return method === 'OPTIONS' && rest === '' ? '*' : `/${rest}`;
}

function authorityEnd(target: string, from: number): number {
  for (let i = from; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code === 47 || code === 63) return i;
  }
  return target.length;
}

// Secrets in URLs: userinfo, parameters of the query and of a fragment (OAuth's implicit answer), session ids as path
// parameters, and whatever is recognised anywhere. What is harmless keeps its very characters.
import { isSecretParameter } from './redaction-names.ts';
import type { StandIns } from './redaction-stand-in.ts';

const authorityOf = /^(?<before>(?:[A-Za-z][A-Za-z0-9+.-]*:)?\/\/)(?<userinfo>[^/?#]*)@/;
const pathParameter = /;(?<name>[\w.-]{1,60})=(?<value>[^;/?#]*)/g;

/** @param value replaces what is secret in a decoded value; also in a URL inside a URL. */
export function redactUrl(url: string, standIns: StandIns, value: (text: string) => string): string {
  const authority = authorityOf.exec(url);
  const head = authority === null ? '' : authority[0];
  const rest = url.slice(head.length);
  const hash = rest.indexOf('#');
  const beforeHash = hash < 0 ? rest : rest.slice(0, hash);
  const question = beforeHash.indexOf('?');
  const path = question < 0 ? beforeHash : beforeHash.slice(0, question);
  return (
    (authority === null ? '' : redactUserinfo(authority, standIns)) +
    redactPath(path, standIns, value) +
    (question < 0 ? '' : '?' + redactPairs(beforeHash.slice(question + 1), standIns, value)) +
    (hash < 0 ? '' : '#' + redactPairs(rest.slice(hash + 1), standIns, value))
  );
}

function redactUserinfo(authority: RegExpExecArray, standIns: StandIns): string {
  const { before = '', userinfo = '' } = authority.groups ?? {};
  const colon = userinfo.indexOf(':');
  const parts = colon < 0 ? [userinfo] : [userinfo.slice(0, colon), userinfo.slice(colon + 1)];
  return before + parts.map((part) => standIns.text(decode(part), 'userinfo', '')).join(':') + '@';
}

function redactPath(path: string, standIns: StandIns, value: (text: string) => string): string {
  const named = path.replace(pathParameter, (...found) => {
    const groups = found.at(-1) as { name: string; value: string };
    if (!isSecretParameter(groups.name, new Set())) return found[0] as string;
    return `;${groups.name}=${standIns.text(decode(groups.value), 'parameter', groups.name)}`;
  });
  // The scheme and host of the URL itself are left out: as a URL they would come back here for ever.
  const origin = /^(?:[A-Za-z][A-Za-z0-9+.-]*:)?\/\/[^/]*/.exec(named)?.[0] ?? '';
  const segments = named.slice(origin.length);
  // A URL within the path is more than one segment.
  if (segments.includes('://')) return origin + value(segments);
  return (
    origin +
    segments
      .split('/')
      .map((segment) => redactEncoded(segment, value))
      .join('/')
  );
}

/** `a=1&token=x`, as in a query and in a form (application/x-www-form-urlencoded). */
export function redactPairs(pairs: string, standIns: StandIns, value: (text: string) => string): string {
  const list = pairs.split('&').map((pair) => {
    const equals = pair.indexOf('=');
    return equals < 0
      ? { name: null, raw: pair }
      : { name: pair.slice(0, equals), raw: pair.slice(equals + 1) };
  });
  const names = new Set(list.map(({ name }) => (name === null ? '' : decodeForm(name))));
  const redacted = list.map(({ name, raw }) => {
    if (name === null) return redactEncoded(raw, value);
    const field = decodeForm(name);
    if (!isSecretParameter(field, names)) return `${name}=${redactEncoded(raw, value)}`;
    return `${name}=${encodeURIComponent(standIns.text(decodeForm(raw), 'parameter', field))}`;
  });
  return redacted.join('&');
}

/** Encoded anew only if something was replaced. */
function redactEncoded(raw: string, value: (text: string) => string): string {
  const decoded = decodeForm(raw);
  const redacted = value(decoded);
  return redacted === decoded ? raw : encode(redacted);
}

const decodeForm = (text: string): string => decode(text.includes('+') ? text.replaceAll('+', ' ') : text);

/** A lone surrogate cannot be encoded; it can only come from a text that was no UTF-8. */
const encode = (text: string): string => encodeURIComponent(text.toWellFormed());

function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    // Not UTF-8, or a bare percent sign: what can be decoded is, octet by octet, so that nothing hides behind it.
    return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
}

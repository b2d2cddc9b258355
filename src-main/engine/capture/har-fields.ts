// Headers, cookies, parameters and URLs in the forms of HAR 1.2.
import type { Fields } from '#shared/flow/flow.ts';

export interface HarPair {
  readonly name: string;
  readonly value: string;
}

export interface HarCookie extends HarPair {
  readonly path?: string;
  readonly domain?: string;
  readonly expires?: string;
  readonly httpOnly?: boolean;
  readonly secure?: boolean;
}

export const harHeaders = (fields: Fields): HarPair[] => fields.map(([name, value]) => ({ name, value }));

/** RFC 6265, section 4.2; leniently, as browsers read it. */
export function requestCookies(fields: Fields): HarCookie[] {
  const values = fields.filter(([name]) => name.toLowerCase() === 'cookie').map(([, value]) => value);
  return values
    .flatMap((value) => value.split(';'))
    .filter((pair) => pair.trim() !== '')
    .map(cookiePair);
}

/** RFC 6265, section 5.2. */
export function responseCookies(fields: Fields): HarCookie[] {
  return fields.filter(([name]) => name.toLowerCase() === 'set-cookie').map(([, value]) => setCookie(value));
}

function setCookie(value: string): HarCookie {
  const [pair = '', ...attributes] = value.split(';');
  const cookie: { -readonly [Key in keyof HarCookie]: HarCookie[Key] } = cookiePair(pair);
  for (const attribute of attributes) {
    const { name, value: content } = cookiePair(attribute);
    const key = name.toLowerCase();
    if (key === 'path' || key === 'domain') cookie[key] = content;
    else if (key === 'httponly') cookie.httpOnly = true;
    else if (key === 'secure') cookie.secure = true;
    else if (key === 'expires') addExpiry(cookie, content);
  }
  return cookie;
}

/** Chrome refuses the whole file for one date that it cannot read; years beyond four digits are no date of RFC 3339. */
function addExpiry(cookie: { expires?: string }, value: string): void {
  const at = new Date(value);
  const year = at.getUTCFullYear();
  if (year >= 0 && year <= 9999) cookie.expires = at.toISOString();
}

function cookiePair(pair: string): HarPair {
  const equals = pair.indexOf('=');
  if (equals < 0) return { name: pair.trim(), value: '' };
  return { name: pair.slice(0, equals).trim(), value: pair.slice(equals + 1).trim() };
}

/** Decoded; what cannot be decoded stays as it is. */
export function queryString(url: string): HarPair[] {
  const question = url.indexOf('?');
  if (question < 0) return [];
  const query = url.slice(question + 1).replace(/#.*$/s, '');
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const { 0: name = '', 1: value = '' } = /^([^=]*)=?(.*)$/s.exec(pair)?.slice(1) ?? [];
      return { name: decode(name), value: decode(value) };
    });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    // Not UTF-8 or not encoded at all: shown as it was sent.
    return text;
  }
}

/** A URL that readers take as one: a request line may hold octets that no URL has (RFC 3986, section 2). */
export function harUrl(url: string): string {
  const encoded = url.replace(/[^\x21-\x7e]/gu, (character) => percent(character));
  return /^[A-Za-z][A-Za-z0-9+.-]*:/.test(encoded) ? encoded : `http:${encoded}`;
}

/** Characters up to ÿ are octets of the request line. */
function percent(character: string): string {
  const encoding = (character.codePointAt(0) ?? 0) <= 0xff ? 'latin1' : 'utf8';
  return Buffer.from(character, encoding)
    .toString('hex')
    .replace(/../g, (octet) => `%${octet.toUpperCase()}`);
}

import { isUtf8 } from 'node:buffer';

/** The user name of Basic credentials (RFC 7617), percent-decoding undone; null when there is none. */
export function userOf(authorization: string | null): string | null {
  const token = authorization === null ? null : /^basic[ ]+([A-Za-z0-9+/=_-]+)$/i.exec(authorization.trim());
  if (token === null) return null;
  const bytes = Buffer.from(token[1] as string, 'base64');
  // Most clients send UTF-8, Python's requests latin1; RFC 7617 leaves it open.
  const text = isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1');
  const colon = text.indexOf(':');
  const user = colon < 0 ? text : text.slice(0, colon);
  return user === '' ? null : user;
}

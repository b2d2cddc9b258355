/**
 * What a connection speaks, from the first bytes that its client sends.
 *
 * - `tls`: a handshake record, major version 3 (RFC 8446, section 5.1).
 * - `http2`: the client preface (RFC 9113, section 3.4).
 * - `socks5`, `socks4`: the version octet (RFC 1928, section 3).
 * - `http1`: a method token followed by a space.
 * - `raw`: anything else.
 */
export type FirstBytes = 'tls' | 'http1' | 'http2' | 'socks5' | 'socks4' | 'raw' | 'more';

const preface = 'PRI * HTTP/2.0';
/** RFC 9110 sets no bound for a method; the longest registered one (UPDATEREDIRECTREF) has 17 octets. */
const longestMethod = 32;

export function identifyFirstBytes(bytes: Buffer): FirstBytes {
  const first = bytes[0];
  if (first === undefined) return 'more';
  if (first === 0x16) return bytes.length < 2 ? 'more' : bytes[1] === 3 ? 'tls' : 'raw';
  if (first === 0x05) return 'socks5';
  if (first === 0x04) return 'socks4';
  return identifyText(bytes);
}

function identifyText(bytes: Buffer): FirstBytes {
  const text = bytes.toString('latin1', 0, Math.min(bytes.length, longestMethod + 1));
  if (text.startsWith(preface)) return 'http2';
  if (preface.startsWith(text)) return 'more';
  const space = text.indexOf(' ');
  const method = space < 0 ? text : text.slice(0, space);
  if (!/^[A-Za-z!#$%&'*+\-.^_`|~0-9]+$/.test(method)) return 'raw';
  if (space > 0) return /^[A-Z]/.test(method) ? 'http1' : 'raw';
  return text.length > longestMethod ? 'raw' : 'more';
}

// JA4, the fingerprint of a TLS client (FoxIO, technical_details/JA4.md): which library speaks, whatever it calls itself. Only
// the fingerprint of the hello; the others of the JA4+ family are under another licence.
import { hash } from 'node:crypto';
import type { ClientHello } from './client-hello.ts';

/** What of a hello goes into its fingerprint. */
export type FingerprintedHello = Pick<
  ClientHello,
  | 'serverName'
  | 'alpn'
  | 'legacyVersion'
  | 'supportedVersions'
  | 'cipherSuites'
  | 'extensions'
  | 'signatureAlgorithms'
>;

const extension = { serverName: 0x0000, alpn: 0x0010 } as const;
const versionCodes: Readonly<Record<number, string>> = {
  0x0304: '13',
  0x0303: '12',
  0x0302: '11',
  0x0301: '10',
  0x0300: 's3',
  0x0002: 's2',
};
const noValues = '000000000000';
const hashLength = 12;

/** @param transport `t`: TLS over TCP; `q`: QUIC. */
export function ja4(hello: FingerprintedHello, transport: 't' | 'q' = 't'): string {
  const ciphers = withoutGrease(hello.cipherSuites);
  const extensions = withoutGrease(hello.extensions);
  const isNamed = extensions.includes(extension.serverName) ? 'd' : 'i';
  const counts = count(ciphers) + count(extensions);
  const first = transport + versionOf(hello) + isNamed + counts + alpnCode(hello.alpn[0] ?? '');
  return `${first}_${hashOf(hexList(ciphers))}_${extensionHash(hello, extensions)}`;
}

/** RFC 8701: 0x0a0a, 0x1a1a, … 0xfafa. */
export function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);
}

function withoutGrease(values: readonly number[]): number[] {
  return values.filter((value) => !isGrease(value));
}

/** The highest version that is offered; before TLS 1.3 the hello's own field. */
function versionOf({ supportedVersions, legacyVersion }: FingerprintedHello): string {
  const offered = withoutGrease(supportedVersions);
  return versionCodes[offered.length === 0 ? legacyVersion : Math.max(...offered)] ?? '00';
}

/** Two digits, capped at 99. */
function count(values: readonly number[]): string {
  return String(Math.min(values.length, 99)).padStart(2, '0');
}

const alphanumeric = /^[0-9A-Za-z]$/;

/** First and last character of the first protocol; of its hex form when either is no ASCII letter or digit. */
function alpnCode(protocol: string): string {
  if (protocol === '') return '00';
  const ends = `${protocol[0]}${protocol.at(-1)}`;
  if ([...ends].every((character) => alphanumeric.test(character))) return ends;
  const hex = Buffer.from(protocol, 'latin1').toString('hex');
  return `${hex[0]}${hex.at(-1)}`;
}

/** Sorted, without those that the first part tells; signature algorithms follow in the client's order. */
function extensionHash(hello: FingerprintedHello, extensions: readonly number[]): string {
  const listed = extensions.filter((type) => type !== extension.serverName && type !== extension.alpn);
  const algorithms = withoutGrease(hello.signatureAlgorithms).map(hex16);
  const suffix = algorithms.length === 0 ? '' : `_${algorithms.join(',')}`;
  return listed.length === 0 ? noValues : hashOf(hexList(listed) + suffix);
}

function hexList(values: readonly number[]): string {
  return values.map(hex16).sort().join(',');
}

function hex16(value: number): string {
  return value.toString(16).padStart(4, '0');
}

function hashOf(text: string): string {
  return text === '' ? noValues : hash('sha256', text).slice(0, hashLength);
}

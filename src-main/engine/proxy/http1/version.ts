import type { HttpVersion } from './head.ts';
import { refusalAtOctet } from './head-refusals.ts';
import { Refusal } from './http1-error.ts';

/** "HTTP/1.1" */
export const VERSION_LENGTH = 8;

const prefix = Uint8Array.from('HTTP/', (letter) => letter.charCodeAt(0));
const DOT = 46;
const ZERO = 48;
const ONE = 49;

/** Reads the version at `at`. Case matters (RFC 9112, section 2.3); a later minor version is not guessed at. */
export function readVersion(bytes: Buffer, at: number): HttpVersion | Refusal {
  for (let i = 0; i < prefix.length; i++) {
    if (bytes[at + i] !== prefix[i]) return refusalAtOctet(bytes, at + i, 'invalid-version');
  }
  const minor = bytes[at + 7];
  if (bytes[at + 5] === ONE && bytes[at + 6] === DOT && (minor === ONE || minor === ZERO)) {
    return minor === ONE ? '1.1' : '1.0';
  }
  return refusalOfNumbers(bytes, at);
}

function refusalOfNumbers(bytes: Buffer, at: number): Refusal {
  if (!isDigit(bytes[at + 5])) return refusalAtOctet(bytes, at + 5, 'invalid-version');
  if (bytes[at + 6] !== DOT) return refusalAtOctet(bytes, at + 6, 'invalid-version');
  if (!isDigit(bytes[at + 7])) return refusalAtOctet(bytes, at + 7, 'invalid-version');
  return new Refusal('unsupported-version', at);
}

function isDigit(octet: number | undefined): boolean {
  return octet !== undefined && octet >= ZERO && octet <= ZERO + 9;
}

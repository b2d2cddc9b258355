import type { Http1ErrorCode } from './http1-error.ts';
import { Refusal } from './http1-error.ts';
import { COLON, CR, HTAB, LF, NUL, SP } from './octets.ts';

/**
 * Why a scan had to stop at an octet. Line ends and NUL have codes of their own wherever they occur; `otherwise` is what
 * the place says about any other octet, and about a line that ends properly but too early.
 */
export function refusalAtOctet(bytes: Buffer, at: number, otherwise: Http1ErrorCode): Refusal {
  const octet = bytes[at];
  if (octet === NUL) return new Refusal('nul-in-head', at);
  if (octet === LF) return new Refusal('bare-lf', at);
  if (octet === CR && bytes[at + 1] !== LF) return new Refusal('bare-cr', at);
  return new Refusal(otherwise, at);
}

/** Why the line that begins at `start` has no name: the scan for one stopped at `at`. */
export function refusalAtName(bytes: Buffer, start: number, at: number): Refusal {
  if (!isSpace(bytes[at])) return refusalAtOctet(bytes, at, 'invalid-field-name');
  if (at === start) return new Refusal('obs-fold', at);
  let next = at;
  while (isSpace(bytes[next])) next++;
  return new Refusal(bytes[next] === COLON ? 'whitespace-before-colon' : 'invalid-field-name', at);
}

function isSpace(octet: number | undefined): boolean {
  return octet === SP || octet === HTAB;
}

/**
 * The first octet that makes any head invalid, whatever surrounds it: NUL, LF without CR, CR without LF; -1 if none.
 * A CR as the last octet is undecided. With it a head is refused as soon as such an octet comes, not when (or if ever)
 * its end comes: a client that ends lines with LF alone would otherwise wait for its time-out.
 */
export function findFatalOctet(bytes: Buffer, from: number, to: number): number {
  for (let i = from; i < to; i++) {
    const octet = bytes[i] as number;
    if (octet > CR) continue;
    if (octet === NUL) return i;
    if (octet === LF && (i === 0 || bytes[i - 1] !== CR)) return i;
    if (octet === CR && i + 1 < to && bytes[i + 1] !== LF) return i;
  }
  return -1;
}

import type { FieldScanner } from './field-scanner.ts';
import type { HttpVersion } from './head.ts';
import type { Http1Limits } from './limits.ts';
import type { RequestTarget } from './target.ts';
import { frame } from './framing.ts';
import { refusalAtOctet } from './head-refusals.ts';
import { RequestHead } from './head.ts';
import { Refusal } from './http1-error.ts';
import { CR, isTarget, isToken, LF, SP } from './octets.ts';
import { readSpecialTarget } from './target.ts';
import { readVersion, VERSION_LENGTH } from './version.ts';

/**
 * Reads a whole request head, `bytes` from `start` to `end` (after the empty line). The octets of a head that is known
 * to be wrong may end anywhere: whatever makes it wrong is met before.
 */
export function readRequestHead(
  bytes: Buffer,
  start: number,
  end: number,
  scan: FieldScanner,
  limits: Http1Limits,
): RequestHead | Refusal {
  const methodEnd = findMethodEnd(bytes, start, limits);
  if (typeof methodEnd !== 'number') return methodEnd;
  const targetEnd = findTargetEnd(bytes, start, methodEnd + 1, limits);
  if (typeof targetEnd !== 'number') return targetEnd;
  const version = readVersion(bytes, targetEnd + 1);
  if (typeof version !== 'string') return version;
  const lineEnd = targetEnd + 1 + VERSION_LENGTH;
  if (bytes[lineEnd] !== CR || bytes[lineEnd + 1] !== LF) {
    return refusalAtOctet(bytes, lineEnd, 'invalid-version');
  }

  const text = bytes.toString('latin1', start, end);
  const fieldsAt = lineEnd + 2;
  const refusal = scan.scan(bytes, start, fieldsAt, text, limits.maxFields);
  if (refusal !== null) return refusal;
  return concludeRequest(text, start, methodEnd, targetEnd, fieldsAt - start, version, scan);
}

/** All that is said about the head as a whole, once every octet of it is known to be valid. */
function concludeRequest(
  text: string,
  start: number,
  methodEnd: number,
  targetEnd: number,
  fieldsAt: number,
  version: HttpVersion,
  scan: FieldScanner,
): RequestHead | Refusal {
  const method = text.slice(0, methodEnd - start);
  const target = text.slice(methodEnd + 1 - start, targetEnd - start);
  let special: RequestTarget | null = null;
  if (target.charCodeAt(0) !== SLASH || method === 'CONNECT') {
    const result = readSpecialTarget(method, target, scan.host);
    if (typeof result === 'string') return new Refusal(result, methodEnd + 1);
    special = result;
  }
  // RFC 9112, section 3.2. HTTP/1.0 had no Host.
  if (scan.host === null && version === '1.1') return new Refusal('missing-host', start);
  const framing = frame(scan, version, 'none');
  if (typeof framing !== 'string') return framing;
  if (method === 'CONNECT' && (framing === 'chunked' || scan.contentLength > 0)) {
    return new Refusal('connect-with-body', scan.framingAt);
  }
  return new RequestHead({ method, target, version, special }, text, fieldsAt, framing, scan);
}

const SLASH = 47;

function findMethodEnd(bytes: Buffer, start: number, limits: Http1Limits): number | Refusal {
  const lineLimit = start + limits.maxRequestLineBytes;
  let i = start;
  while (i < lineLimit && isToken[bytes[i] as number] === 1) i++;
  if (i === lineLimit) return new Refusal('request-line-too-long', i);
  return bytes[i] === SP && i > start ? i : refusalAtOctet(bytes, i, 'invalid-method');
}

function findTargetEnd(bytes: Buffer, start: number, from: number, limits: Http1Limits): number | Refusal {
  // What remains after the target has a fixed length: SP and the version.
  const targetLimit = start + limits.maxRequestLineBytes - VERSION_LENGTH - 1;
  let i = from;
  while (i <= targetLimit && isTarget[bytes[i] as number] === 1) i++;
  if (i > targetLimit) return new Refusal('request-line-too-long', i);
  return bytes[i] === SP && i > from ? i : refusalAtOctet(bytes, i, 'invalid-target');
}

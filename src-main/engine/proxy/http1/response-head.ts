import type { FieldScanner } from './field-scanner.ts';
import type { Framing, HttpVersion } from './head.ts';
import type { Http1Limits } from './limits.ts';
import { frame } from './framing.ts';
import { refusalAtOctet } from './head-refusals.ts';
import { ResponseHead } from './head.ts';
import { Refusal } from './http1-error.ts';
import { CR, isFieldValue, LF, SP } from './octets.ts';
import { readVersion, VERSION_LENGTH } from './version.ts';

/** Reads a whole response head to a request of that method; see `readRequestHead` for the bytes. */
export function readResponseHead(
  bytes: Buffer,
  start: number,
  end: number,
  scan: FieldScanner,
  limits: Http1Limits,
  requestMethod: string,
): ResponseHead | Refusal {
  const version = readVersion(bytes, start);
  if (typeof version !== 'string') return version;
  const versionEnd = start + VERSION_LENGTH;
  if (bytes[versionEnd] !== SP) return refusalAtOctet(bytes, versionEnd, 'invalid-version');
  const status = readStatus(bytes, versionEnd + 1);
  if (typeof status !== 'number') return status;
  const statusEnd = versionEnd + 4;
  const lineEnd = findLineEnd(bytes, statusEnd);
  if (typeof lineEnd !== 'number') return lineEnd;

  const text = bytes.toString('latin1', start, end);
  const fieldsAt = lineEnd + 2;
  const refusal = scan.scan(bytes, start, fieldsAt, text, limits.maxFields);
  if (refusal !== null) return refusal;
  const reason = lineEnd > statusEnd ? text.slice(statusEnd + 1 - start, lineEnd - start) : '';
  return concludeResponse(status, reason, version, text, fieldsAt - start, scan, requestMethod);
}

function concludeResponse(
  status: number,
  reason: string,
  version: HttpVersion,
  text: string,
  fieldsAt: number,
  scan: FieldScanner,
  requestMethod: string,
): ResponseHead | Refusal {
  const declared = frame(scan, version, 'until-close');
  if (typeof declared !== 'string') return declared;
  const endsHttp = status === 101 || (requestMethod === 'CONNECT' && status >= 200 && status < 300);
  const framing: Framing = endsHttp || hasNoBody(status, requestMethod) ? 'none' : declared;
  return new ResponseHead({ status, reason, version, endsHttp }, text, fieldsAt, framing, scan);
}

/** RFC 9112, section 6.3, items 1 and 2: whatever the framing fields of such a response say. */
function hasNoBody(status: number, requestMethod: string): boolean {
  return status < 200 || status === 204 || status === 304 || requestMethod === 'HEAD';
}

/** Three digits from 100. Codes beyond 599 are not valid, but in use, and decide nothing about framing. */
function readStatus(bytes: Buffer, at: number): number | Refusal {
  let status = 0;
  for (let i = at; i < at + 3; i++) {
    const digit = (bytes[i] as number) - 48;
    if (!(digit >= 0 && digit <= 9)) return refusalAtOctet(bytes, i, 'invalid-status');
    status = status * 10 + digit;
  }
  return status < 100 ? new Refusal('invalid-status', at) : status;
}

/** The index of the CRLF after an optional reason phrase. */
function findLineEnd(bytes: Buffer, statusEnd: number): number | Refusal {
  let i = statusEnd;
  if (bytes[i] === SP) {
    while (isFieldValue[bytes[i] as number] === 1) i++;
    if (bytes[i] === CR && bytes[i + 1] === LF) return i;
    return refusalAtOctet(bytes, i, 'invalid-reason');
  }
  if (bytes[i] === CR && bytes[i + 1] === LF) return i;
  return refusalAtOctet(bytes, i, 'invalid-status');
}

import { cutUtf8 } from '../shown.ts';

/** A text that ends with a NUL, or with what is there of it. */
export interface CString {
  readonly text: string;
  /** Behind its NUL; behind the end when it has none. */
  readonly next: number;
  /** Its NUL was not there: more of it was sent than is read. */
  readonly isCut: boolean;
}

export type TextEncoding = 'utf8' | 'latin1';

export function readCString(
  bytes: Buffer,
  start: number,
  end: number,
  encoding: TextEncoding = 'utf8',
): CString {
  let last = start;
  const near = Math.min(end, start + 64);
  while (last < near && bytes[last] !== 0) last++;
  // A statement: a call into native code is cheaper from some length on.
  if (last === near && last < end) {
    const found = bytes.subarray(last, end).indexOf(0);
    last = found < 0 ? end : last + found;
  }
  const isCut = last >= end;
  const text = encoding === 'utf8' ? cutUtf8(bytes, start, last) : bytes.toString('latin1', start, last);
  return { text, next: last + 1, isCut };
}

/** What ErrorResponse and NoticeResponse say, of the fields that are shown ("Error and Notice Message Fields"). */
export interface ErrorFields {
  /** Not translated, where the server tells it so (9.6 and later). */
  readonly severity: string;
  readonly sqlState: string;
  readonly message: string;
}

const field = { severity: 0x53, severityNotTranslated: 0x56, code: 0x43, message: 0x4d };

export function readErrorFields(
  bytes: Buffer,
  start: number,
  end: number,
  encoding: TextEncoding,
): ErrorFields {
  let severity = '';
  let sqlState = '';
  let message = '';
  let at = start;
  while (at < end && bytes[at] !== 0) {
    const type = bytes[at];
    const { text, next } = readCString(bytes, at + 1, end, encoding);
    if (type === field.severityNotTranslated || (type === field.severity && severity === '')) severity = text;
    else if (type === field.code) sqlState = text;
    else if (type === field.message) message = text;
    at = next;
  }
  return { severity, sqlState, message };
}

/** `ERROR 42601: syntax error at end of input` */
export function errorText({ severity, sqlState, message }: ErrorFields): string {
  return `${severity} ${sqlState}: ${message}`;
}

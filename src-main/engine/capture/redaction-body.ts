// Bodies by what they hold: JSON, forms, multipart, event streams, any other text, and bytes that are no text.
import { isUtf8 } from 'node:buffer';
import { redactJson } from './redaction-json.ts';
import type { JsonPath } from './redaction-json-path.ts';
import { isSecretName } from './redaction-names.ts';
import type { StandIns } from './redaction-stand-in.ts';
import { redactBinary, redactText } from './redaction-text.ts';
import { redactPairs, redactUrl } from './redaction-url.ts';

/** JSON in a string in JSON, a URL in a URL: deeper than this only words and numbers are looked at. */
const MAX_NESTING = 5;

/** What looks through values of one export, at one place. */
export interface ValueRedactor {
  text(text: string): string;
  url(url: string): string;
  body(bytes: Buffer, contentType: string | null): Buffer;
}

export function createValueRedactor(standIns: StandIns, paths: readonly JsonPath[]): ValueRedactor {
  const text = (value: string, depth = 0): string => {
    if (depth >= MAX_NESTING) return redactText(value, standIns, (nested) => nested);
    if (looksLikeJson(value)) return json(value, depth);
    return redactText(value, standIns, (nested) => url(nested, depth + 1));
  };
  const url = (value: string, depth = 0): string =>
    redactUrl(value, standIns, (nested) => text(nested, depth + 1));
  const json = (value: string, depth: number): string => {
    // Paths start at the root of a body, not inside a string.
    const { text: redacted, wellFormed } = redactJson(value, standIns, depth === 0 ? paths : [], (nested) =>
      text(nested, depth + 1),
    );
    return wellFormed ? redacted : redactText(redacted, standIns, (nested) => url(nested, depth + 1));
  };
  const body = (bytes: Buffer, contentType: string | null): Buffer => {
    const type = mediaTypeOf(contentType);
    const boundary = type.startsWith('multipart/') ? boundaryOf(contentType ?? '') : null;
    if (boundary !== null) return redactMultipart(bytes, boundary, standIns, body);
    const wide = /charset="?utf-?16(?<order>le|be)?/i.exec(contentType ?? '');
    if (wide !== null) return redactWide(bytes, wide.groups?.['order']?.toLowerCase() === 'be', text);
    if (!isText(bytes, type)) return redactBinary(bytes, standIns);
    return mapText(bytes, (value) => textOf(type)(value));
  };
  const textOf = (type: string): ((value: string) => string) => {
    if (type === 'application/x-www-form-urlencoded')
      return (value) => redactPairs(value, standIns, (nested) => text(nested, 1));
    if (type === 'text/event-stream') return (value) => redactEventStream(value, text);
    return (value) => text(value);
  };
  return { text: (value) => text(value), url: (value) => url(value), body };
}

const looksLikeJson = (value: string): boolean => /^\s*[{[]/.test(value);

const mediaTypeOf = (contentType: string | null): string =>
  (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';

/** RFC 2046, section 5.1.1. */
function boundaryOf(contentType: string): string | null {
  const found = /;\s*boundary=(?:"(?<quoted>[^"]{1,200})"|(?<plain>[^\s;"]{1,200}))/i.exec(contentType);
  return found?.groups?.['quoted'] ?? found?.groups?.['plain'] ?? null;
}

/** A declared text is one whatever its bytes; else text is what has no NUL and is UTF-8, but for a character cut at the end. */
function isText(bytes: Buffer, type: string): boolean {
  if (/^text\/|json$|xml$|javascript$|x-www-form-urlencoded$/.test(type)) return true;
  return !bytes.includes(0) && trimmedUtf8Length(bytes) !== null;
}

/** The length of `bytes` without a character that was cut off at its end; null when it is not UTF-8. */
export function trimmedUtf8Length(bytes: Buffer): number | null {
  for (let cut = 0; cut <= 3 && cut <= bytes.length; cut += 1) {
    // Only what could begin a character may be missing its rest.
    if (cut > 0 && (bytes[bytes.length - cut] as number) < 0x80) return null;
    if (isUtf8(bytes.subarray(0, bytes.length - cut))) return bytes.length - cut;
  }
  return null;
}

/** UTF-8 where it is, else one character an octet: names and digits are ASCII in every charset that is left. */
function mapText(bytes: Buffer, redact: (text: string) => string): Buffer {
  const encoding = isUtf8(bytes) ? 'utf8' : 'latin1';
  const text = bytes.toString(encoding);
  const redacted = redact(text);
  return redacted === text ? bytes : Buffer.from(redacted, encoding);
}

function redactWide(bytes: Buffer, bigEndian: boolean, redact: (text: string) => string): Buffer {
  const even = Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2)));
  const text = (bigEndian ? even.swap16() : even).toString('utf16le');
  const redacted = redact(text);
  if (redacted === text) return bytes;
  const encoded = Buffer.from(redacted, 'utf16le');
  return bigEndian ? encoded.swap16() : encoded;
}

/** Server-sent events: each line of data by itself, since JSON is what they mostly carry. */
function redactEventStream(stream: string, redact: (text: string) => string): string {
  return stream.replace(/^(data:[ ]?)(.*)$/gm, (_, field: string, data: string) => field + redact(data));
}

/** RFC 7578. The parts' bytes stay as they are unless something in them is replaced. */
function redactMultipart(
  bytes: Buffer,
  boundary: string,
  standIns: StandIns,
  body: (bytes: Buffer, contentType: string | null) => Buffer,
): Buffer {
  const delimiter = `--${boundary}`;
  const parts = bytes.toString('latin1').split(delimiter);
  const redacted = parts.map((part, index) => (index === 0 ? part : redactPart(part, standIns, body)));
  const text = redacted.join(delimiter);
  return Buffer.from(text, 'latin1');
}

function redactPart(
  part: string,
  standIns: StandIns,
  body: (bytes: Buffer, contentType: string | null) => Buffer,
): string {
  const end = /\r?\n\r?\n/.exec(part);
  if (end === null) return part;
  const contentAt = end.index + end[0].length;
  const head = part.slice(0, contentAt);
  const content = part.slice(contentAt).replace(/\r?\n$/, '');
  const tail = part.slice(contentAt + content.length);
  const name = /^content-disposition:.*?[;\s]name="?([^";\r\n]*)/im.exec(head)?.[1] ?? '';
  if (isSecretName(name)) return head + standIns.text(content, 'field', name) + tail;
  const type = /^content-type:[ \t]*([^\r\n]*)/im.exec(head)?.[1] ?? null;
  return head + body(Buffer.from(content, 'latin1'), type).toString('latin1') + tail;
}

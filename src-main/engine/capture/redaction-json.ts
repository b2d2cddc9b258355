// Secrets in JSON, replaced in the text itself. Parsing and writing anew would change what is harmless: numbers beyond 2^53,
// repeated names, white space; and it would fail on the stored first part of a long body. So this reader forgives: what is no
// JSON it passes on and says so, and the caller then also looks through the whole as text.
import { isCardNumber } from './redaction-card.ts';
import type { JsonLocation, JsonPath } from './redaction-json-path.ts';
import { isCardNumberField, isSecretHeader, isSecretName, isTokenCount } from './redaction-names.ts';
import type { SecretKind, StandIns } from './redaction-stand-in.ts';

/** Deeper than any document; what lies below is looked through as text. */
const MAX_DEPTH = 1_000;
const noHeaders: ReadonlySet<string> = new Set();

type Reason = { readonly kind: SecretKind; readonly name: string };

/** An object or array that is open. */
interface Frame {
  readonly isObject: boolean;
  /** The name whose value comes next; null where a name is expected. */
  key: string | null;
  index: number;
  /** Why everything in it is replaced. */
  readonly reason: Reason | null;
  /** `{"name": "Authorization", "value": …}`, as lists of headers are written: what `name` said. */
  label: string | null;
}

export interface RedactedJson {
  readonly text: string;
  /** False when there was anything that JSON does not have. */
  readonly wellFormed: boolean;
}

/** Of a string only its first quote: expressions that step over escapes run out of stack on megabytes. */
const token = /[\s,:]+|[{}[\]"]|[^\s,:{}[\]"]+/y;
const number = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** @param value looks through a string that no name calls secret. Several documents in a row (NDJSON) are read as well. */
export function redactJson(
  json: string,
  standIns: StandIns,
  paths: readonly JsonPath[],
  value: (text: string) => string,
): RedactedJson {
  const frames: Frame[] = [];
  let wellFormed = true;
  let output = '';
  let raw: string;
  for (let at = 0; at < json.length; at += raw.length) {
    raw = tokenAt(json, at);
    const top = frames.at(-1);
    if (raw === '{' || raw === '[') {
      if (frames.length >= MAX_DEPTH) return { text: output + json.slice(at), wellFormed: false };
      frames.push(open(raw === '{', frames, paths));
    } else if (raw === '}' || raw === ']') frames.pop();
    else if (/^[\s,:]/.test(raw)) {
      if (raw.includes(',')) closeValue(top);
    } else if (top?.isObject === true && top.key === null) {
      if (!raw.startsWith('"')) wellFormed = false;
      top.key = unquote(raw);
      output += quoteLike(raw, top.key, value(top.key));
      continue;
    } else {
      if (!isScalar(raw)) wellFormed = false;
      output += redactScalar(raw, frames, standIns, paths, value);
      continue;
    }
    output += raw;
  }
  return { text: output, wellFormed };
}

function open(isObject: boolean, frames: readonly Frame[], paths: readonly JsonPath[]): Frame {
  return { isObject, key: null, index: 0, reason: reasonFor(frames, paths), label: null };
}

function closeValue(frame: Frame | undefined): void {
  if (frame === undefined) return;
  frame.key = null;
  frame.index += 1;
}

/** Why the value that comes next is a secret: for what it stands in, for its path, or for its name. */
function reasonFor(frames: readonly Frame[], paths: readonly JsonPath[]): Reason | null {
  const top = frames.at(-1);
  if (top === undefined) return null;
  if (top.reason !== null) return top.reason;
  if (paths.length > 0) {
    const location = locationOf(frames);
    const path = paths.find((candidate) => candidate.matches(location));
    if (path !== undefined) return { kind: 'json-path', name: path.text };
  }
  if (!top.isObject || top.key === null) return null;
  if (isSecretName(top.key) || isCardNumberField(frames.at(-2)?.key ?? null, top.key)) {
    return { kind: 'field', name: top.key };
  }
  const labelled = top.label !== null && /^values?$/i.test(top.key);
  return labelled && isSecretHeader((top.label as string).toLowerCase(), noHeaders)
    ? { kind: 'field', name: top.label as string }
    : null;
}

const locationOf = (frames: readonly Frame[]): JsonLocation =>
  frames.map((frame) => (frame.isObject ? (frame.key ?? '') : frame.index));

function redactScalar(
  raw: string,
  frames: readonly Frame[],
  standIns: StandIns,
  paths: readonly JsonPath[],
  value: (text: string) => string,
): string {
  const top = frames.at(-1);
  const reason = reasonFor(frames, paths);
  if (number.test(raw)) return redactNumber(raw, reason, standIns);
  // They hide nothing; where a path asks for them all the same, null stands for them.
  if (raw === 'null') return raw;
  if (raw === 'true' || raw === 'false') return reason?.kind === 'json-path' ? 'null' : raw;
  const text = unquote(raw);
  if (top?.isObject === true && top.label === null && /^(?:name|key|header)$/i.test(top.key ?? ''))
    top.label = text;
  const redacted = reason === null ? value(text) : standIns.text(text, reason.kind, reason.name);
  return quoteLike(raw, text, redacted);
}

/** Numbers stay numbers. */
function redactNumber(raw: string, reason: Reason | null, standIns: StandIns): string {
  if (reason !== null && !(reason.kind === 'field' && isTokenCount(reason.name))) {
    return standIns.number(raw, reason.kind, reason.name);
  }
  return isCardNumber(raw) ? standIns.number(raw, 'card', '') : raw;
}

const isScalar = (raw: string): boolean =>
  raw.startsWith('"') || number.test(raw) || raw === 'true' || raw === 'false' || raw === 'null';

/** Every character begins one of the three kinds, so there always is one. */
function tokenAt(json: string, at: number): string {
  // Set each time: what is in a string may be JSON itself, and is read by the same expression in between.
  token.lastIndex = at;
  const raw = token.exec(json)?.[0] ?? json.slice(at);
  return raw === '"' ? stringAt(json, at) : raw;
}

/** From its first quote to its last, or to the end of what there is. */
function stringAt(json: string, from: number): string {
  let quote = json.indexOf('"', from + 1);
  while (quote > 0 && backslashesBefore(json, quote) % 2 === 1) quote = json.indexOf('"', quote + 1);
  return quote < 0 ? json.slice(from) : json.slice(from, quote + 1);
}

function backslashesBefore(text: string, at: number): number {
  let count = 0;
  while (text.charCodeAt(at - 1 - count) === 0x5c) count += 1;
  return count;
}

/** A string that ends with the text, and not with its quote, was cut off there. */
const isClosed = (raw: string): boolean =>
  raw.length > 1 && raw.endsWith('"') && backslashesBefore(raw, raw.length - 1) % 2 === 0;

/** `raw` where nothing was replaced in what it says. */
function quoteLike(raw: string, text: string, redacted: string): string {
  if (redacted === text) return raw;
  if (!raw.startsWith('"')) return redacted;
  const quoted = JSON.stringify(redacted);
  return isClosed(raw) ? quoted : quoted.slice(0, -1);
}

function unquote(raw: string): string {
  if (!raw.startsWith('"')) return raw;
  const whole = isClosed(raw) ? raw : `${raw.replace(/\\(?:u[0-9A-Fa-f]{0,3})?$/, '')}"`;
  try {
    return JSON.parse(whole) as string;
  } catch {
    // A raw line break or an unknown escape: read as it stands.
    return whole.slice(1, -1);
  }
}

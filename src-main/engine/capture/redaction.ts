// Secrets taken out of what leaves the machine: on by default in every export.
//
//   url ─────────► redaction-url ──┐
//   fields ──────► redaction-headers ──► redaction-text ──► redaction-stand-in (keyed hash, count)
//   body ► redaction-body ► redaction-json, pairs of forms, parts of multipart ──┘
//
//   redaction-names: which names promise a secret · redaction-card: which digits are a card · redaction-json-path: settings
//
// What is found: headers and fields by name, at any depth; cookies; userinfo and parameters of URLs, also of URLs within
// headers, bodies and other URLs; JWTs, card numbers and Bearer or Basic credentials wherever they stand. What is not: secrets
// under harmless names in no known form; names in protobuf and other binary bodies (there, JWTs alone); cards in odd groups.
import type { Fields } from '#shared/flow/flow.ts';
import { createValueRedactor } from './redaction-body.ts';
import type { ValueRedactor } from './redaction-body.ts';
import { redactFields } from './redaction-headers.ts';
import { parseJsonPath } from './redaction-json-path.ts';
import { createStandIns, createTally, redactionPlaces } from './redaction-stand-in.ts';
import type { RedactionCount, RedactionPlace, StandIns } from './redaction-stand-in.ts';

export type { RedactionCount, RedactionPlace, SecretKind } from './redaction-stand-in.ts';

export interface RedactionSettings {
  /** At least 16 random bytes. Keep it for stand-ins that are equal over several exports; a new one makes them unlike. */
  readonly key: Buffer;
  /** More headers to replace, in any case. Default none. */
  readonly headers?: readonly string[];
  /** JSON paths to replace, a subset of RFC 9535: see `parseJsonPath`. Default none. */
  readonly json?: readonly string[];
}

export interface RedactionSummary {
  readonly total: number;
  /** Most frequent first; at most some thousand rows. */
  readonly counts: readonly RedactionCount[];
}

/** Each function gives back what it was given, the very same, when there is nothing to replace in it. */
export interface Redactor {
  url(url: string): string;
  fields(fields: Fields, place: RedactionPlace): Fields;
  /**
   * @param bytes content with its content coding removed; also the first part of it.
   * @param contentType the field's value; null when there was none: then the content itself tells.
   */
  body(bytes: Buffer, contentType: string | null, place: RedactionPlace): Buffer;
  /** A sentence of Spike's own or of a peer: the message of a failure, a reason phrase. */
  text(text: string): string;
  /** What was replaced so far. */
  summary(): RedactionSummary;
}

/** Throws `invalid-input` for a JSON path that is not understood. */
export function createRedactor({ key, headers = [], json = [] }: RedactionSettings): Redactor {
  if (key.length < 16) throw new TypeError('the key of a redactor has at least 16 bytes');
  const tally = createTally();
  const paths = json.map(parseJsonPath);
  const more = new Set(headers.map((name) => name.toLowerCase()));
  const at = {} as Record<RedactionPlace, { standIns: StandIns; values: ValueRedactor }>;
  for (const place of redactionPlaces) {
    const standIns = createStandIns(key, place, tally);
    at[place] = { standIns, values: createValueRedactor(standIns, paths) };
  }
  return {
    url: (url) => at.url.values.url(url),
    fields: (fields, place) => redactFields(fields, more, at[place].standIns, at[place].values),
    body: (bytes, contentType, place) => at[place].values.body(bytes, contentType),
    text: (text) => at.text.values.text(text),
    summary() {
      const counts = tally.counts();
      return { total: counts.reduce((sum, { count }) => sum + count, 0), counts };
    },
  };
}

import { createHmac } from 'node:crypto';

/** What a secret was recognised by. */
export const secretKinds = [
  'header',
  'cookie',
  'userinfo',
  'parameter',
  'field',
  'json-path',
  'credentials',
  'jwt',
  'card',
] as const;
export type SecretKind = (typeof secretKinds)[number];

/** Where it stood. `text`: in a sentence, such as the message of a failure. */
export const redactionPlaces = [
  'url',
  'request-headers',
  'request-body',
  'response-headers',
  'response-body',
  'trailers',
  'messages',
  'text',
] as const;
export type RedactionPlace = (typeof redactionPlaces)[number];

export interface RedactionCount {
  readonly kind: SecretKind;
  readonly place: RedactionPlace;
  /** Of the header, cookie, parameter or field in lower case, or the JSON path; '' where the value alone told. */
  readonly name: string;
  readonly count: number;
}

/** Replaces secrets, and counts what it replaced. */
export interface StandIns {
  /**
   * The stand-in of a secret: `redacted-` and 32 bits of its keyed hash in hex. Equal secrets get equal ones wherever they
   * stand; of 1,000 different secrets, two look equal once in 8,600 exports. '' stays '', a stand-in stays itself.
   */
  text(secret: string, kind: SecretKind, name: string): string;
  /** For a number in JSON: an integer below 2^32, so that a reader that expects a number still gets one. */
  number(secret: string, kind: SecretKind, name: string): string;
}

/** Different names that are counted apart; names come from strangers. */
const MAX_COUNTED = 1_000;
const standIn = /^redacted-[0-9a-f]{8}$/;
const groupedDigits = /^\d[\d -]{11,30}\d$/;

export interface Tally {
  add(kind: SecretKind, place: RedactionPlace, name: string): void;
  counts(): RedactionCount[];
}

export function createTally(): Tally {
  const counts = new Map<string, { kind: SecretKind; place: RedactionPlace; name: string; count: number }>();
  return {
    add(kind, place, name) {
      const lower = name.slice(0, 100).toLowerCase();
      const known = counts.get(`${kind} ${place} ${lower}`);
      if (known !== undefined) known.count += 1;
      else if (counts.size >= MAX_COUNTED && lower !== '') this.add(kind, place, '');
      else counts.set(`${kind} ${place} ${lower}`, { kind, place, name: lower, count: 1 });
    },
    counts: () => [...counts.values()].map((count) => ({ ...count })).sort((a, b) => b.count - a.count),
  };
}

/** @param key at least 16 random bytes; the same key gives the same stand-ins in another export. */
export function createStandIns(key: Buffer, place: RedactionPlace, tally: Tally): StandIns {
  return {
    text(secret, kind, name) {
      if (secret === '' || standIn.test(secret)) return secret;
      tally.add(kind, place, name);
      return `redacted-${digest(key, secret).toString('hex')}`;
    },
    number(secret, kind, name) {
      tally.add(kind, place, name);
      return String(digest(key, secret).readUInt32BE(0));
    },
  };
}

/** A card is the same card with and without the spaces between its digits. */
function digest(key: Buffer, secret: string): Buffer {
  const canonical = groupedDigits.test(secret) ? secret.replace(/[ -]/g, '') : secret;
  return createHmac('sha256', key).update(canonical).digest().subarray(0, 4);
}

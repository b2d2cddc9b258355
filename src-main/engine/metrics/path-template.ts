/**
 * The template of a path: its variable parts replaced by `{id}`, so that calls of one endpoint are counted together.
 * `/v1/charges/ch_3Nf81` and `/v1/charges/ch_9Qa02` are `/v1/charges/{id}`; versions (`/v1`) and words stay.
 *
 * A part is variable when it looks like one: a number, a UUID, hex or base64 of some length, a date, an address, a
 * prefixed id (`cus_9Q4x`, `order-1042`), a file name with a hash in it. A guess from one path alone, so that every
 * worker guesses the same; words used as ids (`/users/alice`) stay, and are bounded where templates are counted.
 */
export function templateOf(path: string): string {
  const end = endOfPath(path);
  const parts = path.slice(0, Math.min(end, longestPath)).split('/');
  if (parts.length > mostParts) parts.splice(mostParts, parts.length, '…');
  return parts.map(templateOfPart).join('/');
}

const longestPath = 1024;
const mostParts = 16;
const longestPart = 48;

const variable: readonly RegExp[] = [
  /^[+-]?\d+(\.\d+)?$/,
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
  /^(?=.*\d)[0-9a-f]{8,}$/i, // hashes, object ids
  /^\d{4}-\d{2}-\d{2}([T ].*)?$/, // dates
  /^[^@]+@[^@]+\.[^@]+$/, // mail addresses
  /^[a-z]{2,16}[_-](?=[a-z0-9]*\d)(?=[a-z0-9]*[A-Z]|\d+$|[a-z0-9]{6,}$)[A-Za-z0-9]+$/, // cus_9Q4x, order-1042
  /^(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9_~+=.-]{20,}$/, // tokens, base64url, ULID
];

function templateOfPart(part: string): string {
  if (part === '') return part;
  if (part.length > longestPart) return '{id}';
  // Words are most of what there is, and nothing below takes a part without one of these for variable.
  if (!/[0-9@%]/.test(part)) return part;
  if (isVariable(part)) return '{id}';
  if (part.includes('.')) return part.split('.').map(templateOfName).join('.');
  return part;
}

function isVariable(part: string): boolean {
  const text = part.includes('%') ? decoded(part) : part;
  return variable.some((pattern) => pattern.test(text));
}

/** `main.3f2a9b1c.js` is `main.{id}.js`; `v1.2` and `report.2024.pdf` keep their words and lose their numbers. */
function templateOfName(name: string): string {
  return /^(?=.*\d)[0-9a-f]{8,}$/i.test(name) || /^\d{3,}$/.test(name) ? '{id}' : name;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // Not UTF-8 behind the percent signs: what a client may send; looked at as it came.
  }
}

function endOfPath(path: string): number {
  const query = path.indexOf('?');
  const fragment = path.indexOf('#');
  if (query < 0) return fragment < 0 ? path.length : fragment;
  return fragment < 0 ? query : Math.min(query, fragment);
}

/** The path of an absolute URL, without its query; `/` where it has none. */
export function pathOfUrl(url: string): string {
  const authority = url.indexOf('://');
  const start = url.indexOf('/', authority < 0 ? 0 : authority + 3);
  if (start < 0) return '/';
  const query = url.indexOf('?', start);
  return query < 0 ? url.slice(start) : url.slice(start, query);
}

/**
 * Templates by path, remembered: recently used ones are found again in one or two look-ups. Two generations instead
 * of a linked list: when the young one is full it becomes the old one, and what is not asked for again goes with it.
 */
export class TemplateCache {
  #young = new Map<string, string>();
  #old = new Map<string, string>();
  readonly #generation: number;

  /** @param limit How many paths are remembered at the most. */
  constructor(limit: number) {
    this.#generation = Math.max(1, Math.floor(limit / 2));
  }

  get(path: string): string {
    const known = this.#young.get(path);
    if (known !== undefined) return known;
    const template = this.#old.get(path) ?? templateOf(path);
    if (this.#young.size >= this.#generation) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(path, template);
    return template;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }
}

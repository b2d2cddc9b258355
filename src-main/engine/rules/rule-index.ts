import { expressionOf, isPlain } from '#shared/rules/pattern.ts';

/**
 * Things in an order, found by a key that some of them have: those with one of these keys and those without any, still in
 * their order. What a key decides alone is not looked at one by one, which many rules would make felt.
 */
export class OrderedIndex<T> {
  readonly #byKey = new Map<string, Place<T>[]>();
  readonly #keyless: Place<T>[] = [];
  readonly #keylessItems: readonly T[];

  /** @param keyOf null: it is found under every key. */
  constructor(items: readonly T[], keyOf: (item: T) => string | null) {
    items.forEach((item, order) => {
      const key = keyOf(item);
      const places = key === null ? this.#keyless : this.#placesOf(key);
      places.push({ order, item });
    });
    this.#keylessItems = this.#keyless.map(({ item }) => item);
  }

  /** Two keys at the most, since nothing needs more. */
  find(key: string, other: string | null = null): readonly T[] {
    const ofKey = this.#byKey.get(key);
    const ofOther = other === null || other === key ? undefined : this.#byKey.get(other);
    if (ofKey === undefined && ofOther === undefined) return this.#keylessItems;
    return [...(ofKey ?? []), ...(ofOther ?? []), ...this.#keyless]
      .sort((a, b) => a.order - b.order)
      .map(({ item }) => item);
  }

  #placesOf(key: string): Place<T>[] {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const places: Place<T>[] = [];
    this.#byKey.set(key, places);
    return places;
  }
}

interface Place<T> {
  readonly order: number;
  readonly item: T;
}

/**
 * What a path pattern can be found by: all of a plain text, the first segment of a glob (`/v1/` of `/v1/charge/*`) or of an expression
 * that begins with one (`/^\/v1\/\d+$/`); null for a pattern that says nothing of how paths begin.
 */
export function pathKeyOf(pattern: string): string | null {
  if (isPlain(pattern)) return pattern;
  const expression = expressionOf(pattern);
  if (expression === null) return segmentOf(pattern.slice(0, pattern.search(/[*?]/)));
  return expression.anyCase ? null : segmentOf(beginningOf(expression.source));
}

/** What every text begins with that an expression takes, as far as it is plain to see; most often all there is before a sign. */
function beginningOf(source: string): string {
  // Of two expressions in one each has its own.
  if (!source.startsWith('^') || source.includes('|')) return '';
  let beginning = '';
  for (let at = 1; at < source.length;) {
    const isEscaped = source[at] === '\\';
    const next = at + (isEscaped ? 2 : 1);
    const sign = source[next - 1] ?? '';
    const isLiteral = isEscaped
      ? /[!-/:-@[-`{-~]/.test(sign)
      : /[^.*+?^$()[\]{}\\]/.test(sign) && sign <= '~';
    // What may be there any number of times need not be there.
    if (!isLiteral || /[*+?{]/.test(source[next] ?? '')) break;
    beginning += sign;
    at = next;
  }
  return beginning;
}

/** `/v1/` of `/v1/charge`; null of a path that has but one segment. */
export function segmentOf(path: string): string | null {
  const slash = path.indexOf('/', 1);
  return slash < 0 ? null : path.slice(0, slash + 1);
}

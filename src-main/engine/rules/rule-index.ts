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
 * What a path pattern can be found by: all of a plain text, the first segment of a glob (`/v1/` of `/v1/charge/*`); null for a
 * pattern that says nothing of how paths begin.
 */
export function pathKeyOf(pattern: string | undefined, isPlain: boolean): string | null {
  if (pattern === undefined) return null;
  if (isPlain) return pattern;
  const wild = pattern.search(/[*?]/);
  // Of expressions nothing is known: `/^…/` begins with a slash as well.
  return wild < 0 || /[\\^$()[\]{}|+]/.test(pattern) || /\/i?$/.test(pattern)
    ? null
    : segmentOf(pattern.slice(0, wild));
}

/** `/v1/` of `/v1/charge`; null of a path that has but one segment. */
export function segmentOf(path: string): string | null {
  const slash = path.indexOf('/', 1);
  return slash < 0 ? null : path.slice(0, slash + 1);
}

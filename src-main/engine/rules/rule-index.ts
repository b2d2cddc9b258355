/**
 * Things in an order, found by a key that some of them have: those with this key and those without any, still in their order.
 * What a key decides alone is not looked at one by one, which 10,000 rules would make felt.
 */
export class OrderedIndex<T> {
  readonly #byKey = new Map<string, Place<T>[]>();
  readonly #keyless: Place<T>[] = [];

  /** @param keyOf null: it is found under every key. */
  constructor(items: readonly T[], keyOf: (item: T) => string | null) {
    items.forEach((item, order) => {
      const key = keyOf(item);
      const places = key === null ? this.#keyless : this.#placesOf(key);
      places.push({ order, item });
    });
  }

  /** Whether the key leads past anything at all. */
  get isUseful(): boolean {
    return this.#byKey.size > 0;
  }

  find(key: string): T[] {
    return merged(this.#byKey.get(key) ?? [], this.#keyless);
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

function merged<T>(a: readonly Place<T>[], b: readonly Place<T>[]): T[] {
  const items: T[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const one = a[i];
    const other = b[j];
    const takesOne = other === undefined || (one !== undefined && one.order < other.order);
    items.push(takesOne ? (one as Place<T>).item : other.item);
    if (takesOne) i += 1;
    else j += 1;
  }
  return items;
}

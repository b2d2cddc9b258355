/**
 * Values by key and by slot of time: one resolution of a history, bounded by age and by bytes. Slots are made in the
 * order of time, so one queue serves both bounds: what is at its head is the oldest.
 */
export class SlotTier<Key, Value> {
  readonly widthMs: number;
  readonly spanMs: number;
  /** Slots that made room before their time: so much of the history is shorter than its span says. */
  evicted = 0;
  #sizeBytes = 0;
  readonly #maxBytes: number;
  readonly #create: () => Value;
  readonly #sizeOf: (value: Value) => number;
  readonly #byKey = new Map<Key, Map<number, Value>>();
  #queue: { readonly key: Key; readonly startMs: number }[] = [];
  #head = 0;

  constructor(options: {
    widthMs: number;
    spanMs: number;
    maxBytes: number;
    create: () => Value;
    /** An estimate, in bytes. */
    sizeOf: (value: Value) => number;
  }) {
    this.widthMs = options.widthMs;
    this.spanMs = options.spanMs;
    this.#maxBytes = options.maxBytes;
    this.#create = options.create;
    this.#sizeOf = options.sizeOf;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Changes the slot that `atMs` falls in, made when it is not there; old ones make room for what it grew. */
  update(key: Key, atMs: number, change: (value: Value) => void): void {
    const value = this.#slot(key, Math.floor(atMs / this.widthMs) * this.widthMs);
    this.#sizeBytes -= this.#sizeOf(value);
    change(value);
    this.#sizeBytes += this.#sizeOf(value);
    while (this.#sizeBytes > this.#maxBytes && this.#queue.length - this.#head > 1) {
      this.#dropOldest();
      this.evicted += 1;
    }
  }

  /** The slots of a key that begin at `fromMs` or later and before `toMs`, oldest first. */
  *between(key: Key, fromMs: number, toMs: number): Generator<readonly [number, Value]> {
    for (const entry of this.#byKey.get(key) ?? []) {
      if (entry[0] >= fromMs && entry[0] < toMs) yield entry;
    }
  }

  /** Drops what is older than the span. */
  expire(nowMs: number): void {
    while (this.#head < this.#queue.length) {
      const oldest = this.#queue[this.#head] as { startMs: number };
      if (oldest.startMs + this.widthMs > nowMs - this.spanMs) return;
      this.#dropOldest();
    }
  }

  #slot(key: Key, startMs: number): Value {
    let slots = this.#byKey.get(key);
    if (slots === undefined) this.#byKey.set(key, (slots = new Map()));
    let value = slots.get(startMs);
    if (value === undefined) {
      slots.set(startMs, (value = this.#create()));
      this.#queue.push({ key, startMs });
      this.#sizeBytes += this.#sizeOf(value);
    }
    return value;
  }

  #dropOldest(): void {
    const { key, startMs } = this.#queue[this.#head] as { key: Key; startMs: number };
    this.#head += 1;
    const slots = this.#byKey.get(key) as Map<number, Value>;
    this.#sizeBytes -= this.#sizeOf(slots.get(startMs) as Value);
    slots.delete(startMs);
    if (slots.size === 0) this.#byKey.delete(key);
    // Shifting one by one would move the whole queue each time.
    if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }
}

/**
 * Values by key and by slot of time: one resolution of a history, bounded by age and by number. Slots are made in the
 * order of time, so one queue serves both bounds: what is at its head is the oldest.
 */
export class SlotTier<Key, Value> {
  readonly widthMs: number;
  readonly spanMs: number;
  /** Slots that made room before their time: this much of the history is shorter than it says. */
  evicted = 0;
  readonly #maxSlots: number;
  readonly #create: () => Value;
  readonly #byKey = new Map<Key, Map<number, Value>>();
  #queue: { readonly key: Key; readonly startMs: number }[] = [];
  #head = 0;

  constructor(options: { widthMs: number; spanMs: number; maxSlots: number; create: () => Value }) {
    this.widthMs = options.widthMs;
    this.spanMs = options.spanMs;
    this.#maxSlots = options.maxSlots;
    this.#create = options.create;
  }

  get size(): number {
    return this.#queue.length - this.#head;
  }

  /** The slot that `atMs` falls in, made when it is not there. */
  slot(key: Key, atMs: number): Value {
    const startMs = Math.floor(atMs / this.widthMs) * this.widthMs;
    let slots = this.#byKey.get(key);
    if (slots === undefined) this.#byKey.set(key, (slots = new Map()));
    let value = slots.get(startMs);
    if (value === undefined) {
      slots.set(startMs, (value = this.#create()));
      this.#queue.push({ key, startMs });
      if (this.size > this.#maxSlots) {
        this.#dropOldest();
        this.evicted += 1;
      }
    }
    return value;
  }

  /** The slots of a key that begin at `fromMs` or later and before `toMs`, oldest first. */
  *between(key: Key, fromMs: number, toMs: number): Generator<readonly [number, Value]> {
    for (const entry of this.#byKey.get(key) ?? []) {
      if (entry[0] >= fromMs && entry[0] < toMs) yield entry;
    }
  }

  /** Drops what is older than the span. */
  expire(nowMs: number): void {
    while (this.size > 0) {
      const oldest = this.#queue[this.#head] as { startMs: number };
      if (oldest.startMs + this.widthMs > nowMs - this.spanMs) return;
      this.#dropOldest();
    }
  }

  #dropOldest(): void {
    const { key, startMs } = this.#queue[this.#head] as { key: Key; startMs: number };
    this.#head += 1;
    const slots = this.#byKey.get(key);
    slots?.delete(startMs);
    if (slots?.size === 0) this.#byKey.delete(key);
    // Shifting one by one would move the whole queue each time.
    if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }
}

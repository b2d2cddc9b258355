// Which clients are left alone because they reject the certificate that Spike shows: decided by the primary for all workers, so
// that a client is passed through whichever worker its next connection falls on. Pure, with the time handed in.

/** A client (a caller, or an address) that did not go on with the certificate for a name. */
export interface TlsRejection {
  readonly client: string;
  readonly name: string;
  /** The alert that it sent, as RFC 8446 (section 6) names it; null: it hung up without a word. */
  readonly alert: string | null;
}

/** What workers have to know of one client and one name. */
export interface ClientDistrust {
  readonly client: string;
  readonly name: string;
  /** Why it is passed through. */
  readonly reason: string;
  /** When the certificate was rejected last, Unix ms. */
  readonly sinceMs: number;
  /** Until then its connections to the name pass through; null: it is only suspected, and workers tell when it accepts. */
  readonly untilMs: number | null;
}

export interface AutoPassthroughLimits {
  /** How long a client is passed through; then it is shown a certificate once more. */
  readonly passMs: number;
  /** Pairs of client and name that are remembered, suspected or passed through; the oldest is forgotten. */
  readonly maxRemembered: number;
  /** Clients that hang up in silence (Node, and what pins certificates) are passed through after so many times in a row … */
  readonly silentRejections: number;
  /** … of which no two are further apart than this. */
  readonly silentWithinMs: number;
}

export const defaultAutoPassthroughLimits: AutoPassthroughLimits = {
  passMs: 3_600_000,
  maxRemembered: 1000,
  silentRejections: 3,
  silentWithinMs: 600_000,
};

interface Memory {
  readonly id: string;
  readonly client: string;
  readonly name: string;
  silent: number;
  sinceMs: number;
  /** null while it is only suspected. */
  passed: { readonly reason: string; readonly untilMs: number } | null;
}

/** An entry as it is shown; times are Unix ms. */
export interface PassedClient {
  readonly id: string;
  readonly client: string;
  readonly name: string;
  readonly reason: string;
  readonly sinceMs: number;
  readonly untilMs: number;
}

export class AutoPassthroughBook {
  readonly #memories = new Map<string, Memory>();
  #nextId = 1;
  readonly #now: () => number;
  readonly #limits: AutoPassthroughLimits;

  constructor(now: () => number, limits: AutoPassthroughLimits = defaultAutoPassthroughLimits) {
    this.#now = now;
    this.#limits = limits;
  }

  /** Remembers a rejection; returns the entry when the client is passed through because of it. */
  rejected({ client, name, alert }: TlsRejection): PassedClient | null {
    const now = this.#now();
    const memory = this.#remember(client, name);
    const isInTime = now - memory.sinceMs <= this.#limits.silentWithinMs;
    memory.silent = isInTime ? memory.silent + 1 : 1;
    memory.sinceMs = now;
    const isCertain = alert !== null || memory.silent >= this.#limits.silentRejections;
    if (!isCertain) return null;
    const reason = alert ?? `hung up ${memory.silent} times without a word`;
    memory.passed = { reason, untilMs: now + this.#limits.passMs };
    return shown(memory, memory.passed);
  }

  /** The client has gone on with the certificate: a suspicion was none. Returns whether there was one. */
  accepted(client: string, name: string): boolean {
    const key = keyOf(client, name);
    // One that is passed through stays: what accepted is older than its rejection, or another client of the same name.
    if (this.#memories.get(key)?.passed !== null) return false;
    return this.#memories.delete(key);
  }

  /** What is passed through now, the latest first. */
  list(): PassedClient[] {
    this.#forgetOld();
    const entries = [...this.#memories.values()].flatMap((memory) =>
      memory.passed === null ? [] : [shown(memory, memory.passed)],
    );
    return entries.sort((a, b) => b.sinceMs - a.sinceMs);
  }

  /** Returns whether there was such an entry. */
  forget(id: string): boolean {
    for (const [key, memory] of this.#memories) {
      if (memory.id === id && memory.passed !== null) return this.#memories.delete(key);
    }
    return false;
  }

  clear(): void {
    this.#memories.clear();
  }

  /** For the workers. */
  snapshot(): ClientDistrust[] {
    this.#forgetOld();
    return [...this.#memories.values()].map(({ client, name, sinceMs, passed }) => ({
      client,
      name,
      sinceMs,
      reason: passed?.reason ?? '',
      untilMs: passed?.untilMs ?? null,
    }));
  }

  #remember(client: string, name: string): Memory {
    this.#forgetOld();
    const key = keyOf(client, name);
    const known = this.#memories.get(key);
    const memory = known ?? {
      id: String(this.#nextId++),
      client,
      name: name.toLowerCase(),
      silent: 0,
      sinceMs: this.#now(),
      passed: null,
    };
    // A Map keeps the order of insertion: the front is what was rejected longest ago.
    this.#memories.delete(key);
    if (this.#memories.size >= this.#limits.maxRemembered) {
      this.#memories.delete(this.#memories.keys().next().value as string);
    }
    this.#memories.set(key, memory);
    return memory;
  }

  #forgetOld(): void {
    const now = this.#now();
    for (const [key, { passed, sinceMs }] of this.#memories) {
      const endsMs = passed?.untilMs ?? sinceMs + this.#limits.silentWithinMs;
      if (now >= endsMs) this.#memories.delete(key);
    }
  }
}

/** Names of callers may hold anything but a NUL. */
export function keyOf(client: string, name: string): string {
  return `${client}\0${name.toLowerCase()}`;
}

function shown(memory: Memory, passed: NonNullable<Memory['passed']>): PassedClient {
  const { id, client, name, sinceMs } = memory;
  return { id, client, name, sinceMs, reason: passed.reason, untilMs: passed.untilMs };
}

import { keyOf } from './auto-passthrough.ts';
import type { ClientDistrust, TlsRejection } from './auto-passthrough.ts';

/** What a worker tells the primary. */
export interface AutoPassthroughReports {
  rejected(rejection: TlsRejection): void;
  accepted(client: string, name: string): void;
}

/** Clients and names that are known to go along: more than services of a developer have; the oldest is forgotten. */
const maxKnown = 1000;

/** One worker's view of the clients that reject Spike's certificates. */
export class AutoPassthroughView {
  #entries = new Map<string, ClientDistrust>();
  #names = new Set<string>();
  #isOn = false;
  /** Who went on with the certificate for what: silence of theirs is no rejection. */
  readonly #accepting = new Set<string>();
  readonly #now: () => number;
  readonly #reports: AutoPassthroughReports;

  constructor(now: () => number, reports: AutoPassthroughReports) {
    this.#now = now;
    this.#reports = reports;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  configure(isOn: boolean, entries: readonly ClientDistrust[]): void {
    this.#isOn = isOn;
    const used = isOn ? entries : [];
    this.#entries = new Map(used.map((entry) => [keyOf(entry.client, entry.name), entry]));
    this.#names = new Set(used.filter((entry) => entry.untilMs !== null).map((entry) => entry.name));
  }

  /** Whether any client is passed through to that name: then it is worth waiting for who calls. */
  concerns(name: string): boolean {
    return this.#names.size > 0 && this.#names.has(name.toLowerCase());
  }

  /** Why this client is passed through to that name, in a sentence; null: it is not. */
  noteOn(client: string, name: string): string | null {
    const entry = this.#entries.get(keyOf(client, name));
    if (entry === undefined || entry.untilMs === null || entry.untilMs <= this.#now()) return null;
    const at = new Date(entry.sinceMs).toISOString().slice(11, 19);
    return `Passed through: ${client} does not trust Spike's CA (${entry.reason}, at ${at} UTC).`;
  }

  /** The client went on with the certificate for the name. */
  accepted(client: string, name: string): void {
    if (!this.#isOn) return;
    const key = keyOf(client, name);
    if (this.#accepting.size >= maxKnown && !this.#accepting.has(key)) {
      this.#accepting.delete(this.#accepting.values().next().value as string);
    }
    this.#accepting.add(key);
    if (this.#entries.get(key)?.untilMs === null) this.#reports.accepted(client, name);
  }

  rejected(rejection: TlsRejection): void {
    if (!this.#isOn) return;
    const key = keyOf(rejection.client, rejection.name);
    if (rejection.alert === null && this.#accepting.has(key)) return;
    this.#accepting.delete(key);
    this.#reports.rejected(rejection);
  }
}

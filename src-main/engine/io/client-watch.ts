import type { Clock, Timer } from '../clock.ts';
import type { Awaited, NetworkFailure } from '../proxy/ports.ts';

/** How long clients may take, and how many connections each may have. */
export interface ClientLimits {
  /**
   * From the first byte of a head, a TLS handshake or a SOCKS greeting to its last one; one that follows right upon another
   * (TLS, and a head at once) may share its time.
   */
  readonly headTimeoutMs: number;
  /** A connection that says nothing: before its first request, and between requests. */
  readonly idleTimeoutMs: number;
  /** Open connections of one client address, each worker. */
  readonly maxConnectionsPerAddress: number;
}

/**
 * All services of a developer's machine have one address, and ten thousand idle connections of theirs are to be carried;
 * what this ends is a leak or a flood, before it has all of the system's open files.
 */
export const defaultClientLimits: ClientLimits = {
  headTimeoutMs: 60_000,
  idleTimeoutMs: 120_000,
  maxConnectionsPerAddress: 16_384,
};

/** A connection as the watch sees it. */
export interface Watched {
  readonly awaited: Awaited;
  /** Another number for each request: what is awaited after it is another wait. */
  readonly turn: number;
  /** What was awaited has not come in time. Called once a wait; the connection ends itself. */
  timedOut(failure: NetworkFailure): void;
}

interface Wait {
  awaited: Awaited;
  turn: number;
  sinceMs: number;
}

/** Looked at so many times in the shortest time that is given: a wait is noticed, and ended, at most this part too late. */
const looksPerLimit = 8;
const lookAtMostEveryMs = 1000;

/**
 * Ends connections whose clients take too long. Connections say only what they wait for; one timer for all of them looks
 * now and then, and takes the time itself: a request costs nothing but the counting of its turn.
 */
export class ClientWatch {
  readonly #waits = new Map<Watched, Wait>();
  readonly #clock: Clock;
  readonly #limits: ClientLimits;
  #timer: Timer | null = null;

  constructor(clock: Clock, limits: ClientLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  add(connection: Watched): void {
    const sinceMs = this.#clock.now();
    this.#waits.set(connection, { awaited: connection.awaited, turn: connection.turn, sinceMs });
    this.#lookLater();
  }

  remove(connection: Watched): void {
    this.#waits.delete(connection);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#waits.clear();
  }

  #lookLater(): void {
    const { headTimeoutMs, idleTimeoutMs } = this.#limits;
    const everyMs = Math.min(lookAtMostEveryMs, Math.min(headTimeoutMs, idleTimeoutMs) / looksPerLimit);
    this.#timer ??= this.#clock.setTimer(
      everyMs,
      () => {
        this.#timer = null;
        this.#look();
        if (this.#waits.size > 0) this.#lookLater();
      },
      true,
    );
  }

  #look(): void {
    const now = this.#clock.now();
    for (const [connection, wait] of this.#waits) {
      const { awaited, turn } = connection;
      if (awaited !== wait.awaited || turn !== wait.turn) {
        wait.awaited = awaited;
        wait.turn = turn;
        wait.sinceMs = now;
      } else if (awaited !== null && now - wait.sinceMs >= this.#limitOf(awaited)) {
        wait.sinceMs = now;
        connection.timedOut(this.#failure(awaited));
      }
    }
  }

  #limitOf(awaited: NonNullable<Awaited>): number {
    return awaited === 'head' ? this.#limits.headTimeoutMs : this.#limits.idleTimeoutMs;
  }

  #failure(awaited: NonNullable<Awaited>): NetworkFailure {
    const seconds = this.#limitOf(awaited) / 1000;
    const message =
      awaited === 'head'
        ? `The client began to speak and did not come to the end of its request head within ${seconds} s.`
        : `The client asked for nothing for ${seconds} s.`;
    return { cause: 'client-timeout', code: 'SPIKE_CLIENT_TIMEOUT', message };
  }
}

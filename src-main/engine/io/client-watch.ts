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
  /**
   * A client that has begun a body and sends nothing more of it, or takes nothing of what is written to it: so long without a
   * byte. Time in which a fault or a slow upstream holds its body back does not count.
   */
  readonly stalledTimeoutMs: number;
  /** Open connections of one client address, each worker. */
  readonly maxConnectionsPerAddress: number;
  /** Open connections of all clients, each worker. */
  readonly maxConnections: number;
}

/**
 * All services of a developer's machine have one address, and ten thousand idle connections of theirs are to be carried;
 * what this ends is a leak or a flood, before it has all of the system's open files.
 */
export const defaultClientLimits: ClientLimits = {
  headTimeoutMs: 60_000,
  idleTimeoutMs: 120_000,
  // Long: a client may stand in a debugger, or pipe its answer into a pager. What it holds meanwhile is bounded.
  stalledTimeoutMs: 3_600_000,
  maxConnectionsPerAddress: 16_384,
  maxConnections: 32_768,
};

/** A stream of HTTP/2 as the watch sees it: what one request is elsewhere. */
export type WatchedStream = Pick<Watched, 'awaited' | 'progress' | 'timedOut'>;

/** A connection as the watch sees it. */
export interface Watched {
  readonly awaited: Awaited;
  /** Those that are open on it, where it has streams. */
  readonly streams: Iterable<WatchedStream>;
  /** Another number for each request: what is awaited after it is another wait. */
  readonly turn: number;
  /** Another number when the client has sent or taken a byte: looked at while a body or its reading is awaited. */
  readonly progress: number;
  /** Finds out whether a client that is not read is still there. Called at each look. */
  probe(): void;
  /** What was awaited has not come in time. Called once a wait; the connection ends itself. */
  timedOut(failure: NetworkFailure): void;
}

interface Wait {
  awaited: Awaited;
  turn: number;
  /** 0 where it is not looked at: a head has its time in all, however often it grows. */
  progress: number;
  sinceMs: number;
}

/** Looked at so many times in the shortest time that is given: a wait is noticed, and ended, at most this part too late. */
const looksPerLimit = 8;
const lookAtMostEveryMs = 1000;

/**
 * Ends connections whose clients take too long, and has those looked after that nobody reads from. Connections say only what they wait for; one timer for all of them looks
 * now and then, and takes the time itself: a request costs nothing but the counting of its turn.
 */
export class ClientWatch {
  readonly #waits = new Map<Watched, Wait>();
  /** Streams that something was awaited of at the last look: streams come and go unseen between the looks. */
  #streamWaits = new Map<WatchedStream, Wait>();
  readonly #clock: Clock;
  readonly #limits: ClientLimits;
  #timer: Timer | null = null;

  constructor(clock: Clock, limits: ClientLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  add(connection: Watched): void {
    const sinceMs = this.#clock.now();
    const { awaited, turn } = connection;
    this.#waits.set(connection, { awaited, turn, progress: progressOf(connection, awaited), sinceMs });
    this.#lookLater();
  }

  remove(connection: Watched): void {
    this.#waits.delete(connection);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#waits.clear();
    this.#streamWaits.clear();
  }

  #lookLater(): void {
    const { headTimeoutMs, idleTimeoutMs, stalledTimeoutMs } = this.#limits;
    const shortestMs = Math.min(headTimeoutMs, idleTimeoutMs, stalledTimeoutMs);
    const everyMs = Math.min(lookAtMostEveryMs, shortestMs / looksPerLimit);
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
    const streamWaits = new Map<WatchedStream, Wait>();
    for (const [connection, wait] of this.#waits) {
      connection.probe();
      this.#lookAt(connection, connection.turn, wait, now);
      for (const stream of connection.streams) {
        if (stream.awaited === null) continue;
        const known = this.#streamWaits.get(stream) ?? { awaited: null, turn: 0, progress: 0, sinceMs: now };
        streamWaits.set(stream, known);
        this.#lookAt(stream, 0, known, now);
      }
    }
    this.#streamWaits = streamWaits;
  }

  #lookAt(one: WatchedStream, turn: number, wait: Wait, now: number): void {
    const { awaited } = one;
    const progress = progressOf(one, awaited);
    if (awaited !== wait.awaited || turn !== wait.turn || progress !== wait.progress) {
      wait.awaited = awaited;
      wait.turn = turn;
      wait.progress = progress;
      wait.sinceMs = now;
    } else if (awaited !== null && now - wait.sinceMs >= this.#limitOf(awaited)) {
      wait.sinceMs = now;
      one.timedOut(this.#failure(awaited));
    }
  }

  #limitOf(awaited: NonNullable<Awaited>): number {
    const { headTimeoutMs, idleTimeoutMs, stalledTimeoutMs } = this.#limits;
    return { head: headTimeoutMs, request: idleTimeoutMs, body: stalledTimeoutMs, reading: stalledTimeoutMs }[
      awaited
    ];
  }

  #failure(awaited: NonNullable<Awaited>): NetworkFailure {
    const message = sentences[awaited](this.#limitOf(awaited) / 1000);
    return { cause: 'client-timeout', code: 'SPIKE_CLIENT_TIMEOUT', message };
  }
}

const sentences: Readonly<Record<NonNullable<Awaited>, (seconds: number) => string>> = {
  head: (seconds) =>
    `The client began to speak and did not come to the end of its request head within ${seconds} s.`,
  body: (seconds) => `The client stopped in the middle of its request: no byte of it came for ${seconds} s.`,
  request: (seconds) => `The client asked for nothing for ${seconds} s.`,
  reading: (seconds) => `The client does not read: it took no byte of what was sent to it for ${seconds} s.`,
};

function progressOf(one: WatchedStream, awaited: Awaited): number {
  return awaited === 'body' || awaited === 'reading' ? one.progress : 0;
}

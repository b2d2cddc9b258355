import type { Clock, Timer } from '../clock.ts';
import type { Http1Limits } from '../proxy/http1/limits.ts';
import { Http1OverHttp2 } from '../proxy/http2/http1-over-http2.ts';
import type { HttpUpstreams, ProtocolRequest } from '../proxy/http2/ports.ts';
import { lostUpstream } from '../proxy/lost-upstream.ts';
import type { Destination, LeaseRequest, NetworkFailure, PendingLease } from '../proxy/ports.ts';
import { isTlsError } from '../tls/tls-failure.ts';
import { dial } from './dial.ts';
import type { Dialed, DialOptions } from './dial.ts';
import { FlushQueue } from './flush-queue.ts';
import { Http2Connection } from './http2-connection.ts';
import type { ConnectionKeeper } from './http2-connection.ts';
import type { Http2Limits } from './http2-limits.ts';
import type { UpstreamPool } from './upstream-pool.ts';

/** One upstream: what it speaks, as far as that is known, and its connections that speak HTTP/2. */
interface Place {
  readonly destination: Destination;
  connections: Http2Connection[];
  readonly waiting: ProtocolRequest[];
  /** Gives up the connection that is being made; null: none is. */
  cancelDial: (() => void) | null;
  /** It was found to speak HTTP/1 only; asked again from then on (Unix ms). */
  http1Until: number;
  /** It was found to speak HTTP/2 only. */
  http2OnlyUntil: number;
}

const whatIsOffered = ['h2', 'http/1.1'];

/**
 * Upstreams of HTTP, whichever version they speak. Connections that speak HTTP/2 are shared by all clients:
 *
 *     ask ─► connection with room ─► a stream of it
 *         └► dial (ALPN h2, http/1.1; in clear text: preface, and wait for SETTINGS)
 *              ├► HTTP/2: for all that wait, and kept
 *              └► HTTP/1: into the pool
 */
export class Http2Upstreams implements HttpUpstreams, ConnectionKeeper {
  readonly #places = new Map<string, Place>();
  readonly #placeOf = new Map<Http2Connection, Place>();
  readonly #queue: FlushQueue;
  readonly #pool: UpstreamPool;
  readonly #dial: DialOptions;
  readonly #clock: Clock;
  readonly #limits: Http2Limits;
  readonly #http1Limits: Http1Limits;
  #sweep: Timer | null = null;
  #closed = false;

  constructor(pool: UpstreamPool, dialOptions: DialOptions, limits: Http2Limits, http1Limits: Http1Limits) {
    this.#pool = pool;
    this.#dial = dialOptions;
    this.#clock = dialOptions.clock;
    this.#queue = new FlushQueue(dialOptions.clock);
    this.#limits = limits;
    this.#http1Limits = http1Limits;
  }

  get connectionCount(): number {
    return this.#placeOf.size;
  }

  lease(destination: Destination, request: LeaseRequest, fresh = false): PendingLease | null {
    if (this.#speaksHttp2Only(destination)) return this.#leaseTranslated(destination, request);
    if (destination.scheme !== 'https') return this.#pool.lease(destination, request, fresh);
    const attempt = new LeaseAttempt(request, (pending) => {
      this.#placeFor(destination).http2OnlyUntil = this.#clock.now() + this.#limits.askAgainAfterMs;
      pending.lease = this.#leaseTranslated(destination, request);
    });
    attempt.lease = this.#pool.lease(destination, attempt, fresh);
    return attempt.lease === null ? null : attempt;
  }

  ask(destination: Destination, request: ProtocolRequest): PendingLease | null {
    // A proxy that forwards speaks HTTP/1.1; its own HTTP/2 would say nothing of the upstream.
    if (destination.via?.way === 'forward') {
      request.http1(null);
      return null;
    }
    const place = this.#placeFor(destination);
    const connection = roomyOf(place, request);
    if (connection !== null) {
      request.http2(connection);
      return null;
    }
    if (place.http1Until > this.#clock.now()) {
      request.http1(null);
      return null;
    }
    place.waiting.push(request);
    this.#dialIfNeeded(place);
    return { cancel: () => this.#giveUp(place, request) };
  }

  /** Trust has changed: no further stream on the connections that there are. */
  renew(): void {
    for (const connection of [...this.#placeOf.keys()]) connection.drain();
  }

  close(): void {
    this.#closed = true;
    this.#sweep?.cancel();
    this.#sweep = null;
    for (const place of this.#places.values()) place.cancelDial?.();
    for (const connection of [...this.#placeOf.keys()]) connection.destroy();
  }

  // --- ConnectionKeeper

  settled(connection: Http2Connection): void {
    const place = this.#placeOf.get(connection);
    if (place !== undefined) this.#serve(place);
  }

  roomFor(connection: Http2Connection): void {
    const place = this.#placeOf.get(connection);
    if (place === undefined) return;
    if (connection.openStreams === 0) {
      connection.idleSince = this.#clock.now();
      this.#sweepLater();
    }
    if (place.waiting.length > 0) this.#serve(place);
  }

  closed(connection: Http2Connection, error: NodeJS.ErrnoException | null): void {
    const place = this.#placeOf.get(connection);
    this.#placeOf.delete(connection);
    if (place === undefined) return;
    place.connections = place.connections.filter((one) => one !== connection);
    if (!connection.hasSettings) this.#didNotSettle(place, connection, error);
    else if (place.waiting.length > 0) this.#dialIfNeeded(place);
    this.#forgetIfUnused(place);
  }

  // --- finding out

  #speaksHttp2Only(destination: Destination): boolean {
    if (destination.priorKnowledge) return true;
    if (destination.scheme !== 'https') return false;
    const place = this.#places.get(destination.key);
    return place !== undefined && place.http2OnlyUntil > this.#clock.now();
  }

  #leaseTranslated(destination: Destination, request: LeaseRequest): PendingLease | null {
    return this.ask(destination, {
      needsSettings: true,
      http2: (upstream) => request.leased(new Http1OverHttp2(upstream, destination, this.#http1Limits)),
      http1: (connection) => {
        if (connection !== null) request.leased(connection);
        else this.#pool.lease(destination, request);
      },
      failed: (failure) => request.failed(failure),
    });
  }

  #placeFor(destination: Destination): Place {
    let place = this.#places.get(destination.key);
    if (place === undefined) {
      place = {
        destination,
        connections: [],
        waiting: [],
        cancelDial: null,
        http1Until: 0,
        http2OnlyUntil: 0,
      };
      this.#places.set(destination.key, place);
    }
    return place;
  }

  #giveUp(place: Place, request: ProtocolRequest): void {
    const at = place.waiting.indexOf(request);
    if (at >= 0) place.waiting.splice(at, 1);
    // Nobody wants it any more.
    if (place.waiting.length > 0 || place.cancelDial === null) return;
    place.cancelDial();
    place.cancelDial = null;
    this.#forgetIfUnused(place);
  }

  #dialIfNeeded(place: Place): void {
    const isMaking = place.cancelDial !== null || place.connections.some((one) => !one.hasSettings);
    const usable = place.connections.filter((one) => !one.isDraining).length;
    if (isMaking || usable >= this.#limits.maxConnectionsPerUpstream || this.#closed) return;
    const { destination } = place;
    place.cancelDial = dial(
      destination,
      this.#dial,
      (result) => {
        place.cancelDial = null;
        if (!result.ok) this.#failAll(place, result.failure);
        else if (destination.scheme === 'https' && result.dialed.session?.alpn !== 'h2') {
          this.#speaksHttp1(place, result.dialed);
        } else this.#connected(place, result.dialed);
      },
      whatIsOffered,
    );
  }

  #connected(place: Place, dialed: Dialed): void {
    const connection = new Http2Connection(place.destination, dialed, this.#limits, this.#queue, this);
    connection.idleSince = this.#clock.now();
    place.connections.push(connection);
    this.#placeOf.set(connection, place);
    connection.endUnlessSettled(this.#limits.settingsTimeoutMs);
    this.#sweepLater();
    // With ALPN it is known; in clear text it is only guessed, until it has sent its SETTINGS.
    if (place.destination.scheme === 'https') this.#serve(place);
  }

  #speaksHttp1(place: Place, dialed: Dialed | null): void {
    place.http1Until = this.#clock.now() + this.#limits.askAgainAfterMs;
    let connection = dialed === null ? null : this.#pool.adopt(place.destination, dialed);
    for (const request of place.waiting.splice(0)) {
      request.http1(connection);
      connection = null;
    }
    connection?.release(true);
  }

  #didNotSettle(place: Place, connection: Http2Connection, error: NodeJS.ErrnoException | null): void {
    const { scheme, priorKnowledge, host, port } = place.destination;
    // In clear text it was a guess: what it does not understand is HTTP/2.
    if (scheme === 'http' && !priorKnowledge) return this.#speaksHttp1(place, null);
    if (isTlsError(error)) {
      const { uses, clientCertificate } = connection;
      return this.#failAll(place, lostUpstream(place.destination, { uses, clientCertificate }, false, error));
    }
    this.#failAll(place, {
      cause: 'upstream-malformed-response',
      code: error?.code ?? 'SPIKE_CLOSED',
      message: `${host}:${port} does not speak HTTP/2: it closed the connection before it sent its settings (${connection.address}).`,
    });
  }

  #failAll(place: Place, failure: NetworkFailure): void {
    for (const request of place.waiting.splice(0)) request.failed(failure);
    this.#forgetIfUnused(place);
  }

  #serve(place: Place): void {
    for (const request of [...place.waiting]) {
      const connection = roomyOf(place, request);
      if (connection === null) continue;
      place.waiting.splice(place.waiting.indexOf(request), 1);
      request.http2(connection);
    }
    if (place.waiting.length > 0) this.#dialIfNeeded(place);
  }

  // --- idle ones

  #forgetIfUnused(place: Place): void {
    const now = this.#clock.now();
    const isKnown = place.http1Until > now || place.http2OnlyUntil > now;
    if (place.connections.length > 0 || place.waiting.length > 0 || place.cancelDial !== null || isKnown)
      return;
    this.#places.delete(place.destination.key);
  }

  #sweepLater(): void {
    if (this.#closed) return;
    this.#sweep ??= this.#clock.setTimer(
      this.#limits.upstreamIdleTimeoutMs / 4,
      () => {
        this.#sweep = null;
        this.#endIdle();
        if (this.#placeOf.size > 0) this.#sweepLater();
      },
      true,
    );
  }

  #endIdle(): void {
    const oldest = this.#clock.now() - this.#limits.upstreamIdleTimeoutMs;
    for (const connection of [...this.#placeOf.keys()]) {
      if (connection.openStreams === 0 && connection.idleSince < oldest) connection.drain();
    }
    for (const place of [...this.#places.values()]) this.#forgetIfUnused(place);
  }
}

/** A lease of HTTP/1 that may turn out to be impossible, because the upstream speaks HTTP/2 only. */
class LeaseAttempt implements LeaseRequest, PendingLease {
  lease: PendingLease | null = null;
  readonly #request: LeaseRequest;
  readonly #http2Only: (attempt: LeaseAttempt) => void;

  constructor(request: LeaseRequest, http2Only: (attempt: LeaseAttempt) => void) {
    this.#request = request;
    this.#http2Only = http2Only;
  }

  leased(connection: Parameters<LeaseRequest['leased']>[0]): void {
    this.#request.leased(connection);
  }

  failed(failure: NetworkFailure): void {
    if (failure.cause === 'tls-no-common-protocol') this.#http2Only(this);
    else this.#request.failed(failure);
  }

  cancel(): void {
    this.lease?.cancel();
  }
}

/** The first one with room: so the others become idle, and are ended. */
function roomyOf(
  { connections, destination }: Place,
  { needsSettings }: ProtocolRequest,
): Http2Connection | null {
  // In clear text it is only guessed what the upstream speaks, until it has said so.
  const isSure = needsSettings || destination.scheme === 'http';
  for (const one of connections) if (one.hasRoom && (one.hasSettings || !isSure)) return one;
  return null;
}

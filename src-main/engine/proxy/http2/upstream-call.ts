import type { FlatFields } from '../http1/fields.ts';
import type { CallTimes } from '../http1-call.ts';
import type { ProxyEnvironment } from '../environment.ts';
import type { CallObservations } from '../exchange-record.ts';
import type { SerializeRequestOptions } from '../http1/serialize-head.ts';
import { hold } from '../ports.ts';
import type {
  ConnectTimings,
  Destination,
  LeasedConnection,
  NetworkFailure,
  PendingLease,
  Transport,
} from '../ports.ts';
import { http2Code } from './error-codes.ts';
import { Http1Speaker } from './http1-speaker.ts';
import { Http2Speaker } from './http2-speaker.ts';
import type { Http2RequestHead, Http2ResponseHead, Http2Upstream, ProtocolRequest } from './ports.ts';

/** What a call tells the exchange that made it. After `callFailed`, `callReset` and `responseEnd` it says nothing more. */
export interface UpstreamCallOwner {
  interim(status: number, fields: FlatFields): void;
  /** @param bodyBytes Length of the body; null when nobody can know it yet. */
  responseHead(head: Http2ResponseHead, reason: string, bodyBytes: number | null): void;
  responseData(bytes: Buffer): void;
  responseEnd(trailers: FlatFields | null): void;
  /** The upstream has reset the stream with that code: the client is told the same. */
  callReset(code: number, failure: NetworkFailure): void;
  callFailed(failure: NetworkFailure): void;
  /** A WebSocket was accepted (RFC 8441): from now on it is bytes. `rest` is what came behind the head. */
  callTunnelled(head: Http2ResponseHead, connection: LeasedConnection, rest: Buffer | null): void;
}

export interface UpstreamRequest {
  readonly destination: Destination;
  readonly head: Http2RequestHead;
  /** How the head is written: to whom, with which path. */
  readonly options: SerializeRequestOptions;
}

/** How the upstream is spoken to, once it is known what it speaks. */
export interface Speaker extends CallObservations {
  send(bytes: Buffer): void;
  end(trailers: FlatFields | null): void;
  /** Gives the call up. */
  cancel(code: number): void;
  /** The same, behind what was sent. */
  cancelAfterSent(code: number): void;
  pause(reason: number): void;
  resume(reasons: number): void;
}

/** What speakers tell the call. */
export interface SpeakerOwner extends UpstreamCallOwner {
  /** The upstream has not looked at the request and never will (RFC 9113, section 8.7). */
  refused(failure: NetworkFailure): void;
}

/** A body of up to this size is kept until the answer begins, so that a request that was refused can be sent again. */
const replayLimitBytes = 65_536;

/**
 * The upstream's side of one exchange whose client speaks HTTP/2. What the upstream speaks is asked; what comes of the
 * body until that is known is kept, and the client told to wait.
 */
export class UpstreamCall implements ProtocolRequest, SpeakerOwner, CallObservations {
  #speaker: Speaker | null = null;
  #lease: PendingLease | null = null;
  /** What was sent so far; null: it cannot be sent again. */
  #kept: Buffer[] | null = [];
  #keptBytes = 0;
  #end: { readonly trailers: FlatFields | null } | null = null;
  #retried = false;
  #over = false;
  /** It is given up as soon as it has been sent; null: it is not. */
  #cancelsWith: number | null = null;
  readonly #askedAt: number;
  readonly #request: UpstreamRequest;
  readonly #owner: UpstreamCallOwner;
  readonly #client: Transport;
  readonly #environment: ProxyEnvironment;

  constructor(
    environment: ProxyEnvironment,
    request: UpstreamRequest,
    owner: UpstreamCallOwner,
    client: Transport,
  ) {
    this.#environment = environment;
    this.#request = request;
    this.#owner = owner;
    this.#client = client;
    this.#askedAt = environment.clock.now();
  }

  start(): void {
    this.#lease = this.#environment.httpUpstreams.ask(this.#request.destination, this);
  }

  send(bytes: Buffer): void {
    if (this.#over) return;
    this.#keep(bytes);
    if (this.#speaker !== null) this.#speaker.send(bytes);
    else this.#client.pause(hold.connecting);
  }

  end(trailers: FlatFields | null): void {
    if (this.#over) return;
    this.#end = { trailers };
    this.#speaker?.end(trailers);
  }

  /** Gives the call up: its client is gone, or a rule answered in its place. */
  cancel(code: number): void {
    if (this.#over) return;
    this.#over = true;
    this.#lease?.cancel();
    this.#speaker?.cancel(code);
  }

  /** Gives the call up, and lets the upstream see what was sent of it: one that is still to be connected as well. */
  cancelAfterSent(code: number): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#speaker === null) this.#cancelsWith = code;
    else this.#speaker.cancelAfterSent(code);
  }

  pause(reason: number): void {
    this.#speaker?.pause(reason);
  }

  resume(reasons: number): void {
    this.#speaker?.resume(reasons);
  }

  // --- CallObservations

  get times(): CallTimes {
    return (
      this.#speaker?.times ?? { askedAt: this.#askedAt, leasedAt: 0, sentAt: 0, firstByteAt: 0, endedAt: 0 }
    );
  }

  get address(): string | null {
    return this.#speaker?.address ?? null;
  }

  get reused(): boolean {
    return this.#speaker?.reused ?? false;
  }

  get timings(): ConnectTimings | null {
    return this.#speaker?.timings ?? null;
  }

  // --- ProtocolRequest

  get needsSettings(): boolean {
    return this.#request.head.protocol !== null;
  }

  http2(upstream: Http2Upstream): void {
    this.#lease = null;
    // A WebSocket that may not pass in a stream passes on a connection of its own, if the upstream has HTTP/1.1 as well.
    const { head, destination } = this.#request;
    if (head.protocol !== null && !upstream.hasConnectProtocol) {
      if (destination.priorKnowledge) return this.callFailed(noConnectProtocol(destination));
      return this.http1(null);
    }
    const { clock } = this.#environment;
    this.#begin(new Http2Speaker(this.#request, upstream, this, this.#client, clock, this.#askedAt));
  }

  http1(connection: LeasedConnection | null): void {
    this.#lease = null;
    this.#begin(new Http1Speaker(this.#request, connection, this, this.#client, this.#environment));
  }

  failed(failure: NetworkFailure): void {
    this.#lease = null;
    this.callFailed(failure);
  }

  // --- SpeakerOwner

  interim(status: number, fields: FlatFields): void {
    if (!this.#over) this.#owner.interim(status, fields);
  }

  responseHead(head: Http2ResponseHead, reason: string, bodyBytes: number | null): void {
    this.#kept = null;
    if (!this.#over) this.#owner.responseHead(head, reason, bodyBytes);
  }

  responseData(bytes: Buffer): void {
    if (!this.#over) this.#owner.responseData(bytes);
  }

  responseEnd(trailers: FlatFields | null): void {
    if (this.#finish()) this.#owner.responseEnd(trailers);
  }

  callReset(code: number, failure: NetworkFailure): void {
    if (this.#finish()) this.#owner.callReset(code, failure);
  }

  callFailed(failure: NetworkFailure): void {
    if (this.#finish()) this.#owner.callFailed(failure);
  }

  callTunnelled(head: Http2ResponseHead, connection: LeasedConnection, rest: Buffer | null): void {
    if (this.#finish()) this.#owner.callTunnelled(head, connection, rest);
  }

  refused(failure: NetworkFailure): void {
    if (this.#over) return;
    if (this.#kept === null || this.#retried) return this.callReset(http2Code.refusedStream, failure);
    this.#retried = true;
    this.#speaker = null;
    this.start();
  }

  #begin(speaker: Speaker & { start(): void }): void {
    this.#speaker = speaker;
    speaker.start();
    for (const bytes of this.#kept ?? []) speaker.send(bytes);
    if (this.#end !== null) speaker.end(this.#end.trailers);
    if (this.#cancelsWith !== null) speaker.cancelAfterSent(this.#cancelsWith);
    this.#client.resume(hold.connecting);
  }

  #keep(bytes: Buffer): void {
    if (this.#kept === null) return;
    this.#keptBytes += bytes.length;
    // While there is nobody to send it to, it is kept whatever its size: the stream's window bounds it.
    if (this.#speaker !== null && this.#keptBytes > replayLimitBytes) this.#kept = null;
    else this.#kept.push(bytes);
  }

  /** Nothing more is told after this. */
  #finish(): boolean {
    if (this.#over) return false;
    this.#over = true;
    return true;
  }
}

function noConnectProtocol({ host, port }: Destination): NetworkFailure {
  return {
    cause: 'upstream-malformed-response',
    code: 'no-connect-protocol',
    message: `${host}:${port} does not let WebSockets pass in HTTP/2 (RFC 8441).`,
  };
}

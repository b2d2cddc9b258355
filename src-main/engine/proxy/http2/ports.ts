import type {
  ConnectTimings,
  Destination,
  LeasedConnection,
  NetworkFailure,
  PendingLease,
} from '../ports.ts';
import type { Transport, TransportOwner, Upstreams } from '../ports.ts';
import type { FlatFields } from '../http1/fields.ts';

/** A request as it came in HTTP/2; names are in lower case (RFC 9113, section 8.2). */
export interface Http2RequestHead {
  readonly method: string;
  /** `:scheme`; '' when absent. */
  readonly scheme: string;
  /** `:authority`; '' when absent, and then there may be a `host` among the fields. */
  readonly authority: string;
  /** `:path`; '' for a plain CONNECT. */
  readonly path: string;
  /** `:protocol` of an extended CONNECT (RFC 8441); null else. */
  readonly protocol: string | null;
  /** Without pseudo-fields, in the order in which they came. */
  readonly fields: FlatFields;
  /** Names of fields that must not get into a compression table (RFC 7541, section 7.1.3); most often none. */
  readonly neverIndexed: readonly string[];
  /** There is no body: the stream ended with the head. */
  readonly ended: boolean;
}

/** An answer as it passes in HTTP/2. */
export interface Http2ResponseHead {
  readonly status: number;
  readonly fields: FlatFields;
  readonly neverIndexed: readonly string[];
  readonly ended: boolean;
}

/**
 * One stream, as a Transport: `end` ends our half, `close` is orderly, `destroy` and `reset` are RST_STREAM with CANCEL
 * (RFC 8441, section 5). `ended` is told when the peer's half has ended; its trailers are known then.
 */
export interface Http2Stream extends Transport {
  owner: TransportOwner | null;
  /** What came behind the body; null for none, or not yet. */
  readonly trailers: FlatFields | null;
  /** There is a reason for not reading it. */
  readonly isHeld: boolean;
  /** Changes when the peer has sent something, or has taken something of what was written to it. */
  readonly progress: number;
  /** Ends our half, with trailers. */
  endWith(trailers: FlatFields | null): void;
  /** Ends the stream with RST_STREAM and that code, once what was written has been sent. Bounded. */
  resetWith(code: number): void;
  /** The same at once. */
  abandonWith(code: number): void;
}

/** Why a stream is closed when it did not end in an orderly way. `cause` is what broke the connection, where that is known. */
export interface Http2StreamError extends NodeJS.ErrnoException {
  /** With which the peer reset the stream, or ended the connection; null when the connection was lost. */
  readonly http2Code: number | null;
}

/** A client's stream. */
export interface Http2ClientStream extends Http2Stream {
  /** An interim head (1xx). */
  inform(status: number, fields: FlatFields): void;
  respond(head: Http2ResponseHead): void;
}

/** What happens on a stream to an upstream. */
export interface Http2UpstreamOwner extends TransportOwner {
  /** An interim head (1xx), or the head of the answer. */
  head(head: Http2ResponseHead): void;
}

/** A connection to an upstream that speaks HTTP/2: shared by as many calls as it may have streams. */
export interface Http2Upstream {
  /** host:port that was reached. */
  readonly address: string;
  readonly timings: ConnectTimings;
  /** How many streams it had before this one. */
  readonly uses: number;
  /** The client certificate that the upstream was shown, as its setting calls it; absent or null: none. */
  readonly clientCertificate?: string | null;
  /** It lets WebSockets pass in a stream (RFC 8441, section 3). */
  readonly hasConnectProtocol: boolean;
  open(head: Http2RequestHead, owner: Http2UpstreamOwner): Http2Stream;
}

/** Asks what an upstream speaks: one of the three is called, once, perhaps at once; none after `cancel`. */
export interface ProtocolRequest {
  /** It has to know what the upstream allows (see `Http2Upstream.hasConnectProtocol`): waits until that has been said. */
  readonly needsSettings: boolean;
  /** It has room for a stream: open it at once. */
  http2(upstream: Http2Upstream): void;
  /** `connection` was made to find that out; null: lease one. */
  http1(connection: LeasedConnection | null): void;
  failed(failure: NetworkFailure): void;
}

/** Upstreams of HTTP. `lease` is for HTTP/1: one that speaks only HTTP/2 comes as a translation. */
export interface HttpUpstreams extends Upstreams {
  /** For a client that speaks HTTP/2. */
  ask(destination: Destination, request: ProtocolRequest): PendingLease | null;
}

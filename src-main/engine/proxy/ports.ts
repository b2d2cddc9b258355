import type { FailureCause } from '#shared/flow/failure-cause.ts';
import type { ServiceName } from '#shared/flow/flow.ts';
import type { ProxyAddress } from '#shared/workspace/upstream-proxy.ts';

/**
 * Why a side is not read right now. Bits of one integer: a side is read again when no reason is left, so that whoever
 * lets go of one reason cannot undo another's.
 */
export const hold = {
  /** The other side does not keep up with what is written to it. */
  full: 1,
  /** A link holds as much as it may. */
  link: 2,
  /** It is not decided yet what is to be done with the request. */
  undecided: 4,
  /** There is no upstream connection yet. */
  connecting: 8,
  /** A pipelined request waits for its turn. */
  turn: 16,
  /** Everything that belongs to one exchange. */
  exchange: 1 | 2 | 4 | 8,
  /** Frames of a WebSocket are held, as many as may be. */
  frames: 32,
  all: 63,
} as const;

/** One side of a connection, as the protocol layers command it. */
export interface Transport {
  /** False when the other side does not keep up: write no more until `drained` is told. */
  write(bytes: Buffer): boolean;
  /** The same for text, as latin1. */
  writeText(text: string): boolean;
  /** Text and bytes in one packet. */
  writeBoth(text: string, bytes: Buffer): boolean;
  /** Whether more was written than the other side has taken: `drained` is going to be told. */
  readonly isFull: boolean;
  /** Whether nothing that was written is looked at any more: the system has it all. Absent: that is not known. */
  readonly isFlushed?: boolean;
  /** Stops reading for a reason (see `hold`); once more for the same reason changes nothing. */
  pause(reason: number): void;
  /** Lets go of reasons; reads again when none is left. */
  resume(reasons: number): void;
  /** Ends the writing side (FIN) after what was written; the other side may go on. */
  end(): void;
  /**
   * Ends both sides in an orderly way: what was written is still sent, what still comes is thrown away. Bounded: a peer
   * that takes nothing, or does not end its side, is cut off. The owner is told `closed`, and nothing else any more.
   */
  close(): void;
  /** Ends both sides at once; what was written and not sent yet is lost. */
  destroy(): void;
  /** Ends with a TCP RST, once what was written has been handed to the system. */
  reset(): void;
}

/**
 * What becomes of bytes that were received: `kept`, somebody may look at them at any time; `passing`, they are only on
 * their way to the other side; `passed`, nobody looks any more at them, nor at what was `passing` before.
 */
export type BytesFate = 'kept' | 'passing' | 'passed';

/** What happens on one side of a connection, told to the layer that owns it. */
export interface TransportOwner {
  received(bytes: Buffer): void;
  /** Asked right after `received`, of those bytes: memory that is let go is read into again. Absent: `kept`. */
  readonly fate?: BytesFate;
  /** The peer will send no more (FIN). */
  ended(): void;
  /** Gone for both sides; `error` is null after an orderly end. Told once, last. */
  closed(error: NodeJS.ErrnoException | null): void;
  drained(): void;
}

/**
 * What a client is to do: send the rest of the head or of the body that it has begun, send a next request, read what is
 * written to it, or nothing that is waited for.
 */
export type Awaited = 'head' | 'body' | 'request' | 'reading' | null;

/** A name that may become better known while the connection is open: read it when it is used, not before. */
export interface NameHolder {
  readonly current: ServiceName;
  /** Settles when looking up is over; null when it is. Never rejects. */
  readonly ready: Promise<void> | null;
}

/** Where a call goes. One object a place: the callee's name is found once. */
export interface Destination {
  readonly scheme: 'http' | 'https' | 'tcp';
  readonly host: string;
  readonly port: number;
  /** `scheme://host[:port]` as URLs show it, the scheme's default port left out. */
  readonly origin: string;
  /** Identifies the pool of connections. */
  readonly key: string;
  readonly callee: NameHolder;
  /** The route that leads here, by its listener, its virtual name, or because its upstream is this one; null for none. */
  readonly route: string | null;
  /** The name that its certificate must be for, where the client called an address and named it in TLS; null: `host`. */
  readonly serverName: string | null;
  /** A virtual name that means nothing to the upstream: in Host it gives way to the upstream's own. null: Host stays. */
  readonly replacedName: string | null;
  /** It speaks HTTP/2 in clear text, without being asked (RFC 9113, section 3.3). */
  readonly priorKnowledge: boolean;
  /** The proxy between here and there; null: it is called directly. */
  readonly via: Via | null;
  /** The same place by a tunnel, for what a forwarding proxy does not carry (WebSocket); null where `via` is no such one. */
  readonly tunnelled: Destination | null;
}

/** How a place is reached by an upstream proxy. */
export interface Via {
  readonly proxy: ProxyAddress;
  /**
   * `tunnel`: the proxy connects, and passes bytes. `forward`: it is sent the requests themselves, in absolute-form, since
   * many HTTP proxies (Squid as it is delivered) allow no tunnel to port 80.
   */
  readonly way: 'tunnel' | 'forward';
}

/** Why something at the network failed: data, never thrown. */
export interface NetworkFailure {
  readonly cause: FailureCause;
  /** The system's or library's code: ECONNREFUSED. */
  readonly code: string;
  /** A sentence or two for a person: what, where, what to do. */
  readonly message: string;
}

/** How long the parts of making a connection took, in ms; -1 where there was none. */
export interface ConnectTimings {
  readonly dnsMs: number;
  readonly connectMs: number;
  readonly tlsMs: number;
}

/** One connection to an upstream, leased to one owner at a time. */
export interface LeasedConnection {
  readonly transport: Transport;
  /** host:port that was reached. */
  readonly address: string;
  readonly timings: ConnectTimings;
  /** How many leases it had before this one; 0: made for this one. */
  readonly uses: number;
  /** The client certificate that the upstream was shown, as its setting calls it; absent or null: none. */
  readonly clientCertificate?: string | null;
  /** Told what happens on the connection while the lease lasts. */
  owner: TransportOwner | null;
  /** For the protocol that speaks on it: what should live as long as the connection (its parser). */
  attachment: unknown;
  /** Gives it back for others to use, or ends it. The owner is told nothing more. */
  release(reusable: boolean): void;
}

/** Asks for a connection: one of the two is called, once, perhaps at once; neither after `cancel`. */
export interface LeaseRequest {
  leased(connection: LeasedConnection): void;
  failed(failure: NetworkFailure): void;
}

export interface PendingLease {
  cancel(): void;
}

/** The connections to upstreams. */
export interface Upstreams {
  /** An idle connection at once, else a new one; `fresh` always a new one. Null: it was given at once. */
  lease(destination: Destination, request: LeaseRequest, fresh?: boolean): PendingLease | null;
}

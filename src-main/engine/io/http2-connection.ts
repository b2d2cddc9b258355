import { connect } from 'node:http2';
import type { ClientHttp2Session, Settings } from 'node:http2';
import type {
  Http2RequestHead,
  Http2Stream,
  Http2Upstream,
  Http2UpstreamOwner,
} from '../proxy/http2/ports.ts';
import type { ConnectTimings, Destination } from '../proxy/ports.ts';
import type { Dialed } from './dial.ts';
import type { FlushQueue } from './flush-queue.ts';
import { sessionOptions } from './http2-limits.ts';
import type { Http2Limits } from './http2-limits.ts';
import { ClientStream } from './http2-stream.ts';

/** Streams that a peer is taken to allow before it has said so (RFC 9113, section 6.5.2, recommends no less than 100). */
const assumedStreams = 100;

/** Who keeps the connection. */
export interface ConnectionKeeper {
  /** The peer has said what it allows: for one that was only guessed to speak HTTP/2, that it does. */
  settled(connection: Http2Connection): void;
  /** A stream has ended: there may be room for another, or none left to wait for. */
  roomFor(connection: Http2Connection): void;
  closed(connection: Http2Connection, error: NodeJS.ErrnoException | null): void;
}

/** One connection to an upstream that speaks HTTP/2. */
export class Http2Connection implements Http2Upstream {
  readonly address: string;
  readonly timings: ConnectTimings;
  readonly clientCertificate: string | null;
  readonly session: ClientHttp2Session;
  uses = 0;
  openStreams = 0;
  idleSince = 0;
  goawayCode: number | null = null;
  /** It takes no further stream: it said so, or its trust has changed. */
  isDraining = false;
  hasSettings = false;
  hasConnectProtocol = false;
  #maxStreams = assumedStreams;
  #isOver = false;
  #error: NodeJS.ErrnoException | null = null;
  readonly #queue: FlushQueue;
  readonly #keeper: ConnectionKeeper;

  constructor(
    destination: Destination,
    dialed: Dialed,
    limits: Http2Limits,
    queue: FlushQueue,
    keeper: ConnectionKeeper,
  ) {
    this.address = dialed.address;
    this.timings = dialed.timings;
    this.clientCertificate = dialed.session?.certificate ?? null;
    this.#queue = queue;
    this.#keeper = keeper;
    // HTTP/2 knows no half of a connection: a peer that says no more is gone.
    dialed.socket.allowHalfOpen = false;
    const session = connect(destination.origin, {
      ...sessionOptions(limits, 'upstream'),
      peerMaxConcurrentStreams: assumedStreams,
      createConnection: () => dialed.socket,
    });
    this.session = session;
    session.once('connect', () => {
      if (!session.destroyed) session.setLocalWindowSize(limits.connectionWindowBytes);
    });
    session.on('remoteSettings', (settings) => this.#settled(settings));
    session.on('goaway', (code) => {
      this.goawayCode = code;
      this.isDraining = true;
    });
    session.on('error', (error: NodeJS.ErrnoException) => {
      this.#error = error;
    });
    session.on('close', () => {
      this.#over();
    });
    // An alert inside TLS 1.3 (no client certificate) destroys the session of node:http2, which then tells no `close` and leaves
    // the sockets open.
    dialed.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#error ??= error;
      dialed.socket.destroy();
      dialed.tcp.destroy();
      setImmediate(() => this.#over());
    });
  }

  get hasRoom(): boolean {
    return (
      !this.isDraining &&
      !this.session.closed &&
      !this.session.destroyed &&
      this.openStreams < this.#maxStreams
    );
  }

  open(head: Http2RequestHead, owner: Http2UpstreamOwner): Http2Stream {
    this.openStreams += 1;
    const stream = new ClientStream(this.#queue, this, head, owner, () => {
      this.openStreams -= 1;
      this.#keeper.roomFor(this);
    });
    this.uses += 1;
    return stream;
  }

  /** Ends a connection whose peer takes too long to send the SETTINGS with which HTTP/2 begins (RFC 9113, section 3.4). */
  endUnlessSettled(timeoutMs: number): void {
    const timer = this.#queue.clock.setTimer(timeoutMs, () => this.destroy(), true);
    this.session.once('remoteSettings', () => timer.cancel());
    this.session.once('close', () => timer.cancel());
  }

  /** Takes no further stream, and ends with the last one. */
  drain(): void {
    this.isDraining = true;
    this.session.close();
  }

  destroy(): void {
    this.isDraining = true;
    this.session.destroy();
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.isDraining = true;
    this.#keeper.closed(this, this.#error);
  }

  #settled(settings: Settings): void {
    this.hasSettings = true;
    this.hasConnectProtocol = settings.enableConnectProtocol === true;
    this.#maxStreams = settings.maxConcurrentStreams ?? Infinity;
    this.#keeper.settled(this);
  }
}

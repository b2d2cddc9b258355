import { isUtf8 } from 'node:buffer';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { SecureContext } from 'node:tls';
import type { Flow } from '#shared/flow/flow.ts';
import type { FlowRecord } from '../capture/flow-record.ts';
import type { ClientFacts, ProxyEnvironment } from '../proxy/environment.ts';
import { identifyFirstBytes } from '../proxy/first-bytes.ts';
import { Http1Session } from '../proxy/http1-session.ts';
import type { SessionHost } from '../proxy/http1-session.ts';
import type { RequestHead } from '../proxy/http1/head.ts';
import { endFlow, newFlow } from '../proxy/new-flow.ts';
import type {
  Destination,
  LeasedConnection,
  NameHolder,
  NetworkFailure,
  PendingLease,
  TransportOwner,
} from '../proxy/ports.ts';
import { Tunnel } from '../proxy/tunnel.ts';
import { parseClientHello } from '../tls/client-hello.ts';
import type { ClientHello } from '../tls/client-hello.ts';
import { describeClientTlsFailure } from '../tls/client-tls-failure.ts';
import { leafSocketOptions } from '../tls/tls-options.ts';
import { SocketTransport } from './socket-transport.ts';

/** What all connections of a worker share, beyond what the protocols need. */
export interface ConnectionEnvironment extends ProxyEnvironment {
  /** The context with a leaf certificate for a name; null when the name cannot be certified. */
  leafContext(name: string): SecureContext | null;
  /** Names whose TLS is not opened. */
  isPassedThrough(name: string): boolean;
  /** Who calls: from proxy credentials, else from who owns the client's port. */
  resolveCaller(client: Socket, proxyUser: string | null): NameHolder;
  connectionClosed(connection: ClientConnection): void;
}

/** What a listener says of the connections that it accepts. */
export interface Entry {
  readonly route: string | null;
  /** Where a route leads; null on the proxy port. */
  readonly destination: Destination | null;
  readonly ownHost: string | null;
}

/**
 * A client that sends nothing after CONNECT waits for the server to speak first (SMTP, MySQL): after this long Spike
 * connects, and whoever speaks first decides what it is.
 */
const serverFirstAfterMs = 400;
/** A client that distrusts a certificate leaves at once; one that stayed longer just had nothing to ask. */
const preconnectMs = 2000;
/** More than any ClientHello or request line needs before it can be told what it is. */
const sniffLimitBytes = 65_536;

/**
 * One accepted connection. Finds out what it speaks, opens TLS, and hands it to a session or a tunnel:
 *
 *     proxy port: sniff ─► http1 session ─ CONNECT ─► sniff ─┬─► TLS ─► sniff again
 *     route:      sniff or tunnel                            ├─► http1 session
 *                                                            └─► tunnel
 */
export class ClientConnection implements ClientFacts, SessionHost, TransportOwner {
  readonly connectionId: string;
  readonly client: string;
  caller: NameHolder;
  tls: Flow['tls'] = null;
  destination: Destination | null;
  readonly ownHost: string | null;
  connect: SessionHost['connect'];

  #transport: SocketTransport;
  #session: Http1Session | null = null;
  #sniffed: Buffer | null = null;
  #hello: ClientHello | null = null;
  #lease: PendingLease | null = null;
  /** Connected ahead, because the client says nothing: its server may speak first. */
  #ahead: LeasedConnection | null = null;
  #proxyUser: string | null = null;
  #cancelTimer: (() => void) | null = null;
  #over = false;
  readonly #acceptedAt: number;
  readonly #socket: Socket;
  readonly #entry: Entry;
  readonly #environment: ConnectionEnvironment;

  constructor(
    environment: ConnectionEnvironment,
    socket: Socket,
    entry: Entry,
    connectionId: string,
    caller: NameHolder,
  ) {
    this.#environment = environment;
    this.#socket = socket;
    this.#entry = entry;
    this.connectionId = connectionId;
    this.#acceptedAt = environment.clock.now();
    this.client = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
    this.caller = caller;
    this.destination = entry.destination;
    this.ownHost = entry.ownHost;
    this.connect = entry.destination === null ? (head, rest) => this.#connected(head, rest) : null;
    this.#transport = new SocketTransport(socket);
    this.#transport.owner = this;
  }

  /** Begins to read; a TCP route is a tunnel from the start, since its server may speak first. */
  open(): void {
    if (this.#entry.destination?.scheme === 'tcp') this.#tunnelTo(this.#entry.destination, null);
  }

  /** Lets the call at hand end and closes what is idle. */
  drain(): void {
    if (this.#session !== null) this.#session.drain();
    else if (this.#sniffed === null) this.#transport.end();
  }

  destroy(): void {
    this.#transport.destroy();
  }

  // --- TransportOwner, while it is not known what the connection speaks

  received(bytes: Buffer): void {
    this.#cancelTimer?.();
    const all = this.#sniffed === null ? bytes : Buffer.concat([this.#sniffed, bytes]);
    this.#sniffed = all;
    const speaks = identifyFirstBytes(all);
    if (speaks === 'more' && all.length < sniffLimitBytes) return;
    this.#dropAhead();
    if (speaks === 'http1') return this.#openSession(all);
    if (speaks === 'tls') return this.#readHello(all);
    if (this.destination !== null) return this.#tunnelTo(this.destination, all);
    // The proxy port speaks HTTP; a session says so in its 400, which shows as a refused flow.
    this.#openSession(all);
  }

  ended(): void {
    if (this.#sniffed !== null && this.destination !== null)
      return this.#tunnelTo(this.destination, this.#sniffed);
    this.#transport.end();
    this.#dropAhead();
  }

  closed(): void {
    this.sessionOver();
  }

  drained(): void {
    // Nothing of its own is written while it sniffs, but the answer to CONNECT.
  }

  // --- SessionHost

  proxyUser(authorization: string | null): void {
    if (authorization === this.#proxyUser) return;
    this.#proxyUser = authorization;
    this.caller = this.#environment.resolveCaller(this.#socket, userOf(authorization));
  }

  upgraded(connection: LeasedConnection, rest: Buffer | null, flow: FlowRecord): void {
    const destination = this.destination ?? this.#environment.destination('tcp', connection.address, 0);
    this.#startTunnel(destination, connection, flow, rest === null ? [] : [rest], null);
  }

  sessionOver(): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelTimer?.();
    this.#lease?.cancel();
    this.#dropAhead();
    this.#environment.connectionClosed(this);
  }

  // --- HTTP

  #openSession(bytes: Buffer): void {
    this.#sniffed = null;
    // Plain HTTP inside CONNECT: what was bytes to somewhere are requests to it now.
    if (this.destination?.scheme === 'tcp') {
      this.destination = this.#environment.destination('http', this.destination.host, this.destination.port);
    }
    const session = new Http1Session(this.#environment, this, this.#transport, this);
    this.#session = session;
    this.#transport.owner = session;
    session.received(bytes);
  }

  #connected(head: RequestHead, rest: Buffer | null): void {
    const { host, port } = head.destination;
    this.#session = null;
    this.connect = null;
    this.#transport.owner = this;
    const at = port ?? 443;
    if (this.#environment.isForbidden(host, at)) return this.#refuseConnect(head, host, at);
    this.destination = this.#environment.destination('tcp', host, at);
    this.#transport.writeText('HTTP/1.1 200 Connection Established\r\n\r\n');
    this.#transport.resume();
    if (rest !== null) return this.received(rest);
    const timer = this.#environment.clock.setTimer(serverFirstAfterMs, () => this.#connectAhead());
    this.#cancelTimer = () => {
      timer.cancel();
      this.#cancelTimer = null;
    };
  }

  #refuseConnect(head: RequestHead, host: string, port: number): void {
    const message = `${host}:${port} is a port of this Spike itself; calls are not forwarded to it.`;
    this.#record('refused', null, head.text, {
      cause: 'upstream-forbidden',
      code: 'SPIKE_FORBIDDEN',
      message,
    });
    const body = `Spike: ${message}\n`;
    this.#transport.writeText(
      `HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain; charset=utf-8\r\nspike-error: upstream-forbidden\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
    );
    this.#transport.end();
  }

  // --- TLS

  #readHello(bytes: Buffer): void {
    const hello = parseClientHello(bytes);
    if (hello.status === 'incomplete') return;
    if (hello.status !== 'hello') {
      if (this.destination !== null) return this.#tunnelTo(this.destination, bytes);
      return this.#openSession(bytes);
    }
    this.#hello = hello;
    const name = hello.serverName ?? this.destination?.host ?? this.#socket.localAddress ?? 'localhost';
    const context = this.#opens(hello, name) ? this.#environment.leafContext(name) : null;
    if (context === null) return this.#passThrough(hello, bytes);
    this.#openTls(context, name, bytes);
  }

  /** TLS is opened unless the workspace says not to, or the client wants only protocols that are not read here. */
  #opens(hello: ClientHello, name: string): boolean {
    if (this.#environment.isPassedThrough(name)) return false;
    return hello.alpn.length === 0 || hello.alpn.includes('http/1.1');
  }

  #passThrough(hello: ClientHello, bytes: Buffer): void {
    this.tls = { intercepted: false, sni: hello.serverName, alpn: hello.alpn[0] ?? null, version: null };
    if (this.destination === null) return this.#openSession(bytes);
    const { host, port, scheme } = this.destination;
    // What was an https upstream is bytes now: the client's TLS goes to it as it is.
    const tcp = scheme === 'tcp' ? this.destination : this.#environment.destination('tcp', host, port);
    this.#tunnelTo(tcp, bytes);
  }

  #openTls(context: SecureContext, name: string, bytes: Buffer): void {
    this.#sniffed = null;
    this.#transport.owner = null;
    const socket = this.#socket;
    socket.removeAllListeners('data');
    socket.removeAllListeners('end');
    socket.removeAllListeners('drain');
    socket.pause();
    socket.unshift(bytes);
    const offers = this.#hello?.alpn.includes('http/1.1') === true ? ['http/1.1'] : [];
    const secure = new TLSSocket(socket, { ...leafSocketOptions(context, offers) });
    const opened = new SocketTransport(secure, socket);
    opened.owner = {
      received: (first) => this.#tlsOpened(secure, name, first),
      ended: () => opened.end(),
      closed: (error) => this.#tlsFailed(name, error),
      drained: () => undefined,
    };
    this.#transport = opened;
    // An error of the handshake closes the socket; what it was is told by `closed`.
    secure.on('tlsClientError', (error) => secure.destroy(error));
  }

  #tlsOpened(secure: TLSSocket, name: string, bytes: Buffer): void {
    const alpn = typeof secure.alpnProtocol === 'string' ? secure.alpnProtocol : null;
    this.tls = {
      intercepted: true,
      sni: this.#hello?.serverName ?? null,
      alpn,
      version: secure.getProtocol(),
    };
    const through = this.destination;
    // Inside CONNECT requests are for the place that it named, over TLS again; a route says itself what its upstream speaks.
    if (through === null) this.destination = this.#environment.destination('https', name, 443);
    else if (through.scheme === 'tcp') {
      this.destination = this.#environment.destination('https', through.host, through.port);
    }
    this.#transport.owner = this;
    this.received(bytes);
  }

  #tlsFailed(name: string, error: NodeJS.ErrnoException | null): void {
    const openMs = this.#environment.clock.now() - this.#acceptedAt;
    // A browser opens connections ahead and drops those that it did not need: no failure of anything.
    if (error === null && openMs > preconnectMs) return this.sessionOver();
    const failure = describeClientTlsFailure(error, this.caller.current.name, name);
    this.tls = { intercepted: false, sni: this.#hello?.serverName ?? null, alpn: null, version: null };
    this.#record('tls-failure', this.destination, null, {
      cause: failure.cause,
      code: failure.code ?? failure.cause,
      message: failure.message,
    });
    this.sessionOver();
  }

  // --- tunnels

  #connectAhead(): void {
    this.#cancelTimer = null;
    const destination = this.destination;
    if (destination === null || this.#over) return;
    this.#lease = this.#environment.upstreams.lease(
      destination,
      {
        leased: (connection) => {
          this.#lease = null;
          if (this.#over || this.#transport.owner !== this || this.#sniffed !== null)
            return connection.release(false);
          this.#ahead = connection;
          connection.owner = {
            received: (bytes) => this.#serverSpokeFirst(destination, connection, bytes),
            ended: () => this.#serverSpokeFirst(destination, connection, null),
            closed: () => this.#transport.end(),
            drained: () => undefined,
          };
        },
        failed: (failure) => {
          this.#lease = null;
          this.#tunnelFailed(destination, failure, null);
        },
      },
      true,
    );
  }

  #serverSpokeFirst(destination: Destination, connection: LeasedConnection, bytes: Buffer | null): void {
    this.#ahead = null;
    const flow = newFlow('tcp', this.#environment, this, destination, this.#environment.clock.now());
    noteConnection(flow, connection);
    this.#startTunnel(destination, connection, flow, bytes === null ? [] : [bytes], null);
  }

  #dropAhead(): void {
    this.#ahead?.release(false);
    this.#ahead = null;
    this.#lease?.cancel();
    this.#lease = null;
  }

  /** Connects and passes bytes; what has come from the client goes first. */
  #tunnelTo(destination: Destination, first: Buffer | null): void {
    this.#sniffed = null;
    this.#transport.pause();
    const startedAt = this.#environment.clock.now();
    const flow = newFlow('tcp', this.#environment, this, destination, startedAt);
    this.#transport.owner = {
      received: (bytes) => {
        first = first === null ? bytes : Buffer.concat([first, bytes]);
      },
      ended: () => undefined,
      closed: () => this.sessionOver(),
      drained: () => undefined,
    };
    this.#lease = this.#environment.upstreams.lease(
      destination,
      {
        leased: (connection) => {
          this.#lease = null;
          if (this.#over) return connection.release(false);
          noteConnection(flow, connection);
          this.#startTunnel(destination, connection, flow, [], first);
        },
        failed: (failure) => {
          this.#lease = null;
          this.#tunnelFailed(destination, failure, flow);
        },
      },
      true,
    );
  }

  #startTunnel(
    destination: Destination,
    upstream: LeasedConnection,
    flow: FlowRecord,
    fromServer: readonly Buffer[],
    fromClient: Buffer | null,
  ): void {
    this.#session = null;
    const tunnel = new Tunnel({
      environment: this.#environment,
      facts: this,
      destination,
      client: this.#transport,
      upstream,
      flow,
      onEnd: () => this.sessionOver(),
    });
    const owner = tunnel.open();
    this.#transport.owner = owner;
    for (const bytes of fromServer) tunnel.passed('response', bytes);
    if (fromClient !== null) owner.received(fromClient);
    this.#transport.resume();
  }

  #tunnelFailed(destination: Destination, failure: NetworkFailure, flow: FlowRecord | null): void {
    const ended = flow ?? newFlow('tcp', this.#environment, this, destination, this.#environment.clock.now());
    endFlow(ended, this, destination, this.#environment.clock.now(), failure);
    this.#environment.sink.record(ended);
    // What the client would have seen without Spike: a refused connection is closest to a reset one.
    this.#transport.reset();
    this.sessionOver();
  }

  // --- names and records

  #record(
    kind: 'refused' | 'tls-failure',
    destination: Destination | null,
    rawHead: string | null,
    failure: NetworkFailure,
  ): void {
    const now = this.#environment.clock.now();
    const flow = newFlow(kind, this.#environment, this, destination, now);
    flow.rawHead = rawHead;
    endFlow(flow, this, destination, now, failure);
    this.#environment.sink.record(flow);
  }
}

function noteConnection(flow: FlowRecord, connection: LeasedConnection): void {
  flow.upstreamAddress = connection.address;
  flow.upstreamReused = connection.uses > 0;
  flow.dnsMs = connection.timings.dnsMs;
  flow.connectMs = connection.timings.connectMs;
  flow.tlsMs = connection.timings.tlsMs;
}

/** The user name of Basic credentials (RFC 7617), percent-decoding undone; null when there is none. */
export function userOf(authorization: string | null): string | null {
  const token = authorization === null ? null : /^basic[ ]+([A-Za-z0-9+/=_-]+)$/i.exec(authorization.trim());
  if (token === null) return null;
  const bytes = Buffer.from(token[1] as string, 'base64');
  // Most clients send UTF-8, Python's requests latin1; RFC 7617 leaves it open.
  const text = isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1');
  const colon = text.indexOf(':');
  const user = colon < 0 ? text : text.slice(0, colon);
  return user === '' ? null : user;
}

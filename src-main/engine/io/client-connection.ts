import { isUtf8 } from 'node:buffer';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { SecureContext } from 'node:tls';
import type { Flow } from '#shared/flow/flow.ts';
import type { ClientFacts, ProxyEnvironment } from '../proxy/environment.ts';
import { forbidden } from '../proxy/forwarding.ts';
import { identifyFirstBytes } from '../proxy/first-bytes.ts';
import { Http1Session } from '../proxy/http1-session.ts';
import type { SessionHost } from '../proxy/http1-session.ts';
import type { RequestHead } from '../proxy/http1/head.ts';
import type { SwitchedProtocol } from '../proxy/http1-exchange.ts';
import { failureResponse, responseBytes } from '../proxy/local-response.ts';
import { finishFlow, newFlow } from '../proxy/new-flow.ts';
import { hold } from '../proxy/ports.ts';
import type { Destination, NameHolder, NetworkFailure, TransportOwner } from '../proxy/ports.ts';
import { parseClientHello } from '../tls/client-hello.ts';
import type { ClientHello } from '../tls/client-hello.ts';
import { describeClientTlsFailure } from '../tls/client-tls-failure.ts';
import { leafSocketOptions } from '../tls/tls-options.ts';
import { SocketTransport } from './socket-transport.ts';
import { TunnelDoor } from './tunnel-door.ts';

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
  #handshaking = false;
  #draining = false;
  readonly #door: TunnelDoor;
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
    this.#door = new TunnelDoor(environment, this, () => this.#transport);
    this.#transport = this.#own(socket);
    this.#transport.owner = this;
  }

  /** Begins to read; a TCP route is a tunnel from the start, since its server may speak first. */
  open(): void {
    if (this.#entry.destination?.scheme === 'tcp') this.#door.connect(this.#entry.destination, null);
  }

  /** The route that it came by; null for the proxy port. */
  get entry(): Entry {
    return this.#entry;
  }

  /** Lets the call at hand end and closes what is idle; a tunnel stays until its sides end it. */
  drain(): void {
    this.#draining = true;
    if (this.#session !== null) this.#session.drain();
    else if (!this.#door.isOpen && !this.#handshaking && this.#sniffed === null) this.#transport.close();
  }

  /** Ends everything at once; flows that are open end with that failure. */
  stop(failure: NetworkFailure): void {
    this.#session?.stop(failure);
    this.#door.stop(failure);
    this.#transport.owner = null;
    this.#transport.destroy();
  }

  // --- TransportOwner, while it is not known what the connection speaks

  received(bytes: Buffer): void {
    const all = this.#sniffed === null ? bytes : Buffer.concat([this.#sniffed, bytes]);
    this.#sniffed = all;
    const speaks = identifyFirstBytes(all);
    if (speaks === 'more' && all.length < sniffLimitBytes) return;
    this.#cancelTimer?.();
    if (speaks === 'http1') return this.#openSession(all);
    if (speaks === 'tls') return this.#readHello(all);
    this.#openOther(all, speaks === 'http2');
  }

  ended(): void {
    if (this.#sniffed !== null && this.destination !== null) return this.#openOther(this.#sniffed);
    this.#transport.close();
  }

  closed(): void {
    // What belongs to the connection ends with its socket (see `#own`).
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

  upgraded(switched: SwitchedProtocol, ahead: Buffer | null): void {
    this.#session = null;
    this.#door.adopt(switched, ahead);
  }

  /** The connection lasts as long as its socket does. */
  #own(socket: Socket, tcp: Socket = socket): SocketTransport {
    const transport = new SocketTransport(this.#environment.clock, socket, tcp);
    socket.once('close', this.#gone);
    return transport;
  }

  readonly #gone = (): void => {
    this.#over = true;
    this.#cancelTimer?.();
    this.#door.close();
    this.#environment.connectionClosed(this);
  };

  /** Neither HTTP/1 nor TLS. */
  #openOther(bytes: Buffer, isHttp2 = false): void {
    this.#sniffed = null;
    // Behind CONNECT anything may be said. The proxy port and the routes to http upstreams are for HTTP: their session
    // answers 400 and shows what was refused. HTTP/2 is not read here, and passes as bytes.
    const isFree = this.#entry.destination === null || isHttp2;
    if (this.destination !== null && isFree) return this.#door.connect(this.destination, bytes);
    this.#openSession(bytes);
  }

  // --- HTTP

  #openSession(bytes: Buffer): void {
    this.#sniffed = null;
    this.#door.dropAhead();
    // Plain HTTP inside CONNECT: what was bytes to somewhere are requests to it now.
    if (this.destination?.scheme === 'tcp') {
      this.destination = this.#environment.destination('http', this.destination.host, this.destination.port);
    }
    const session = new Http1Session(this.#environment, this, this.#transport, this);
    this.#session = session;
    this.#transport.owner = session;
    session.received(bytes);
    if (this.#draining) session.drain();
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
    this.#transport.resume(hold.exchange | hold.turn);
    if (rest !== null) this.received(rest);
    // Told to the session before, perhaps, and never again.
    if (this.#transport.socket.readableEnded) return this.#transport.owner?.ended();
    if (this.#session === null && !this.#door.isOpen && this.#hello === null) this.#waitForClient();
  }

  /** A client that has not said by then what it speaks is one whose server speaks first, or that speaks in its own way. */
  #waitForClient(): void {
    const timer = this.#environment.clock.setTimer(serverFirstAfterMs, () => {
      this.#cancelTimer = null;
      if (this.destination === null || this.#over) return;
      if (this.#sniffed === null)
        this.#door.connectAhead(this.destination, this.destination.scheme !== 'tcp');
      else this.#openOther(this.#sniffed);
    });
    this.#cancelTimer = () => {
      timer.cancel();
      this.#cancelTimer = null;
    };
  }

  #refuseConnect(head: RequestHead, host: string, port: number): void {
    const failure = forbidden(host, port);
    this.#record('refused', null, head.text, failure);
    this.#transport.write(responseBytes(failureResponse(403, failure), 'close', true));
    this.#transport.close();
  }

  // --- TLS

  #readHello(bytes: Buffer): void {
    const hello = parseClientHello(bytes);
    if (hello.status === 'incomplete') return;
    if (hello.status !== 'hello') return this.#openOther(bytes);
    this.#hello = hello;
    const name = hello.serverName ?? this.#addressedName();
    const context = this.#opens(hello, name) ? this.#environment.leafContext(name) : null;
    if (context === null) return this.#passThrough(hello, bytes);
    this.#openTls(context, name, bytes);
  }

  /** TLS is opened unless the workspace says not to, or the client wants only protocols that are not read here. */
  #opens(hello: ClientHello, name: string): boolean {
    const { isPassedThrough } = this.#environment;
    if (isPassedThrough(name) || (this.destination !== null && isPassedThrough(this.destination.host)))
      return false;
    return hello.alpn.length === 0 || hello.alpn.includes('http/1.1');
  }

  /** A client that calls an address sends no name (RFC 6066, section 3): it verifies the address that it called. */
  #addressedName(): string {
    if (this.#entry.destination === null && this.destination !== null) return this.destination.host;
    return this.#socket.localAddress?.replace(/^::ffff:/, '') ?? 'localhost';
  }

  #passThrough(hello: ClientHello, bytes: Buffer): void {
    this.tls = { intercepted: false, sni: hello.serverName, alpn: hello.alpn[0] ?? null, version: null };
    this.#sniffed = null;
    if (this.destination === null) return this.#openSession(bytes);
    const { host, port, scheme } = this.destination;
    // What was an https upstream is bytes now: the client's TLS goes to it as it is.
    const tcp = scheme === 'tcp' ? this.destination : this.#environment.destination('tcp', host, port);
    this.#door.connect(tcp, bytes);
  }

  #openTls(context: SecureContext, name: string, bytes: Buffer): void {
    this.#sniffed = null;
    this.#handshaking = true;
    this.#door.dropAhead();
    this.#transport.owner = null;
    const socket = this.#socket;
    socket.removeListener('close', this.#gone);
    socket.removeAllListeners('data');
    socket.removeAllListeners('end');
    socket.removeAllListeners('drain');
    socket.pause();
    socket.unshift(bytes);
    // Inside CONNECT requests are for the place that it named, over TLS again; a route says itself what its upstream speaks.
    if (this.destination?.scheme === 'tcp') {
      const { host, port } = this.destination;
      this.destination = this.#environment.destination('https', host, port);
    }
    const offers = this.#hello?.alpn.includes('http/1.1') === true ? ['http/1.1'] : [];
    const secure = new TLSSocket(socket, { ...leafSocketOptions(context, offers) });
    const opened = this.#own(secure, socket);
    opened.owner = {
      received: (first) => this.#tlsOpened(secure, name, first),
      ended: () => opened.close(),
      closed: (error) => this.#tlsFailed(name, error),
      drained: () => undefined,
    };
    this.#transport = opened;
    secure.once('secure', () => this.#shookHands());
  }

  #shookHands(): void {
    this.#handshaking = false;
    if (this.#draining) this.#transport.close();
    // Some servers speak first inside TLS as well (SMTPS, IMAPS); a route says what its upstream speaks.
    else if (this.#entry.destination === null && this.destination !== null) this.#waitForClient();
  }

  #tlsOpened(secure: TLSSocket, name: string, bytes: Buffer): void {
    const alpn = typeof secure.alpnProtocol === 'string' ? secure.alpnProtocol : null;
    this.tls = {
      intercepted: true,
      sni: this.#hello?.serverName ?? null,
      alpn,
      version: secure.getProtocol(),
    };
    if (this.destination === null) this.destination = this.#environment.destination('https', name, 443);
    this.#transport.owner = this;
    this.received(bytes);
  }

  #tlsFailed(name: string, error: NodeJS.ErrnoException | null): void {
    const openMs = this.#environment.clock.now() - this.#acceptedAt;
    // A browser opens connections ahead and drops those that it did not need: no failure of anything.
    if (error === null && (openMs > preconnectMs || this.#draining)) return;
    const failure = describeClientTlsFailure(error, this.caller.current.name, name);
    this.tls = { intercepted: false, sni: this.#hello?.serverName ?? null, alpn: null, version: null };
    this.#record('tls-failure', this.destination, null, {
      cause: failure.cause,
      code: failure.code ?? failure.cause,
      message: failure.message,
    });
  }

  #record(
    kind: 'refused' | 'tls-failure',
    destination: Destination | null,
    rawHead: string | null,
    failure: NetworkFailure,
  ): void {
    const now = this.#environment.clock.now();
    const flow = newFlow(kind, this.#environment, this, destination, now);
    flow.rawHead = rawHead;
    finishFlow(this.#environment, flow, this, destination, failure);
  }
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

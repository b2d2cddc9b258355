import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Flow } from '#shared/flow/flow.ts';
import type { TlsFacts } from '#shared/flow/tls-facts.ts';
import type { ClientFacts } from '../proxy/environment.ts';
import { forbidden } from '../proxy/forwarding.ts';
import { identifyFirstBytes } from '../proxy/first-bytes.ts';
import type { FirstBytes } from '../proxy/first-bytes.ts';
import { Http1Session } from '../proxy/http1-session.ts';
import { Http2Session } from '../proxy/http2/http2-session.ts';
import type { SessionHost } from '../proxy/http1-session.ts';
import type { RequestHead } from '../proxy/http1/head.ts';
import type { SwitchedProtocol } from '../proxy/exchange-host.ts';
import { failureResponse, responseBytes } from '../proxy/local-response.ts';
import { finishFlow, newFlow } from '../proxy/new-flow.ts';
import { hold } from '../proxy/ports.ts';
import type { Awaited, Destination, NameHolder, NetworkFailure, TransportOwner } from '../proxy/ports.ts';
import { userOf } from '../proxy/proxy-user.ts';
import { socks5Reply, socks5ReplyBytes } from '../proxy/socks5.ts';
import type { Socks5Request } from '../proxy/socks5.ts';
import { refuseSocks4, Socks5Session } from '../proxy/socks5-session.ts';
import type { SocksHost } from '../proxy/socks5-session.ts';
import type { Watched } from './client-watch.ts';
import type { ConnectionEnvironment, Entry } from './connection-environment.ts';
import { openHttp2 } from './http2-server.ts';
import { SocketTransport } from './socket-transport.ts';
import { TlsOpening } from './tls-opening.ts';
import type { TlsOpeningHost } from './tls-opening.ts';
import { TunnelDoor } from './tunnel-door.ts';

/**
 * A client that sends nothing after CONNECT waits for the server to speak first (SMTP, MySQL): after this long Spike
 * connects, and whoever speaks first decides what it is.
 */
const serverFirstAfterMs = 400;
/** More than any ClientHello or request line needs before it can be told what it is. */
const sniffLimitBytes = 65_536;
/** A TLS handshake record (RFC 8446, section 5.1). */
const tlsHandshake = 0x16;
const established = Buffer.from('HTTP/1.1 200 Connection Established\r\n\r\n');

/**
 * One accepted connection. Finds out what it speaks, opens TLS, and hands it to a session or a tunnel:
 *
 *     proxy port: sniff ─┬─► http1 session ─ CONNECT ─┬─► sniff ─┬─► TLS ─► sniff again
 *                        └─► SOCKS5 ─────────────────┘          ├─► http1 or http2 session
 *     route:      sniff or tunnel                               └─► tunnel
 */
export class ClientConnection
  implements ClientFacts, SessionHost, SocksHost, TlsOpeningHost, TransportOwner, Watched
{
  readonly connectionId: string;
  readonly client: string;
  caller: NameHolder;
  tls: Flow['tls'] = null;
  faults: ClientFacts['faults'] = [];
  destination: Destination | null;
  /** What the client named as the place to go to: a virtual name leads elsewhere once it is known what is spoken. */
  asked: Socks5Request | null = null;
  isDraining = false;
  streams: Watched['streams'] = [];
  readonly ownHost: string | null;
  readonly endsWhole: boolean;
  connect: SessionHost['connect'];

  #transport: SocketTransport;
  #session: Http1Session | Http2Session | null = null;
  #socks: Socks5Session | null = null;
  #sniffed: Buffer | null = null;
  #tlsOpening: TlsOpening | null = null;
  readonly #door: TunnelDoor;
  #proxyUser: string | null = null;
  #cancelTimer: (() => void) | null = null;
  #over = false;
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
    this.client = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
    this.caller = caller;
    this.destination = entry.destination;
    this.ownHost = entry.ownHost;
    this.endsWhole = entry.origin === 'toxiproxy';
    this.connect = entry.destination === null ? (head, rest) => this.#connected(head, rest) : null;
    this.#door = new TunnelDoor(environment, this, () => this.#transport);
    this.#transport = this.#own(socket);
    this.#transport.owner = this;
  }

  /** Begins to read; a TCP route is a tunnel from the start, since its server may speak first. */
  open(): void {
    if (this.#entry.destination?.scheme === 'tcp') this.#door.connect(this.#entry.destination, null);
  }

  /** The client's, without its port. */
  get address(): string {
    return this.client.slice(0, this.client.lastIndexOf(':'));
  }

  /** Takes nothing from the client: ends with a reset, and shows why. */
  refuse(failure: NetworkFailure): void {
    this.#record('refused', this.destination, null, failure);
    this.#transport.reset();
  }

  get listener(): string | null {
    return this.#entry.route;
  }

  /** The route that it came by; null for the proxy port. */
  get entry(): Entry {
    return this.#entry;
  }

  /** Lets the call at hand end and closes what is idle; a tunnel stays until its sides end it. */
  drain(): void {
    this.isDraining = true;
    if (this.#session !== null) this.#session.drain();
    else if (this.awaited !== 'head' && !this.#door.isOpen) this.#transport.close();
  }

  /** Whether the virtual name that the client called leads elsewhere by now. */
  get hasMoved(): boolean {
    if (this.asked === null || this.destination === null) return false;
    return (
      this.#destinationAs(this.destination.scheme, this.destination.serverName).key !== this.destination.key
    );
  }

  // --- Watched

  get awaited(): Awaited {
    const awaited = this.#session?.awaited ?? null;
    // A body that is not read, because a fault or a slow upstream holds it back, is not the client's to send.
    if (awaited === 'body' && this.#transport.isHeld) return null;
    if (this.#session !== null) return awaited;
    if (this.#door.isOpen) return this.#transport.isFull ? 'reading' : null;
    if (this.#tlsOpening?.isHeld === true) return null;
    if (this.#isHandshaking || this.#sniffed !== null || this.#socks !== null) return 'head';
    // Behind CONNECT either side may speak first, in its own time.
    return this.destination?.scheme === 'tcp' ? null : 'request';
  }

  get turn(): number {
    return this.#session?.turn ?? 0;
  }

  get progress(): number {
    return this.#transport.progress;
  }

  probe(): void {
    this.#transport.probe();
  }

  timedOut(failure: NetworkFailure): void {
    if (this.#door.isOpen) return this.stop(failure);
    if (this.#session !== null) return this.#session.timedOut(failure);
    if (this.#socks !== null) return this.#socks.timedOut(failure);
    const isTls = this.#isHandshaking || this.#sniffed?.[0] === tlsHandshake;
    if (this.#sniffed !== null && !isTls) return this.#openSession(this.#sniffed).timedOut(failure);
    this.#transport.owner = null;
    if (!isTls) return this.#transport.close();
    this.#record('tls-failure', this.destination, null, failure);
    this.#transport.destroy();
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
    const speaks = this.#isHttp1 ? 'http1' : identifyFirstBytes(all);
    if (speaks === 'more' && all.length < sniffLimitBytes) return;
    this.#cancelTimer?.();
    if (speaks === 'http1') return void this.#openSession(all);
    if (speaks === 'http2') return this.#openHttp2(all);
    if (this.destination === null && (speaks === 'socks5' || speaks === 'socks4')) {
      return this.#openSocks(speaks, all);
    }
    if (speaks === 'tls') {
      this.#tlsOpening ??= new TlsOpening(this.#environment, this, this.#transport.socket);
      return this.#tlsOpening.read(all);
    }
    this.#openOther(all);
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

  // --- SocksHost

  socksUser(name: string): void {
    this.caller = this.#environment.resolveCaller(this.#socket, name);
  }

  socksConnect(request: Socks5Request, rest: Buffer | null): void {
    this.#socks = null;
    const failure = this.#forbids(request);
    if (failure === null) return this.#carry(request, socks5ReplyBytes(socks5Reply.succeeded), rest);
    this.#refuse(failure, null, socks5ReplyBytes(socks5Reply.notAllowed));
  }

  socksRefused(failure: NetworkFailure): void {
    this.#socks = null;
    this.#record('refused', null, null, failure);
  }

  #openSocks(speaks: FirstBytes, bytes: Buffer): void {
    this.#sniffed = null;
    if (speaks === 'socks4') return refuseSocks4(this.#transport, this);
    this.#socks = new Socks5Session(this.#transport, this);
    this.#transport.owner = this.#socks;
    this.#socks.received(bytes);
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

  /** Agreed on with the client (RFC 7301): whatever its bytes look like, the parser says what is wrong with them. */
  get #isHttp1(): boolean {
    return this.tls?.intercepted === true && this.tls.alpn?.startsWith('http/1.') === true;
  }

  /** Neither HTTP/1 nor TLS. */
  #openOther(bytes: Buffer): void {
    this.#sniffed = null;
    // Behind CONNECT anything may be said. The proxy port and the routes to http upstreams are for HTTP: their session
    // answers 400 and shows what was refused.
    const isFree = this.#entry.destination === null;
    if (this.destination !== null && isFree) return this.#door.connect(this.destination, bytes);
    this.#openSession(bytes);
  }

  // --- HTTP

  /** Plain HTTP inside CONNECT: what was bytes to somewhere are requests to it now. */
  #expectRequests(): void {
    this.#sniffed = null;
    this.#door.dropAhead();
    if (this.destination?.scheme === 'tcp') this.destination = this.#destinationAs('http');
  }

  #openHttp2(bytes: Buffer): void {
    this.#expectRequests();
    const session = new Http2Session(this.#environment, this, this.#environment.http2Limits);
    this.#session = session;
    this.streams = session.streams;
    session.connection = openHttp2(this.#transport, bytes, this.#environment, {
      opened: (stream, head) => session.opened(stream, head),
      closed: (error) => session.closed(error),
    });
    if (this.isDraining) session.drain();
  }

  #openSession(bytes: Buffer): Http1Session {
    this.#expectRequests();
    const session = new Http1Session(this.#environment, this, this.#transport, this);
    this.#session = session;
    this.#transport.owner = session;
    session.received(bytes);
    if (this.isDraining) session.drain();
    return session;
  }

  #connected(head: RequestHead, rest: Buffer | null): void {
    const { host, port } = head.destination;
    this.#session = null;
    const asked = { host, port: port ?? 443 };
    const failure = this.#forbids(asked);
    if (failure === null) return this.#carry(asked, established, rest);
    this.#refuse(failure, head.text, responseBytes(failureResponse(403, failure), 'close', true));
  }

  // --- places that the client names, by CONNECT or SOCKS

  #forbids({ host, port }: Socks5Request): NetworkFailure | null {
    return this.#environment.isForbidden(host, port) ? forbidden(host, port) : null;
  }

  #refuse(failure: NetworkFailure, rawHead: string | null, answer: Buffer): void {
    this.connect = null;
    this.#transport.owner = this;
    this.#record('refused', null, rawHead, failure);
    this.#transport.write(answer);
    this.#transport.close();
  }

  /**
   * Answers before there is a connection: whether one is needed, and which, is known when the client has spoken. HTTP takes
   * one from the pool, and is told in words why there is none; a tunnel that cannot be connected ends with a reset.
   */
  #carry(asked: Socks5Request, answer: Buffer, rest: Buffer | null): void {
    this.connect = null;
    this.#transport.owner = this;
    this.asked = asked;
    this.destination = this.#destinationAs('tcp');
    this.#transport.write(answer);
    this.#transport.resume(hold.exchange | hold.turn);
    if (rest !== null) this.received(rest);
    // Told to the session before, perhaps, and never again.
    if (this.#transport.socket.readableEnded) return this.#transport.owner?.ended();
    if (this.#session === null && !this.#door.isOpen && this.#tlsOpening?.isDecided !== true)
      this.#waitForClient();
  }

  /** The place that the client named, or its route's, for what turned out to be spoken. */
  #destinationAs(scheme: Destination['scheme'], serverName: string | null = null): Destination {
    const { host, port } = (this.asked ?? this.destination) as Socks5Request;
    return this.#environment.destination(scheme, host, port, serverName);
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

  // --- TlsOpeningHost

  get #isHandshaking(): boolean {
    return this.#tlsOpening?.isHandshaking === true;
  }

  notTls(bytes: Buffer): void {
    this.#openOther(bytes);
  }

  passThrough(tls: TlsFacts, bytes: Buffer): void {
    this.tls = tls;
    this.#sniffed = null;
    if (this.destination === null) return void this.#openSession(bytes);
    // What was an https upstream is bytes now: the client's TLS goes to it as it is.
    this.#door.connect(this.#destinationAs('tcp'), bytes);
  }

  handshakeWaits(owner: TransportOwner): void {
    this.#transport.owner = owner;
  }

  handshakeEnds(tls: TlsFacts, failure: NetworkFailure, last: Buffer | null): void {
    this.tls = tls;
    this.#transport.owner = null;
    this.#record('tls-failure', this.destination, null, failure);
    if (last !== null) this.#transport.write(last);
    this.#transport.close();
  }

  handshakeBegins(serverName: string | null): void {
    this.#sniffed = null;
    this.#door.dropAhead();
    this.#transport.owner = null;
    this.#transport.socket.removeListener('close', this.#gone);
    // Requests are for the place that the client named, over TLS again; a route says itself what its upstream speaks.
    if (this.asked !== null) this.destination = this.#destinationAs('https', serverName);
  }

  own(secure: TLSSocket): SocketTransport {
    this.#transport = this.#own(secure, this.#socket);
    return this.#transport;
  }

  handshakeOver(alpn: string | null): void {
    if (this.isDraining) this.#transport.close();
    // Some servers speak first inside TLS as well (SMTPS, IMAPS), unless HTTP was agreed on; a route says what its upstream speaks.
    else if (this.#entry.destination === null && this.destination !== null && alpn === null)
      this.#waitForClient();
  }

  opened(tls: TlsFacts, name: string, bytes: Buffer): void {
    this.tls = tls;
    this.#tlsOpening = null;
    if (this.destination === null) {
      this.asked = { host: name, port: 443 };
      this.destination = this.#destinationAs('https');
    }
    this.#transport.owner = this;
    this.received(bytes);
  }

  rejected(tls: TlsFacts, failure: NetworkFailure): void {
    this.tls = tls;
    this.#record('tls-failure', this.destination, null, failure);
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

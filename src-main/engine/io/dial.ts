import { lookup } from 'node:dns';
import { connect as connectTcp, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { proxyName } from '#shared/workspace/upstream-proxy.ts';
import type { Clock, Timer } from '../clock.ts';
import { DirectReads } from './direct-reads.ts';
import { keepAliveAfterMs } from './keep-alive.ts';
import { forbidden } from '../proxy/forwarding.ts';
import type { ConnectTimings, Destination, NetworkFailure } from '../proxy/ports.ts';
import { ConnectClient } from '../proxy/upstream-proxy/connect-client.ts';
import type { ProxyConversation } from '../proxy/upstream-proxy/conversation.ts';
import { badAnswer, hungUp, placeText, wayRefused } from '../proxy/upstream-proxy/proxy-failure.ts';
import { socks5Address, Socks5Client } from '../proxy/upstream-proxy/socks5-client.ts';
import type { UpstreamContext } from '../tls/client-certificates.ts';
import { upstreamSocketOptions } from '../tls/tls-options.ts';
import {
  describeConnectFailure,
  describeProxyTls,
  describeTimeout,
  describeUpstreamTls,
} from './dial/connect-failure.ts';
import type { Hop, Phase } from './dial/connect-failure.ts';
import { openByProxy } from './dial/proxy-opening.ts';

export interface DialOptions {
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  /** What to speak TLS with to a host; asked for each connection, because trust and client certificates may change. */
  readonly secureContext: (host: string, port: number) => UpstreamContext;
  /**
   * host:port that is never connected to: Spike's own listeners. Asked of the address that was really reached;
   * `sameMachine` says that it is one of this machine's own.
   */
  readonly isForbidden: (host: string, port: number, sameMachine: boolean) => boolean;
  /** The same for a proxy: a route's listener, which may be called, would lead back to it. */
  readonly isOwnPort: (host: string, port: number, sameMachine: boolean) => boolean;
}

export interface Dialed {
  /** What bytes are written to and read from; a TLS socket for `https`. */
  readonly socket: Socket;
  readonly tcp: Socket;
  /** What `socket` reads with; null: its stream. */
  readonly reads: DirectReads | null;
  /** host:port that was reached; by a proxy: `host:port via proxy:port`, with the host as it was asked for. */
  readonly address: string;
  readonly timings: ConnectTimings;
  readonly session: {
    /** null: the upstream chose none. */
    readonly alpn: string | null;
    readonly version: string | null;
    /** The client certificate that was shown if it was asked for, as its setting calls it. */
    readonly certificate: string | null;
  } | null;
}

export type DialResult =
  { readonly ok: true; readonly dialed: Dialed } | { readonly ok: false; readonly failure: NetworkFailure };

/** What is offered by ALPN (RFC 7301) unless more is asked for. */
const defaultAlpn: readonly string[] = ['http/1.1'];

/**
 * Connects to a destination: name, TCP, what a proxy wants, and for `https` TLS with its certificate verified. Calls back
 * once; a failure is data. Returns what gives up.
 * @param alpnProtocols What is offered in TLS, best first.
 */
export function dial(
  destination: Destination,
  options: DialOptions,
  done: (result: DialResult) => void,
  alpnProtocols: readonly string[] = defaultAlpn,
): () => void {
  const attempt = new Dialing(destination, options, done, alpnProtocols);
  return () => attempt.abandon();
}

/**
 *     dns ─► connect ─► (proxy-tls) ─► (proxy: CONNECT, SOCKS) ─► (tls)
 *
 * The parts in brackets where the destination has them. One timer for all.
 */
class Dialing {
  #done: ((result: DialResult) => void) | null;
  #timer: Timer;
  #dnsMs = -1;
  #connectMs = -1;
  #mark: number;
  #phase: Phase = 'dns';
  /** The client certificate of the handshake at hand. */
  #certificate: string | null = null;
  /** What the next layer speaks over: TCP, or TLS with the proxy. */
  #carrier: Socket;
  readonly #tcp: Socket;
  /** Only where nobody else reads the socket: no proxy that is talked to first, no TLS, no node:http2. */
  readonly #reads: DirectReads | null;
  readonly #hop: Hop;
  readonly #destination: Destination;
  readonly #options: DialOptions;
  readonly #alpnProtocols: readonly string[];

  constructor(
    destination: Destination,
    options: DialOptions,
    done: (result: DialResult) => void,
    alpnProtocols: readonly string[],
  ) {
    this.#destination = destination;
    this.#options = options;
    this.#done = done;
    this.#alpnProtocols = alpnProtocols;
    const proxy = destination.via?.proxy ?? null;
    const { host, port } = proxy ?? destination;
    this.#hop = { host, port, proxy };
    const isHttp2 = alpnProtocols !== defaultAlpn;
    const isPlain = proxy === null && destination.scheme !== 'https' && !isHttp2;
    this.#reads = isPlain ? new DirectReads() : null;
    this.#mark = options.clock.now();
    this.#timer = options.clock.setTimer(options.connectTimeoutMs, () => this.#timedOut());
    this.#tcp = this.#connect();
    this.#carrier = this.#tcp;
  }

  abandon(): void {
    this.#done = null;
    this.#timer.cancel();
    this.#destroy();
  }

  #connect(): Socket {
    const { host, port } = this.#hop;
    const tcp = connectTcp({
      host,
      port,
      noDelay: true,
      allowHalfOpen: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveAfterMs,
      ...(this.#reads === null ? {} : { onread: this.#reads.onread }),
    });
    if (isIP(host) !== 0) this.#phase = 'connect';
    tcp.once('lookup', (error) => {
      if (error !== null) return;
      this.#dnsMs = this.#lap();
      this.#phase = 'connect';
    });
    tcp.once('error', (error) => this.#failed(error));
    tcp.once('connect', () => this.#connected());
    return tcp;
  }

  #connected(): void {
    this.#connectMs = this.#lap();
    const tcp = this.#tcp;
    const { proxy } = this.#hop;
    const { isForbidden, isOwnPort } = this.#options;
    const sameMachine = tcp.remoteAddress === tcp.localAddress;
    const isSpike = proxy === null ? isForbidden : isOwnPort;
    if (isSpike(tcp.remoteAddress ?? '', tcp.remotePort ?? 0, sameMachine)) {
      return this.#fail(this.#forbidden());
    }
    if (proxy === null) return this.#openUpstream();
    if (proxy.scheme === 'https') this.#openProxyTls(proxy.host);
    else this.#askProxy();
  }

  #forbidden(): NetworkFailure {
    const { host, port, proxy } = this.#hop;
    if (proxy === null) return forbidden(host, port);
    return {
      cause: 'upstream-loop',
      code: 'SPIKE_FORBIDDEN',
      message: `The upstream proxy ${proxyName(proxy)} is a port of this Spike itself: calls would go round in a circle. Correct upstreamProxy.url.`,
    };
  }

  #openProxyTls(host: string): void {
    this.#phase = 'proxy-tls';
    const socket = this.#openTls(host, this.#hop.port, defaultAlpn, () => {
      this.#carrier = socket;
      this.#askProxy();
    });
  }

  /** A proxy that forwards is asked with the request itself. */
  #askProxy(): void {
    this.#phase = 'proxy';
    const { via } = this.#destination;
    if (via === null || via.way === 'forward') return this.#openUpstream();
    const { proxy } = via;
    if (proxy.scheme === 'http' || proxy.scheme === 'https') {
      return this.#converse(new ConnectClient(proxy, this.#destination));
    }
    if (proxy.scheme === 'socks5' && isIP(this.#destination.host) === 0) return this.#resolveForProxy();
    this.#askSocks(this.#destination.host);
  }

  /** By plain `socks5` names are looked up here. The answer's order is the system's, as with every other call. */
  #resolveForProxy(): void {
    const { host, port } = this.#destination;
    lookup(host, (error, address) => {
      if (this.#done === null) return;
      if (error !== null) return this.#fail(describeConnectFailure(error, { host, port, proxy: null }));
      if (this.#options.isForbidden(address, port, false)) return this.#fail(forbidden(host, port));
      this.#askSocks(address);
    });
  }

  #askSocks(host: string): void {
    const { via } = this.#destination;
    const address = socks5Address(host);
    if (via === null) return;
    if (address === null) {
      return this.#fail(wayRefused(via.proxy, this.#destination, 'SOCKS_NAME', 'a name of over 255 bytes'));
    }
    this.#converse(new Socks5Client(via.proxy, this.#destination, address));
  }

  #converse(conversation: ProxyConversation): void {
    const { proxy } = this.#hop;
    if (proxy === null) return;
    openByProxy(this.#carrier, conversation, {
      opened: (hasRest) => {
        // A TLS server waits for its client: what speaks first is not the upstream.
        if (hasRest && this.#destination.scheme === 'https') {
          return this.#fail(badAnswer(proxy, 'early-bytes', 'sent bytes behind its answer'));
        }
        this.#openUpstream();
      },
      refused: (failure) => this.#fail(failure),
      hungUp: () => this.#fail(hungUp(proxy, this.#destination, 'SPIKE_CLOSED')),
    });
  }

  #openUpstream(): void {
    // What was said with the proxy is a part of connecting.
    if (this.#hop.proxy !== null) this.#connectMs += this.#lap();
    if (this.#destination.scheme !== 'https') return this.#succeed(this.#carrier, -1, null);
    this.#phase = 'tls';
    const { host, port, serverName } = this.#destination;
    const socket = this.#openTls(serverName ?? host, port, this.#alpnProtocols, () => {
      const alpn = typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : null;
      const session = { alpn, version: socket.getProtocol(), certificate: this.#certificate };
      this.#succeed(socket, this.#lap(), session);
    });
  }

  #openTls(host: string, port: number, alpnProtocols: readonly string[], opened: () => void): TLSSocket {
    const { secureContext, certificate } = this.#options.secureContext(host, port);
    this.#certificate = certificate;
    const carrier = this.#carrier;
    const socket = connectTls(upstreamSocketOptions({ host, secureContext, alpnProtocols, socket: carrier }));
    this.#carrier = socket;
    socket.once('error', (error) => this.#failed(error));
    socket.once('secureConnect', opened);
    return socket;
  }

  #succeed(socket: Socket, tlsMs: number, session: Dialed['session']): void {
    const done = this.#take();
    if (done === null) return;
    socket.removeAllListeners('error');
    // The sockets below report their errors through the one above; without a listener they would be thrown.
    if (socket !== this.#tcp) {
      this.#tcp.removeAllListeners('error');
      this.#tcp.on('error', (error) => socket.destroy(error));
    }
    const timings = { dnsMs: this.#dnsMs, connectMs: this.#connectMs, tlsMs };
    // Stopped by the conversation with a proxy; flows in the next turn, when its new reader is there.
    if (socket.isPaused()) socket.resume();
    const [tcp, reads, address] = [this.#tcp, this.#reads, this.#address()];
    done({ ok: true, dialed: { socket, tcp, reads, address, timings, session } });
  }

  #address(): string {
    const { host, port, via } = this.#destination;
    if (via === null) return placeText({ host: this.#tcp.remoteAddress ?? host, port });
    return `${placeText({ host, port })} via ${placeText(via.proxy)}`;
  }

  #failed(error: NodeJS.ErrnoException): void {
    this.#fail(this.#describe(error));
  }

  #describe(error: NodeJS.ErrnoException): NetworkFailure {
    const { proxy } = this.#hop;
    if (this.#phase === 'tls') return describeUpstreamTls(error, this.#destination, this.#certificate);
    if (proxy === null || this.#phase === 'dns' || this.#phase === 'connect') {
      return describeConnectFailure(error, this.#hop);
    }
    if (this.#phase === 'proxy-tls') return describeProxyTls(error, proxy, this.#certificate);
    return hungUp(proxy, this.#destination, error.code ?? 'UNKNOWN');
  }

  #timedOut(): void {
    const { connectTimeoutMs } = this.#options;
    this.#fail(describeTimeout(this.#phase, this.#hop, this.#destination, connectTimeoutMs));
  }

  #fail(failure: NetworkFailure): void {
    const done = this.#take();
    this.#destroy();
    done?.({ ok: false, failure });
  }

  #destroy(): void {
    // What comes after the failure that was reported says nothing new.
    for (const socket of new Set([this.#carrier, this.#tcp])) {
      socket.on('error', () => undefined);
      socket.destroy();
    }
  }

  #take(): ((result: DialResult) => void) | null {
    const done = this.#done;
    this.#done = null;
    this.#timer.cancel();
    return done;
  }

  #lap(): number {
    const now = this.#options.clock.now();
    const lap = now - this.#mark;
    this.#mark = now;
    return lap;
  }
}

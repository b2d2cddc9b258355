import { connect as connectTcp, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { FailureCause } from '#shared/flow/failure-cause.ts';
import type { Clock, Timer } from '../clock.ts';
import { forbidden } from '../proxy/forwarding.ts';
import type { ConnectTimings, Destination, NetworkFailure } from '../proxy/ports.ts';
import { describeTlsFailure } from '../tls/tls-failure.ts';
import { upstreamSocketOptions } from '../tls/tls-options.ts';

export interface DialOptions {
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  /** Built once and shared by all connections; asked for each, because the trust settings may change. */
  readonly secureContext: () => SecureContext;
  /**
   * host:port that is never connected to: Spike's own listeners. Asked of the address that was really reached;
   * `sameMachine` says that it is one of this machine's own.
   */
  readonly isForbidden: (host: string, port: number, sameMachine: boolean) => boolean;
}

export interface Dialed {
  /** What bytes are written to and read from; a TLS socket for `https`. */
  readonly socket: Socket;
  readonly tcp: Socket;
  readonly address: string;
  readonly timings: ConnectTimings;
  readonly session: { readonly alpn: string | null; readonly version: string | null } | null;
}

export type DialResult =
  { readonly ok: true; readonly dialed: Dialed } | { readonly ok: false; readonly failure: NetworkFailure };

/**
 * Connects to a destination: name, TCP, and for `https` TLS with its certificate verified. Calls back once; a failure
 * is data. Returns what gives up.
 */
export function dial(
  destination: Destination,
  options: DialOptions,
  done: (result: DialResult) => void,
): () => void {
  const attempt = new Dialing(destination, options, done);
  return () => attempt.abandon();
}

class Dialing {
  #done: ((result: DialResult) => void) | null;
  #timer: Timer;
  #dnsMs = -1;
  #connectMs = -1;
  #mark: number;
  #phase: 'dns' | 'connect' | 'tls' = 'dns';
  readonly #tcp: Socket;
  readonly #destination: Destination;
  readonly #options: DialOptions;

  constructor(destination: Destination, options: DialOptions, done: (result: DialResult) => void) {
    this.#destination = destination;
    this.#options = options;
    this.#done = done;
    this.#mark = options.clock.now();
    this.#timer = options.clock.setTimer(options.connectTimeoutMs, () => this.#timedOut());
    this.#tcp = this.#connect();
  }

  abandon(): void {
    this.#done = null;
    this.#timer.cancel();
    this.#tcp.destroy();
  }

  #connect(): Socket {
    const { host, port } = this.#destination;
    const tcp = connectTcp({ host, port, noDelay: true, allowHalfOpen: true });
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
    const sameMachine = tcp.remoteAddress === tcp.localAddress;
    if (this.#options.isForbidden(tcp.remoteAddress ?? '', tcp.remotePort ?? 0, sameMachine)) {
      return this.#fail(forbidden(this.#destination.host, this.#destination.port));
    }
    if (this.#destination.scheme === 'https') this.#openTls();
    else this.#succeed(tcp, -1, null);
  }

  #openTls(): void {
    this.#phase = 'tls';
    const socket: TLSSocket = connectTls(
      upstreamSocketOptions({
        host: this.#destination.serverName ?? this.#destination.host,
        secureContext: this.#options.secureContext(),
        alpnProtocols: ['http/1.1'],
        socket: this.#tcp,
      }),
    );
    socket.once('error', (error) => this.#failed(error));
    socket.once('secureConnect', () => {
      const alpn = typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : null;
      this.#succeed(socket, this.#lap(), { alpn, version: socket.getProtocol() });
    });
  }

  #succeed(socket: Socket, tlsMs: number, session: Dialed['session']): void {
    const done = this.#take();
    if (done === null) return;
    socket.removeAllListeners('error');
    this.#tcp.removeAllListeners('error');
    // The TCP socket below a TLS one reports its errors through it; without a listener they would be thrown.
    if (socket !== this.#tcp) this.#tcp.on('error', (error) => socket.destroy(error));
    const address = formatAddress(this.#tcp.remoteAddress ?? this.#destination.host, this.#destination.port);
    const timings = { dnsMs: this.#dnsMs, connectMs: this.#connectMs, tlsMs };
    done({ ok: true, dialed: { socket, tcp: this.#tcp, address, timings, session } });
  }

  #failed(error: NodeJS.ErrnoException): void {
    const failure =
      this.#phase === 'tls'
        ? describeTls(error, this.#destination)
        : describeConnectFailure(error, this.#destination);
    this.#fail(failure);
  }

  #timedOut(): void {
    const seconds = this.#options.connectTimeoutMs / 1000;
    const what = this.#phase === 'dns' ? 'No answer to the name look-up of' : 'No connection to';
    this.#fail({
      cause: this.#phase === 'dns' ? 'upstream-dns-failed' : 'upstream-connect-timeout',
      code: 'ETIMEDOUT',
      message: `${what} ${place(this.#destination)} within ${seconds} s. Check that it runs and can be reached from here.`,
    });
  }

  #fail(failure: NetworkFailure): void {
    const done = this.#take();
    this.#tcp.on('error', () => undefined); // What comes after the failure that was reported says nothing new.
    this.#tcp.destroy();
    done?.({ ok: false, failure });
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

function place(destination: Destination): string {
  return formatAddress(destination.host, destination.port);
}

function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function describeTls(error: NodeJS.ErrnoException, destination: Destination): NetworkFailure {
  const { serverName } = destination;
  const at = serverName === null ? place(destination) : `${serverName} at ${place(destination)}`;
  const failure = describeTlsFailure(error, at);
  return { cause: failure.cause, code: failure.code ?? 'TLS', message: failure.message };
}

const connectCauses: Readonly<Record<string, FailureCause>> = {
  ECONNREFUSED: 'upstream-refused',
  ENOTFOUND: 'upstream-dns-failed',
  EAI_AGAIN: 'upstream-dns-failed',
  EAI_NODATA: 'upstream-dns-failed',
  EAI_FAIL: 'upstream-dns-failed',
  ETIMEDOUT: 'upstream-connect-timeout',
  ECONNRESET: 'upstream-reset',
};

function describeConnectFailure(error: NodeJS.ErrnoException, destination: Destination): NetworkFailure {
  const first = error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException) : error;
  const code = first.code ?? error.code ?? 'UNKNOWN';
  const cause = connectCauses[code] ?? 'upstream-unreachable';
  return { cause, code, message: sentence(cause, code, destination) };
}

function sentence(cause: FailureCause, code: string, destination: Destination): string {
  const at = place(destination);
  switch (cause) {
    case 'upstream-refused':
      return `Nothing listens on ${at}: the connection was refused. Start the service, or correct the address.`;
    case 'upstream-dns-failed':
      return `The name ${destination.host} could not be resolved (${code}). Correct it, or add a route for it.`;
    case 'upstream-connect-timeout':
      return `No connection to ${at}: no answer in time. Check that it runs and can be reached from here.`;
    default:
      return `No connection to ${at} (${code}).`;
  }
}

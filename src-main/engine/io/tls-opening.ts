import { isIP } from 'node:net';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { SecureContext } from 'node:tls';
import type { ClientHelloFacts, TlsFacts } from '#shared/flow/tls-facts.ts';
import type { ClientFacts } from '../proxy/environment.ts';
import { HandshakeRules } from '../proxy/handshake-rules.ts';
import type { Destination, NetworkFailure, TransportOwner } from '../proxy/ports.ts';
import type { Socks5Request } from '../proxy/socks5.ts';
import type { HandshakeFault } from '../rules/faults/stage.ts';
import { parseClientHello } from '../tls/client-hello.ts';
import type { ClientHello } from '../tls/client-hello.ts';
import { clientHelloFacts } from '../tls/client-hello-facts.ts';
import { describeClientTlsFailure } from '../tls/client-tls-failure.ts';
import { leafSocketOptions } from '../tls/tls-options.ts';
import type { ConnectionEnvironment } from './connection-environment.ts';
import type { SocketTransport } from './socket-transport.ts';

/** A client that distrusts a certificate leaves at once; one that stayed longer just had nothing to ask. */
const preconnectMs = 2000;

const passedOn =
  'Its next connections to this name pass through unopened, for an hour (tls.autoPassthrough).';

/** The connection whose client speaks TLS: what the opening asks it, and tells it. */
export interface TlsOpeningHost extends ClientFacts {
  /** What the client named by CONNECT or SOCKS; null on a route and on the proxy port itself. */
  readonly asked: Socks5Request | null;
  readonly isDraining: boolean;
  /** What rules did to the handshake. */
  faults: ClientFacts['faults'];
  /** A rule holds the handshake: `owner` is told what the client does meanwhile. */
  handshakeWaits(owner: TransportOwner): void;
  /** There is no handshake; `last` is still sent. */
  handshakeEnds(tls: TlsFacts, failure: NetworkFailure, last: Buffer | null): void;
  /** It began like TLS, and is something else. */
  notTls(bytes: Buffer): void;
  /** It is not opened: `bytes` are the hello, for the upstream. */
  passThrough(tls: TlsFacts, bytes: Buffer): void;
  /** It is opened: from now on nobody else reads from the socket. `serverName` is whom the client means, if it says so. */
  handshakeBegins(serverName: string | null): void;
  /** Takes over the socket inside TLS. */
  own(secure: TLSSocket): SocketTransport;
  /** @param alpn The protocol that was agreed on; null for none. */
  handshakeOver(alpn: string | null): void;
  /** The client has said something inside; `name` is whom its certificate is for. */
  opened(tls: TlsFacts, name: string, bytes: Buffer): void;
  /** The client does not go on with the certificate that it was shown. */
  rejected(tls: TlsFacts, failure: NetworkFailure): void;
}

/** The opening of TLS on one client's connection: reads the hello, decides, makes the handshake. */
export class TlsOpening {
  isHandshaking = false;
  /** A rule holds it: it is not the client's turn. */
  isHeld = false;
  /** What a rule does to it; null: nothing. */
  #faulty: Extract<HandshakeFault, { kind: 'certificate' | 'version' }> | null = null;
  #hello: ClientHello | null = null;
  #helloFacts: ClientHelloFacts | null = null;
  /** What has come while it is not known yet who calls. */
  #unnamed: Buffer | null = null;
  /** No use looking at the hello again before there is so much of it. */
  #neededBytes = 0;
  readonly #acceptedAt: number;
  readonly #environment: ConnectionEnvironment;
  readonly #host: TlsOpeningHost;
  readonly #socket: Socket;

  constructor(environment: ConnectionEnvironment, host: TlsOpeningHost, socket: Socket) {
    this.#environment = environment;
    this.#host = host;
    this.#socket = socket;
    this.#acceptedAt = environment.clock.now();
  }

  /** Whether the hello has been read whole, so that it is known what becomes of the connection. */
  get isDecided(): boolean {
    return this.#hello !== null;
  }

  /** Everything that has come from the client so far. */
  read(bytes: Buffer): void {
    if (this.#unnamed !== null) {
      this.#unnamed = bytes;
      return;
    }
    if (bytes.length < this.#neededBytes) return;
    const hello = parseClientHello(bytes);
    if (hello.status === 'incomplete') {
      this.#neededBytes = hello.neededBytes;
      return;
    }
    if (hello.status !== 'hello') return this.#host.notTls(bytes);
    this.#hello = hello;
    if (this.#environment.isRecording()) this.#helloFacts = clientHelloFacts(hello);
    this.#decide(hello, hello.serverName ?? this.#addressedName(), bytes);
  }

  #decide(hello: ClientHello, name: string, bytes: Buffer): void {
    const context = this.#opens(hello, name) ? this.#environment.leafContext(name) : null;
    if (context === null) return this.#passThrough(hello, bytes, null);
    const { autoPassthrough } = this.#environment;
    if (!autoPassthrough.concerns(name) || !this.#canPassThrough) {
      return this.#openUnderRules(hello, context, name, bytes);
    }
    this.#whenNamed(bytes, (all) => {
      const note = autoPassthrough.noteOn(this.#client, name);
      if (note === null) this.#openUnderRules(hello, context, name, all);
      else this.#passThrough(hello, all, note);
    });
  }

  #passThrough(hello: ClientHello, bytes: Buffer, note: string | null): void {
    this.#host.passThrough({ ...this.#facts(false, hello.alpn[0] ?? null, null), note }, bytes);
  }

  /** Waits until it is known who calls: the record of a client that is passed through is by its name. */
  #whenNamed(bytes: Buffer, then: (all: Buffer) => void): void {
    const { ready } = this.#host.caller;
    if (ready === null) return then(bytes);
    this.#unnamed = bytes;
    this.#socket.pause();
    void ready.then(() => {
      const all = this.#unnamed ?? bytes;
      this.#unnamed = null;
      if (this.#socket.destroyed) return;
      this.#socket.resume();
      then(all);
    });
  }

  get #client(): string {
    return this.#host.caller.current.name;
  }

  /** Bytes are passed to what speaks TLS itself; a route to plain HTTP could make nothing of them. */
  get #canPassThrough(): boolean {
    const { asked, destination } = this.#host;
    if (asked === null) return destination?.scheme === 'https';
    return this.#environment.destination('https', asked.host, asked.port).scheme === 'https';
  }

  /** TLS is opened unless the workspace says not to, or the client wants only protocols that are not read here. */
  #opens(hello: ClientHello, name: string): boolean {
    const { isPassedThrough } = this.#environment;
    const { asked, destination } = this.#host;
    if (isPassedThrough(name)) return false;
    if (asked !== null && isPassedThrough(asked.host)) return false;
    if (destination !== null && isPassedThrough(destination.host)) return false;
    return hello.alpn.length === 0 || offersOf(hello).length > 0;
  }

  /** A client that calls an address sends no name (RFC 6066, section 3): it verifies the address that it called. */
  #addressedName(): string {
    if (this.#host.asked !== null) return this.#host.asked.host;
    return this.#socket.localAddress?.replace(/^::ffff:/, '') ?? 'localhost';
  }

  /** What rules do to the handshake comes first; a client that gives up while one holds it is noticed. */
  #openUnderRules(hello: ClientHello, context: SecureContext, name: string, bytes: Buffer): void {
    const rules = new HandshakeRules(this.#environment, this.#host);
    let all = bytes;
    let isDecided = false;
    rules.decide(this.#destinationOf(name), name, ({ faults, marks }) => {
      isDecided = true;
      this.isHeld = false;
      this.#host.faults = marks;
      const abort = faults.find(({ kind }) => kind === 'abort');
      if (abort?.kind === 'abort') return this.#abort(abort.alert, abort.describe);
      this.#faulty = faults.find((fault) => fault.kind === 'certificate' || fault.kind === 'version') ?? null;
      const faulty = this.#faulty === null ? null : this.#environment.faultyContext(name, this.#faulty);
      this.#open(hello, faulty ?? context, name, all);
    });
    if (isDecided) return;
    this.isHeld = true;
    const givenUp = (): void => {
      this.isHeld = false;
      this.#host.faults = rules.marks();
      rules.abandon();
      this.#host.handshakeEnds(this.#facts(false, null, null), givenUpInHandshake, null);
    };
    this.#host.handshakeWaits({
      received: (more) => (all = Buffer.concat([all, more])),
      ended: givenUp,
      closed: givenUp,
      drained: () => undefined,
    });
  }

  #destinationOf(name: string): Destination {
    const { asked, destination } = this.#host;
    if (asked !== null) return this.#environment.destination('https', asked.host, asked.port);
    return destination ?? this.#environment.destination('https', name, 443);
  }

  #abort(alert: keyof typeof alerts | null, what: string): void {
    const last = alert === null ? null : alertRecord(alerts[alert]);
    const message = `A rule ${what}.`;
    this.#host.handshakeEnds(
      this.#facts(false, null, null),
      { cause: 'fault-handshake', code: alert ?? 'close', message },
      last,
    );
  }

  #open(hello: ClientHello, context: SecureContext, name: string, bytes: Buffer): void {
    this.isHandshaking = true;
    const { asked } = this.#host;
    // A client that resolves names itself calls an address, and says here whom it means.
    this.#host.handshakeBegins(asked !== null && isIP(asked.host) !== 0 ? hello.serverName : null);
    const socket = this.#socket;
    socket.removeAllListeners('data');
    socket.removeAllListeners('end');
    socket.removeAllListeners('drain');
    socket.pause();
    socket.unshift(bytes);
    const secure = new TLSSocket(socket, { ...leafSocketOptions(context, offersOf(hello)) });
    const transport = this.#host.own(secure);
    transport.owner = {
      received: (first) => {
        this.#environment.autoPassthrough.accepted(this.#client, name);
        this.#host.opened(this.#factsOf(secure), name, first);
      },
      ended: () => transport.close(),
      closed: (error) => this.#closed(name, error),
      drained: () => undefined,
    };
    secure.once('secure', () => {
      this.isHandshaking = false;
      this.#host.handshakeOver(this.#factsOf(secure).alpn);
    });
  }

  #closed(name: string, error: NodeJS.ErrnoException | null): void {
    const openMs = this.#environment.clock.now() - this.#acceptedAt;
    // A browser opens connections ahead and drops those that it did not need: no failure of anything.
    if (error === null && (openMs > preconnectMs || this.#host.isDraining)) return;
    const failure = describeClientTlsFailure(error, this.#client, name);
    // What a rule has done says nothing of what the client trusts.
    if (this.#faulty !== null) {
      const message = `A rule ${this.#faulty.describe}. ${failure.message}`;
      const code = failure.code ?? failure.cause;
      return this.#host.rejected(this.#facts(false, null, null), { cause: 'fault-handshake', code, message });
    }
    const { cause, code, distrust } = failure;
    const isRemembered = this.#canPassThrough && (distrust !== null || cause === 'tls-client-closed');
    if (isRemembered) this.#remember(name, distrust);
    const isPassedOn = isRemembered && distrust !== null && this.#environment.autoPassthrough.isOn;
    const message = isPassedOn ? `${failure.message} ${passedOn}` : failure.message;
    this.#host.rejected(this.#facts(false, null, null), { cause, code: code ?? cause, message });
  }

  #remember(name: string, alert: string | null): void {
    const { caller } = this.#host;
    const tell = (): void => {
      this.#environment.autoPassthrough.rejected({ client: caller.current.name, name, alert });
    };
    if (caller.ready === null) tell();
    else void caller.ready.then(tell);
  }

  #factsOf(secure: TLSSocket): TlsFacts {
    const alpn = typeof secure.alpnProtocol === 'string' ? secure.alpnProtocol : null;
    return this.#facts(true, alpn, secure.getProtocol());
  }

  #facts(intercepted: boolean, alpn: string | null, version: string | null): TlsFacts {
    const sni = this.#hello?.serverName ?? null;
    return { intercepted, sni, alpn, version, hello: this.#helloFacts, note: null };
  }
}

const givenUpInHandshake: NetworkFailure = {
  cause: 'fault-handshake',
  code: 'SPIKE_CLIENT_CLOSED',
  message: 'The client gave up while a rule held its TLS handshake.',
};

/** RFC 8446, section 6. */
const alerts = {
  handshake_failure: 40,
  access_denied: 49,
  internal_error: 80,
  unrecognized_name: 112,
} as const;

/** A fatal alert in a record of its own, not encrypted: nothing has been agreed on yet (RFC 8446, section 5.1). */
function alertRecord(description: number): Buffer {
  return Buffer.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, description);
}

/** What the client may choose by ALPN: all that it offers and Spike reads, best first. `http/1.0` is what curl -0 offers. */
function offersOf(hello: ClientHello): string[] {
  return ['h2', 'http/1.1', 'http/1.0'].filter((protocol) => hello.alpn.includes(protocol));
}

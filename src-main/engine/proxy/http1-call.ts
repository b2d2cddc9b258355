import type { Clock } from '../clock.ts';
import { clientClosed } from './client-closed.ts';
import type { ResponseHead } from './http1/head.ts';
import type { Http1Error } from './http1/http1-error.ts';
import type { Http1Limits } from './http1/limits.ts';
import { ResponseParser } from './http1/parser.ts';
import type { Http1Sink, InputEnd } from './http1/parser.ts';
import { beginsHttp2 } from './http2/first-frame.ts';
import { lostUpstream } from './lost-upstream.ts';
import { hold } from './ports.ts';
import type {
  BytesFate,
  ConnectTimings,
  Destination,
  LeasedConnection,
  LeaseRequest,
  NetworkFailure,
  PendingLease,
  Transport,
  TransportOwner,
  Upstreams,
} from './ports.ts';
import { challengeOf } from './upstream-proxy/connect-client.ts';
import { credentialsRefused } from './upstream-proxy/proxy-failure.ts';

/** What a call tells the exchange that made it. After `callFailed` or `callUpgraded` it says nothing more. */
export interface CallOwner {
  /** An interim head (1xx), or the head of the answer. */
  responseHead(head: ResponseHead): void;
  responseData(data: Buffer): void;
  responseBody(wire: Buffer): void;
  responseTrailers(fields: string[]): void;
  responseComplete(): void;
  /** Everything that the last bytes held has been told. */
  responseFlush(): void;
  /** What becomes of the body bytes that were told last. Absent: `kept`. */
  readonly bodyFate?: BytesFate;
  callFailed(failure: NetworkFailure): void;
  /** The connection speaks something else from now on; `rest` is what came after the head. */
  callUpgraded(connection: LeasedConnection, rest: Buffer | null): void;
}

/** When the parts of a call happened: Unix ms, 0 while they did not. */
export interface CallTimes {
  askedAt: number;
  leasedAt: number;
  sentAt: number;
  firstByteAt: number;
  /** The answer has come whole. */
  endedAt: number;
}

/** The parser of an upstream connection: lives as long as it, and serves one call after the other. */
class ResponseReader implements Http1Sink<ResponseHead> {
  readonly parser: ResponseParser;
  call: Http1Call | null = null;

  constructor(limits: Http1Limits) {
    this.parser = new ResponseParser(this, limits);
  }
  onHead(head: ResponseHead): void {
    this.call?.headRead(head);
  }
  onData(data: Buffer): void {
    this.call?.owner.responseData(data);
  }
  onBody(wire: Buffer): void {
    this.call?.owner.responseBody(wire);
  }
  onTrailers(fields: string[]): void {
    this.call?.owner.responseTrailers(fields);
  }
  onComplete(): void {
    // The call looks at `isComplete` after the feed: only then does it know what came behind the message.
  }
  onError(error: Http1Error): void {
    this.call?.malformed(error);
  }
}

/** Of `HTTP/`, with which every response begins. */
const firstOctet = 0x48;

/** RFC 9110, section 9.2.2: may be sent again when its connection broke before an answer came. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

export interface CallRequest {
  readonly destination: Destination;
  readonly method: string;
  /** The head as it is sent; '' when it comes through `send` like the body (a request link gives only bytes). */
  readonly headText: string;
  /** No body follows: the head alone is the request, and can be sent again. */
  readonly bodyless: boolean;
  /** The client asked to switch protocols: only then may the answer be 101. */
  readonly mayUpgrade: boolean;
}

/**
 * The upstream's side of one exchange: leases a connection, sends the request as it comes, reads the answer. A reused
 * connection that turns out to be closed is replaced once, if the request may be sent again.
 */
export class Http1Call implements TransportOwner, LeaseRequest {
  readonly owner: CallOwner;
  readonly times: CallTimes = { askedAt: 0, leasedAt: 0, sentAt: 0, firstByteAt: 0, endedAt: 0 };
  connection: LeasedConnection | null = null;
  /** Facts of the connection that was used; they stay when it has been given back. */
  address: string | null = null;
  reused = false;
  timings: ConnectTimings | null = null;
  #reader: ResponseReader | null = null;
  #lease: PendingLease | null = null;
  /** What is to be sent once there is a connection; kept for a second try while `#replayable`. */
  #waiting: Buffer[] = [];
  #headText: string;
  #headSent = false;
  /** Nothing more of the request was known when there was no connection yet: the head goes out as soon as there is one. */
  #flushDue = false;
  #requestComplete = false;
  #clientEnded = false;
  #responseHead: ResponseHead | null = null;
  #over = false;
  #retried = false;
  #fate: BytesFate = 'kept';
  readonly #request: CallRequest;
  readonly #upstreams: Upstreams;
  readonly #clock: Clock;
  readonly #limits: Http1Limits;
  /** Where the request comes from: told to wait while it cannot be sent. */
  readonly #client: Transport;

  constructor(
    request: CallRequest,
    owner: CallOwner,
    client: Transport,
    upstreams: Upstreams,
    clock: Clock,
    limits: Http1Limits,
  ) {
    this.#request = request;
    this.#headText = request.headText;
    this.owner = owner;
    this.#client = client;
    this.#upstreams = upstreams;
    this.#clock = clock;
    this.#limits = limits;
  }

  start(): void {
    this.times.askedAt = this.#clock.now();
    this.#ask(false);
  }

  /** Sends a piece of the request, as it is on the wire. */
  send(wire: Buffer): void {
    if (this.#over) return;
    const connection = this.connection;
    if (connection === null) {
      this.#waiting.push(wire);
      this.#client.pause(hold.connecting);
    } else if (!this.#headSent && this.#headText !== '') {
      this.#headSent = true;
      if (!connection.transport.writeBoth(this.#headText, wire)) this.#client.pause(hold.full);
    } else if (!connection.transport.write(wire)) this.#client.pause(hold.full);
  }

  /** Nothing more of the request is known right now: what was kept back to be sent in one packet goes out. */
  flush(): void {
    if (this.connection === null) this.#flushDue = true;
    if (this.connection === null || this.#headSent || this.#over) return;
    this.#headSent = true;
    if (this.#headText !== '') this.connection.transport.writeText(this.#headText);
  }

  requestComplete(): void {
    this.#requestComplete = true;
    if (this.connection !== null) this.times.sentAt = this.#clock.now();
    this.#passEnd();
  }

  /**
   * The client says no more on its connection: behind the request the upstream is told the same (FIN). Whether that means
   * that the client has given up is for the upstream to say: if it ends the call unanswered, it has.
   */
  clientEnded(): void {
    this.#clientEnded = true;
    this.#passEnd();
  }

  /** Gives the call up: its client is gone, or a rule answered in its place. */
  abandon(): void {
    if (this.#over) return;
    this.#over = true;
    this.#lease?.cancel();
    this.#detach()?.release(false);
  }

  pause(reason: number): void {
    this.connection?.transport.pause(reason);
  }

  resume(reason: number): void {
    this.connection?.transport.resume(reason);
  }

  // --- LeaseRequest

  leased(connection: LeasedConnection): void {
    this.#lease = null;
    if (this.#over) return connection.release(connection.uses > 0);
    this.times.leasedAt = this.#clock.now();
    this.connection = connection;
    this.address = connection.address;
    this.reused = connection.uses > 0;
    this.timings = connection.timings;
    connection.owner = this;
    const reader = (connection.attachment ??= new ResponseReader(this.#limits)) as ResponseReader;
    reader.call = this;
    reader.parser.expect(this.#request.method);
    this.#reader = reader;
    if (this.#waiting.length > 0) this.#sendWaiting();
    else if (this.#requestComplete || this.#flushDue) this.flush();
    if (this.#requestComplete) this.times.sentAt = this.times.leasedAt;
    this.#passEnd();
  }

  failed(failure: NetworkFailure): void {
    this.#lease = null;
    this.#fail(failure);
  }

  // --- TransportOwner: what the upstream does

  get fate(): BytesFate {
    return this.#fate;
  }

  received(bytes: Buffer): void {
    const reader = this.#reader;
    this.#fate = 'kept';
    if (reader === null || this.#over) return;
    if (this.times.firstByteAt === 0) {
      this.times.firstByteAt = this.#clock.now();
      if (bytes[0] !== firstOctet) return this.#notHttp(bytes);
    }
    const { parser } = reader;
    const wasInBody = parser.isInBody;
    const next = parser.feed(bytes);
    if (this.#over) return;
    const head = this.#responseHead;
    if (parser.isComplete && head !== null)
      return this.#end(head, next < bytes.length ? bytes.subarray(next) : null);
    this.owner.responseFlush();
    if (wasInBody && parser.isInBody) this.#fate = this.owner.bodyFate ?? 'kept';
  }

  ended(): void {
    if (!this.#over) this.#inputOver(this.#reader?.parser.finish() ?? 'idle', null);
  }

  closed(error: NodeJS.ErrnoException | null): void {
    if (!this.#over)
      this.#inputOver(error === null ? (this.#reader?.parser.finish() ?? 'idle') : 'truncated', error);
  }

  drained(): void {
    this.#client.resume(hold.full);
  }

  // --- the parser's findings

  headRead(head: ResponseHead): void {
    if (this.#over) return;
    if (head.status === 101 && !this.#request.mayUpgrade) return this.#unaskedUpgrade();
    const { via } = this.#request.destination;
    // Meant for Spike, not for the client, who knows of no such proxy (RFC 9110, section 15.5.8).
    if (head.status === 407 && via?.way === 'forward') {
      return this.#fail(credentialsRefused(via.proxy, 'HTTP_407', challengeOf(head.fields)));
    }
    if (!head.interim) this.#responseHead = head;
    this.owner.responseHead(head);
  }

  malformed(error: Http1Error): void {
    const { destination } = this.#request;
    this.#fail({
      cause: 'upstream-malformed-response',
      code: error.code,
      message: `${destination.host}:${destination.port} sent an answer that cannot be read: ${error.message}`,
    });
  }

  /** RFC 9110, section 15.2.2: without the client's wish, bytes of another protocol would be taken for answers. */
  #unaskedUpgrade(): void {
    const { host, port } = this.#request.destination;
    this.#fail({
      cause: 'upstream-malformed-response',
      code: 'unasked-upgrade',
      message: `${host}:${port} answered 101, though nobody asked it to switch protocols.`,
    });
  }

  /** Servers of other protocols greet and then wait (SSH, SMTP, MySQL): a head would never be whole. */
  #notHttp(bytes: Buffer): void {
    const { host, port } = this.#request.destination;
    if (beginsHttp2(bytes)) return this.#http2Only();
    this.#fail({
      cause: 'upstream-malformed-response',
      code: 'not-http',
      message: `${host}:${port} does not speak HTTP. Check the port; for another protocol make a route to tcp://${host}:${port}.`,
    });
  }

  /** In clear text nobody can ask what a server speaks: it has to be said (RFC 9113, section 3.3). */
  #http2Only(): void {
    const { host, port } = this.#request.destination;
    this.#fail({
      cause: 'upstream-malformed-response',
      code: 'http2-only',
      message: `${host}:${port} speaks HTTP/2 only, and was asked in HTTP/1.1. Make a route to h2c://${host}:${port}.`,
    });
  }

  #passEnd(): void {
    if (!this.#clientEnded || !this.#requestComplete || this.connection === null) return;
    this.flush();
    this.connection?.transport.end();
  }

  #ask(fresh: boolean): void {
    this.#lease = this.#upstreams.lease(this.#request.destination, this, fresh);
  }

  #sendWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wire of waiting) this.send(wire);
    this.#client.resume(hold.connecting);
  }

  #end(head: ResponseHead, rest: Buffer | null): void {
    this.#over = true;
    this.times.endedAt = this.#clock.now();
    const connection = this.#detach();
    if (connection === null) return;
    if (head.endsHttp) return this.owner.callUpgraded(connection, rest);
    // Bytes behind the answer belong to no request of ours; a request that is still being sent cannot be followed by another,
    // nor can one behind which the connection was ended.
    const isWhole = this.#requestComplete && !this.#clientEnded && rest === null;
    connection.release(head.keepAlive && isWhole);
    this.owner.responseComplete();
  }

  #inputOver(end: InputEnd, error: NodeJS.ErrnoException | null): void {
    if (end === 'complete' && this.#responseHead !== null) return this.#end(this.#responseHead, null);
    const hasAnswered = this.#responseHead !== null;
    if (this.#clientEnded && this.#requestComplete) {
      return this.#fail(clientClosed(hasAnswered ? 'in the middle of its answer' : 'before it was answered'));
    }
    if (this.times.firstByteAt === 0 && this.#mayRetry()) return this.#retry();
    this.#fail(lostUpstream(this.#request.destination, this.connection, hasAnswered, error));
  }

  #mayRetry(): boolean {
    const { method, bodyless, headText } = this.#request;
    const stale = this.connection !== null && this.connection.uses > 0;
    return stale && !this.#retried && bodyless && headText !== '' && idempotent.has(method);
  }

  #retry(): void {
    this.#retried = true;
    this.#headSent = false;
    this.#detach()?.release(false);
    this.#ask(true);
  }

  #fail(failure: NetworkFailure): void {
    if (this.#over) return;
    this.#over = true;
    this.#detach()?.release(false);
    this.owner.callFailed(failure);
  }

  #detach(): LeasedConnection | null {
    const connection = this.connection;
    if (this.#reader !== null) this.#reader.call = null;
    this.#reader = null;
    this.connection = null;
    // Nothing waits for this connection any more: what is still to come of the request is read and thrown away.
    this.#client.resume(hold.full | hold.connecting);
    return connection;
  }
}

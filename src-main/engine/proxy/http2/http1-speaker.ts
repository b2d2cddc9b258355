import type { ProxyEnvironment } from '../environment.ts';
import { bodyLength } from '../forwarding.ts';
import { Http1Call } from '../http1-call.ts';
import type { CallOwner, CallTimes } from '../http1-call.ts';
import { encodeChunk, lastChunk } from '../http1/encode.ts';
import type { FlatFields } from '../http1/fields.ts';
import type { ResponseHead } from '../http1/head.ts';
import type {
  ConnectTimings,
  Destination,
  LeasedConnection,
  LeaseRequest,
  NetworkFailure,
  PendingLease,
  Transport,
  Upstreams,
} from '../ports.ts';
import { framingOf, http1RequestText, http2Response, withoutConnectionFields } from './translate-head.ts';
import type { Http1Framing } from './translate-head.ts';
import type { Speaker, SpeakerOwner, UpstreamRequest } from './upstream-call.ts';

const highestStatus = 599;

/** Speaks to an upstream in HTTP/1.1: what came in HTTP/2 is written as its text. */
export class Http1Speaker implements Speaker, CallOwner {
  readonly #call: Http1Call;
  readonly #framing: Http1Framing;
  readonly #owner: SpeakerOwner;
  #trailers: FlatFields | null = null;
  #answering: ResponseHead | null = null;
  readonly #isWebSocket: boolean;

  constructor(
    { destination, head, options }: UpstreamRequest,
    connection: LeasedConnection | null,
    owner: SpeakerOwner,
    client: Transport,
    environment: ProxyEnvironment,
  ) {
    this.#owner = owner;
    this.#isWebSocket = head.protocol !== null;
    this.#framing = this.#isWebSocket ? 'none' : framingOf(head);
    const { clock, http1Limits, upstreams } = environment;
    const headText = this.#isWebSocket
      ? http1RequestText(
          { ...head, method: 'GET' },
          options,
          'none',
          upgradeLines(environment.ids.next(clock.now())),
        )
      : http1RequestText(head, options, this.#framing);
    this.#call = new Http1Call(
      {
        destination,
        method: this.#isWebSocket ? 'GET' : head.method,
        headText,
        bodyless: this.#framing === 'none',
        mayUpgrade: this.#isWebSocket,
      },
      this,
      client,
      connection === null ? upstreams : new FirstConnection(connection, upstreams),
      clock,
      http1Limits,
    );
  }

  start(): void {
    this.#call.start();
    if (this.#framing !== 'none') return;
    this.#call.requestComplete();
    this.#call.flush();
  }

  get times(): CallTimes {
    return this.#call.times;
  }

  get address(): string | null {
    return this.#call.address;
  }

  get reused(): boolean {
    return this.#call.reused;
  }

  get timings(): ConnectTimings | null {
    return this.#call.timings;
  }

  send(bytes: Buffer): void {
    if (this.#framing === 'length') this.#call.send(bytes);
    else if (this.#framing === 'chunked' && bytes.length > 0) {
      for (const piece of encodeChunk(bytes)) this.#call.send(piece);
    }
  }

  end(trailers: FlatFields | null): void {
    if (this.#framing === 'none') return;
    // With a length there is no place for trailers: RFC 9112, section 6.3.
    if (this.#framing === 'chunked') this.#call.send(lastChunk(trailers ?? []));
    this.#call.requestComplete();
    this.#call.flush();
  }

  cancel(): void {
    this.#call.abandon();
  }

  cancelAfterSent(): void {
    this.#call.abandon();
  }

  pause(reason: number): void {
    this.#call.pause(reason);
  }

  resume(reasons: number): void {
    this.#call.resume(reasons);
  }

  // --- CallOwner

  responseHead(head: ResponseHead): void {
    if (head.status > highestStatus) return this.#impossible(head.status);
    const ended = head.framing === 'none' || (head.framing === 'length' && head.contentLength === 0);
    const translated = http2Response(head, ended);
    if (head.interim) return this.#owner.interim(translated.status, translated.fields);
    this.#answering = head;
    if (head.endsHttp) return;
    this.#owner.responseHead(translated, head.reason, bodyLength(head));
  }

  /** In HTTP/1.1 it would be passed on; node:http2 sends none beyond. */
  #impossible(status: number): void {
    this.#call.abandon();
    const message = `The upstream answered with the status ${status}, which is none (RFC 9110, section 15).`;
    this.#owner.callFailed({ cause: 'upstream-malformed-response', code: 'invalid-status', message });
  }

  responseData(data: Buffer): void {
    this.#owner.responseData(data);
  }

  responseBody(): void {
    // The same bytes with the framing of HTTP/1.1.
  }

  responseTrailers(fields: string[]): void {
    this.#trailers = withoutConnectionFields(fields);
  }

  responseComplete(): void {
    this.#owner.responseEnd(this.#trailers);
  }

  responseFlush(): void {
    // Nothing is held back here.
  }

  callFailed(failure: NetworkFailure): void {
    this.#owner.callFailed(failure);
  }

  callUpgraded(connection: LeasedConnection, rest: Buffer | null): void {
    const head = this.#answering as ResponseHead;
    const { fields } = http2Response(head, false);
    // What was for the handshake alone: in HTTP/2 there is none (RFC 8441, section 5).
    const kept = fields.filter((_, i) => fields[i & ~1] !== 'sec-websocket-accept');
    this.#owner.callTunnelled(
      { status: 200, fields: kept, neverIndexed: [], ended: false },
      connection,
      rest,
    );
  }
}

/** The handshake of RFC 6455, section 4.1, that RFC 8441 leaves out. Its key is a nonce: it proves only who answers. */
function upgradeLines(nonce: string): string {
  const key = Buffer.from(nonce.slice(-16).padStart(16, '0'), 'latin1').toString('base64');
  return `upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: ${key}\r\n`;
}

/** Upstreams whose first lease is the connection that found out what is spoken. */
class FirstConnection implements Upstreams {
  #first: LeasedConnection | null;
  readonly #upstreams: Upstreams;

  constructor(first: LeasedConnection, upstreams: Upstreams) {
    this.#first = first;
    this.#upstreams = upstreams;
  }

  lease(destination: Destination, request: LeaseRequest, fresh?: boolean): PendingLease | null {
    const first = this.#first;
    if (first === null) return this.#upstreams.lease(destination, request, fresh);
    this.#first = null;
    request.leased(first);
    return null;
  }
}

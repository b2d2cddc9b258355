import type { Clock } from '../../clock.ts';
import type { FlatFields } from '../http1/fields.ts';
import { isTlsError } from '../../tls/tls-failure.ts';
import type { CallTimes } from '../http1-call.ts';
import { lostUpstream } from '../lost-upstream.ts';
import { hold } from '../ports.ts';
import type {
  ConnectTimings,
  LeasedConnection,
  NetworkFailure,
  Transport,
  TransportOwner,
} from '../ports.ts';
import { http2Code, http2CodeName } from './error-codes.ts';
import type {
  Http2ResponseHead,
  Http2Stream,
  Http2StreamError,
  Http2Upstream,
  Http2UpstreamOwner,
} from './ports.ts';
import type { Speaker, SpeakerOwner, UpstreamRequest } from './upstream-call.ts';

/** Speaks to an upstream in HTTP/2: one stream of a connection that others share. */
export class Http2Speaker implements Speaker, Http2UpstreamOwner {
  readonly times: CallTimes;
  readonly address: string;
  readonly reused: boolean;
  readonly timings: ConnectTimings;
  #stream: Http2Stream | null = null;
  #answered = false;
  #ended = false;
  readonly #request: UpstreamRequest;
  readonly #upstream: Http2Upstream;
  readonly #owner: SpeakerOwner;
  readonly #client: Transport;
  readonly #clock: Clock;

  constructor(
    request: UpstreamRequest,
    upstream: Http2Upstream,
    owner: SpeakerOwner,
    client: Transport,
    clock: Clock,
    askedAt: number,
  ) {
    this.#request = request;
    this.#upstream = upstream;
    this.#owner = owner;
    this.#client = client;
    this.#clock = clock;
    this.address = upstream.address;
    this.reused = upstream.uses > 0;
    this.timings = upstream.timings;
    this.times = { askedAt, leasedAt: clock.now(), sentAt: 0, firstByteAt: 0, endedAt: 0 };
  }

  start(): void {
    const { head, options, destination } = this.#request;
    const { method, protocol, fields, neverIndexed, ended } = head;
    const { host: authority = head.authority, target: path = head.path } = options;
    const { scheme } = destination;
    const asked = { method, scheme, authority, path, protocol, fields, neverIndexed, ended };
    this.#stream = this.#upstream.open(asked, this);
    if (head.ended) this.times.sentAt = this.times.leasedAt;
  }

  send(bytes: Buffer): void {
    if (this.#stream?.write(bytes) === false) this.#client.pause(hold.full);
  }

  end(trailers: FlatFields | null): void {
    if (this.times.sentAt === 0) this.times.sentAt = this.#clock.now();
    this.#stream?.endWith(trailers);
  }

  cancel(code: number): void {
    this.#ended = true;
    this.#detach()?.abandonWith(code);
  }

  cancelAfterSent(code: number): void {
    this.#ended = true;
    this.#detach()?.resetWith(code);
  }

  pause(reason: number): void {
    this.#stream?.pause(reason);
  }

  resume(reasons: number): void {
    this.#stream?.resume(reasons);
  }

  // --- Http2UpstreamOwner

  head(head: Http2ResponseHead): void {
    if (this.times.firstByteAt === 0) this.times.firstByteAt = this.#clock.now();
    if (head.status < 200 && !head.ended) return this.#owner.interim(head.status, head.fields);
    this.#answered = true;
    if (this.#request.head.protocol !== null && head.status < 300 && !head.ended)
      return this.#tunnelled(head);
    this.#owner.responseHead(head, '', head.ended ? 0 : lengthOf(head.fields));
  }

  received(bytes: Buffer): void {
    this.#owner.responseData(bytes);
  }

  ended(): void {
    if (!this.#answered || this.#ended) return;
    this.#ended = true;
    this.times.endedAt = this.#clock.now();
    const stream = this.#stream;
    this.#client.resume(hold.full | hold.connecting);
    this.#owner.responseEnd(stream?.trailers ?? null);
  }

  closed(error: NodeJS.ErrnoException | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#detach();
    this.#failed(error as Http2StreamError | null);
  }

  drained(): void {
    this.#client.resume(hold.full);
  }

  #failed(error: Http2StreamError | null): void {
    const { host, port } = this.#request.destination;
    const when = this.#answered ? 'in the middle of its answer' : 'before it answered';
    const http2 = error?.http2Code ?? null;
    if (http2 === null) return this.#owner.callFailed(this.#lost(error));
    const name = http2CodeName(http2);
    const message = `${host}:${port} reset the stream ${when}, with ${name}.`;
    const failure: NetworkFailure = { cause: 'upstream-reset', code: `HTTP2_${name}`, message };
    if (http2 === http2Code.refusedStream && !this.#answered) this.#owner.refused(failure);
    else this.#owner.callReset(http2, failure);
  }

  #lost(error: Http2StreamError | null): NetworkFailure {
    const { clientCertificate = null } = this.#upstream;
    const connection = { uses: this.reused ? 1 : 0, clientCertificate };
    const isTls = error !== null && isTlsError(error.cause);
    const why = isTls ? (error.cause as NodeJS.ErrnoException) : error;
    return lostUpstream(this.#request.destination, connection, this.#answered, why);
  }

  #detach(): Http2Stream | null {
    const stream = this.#stream;
    this.#stream = null;
    // Nothing waits for this stream any more: what is still to come of the request is read and thrown away.
    this.#client.resume(hold.full | hold.connecting);
    return stream;
  }

  #tunnelled(head: Http2ResponseHead): void {
    const stream = this.#stream;
    if (stream === null) return;
    this.#ended = true;
    this.#stream = null;
    const { address, timings } = this;
    const connection = new StreamConnection(stream, address, timings, this.#upstream.uses);
    this.#owner.callTunnelled(head, connection, null);
  }
}

/** A stream that carries another protocol, as a connection that was leased. */
class StreamConnection implements LeasedConnection {
  readonly transport: Http2Stream;
  readonly address: string;
  readonly timings: ConnectTimings;
  readonly uses: number;
  attachment: unknown = null;

  constructor(stream: Http2Stream, address: string, timings: ConnectTimings, uses: number) {
    this.transport = stream;
    this.address = address;
    this.timings = timings;
    this.uses = uses;
  }

  get owner(): TransportOwner | null {
    return this.transport.owner;
  }

  set owner(owner: TransportOwner | null) {
    this.transport.owner = owner;
  }

  release(): void {
    this.transport.owner = null;
    this.transport.destroy();
  }
}

function lengthOf(fields: FlatFields): number | null {
  const at = fields.indexOf('content-length');
  const value = at % 2 === 0 ? Number(fields[at + 1]) : NaN;
  return Number.isSafeInteger(value) ? value : null;
}

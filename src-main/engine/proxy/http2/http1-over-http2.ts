import { createHash } from 'node:crypto';
import { encodeChunk, lastChunk } from '../http1/encode.ts';
import type { FlatFields } from '../http1/fields.ts';
import { getField } from '../http1/fields.ts';
import type { RequestHead } from '../http1/head.ts';
import type { Http1Error } from '../http1/http1-error.ts';
import type { Http1Limits } from '../http1/limits.ts';
import { RequestParser } from '../http1/parser.ts';
import type { Http1Sink } from '../http1/parser.ts';
import { failureResponse, responseBytes } from '../local-response.ts';
import type { ConnectTimings, Destination, LeasedConnection, Transport, TransportOwner } from '../ports.ts';
import type { Http2ResponseHead, Http2Stream, Http2Upstream, Http2UpstreamOwner } from './ports.ts';
import { http1ResponseText, http2Request, withoutConnectionFields } from './translate-head.ts';
import type { Http1Framing } from './translate-head.ts';

/** RFC 6455, section 1.3. */
const webSocketGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/**
 * A stream of an upstream that speaks HTTP/2 only, as a connection of HTTP/1.1: what is written to it is read as a
 * request, and the answer comes as the text and bytes that HTTP/1.1 has for it. It serves one request. So clients of
 * HTTP/1.1, their rules and their tunnels need to know nothing of HTTP/2.
 */
export class Http1OverHttp2
  implements LeasedConnection, Transport, Http1Sink<RequestHead>, Http2UpstreamOwner
{
  readonly address: string;
  readonly timings: ConnectTimings;
  readonly uses: number;
  owner: TransportOwner | null = null;
  attachment: unknown = null;
  #stream: Http2Stream | null = null;
  #trailers: FlatFields | null = null;
  #framing: Http1Framing = 'none';
  /** The key of a WebSocket handshake: the answer proves that it was read (RFC 6455, section 4.2.2). */
  #webSocketKey: string | null = null;
  #isTunnel = false;
  #isAnswering = false;
  #holds = 0;
  readonly #parser: RequestParser;
  readonly #upstream: Http2Upstream;
  readonly #destination: Destination;

  constructor(upstream: Http2Upstream, destination: Destination, limits: Http1Limits) {
    this.#upstream = upstream;
    this.#destination = destination;
    this.address = upstream.address;
    this.timings = upstream.timings;
    this.uses = upstream.uses;
    this.#parser = new RequestParser(this, limits);
  }

  get transport(): Transport {
    return this;
  }

  release(): void {
    this.owner = null;
    this.#stream?.destroy();
  }

  // --- Transport: what is written is a request

  get isFull(): boolean {
    return this.#stream?.isFull ?? false;
  }

  write(bytes: Buffer): boolean {
    if (this.#isTunnel) return this.#stream?.write(bytes) ?? true;
    this.#parser.feed(bytes);
    return !this.isFull;
  }

  writeText(text: string): boolean {
    return this.write(Buffer.from(text, 'latin1'));
  }

  writeBoth(text: string, bytes: Buffer): boolean {
    this.writeText(text);
    return this.write(bytes);
  }

  pause(reason: number): void {
    this.#holds |= reason;
    this.#stream?.pause(reason);
  }

  resume(reasons: number): void {
    this.#holds &= ~reasons;
    this.#stream?.resume(reasons);
  }

  end(): void {
    if (this.#isTunnel) this.#stream?.end();
    // The request has ended its half already, and HTTP/2 knows no half of a connection: who says no more is taken for gone.
    // If it is not, and is being answered, it gets the rest; if it is, writing to it tells.
    else if (!this.#isAnswering) this.#stream?.destroy();
  }

  close(): void {
    this.#stream?.close();
  }

  destroy(): void {
    this.#stream?.destroy();
  }

  reset(): void {
    this.#stream?.reset();
  }

  // --- Http1Sink: what the request is

  onHead(head: RequestHead): void {
    if (head.upgrade !== null) return this.#upgrade(head);
    const isBodyless = head.framing === 'none' || (head.framing === 'length' && head.contentLength === 0);
    this.#stream = this.#upstream.open(http2Request(head, this.#destination.scheme, isBodyless), this);
    if (this.#holds !== 0) this.#stream.pause(this.#holds);
  }

  onData(data: Buffer): void {
    this.#stream?.write(data);
  }

  onBody(): void {
    // The same bytes with the framing of HTTP/1.1.
  }

  onTrailers(fields: string[]): void {
    this.#trailers = withoutConnectionFields(fields);
  }

  onComplete(): void {
    if (this.#webSocketKey === null) this.#stream?.endWith(this.#trailers);
  }

  onError(error: Http1Error): void {
    // It was read before, and written by Spike.
    throw new TypeError(error.message);
  }

  // --- Http2UpstreamOwner: the answer

  head(head: Http2ResponseHead): void {
    const isFinal = head.status >= 200;
    this.#isAnswering ||= isFinal;
    if (isFinal && this.#webSocketKey !== null && head.status < 300) return this.#switched(head);
    const hasLength = head.fields.includes('content-length');
    const isEmpty = !isFinal || head.ended || head.status === 204 || head.status === 304;
    this.#framing = isEmpty ? 'none' : hasLength ? 'length' : 'chunked';
    // Where nothing says so, HTTP/1.1 would take the end of the connection for the end of the body.
    const empty = isFinal && head.ended && !hasLength && head.status !== 204 && head.status !== 304;
    const fields = empty ? [...head.fields, 'content-length', '0'] : head.fields;
    this.#tell(Buffer.from(http1ResponseText({ ...head, fields }, this.#framing), 'latin1'));
  }

  received(bytes: Buffer): void {
    if (this.#framing === 'chunked' && !this.#isTunnel) {
      for (const piece of encodeChunk(bytes)) this.#tell(piece);
    } else this.#tell(bytes);
  }

  ended(): void {
    if (this.#isTunnel) this.owner?.ended();
    else if (this.#framing === 'chunked') this.#tell(lastChunk(this.#stream?.trailers ?? []));
  }

  closed(error: NodeJS.ErrnoException | null): void {
    this.owner?.closed(error);
  }

  drained(): void {
    this.owner?.drained();
  }

  #tell(bytes: Buffer): void {
    this.owner?.received(bytes);
  }

  // --- WebSocket (RFC 8441)

  #upgrade(head: RequestHead): void {
    const isWebSocket = head.upgrade?.toLowerCase() === 'websocket';
    if (!isWebSocket || !this.#upstream.hasConnectProtocol) return this.#refuseUpgrade(head);
    this.#webSocketKey = getField(head.fields, 'sec-websocket-key') ?? '';
    const request = http2Request(head, this.#destination.scheme, false);
    const { fields } = request;
    const kept = fields.filter((_, i) => fields[i & ~1] !== 'sec-websocket-key');
    this.#stream = this.#upstream.open(
      { ...request, method: 'CONNECT', protocol: 'websocket', fields: kept },
      this,
    );
  }

  #refuseUpgrade(head: RequestHead): void {
    const { host, port } = this.#destination;
    const message = `${host}:${port} speaks HTTP/2 only, and does not let ${head.upgrade} pass in it (RFC 8441).`;
    this.#tell(
      responseBytes(failureResponse(501, { cause: 'upstream-malformed-response', message }), 'close', true),
    );
  }

  #switched(head: Http2ResponseHead): void {
    const accept = createHash('sha1')
      .update(`${this.#webSocketKey ?? ''}${webSocketGuid}`)
      .digest('base64');
    this.#isTunnel = true;
    const fields = [
      'upgrade',
      'websocket',
      'connection',
      'upgrade',
      'sec-websocket-accept',
      accept,
      ...head.fields,
    ];
    this.#tell(Buffer.from(http1ResponseText({ ...head, status: 101, fields }, 'none'), 'latin1'));
  }
}

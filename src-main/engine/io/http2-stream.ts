import { constants, sensitiveHeaders } from 'node:http2';
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  Http2Session,
  Http2Stream as NodeStream,
  ServerHttp2Stream,
  ServerStreamResponseOptions,
} from 'node:http2';
import type { FlatFields } from '../proxy/http1/fields.ts';
import { http2CodeName } from '../proxy/http2/error-codes.ts';
import type {
  Http2ClientStream,
  Http2RequestHead,
  Http2ResponseHead,
  Http2Stream,
  Http2StreamError,
  Http2UpstreamOwner,
} from '../proxy/http2/ports.ts';
import type { TransportOwner } from '../proxy/ports.ts';
import type { FlushQueue } from './flush-queue.ts';

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR, NGHTTP2_FLAG_END_STREAM } = constants;
/** A reset waits no longer than this for what was written before it. */
const resetAtLatestMs = 1000;
const nothing = Buffer.alloc(0);
/** A head waits for its body up to this size, to leave with it. */
const heldLimitBytes = 65_536;

/** Flat fields, as node:http2 takes and gives them; names that must not be indexed are a property of the list. */
type NodeFields = string[] & { [key: symbol]: readonly string[] };

/**
 * What streams of clients and to upstreams have in common.
 *
 * A head is held until the end of the turn in which it came: most messages have come whole by then, and it is known
 * whether trailers follow. node:http2 must be told with the head, and telling it for nothing costs a turn and a frame.
 */
abstract class StreamSide<Owner extends TransportOwner> implements Http2Stream {
  owner: Owner | null = null;
  trailers: FlatFields | null = null;
  protected stream: NodeStream | null = null;
  #holds = 0;
  #held: Buffer[] | null = null;
  #heldBytes = 0;
  #endsWith: FlatFields | null = null;
  #isEnding = false;
  #isHeadSent = false;
  #isDrainAwaited = false;
  #inputEnded = false;
  #isClosed = false;
  #resetCode = 0;
  /** What node:http2 gave as the reason; for a reset that is no more than its code. */
  #reason: Error | null = null;
  #receivedBytes = 0;
  /** What is done when the trailers have been sent; null: nothing, or they have been. */
  #afterTrailers: (() => void) | null = null;
  #areTrailersSent = false;
  readonly #queue: FlushQueue;

  constructor(queue: FlushQueue) {
    this.#queue = queue;
  }

  get isFull(): boolean {
    return this.#held !== null ? false : (this.stream?.writableNeedDrain ?? false);
  }

  get isHeld(): boolean {
    return this.#holds !== 0;
  }

  get progress(): number {
    return this.#receivedBytes - (this.stream?.writableLength ?? 0);
  }

  write(bytes: Buffer): boolean {
    if (this.#isClosed) return true;
    if (this.#held === null) return this.#writeOut(bytes);
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > heldLimitBytes) this.flush();
    return this.#held !== null || !this.isFull;
  }

  #writeOut(bytes: Buffer): boolean {
    const { stream } = this;
    if (stream === null) return true;
    const hasRoom = stream.write(bytes);
    if (!hasRoom && !this.#isDrainAwaited) {
      this.#isDrainAwaited = true;
      stream.once('drain', () => {
        this.#isDrainAwaited = false;
        this.owner?.drained();
      });
    }
    return hasRoom;
  }

  writeText(text: string): boolean {
    return this.write(Buffer.from(text, 'latin1'));
  }

  writeBoth(text: string, bytes: Buffer): boolean {
    this.writeText(text);
    return this.write(bytes);
  }

  pause(reason: number): void {
    if (this.#holds === 0) this.stream?.pause();
    this.#holds |= reason;
  }

  resume(reasons: number): void {
    if (this.#holds === 0) return;
    this.#holds &= ~reasons;
    if (this.#holds === 0) this.stream?.resume();
  }

  end(): void {
    this.endWith(null);
  }

  endWith(trailers: FlatFields | null): void {
    if (this.#isEnding || this.#isClosed) return;
    this.#isEnding = true;
    this.#endsWith = trailers;
    if (this.#held !== null) this.flush();
    else this.stream?.end();
  }

  close(): void {
    this.end();
    this.#holds = 0;
    this.stream?.resume();
  }

  destroy(): void {
    this.abandonWith(NGHTTP2_CANCEL);
  }

  reset(): void {
    this.resetWith(NGHTTP2_CANCEL);
  }

  resetWith(code: number): void {
    this.flush();
    const { stream } = this;
    if (this.#isEnding && this.#endsWith !== null && !this.#areTrailersSent)
      return this.#resetAfterTrailers(code);
    const isWritable = stream !== null && this.#isHeadSent && !stream.writableEnded && !stream.destroyed;
    if (!isWritable || this.#isClosed) return this.abandonWith(code);
    // RST_STREAM overtakes what waits to be sent, the head as well.
    const timer = this.#queue.clock.setTimer(resetAtLatestMs, () => this.abandonWith(code), true);
    stream.write(nothing, () => {
      timer.cancel();
      this.abandonWith(code);
    });
  }

  /** node:http2 asks for trailers when the body is out: a reset before that would take their place. */
  #resetAfterTrailers(code: number): void {
    const { clock } = this.#queue;
    const timer = clock.setTimer(resetAtLatestMs, () => this.abandonWith(code), true);
    this.#afterTrailers = () => {
      timer.cancel();
      clock.setTimer(0, () => this.abandonWith(code), true);
    };
  }

  abandonWith(code: number): void {
    if (this.#isClosed) return;
    this.#resetCode = code;
    this.#held = null;
    const { stream } = this;
    if (stream === null) return this.#closed();
    // What was read ahead of a hold is of no use to anybody: with it the stream would not close.
    stream.resume();
    stream.close(code);
  }

  /** The head has been told, and waits for what follows in this turn. */
  protected hold(): void {
    this.#held = [];
    this.#queue.add(this);
  }

  /** Sends the head, and what has come of the body. */
  flush(): void {
    const held = this.#held;
    if (held === null) return;
    this.#held = null;
    this.#isHeadSent = true;
    const isEmpty = this.#heldBytes === 0;
    const isWhole = this.#isEnding && this.#endsWith === null;
    this.sendHead(isWhole && isEmpty, !isWhole);
    const { stream } = this;
    if (stream === null) return;
    if (!isWhole) stream.once('wantTrailers', () => this.#sendTrailers());
    for (let i = 0; i < held.length - 1; i++) stream.write(held[i] as Buffer);
    const last = held.at(-1);
    if (!this.#isEnding) {
      if (last !== undefined) this.#writeOut(last);
    } else if (!isWhole || !isEmpty) {
      if (last === undefined) stream.end();
      else stream.end(last);
    }
  }

  /** @param endStream Nothing follows. @param waitForTrailers Trailers follow, or may. */
  protected abstract sendHead(endStream: boolean, waitForTrailers: boolean): void;

  /** Attaches to the stream of node:http2. */
  protected listen(stream: NodeStream, hasBody: boolean): void {
    this.stream = stream;
    stream.on('error', (error) => (this.#reason = error)); // Told by `close`.
    stream.on('close', () => this.#closed());
    if (!hasBody) return void stream.resume();
    stream.on('end', () => {
      // After a reset with CANCEL node:http2 says `end` as well.
      if (this.#inputEnded || stream.rstCode !== NGHTTP2_NO_ERROR) return;
      this.#inputEnded = true;
      this.owner?.ended();
    });
    stream.on('trailers', (_object: unknown, _flags: number, fields: string[]) => {
      this.trailers = fields;
    });
    stream.on('data', (bytes: Buffer) => {
      this.#receivedBytes += bytes.length;
      this.owner?.received(bytes);
    });
    if (this.#holds !== 0) stream.pause();
  }

  #sendTrailers(): void {
    const { stream } = this;
    if (stream === null || stream.destroyed || stream.closed) return;
    stream.sendTrailers(this.#endsWith === null ? {} : fieldsObject(this.#endsWith));
    this.#areTrailersSent = true;
    this.#afterTrailers?.();
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.gone();
    this.owner?.closed(this.#error());
  }

  /** The stream is no more; told once. */
  protected gone(): void {
    // Only streams to upstreams are counted.
  }

  #error(): Http2StreamError | null {
    const { stream } = this;
    const session = this.session();
    if (stream !== null && session !== null && session.destroyed) return this.#sessionError();
    const code = stream?.rstCode ?? this.#resetCode;
    if (code === NGHTTP2_NO_ERROR) return null;
    return streamError(`The stream was reset with ${http2CodeName(code)}.`, code);
  }

  #sessionError(): Http2StreamError | null {
    const { stream } = this;
    if (stream === null || (this.#inputEnded && this.#isEnding && stream.rstCode === 0)) return null;
    const code = this.lostCode();
    const how = code === null ? 'lost' : `ended with ${http2CodeName(code)}`;
    return streamError(`The connection was ${how}.`, code, this.#reason);
  }

  protected abstract session(): Http2Session | null;

  /** The code of the GOAWAY that ended the connection; null when it just broke, or there was no error in it. */
  protected abstract lostCode(): number | null;
}

/** To whoever knows nothing of streams, all of them are a connection that was reset. */
function streamError(
  message: string,
  http2Code: number | null,
  cause: Error | null = null,
): Http2StreamError {
  return Object.assign(new Error(message, { cause }), { code: 'ECONNRESET', http2Code });
}

/** Trailers and interim heads go as an object: fields of one name come together, in their order. */
function fieldsObject(fields: FlatFields): Record<string, string | string[]> {
  const object: Record<string, string | string[]> = {};
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const value = fields[i + 1] as string;
    const before = object[name];
    if (before === undefined) object[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else object[name] = [before, value];
  }
  return object;
}

/** What the connection of a stream tells it. */
export interface StreamConnection {
  readonly session: Http2Session;
  /** Code of the GOAWAY with which the peer ended it; null for none. */
  readonly goawayCode: number | null;
}

/** A client's stream. */
export class ServerStream extends StreamSide<TransportOwner> implements Http2ClientStream {
  #head: Http2ResponseHead | null = null;
  readonly #stream: ServerHttp2Stream;
  readonly #connection: StreamConnection;

  constructor(queue: FlushQueue, connection: StreamConnection, stream: ServerHttp2Stream, hasBody: boolean) {
    super(queue);
    this.#stream = stream;
    this.#connection = connection;
    this.listen(stream, hasBody);
  }

  inform(status: number, fields: FlatFields): void {
    if (this.#stream.destroyed || this.#stream.closed || this.#stream.headersSent) return;
    this.#stream.additionalHeaders({ ':status': status, ...fieldsObject(fields) });
  }

  respond(head: Http2ResponseHead): void {
    this.#head = head;
    this.hold();
    if (head.ended) this.end();
  }

  protected sendHead(endStream: boolean, waitForTrailers: boolean): void {
    const head = this.#head;
    const stream = this.#stream;
    if (head === null || stream.destroyed || stream.closed) return;
    const fields = [':status', String(head.status), ...head.fields] as NodeFields;
    if (head.neverIndexed.length > 0) fields[sensitiveHeaders] = head.neverIndexed;
    stream.respond(fields, { endStream, waitForTrailers, sendDate: false } as ServerStreamResponseOptions);
  }

  protected session(): Http2Session {
    return this.#connection.session;
  }

  protected lostCode(): number | null {
    return this.#connection.goawayCode || null;
  }
}

/** A stream to an upstream. */
export class ClientStream extends StreamSide<Http2UpstreamOwner> {
  readonly #head: Http2RequestHead;
  readonly #connection: StreamConnection & { readonly session: ClientHttp2Session };
  readonly #over: () => void;

  /** @param over Told once, when the stream is gone. */
  constructor(
    queue: FlushQueue,
    connection: StreamConnection & { readonly session: ClientHttp2Session },
    head: Http2RequestHead,
    owner: Http2UpstreamOwner,
    over: () => void,
  ) {
    super(queue);
    this.#head = head;
    this.#connection = connection;
    this.#over = over;
    this.owner = owner;
    this.hold();
    if (head.ended) this.end();
  }

  protected sendHead(endStream: boolean, waitForTrailers: boolean): void {
    const { method, scheme, authority, path, protocol, fields, neverIndexed } = this.#head;
    const all = [':method', method, ':scheme', scheme, ':authority', authority, ':path', path] as NodeFields;
    if (protocol !== null) all.push(':protocol', protocol);
    for (const text of fields) all.push(text);
    if (neverIndexed.length > 0) all[sensitiveHeaders] = neverIndexed;
    const stream = this.#connection.session.request(all, { endStream, waitForTrailers });
    this.#listenFor(stream);
  }

  #listenFor(stream: ClientHttp2Stream): void {
    stream.on('headers', (object: { ':status'?: number }, _flags: number, fields: string[]) => {
      if (object[':status'] !== undefined)
        this.owner?.head(responseHead(object[':status'], fields, false, object));
    });
    stream.on('response', (object: { ':status'?: number }, flags: number, fields: string[]) => {
      const ended = (flags & NGHTTP2_FLAG_END_STREAM) !== 0;
      this.owner?.head(responseHead(object[':status'] ?? 0, fields, ended, object));
    });
    this.listen(stream, true);
  }

  protected override gone(): void {
    this.#over();
  }

  protected session(): Http2Session {
    return this.#connection.session;
  }

  protected lostCode(): number | null {
    return this.#connection.goawayCode || null;
  }
}

function responseHead(status: number, all: string[], ended: boolean, object: object): Http2ResponseHead {
  const fields =
    all[0] === ':status' ? all.slice(2) : all.filter((_, i) => (all[i & ~1] as string)[0] !== ':');
  return { status, fields, neverIndexed: neverIndexedIn(object), ended };
}

/** The names that the peer has asked not to be indexed. */
export function neverIndexedIn(object: object): readonly string[] {
  return (object as { [sensitiveHeaders]?: string[] })[sensitiveHeaders] ?? [];
}

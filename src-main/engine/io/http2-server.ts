import { constants, performServerHandshake } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Http2ClientStream, Http2RequestHead } from '../proxy/http2/ports.ts';
import type { ConnectionEnvironment } from './connection-environment.ts';
import type { FlushQueue } from './flush-queue.ts';
import { sessionOptions } from './http2-limits.ts';
import type { Http2Limits } from './http2-limits.ts';
import { neverIndexedIn, ServerStream } from './http2-stream.ts';
import type { SocketTransport } from './socket-transport.ts';

const { NGHTTP2_FLAG_END_STREAM } = constants;

/** Who takes the streams of a client's connection. */
export interface Http2ServerOwner {
  opened(stream: Http2ClientStream, head: Http2RequestHead): void;
  /** The connection is over; `error` says why, when it was not orderly. */
  closed(error: NodeJS.ErrnoException | null): void;
}

/** Takes the socket of a transport over for HTTP/2; `bytes` have been read of it already. */
export function openHttp2(
  transport: SocketTransport,
  bytes: Buffer,
  environment: Pick<ConnectionEnvironment, 'http2Limits' | 'http2Queue'>,
  owner: Http2ServerOwner,
): Http2Server {
  const { socket } = transport;
  transport.detach();
  socket.unshift(bytes);
  // tls.Server does this; a TLSSocket that was made by hand says for ever that it is connecting, and node:http2 waits.
  if ('secureConnecting' in socket) socket.secureConnecting = false;
  // HTTP/2 knows no half of a connection: a peer that says no more is gone.
  socket.allowHalfOpen = false;
  const server = new Http2Server(socket, environment.http2Limits, environment.http2Queue, owner);
  server.endsWith(transport);
  return server;
}

/** A client's connection that speaks HTTP/2, over TCP or TLS. */
export class Http2Server {
  goawayCode: number | null = null;
  readonly session: ServerHttp2Session;
  readonly #queue: FlushQueue;
  readonly #owner: Http2ServerOwner;
  #error: NodeJS.ErrnoException | null = null;
  #isOver = false;
  readonly #socket: Socket;

  /** @param socket With what has been read of it put back; nobody else reads from it. */
  constructor(socket: Socket, limits: Http2Limits, queue: FlushQueue, owner: Http2ServerOwner) {
    this.#queue = queue;
    this.#owner = owner;
    const session = performServerHandshake(socket, sessionOptions(limits, 'client'));
    this.session = session;
    session.setLocalWindowSize(limits.connectionWindowBytes);
    session.on('stream', (stream, object, flags, fields?: string[]) =>
      this.#opened(stream, object, flags, fields ?? []),
    );
    session.on('goaway', (code) => {
      this.goawayCode = code;
    });
    session.on('error', (error: NodeJS.ErrnoException) => {
      this.#error = error;
    });
    session.on('close', () => this.#over());
    this.#socket = socket;
  }

  /**
   * TLS that breaks destroys the session of node:http2, which then tells no `close` and leaves the sockets open. A TLSSocket that was
   * made by hand tells of it by `_tlsError` alone.
   */
  endsWith(transport: SocketTransport): void {
    const broken = (error: NodeJS.ErrnoException): void => {
      this.#error ??= error;
      this.session.destroy();
      transport.destroy();
      setImmediate(() => this.#over());
    };
    this.#socket.on('error', broken);
    this.#socket.on('_tlsError', broken);
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.closed(this.#error);
  }

  /** Takes no further stream (GOAWAY); ends when the last one has. */
  drain(): void {
    if (!this.session.closed) this.session.close();
  }

  /** Ends every stream at once. */
  destroy(): void {
    this.session.destroy();
  }

  /** The same, with that code in its GOAWAY. */
  goaway(code: number): void {
    this.session.goaway(code);
    this.session.destroy();
  }

  #opened(stream: ServerHttp2Stream, object: IncomingHttpHeaders, flags: number, fields: string[]): void {
    const ended = (flags & NGHTTP2_FLAG_END_STREAM) !== 0;
    const side = new ServerStream(this.#queue, this, stream, !ended);
    this.#owner.opened(side, requestHead(fields, neverIndexedIn(object), ended));
  }
}

/** Splits pseudo-fields, which nghttp2 has seen to be first and valid, from the others. */
function requestHead(all: string[], neverIndexed: readonly string[], ended: boolean): Http2RequestHead {
  let [method, scheme, authority, path] = ['', '', '', ''];
  let protocol: string | null = null;
  let at = 0;
  for (; at < all.length && (all[at] as string).startsWith(':'); at += 2) {
    const value = all[at + 1] as string;
    if (all[at] === ':method') method = value;
    else if (all[at] === ':scheme') scheme = value;
    else if (all[at] === ':authority') authority = value;
    else if (all[at] === ':path') path = value;
    else if (all[at] === ':protocol') protocol = value;
  }
  return { method, scheme, authority, path, protocol, fields: all.slice(at), neverIndexed, ended };
}

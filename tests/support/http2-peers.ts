import { once } from 'node:events';
import { connect as connectHttp2, createSecureServer, createServer } from 'node:http2';
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  Http2Server,
  OutgoingHttpHeaders,
  SecureServerOptions,
  ServerHttp2Session,
  ServerHttp2Stream,
  SessionOptions,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Peers } from './network-peers.ts';

/** What a server of streams does with each of them; fields are flat, as they came. */
export type ServeStream = (stream: ServerHttp2Stream, fields: string[]) => void;

export interface StreamServer {
  readonly port: number;
  readonly server: Http2Server;
  readonly sessions: Set<ServerHttp2Session>;
}

/** Serves HTTP/2 by node:http2: in clear text, or over TLS with HTTP/1.1 beside it only if the options say so. */
export async function serveHttp2(
  peers: Peers,
  serve: ServeStream,
  options: SecureServerOptions & SessionOptions = {},
): Promise<StreamServer> {
  const server = options.key === undefined ? createServer(options) : createSecureServer(options);
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined); // Seen by what becomes of its streams.
    session.once('close', () => sessions.delete(session));
  });
  server.on('stream', (stream: ServerHttp2Stream, _object: object, _flags: number, fields?: string[]) => {
    stream.on('error', () => undefined); // A reset is part of many tests; they look at what the other side saw.
    serve(stream, fields ?? []);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  peers.also(async () => {
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, server, sessions };
}

/** A client by node:http2, over a route or whatever socket the options make. */
export async function openHttp2(
  peers: Peers,
  origin: string,
  options: Parameters<typeof connectHttp2>[1] = {},
): Promise<ClientHttp2Session> {
  const session = connectHttp2(origin, options);
  session.on('error', () => undefined); // See `serveHttp2`.
  peers.also(() => void session.destroy());
  await once(session, 'connect');
  return session;
}

export interface StreamAnswer {
  /** 0: none came. */
  readonly status: number;
  /** Without pseudo-fields. */
  readonly fields: string[];
  readonly interim: number[];
  readonly body: Buffer;
  readonly trailers: string[] | null;
  /** With which the stream ended; 0 for an orderly end. */
  readonly code: number;
}

/** What comes back on a stream, to its end. */
export async function answerOf(stream: ClientHttp2Stream): Promise<StreamAnswer> {
  const seen = {
    status: 0,
    fields: [] as string[],
    interim: [] as number[],
    trailers: null as string[] | null,
  };
  const chunks: Buffer[] = [];
  stream.on('error', () => undefined); // Its code says the same.
  stream.on('headers', (object) => void seen.interim.push(Number(object[':status'])));
  stream.on('response', (object, _flags: number, fields?: string[]) => {
    seen.status = Number(object[':status']);
    seen.fields = (fields ?? []).slice(2);
  });
  stream.on('trailers', (_object, _flags: number, fields?: string[]) => {
    seen.trailers = fields ?? [];
  });
  stream.on('data', (chunk: Buffer) => void chunks.push(chunk));
  // Not `once`: it would throw what its code says.
  await new Promise<void>((resolve) => stream.once('close', resolve));
  return { ...seen, body: Buffer.concat(chunks), code: stream.rstCode ?? 0 };
}

export async function callHttp2(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders | string[],
  body: Buffer | string | null = null,
): Promise<StreamAnswer> {
  const stream = session.request(headers as OutgoingHttpHeaders, { endStream: body === null });
  if (body !== null) stream.end(body);
  return await answerOf(stream);
}

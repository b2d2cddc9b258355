import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { apiPrefix } from '#shared/contract/contract.ts';
import { SpikeError } from '#shared/contract/errors.ts';
import { splitAddress } from '#shared/routes/route.ts';
import type { Control } from './control.ts';
import { spikeError } from './error-mapping.ts';
import { sendError, sendText, setApiHeaders } from './json-response.ts';
import { generateOpenApi } from './openapi-document.ts';
import { createRestHandler, unknownPath } from './rest-handler.ts';
import { checkBearer, checkHost, checkOrigin, checkSubprotocols } from './security.ts';
import { createStaticHandler } from './static-files.ts';
import { createWebSockets, refuseUpgrade } from './web-sockets.ts';

export interface HttpServerOptions {
  readonly control: Control;
  /** host:port; port 0 takes a free one. */
  readonly listen: string;
  /** Asked at each request, so that it can be replaced. */
  readonly token: () => string;
  readonly version: string;
  /** Folder of the built window. */
  readonly rendererDirectory: string;
  /** Whether `/metrics` needs the token as well. Default true; Prometheus can send one (`authorization: credentials_file`). */
  readonly metricsNeedsToken?: boolean;
  /** Longest request body and WebSocket message. Default 16 MiB. */
  readonly maxBodyBytes?: number;
  /** Origins besides its own whose pages may ask: that of a development server. Default none. */
  readonly allowedOrigins?: readonly string[];
}

export interface ControlServer {
  /** host:port that is bound. */
  readonly address: string;
  /** `http://host:port`. */
  readonly url: string;
  /** Ends all connections; resolves once the port is free. */
  close(): Promise<void>;
}

type Handler = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>;

/** Serves the API and the window. Rejects with `port-in-use`, or `invalid-input` for an address that cannot be bound. */
export async function startControlServer(options: HttpServerOptions): Promise<ControlServer> {
  const { control } = options;
  const sockets = createWebSockets(control, options.maxBodyBytes ?? defaultMaxBodyBytes);
  const answer = createAnswer(options, sockets.has);
  const server = createServer({ requestTimeout: 60_000, headersTimeout: 10_000 });
  server.on('request', (request, response) => void answer(request, response));
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Between here and the WebSocket nobody else listens for the reset of a client that has gone.
    socket.on('error', (error) => control.log.debug({ err: error }, 'an upgrade failed'));
    try {
      sockets.upgrade(request, socket, head, admitSocket(request, options, sockets.has));
    } catch (error) {
      refuseUpgrade(socket, spikeError(error, control.log));
    }
  });
  const address = await listen(server, options.listen).catch(async (error: unknown) => {
    await sockets.close();
    throw error;
  });
  const url = `http://${address}`;
  control.setUrl(url);
  return { address, url, close: () => closeServer(server, sockets.close) };
}

const defaultMaxBodyBytes = 16 * 1024 ** 2;

function createAnswer(options: HttpServerOptions, isSocketPath: (path: string) => boolean) {
  const { control } = options;
  const toApi = createApiHandler(options, isSocketPath);
  const toWindow = createStaticHandler(options.rendererDirectory);
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      checkOrder(checkHost(hostFacts(request)), originOf(request, options));
      const path = pathOf(request);
      const isApi = path === '/metrics' || path === '/api' || path.startsWith('/api/');
      await (isApi ? toApi : toWindow)(request, response, path);
    } catch (error) {
      fail(request, response, spikeError(error, control.log));
    }
  };
}

function createApiHandler(options: HttpServerOptions, isSocketPath: (path: string) => boolean): Handler {
  const { control } = options;
  const rest = createRestHandler(control, options.maxBodyBytes ?? defaultMaxBodyBytes);
  const openApi = lazily(async () => JSON.stringify(await generateOpenApi(options.version)));
  const open: Readonly<Record<string, () => Promise<string>>> = {
    [`${apiPrefix}/openapi.json`]: openApi,
    '/metrics': () => control.metricsText(),
  };
  return async (request, response, path) => {
    const free = path === '/metrics' && options.metricsNeedsToken === false;
    if (!free) checkOrder(checkBearer(request.headers.authorization, options.token()));
    if (isSocketPath(path)) throw new SpikeError('bad-request', `${path} speaks WebSocket only.`);
    const document = Object.hasOwn(open, path) ? open[path] : undefined;
    if (document === undefined) return rest(request, response, path);
    await sendDocument(request, response, path, document);
  };
}

async function sendDocument(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  read: () => Promise<string>,
): Promise<void> {
  setApiHeaders(response);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    throw new SpikeError('method-not-allowed', `${path} takes GET, not ${request.method}.`);
  }
  const type = path === '/metrics' ? 'text/plain; version=0.0.4; charset=utf-8' : 'application/json';
  sendText(response, 200, type, await read());
}

/** The path of a WebSocket that may be opened. Throws what refuses it. */
function admitSocket(
  request: IncomingMessage,
  options: HttpServerOptions,
  isSocketPath: (path: string) => boolean,
): string {
  checkOrder(checkHost(hostFacts(request)), originOf(request, options));
  const { authorization } = request.headers;
  const token = options.token();
  const refusal =
    authorization === undefined
      ? checkSubprotocols(request.headers['sec-websocket-protocol'], token)
      : checkBearer(authorization, token);
  checkOrder(refusal);
  const path = pathOf(request);
  if (!isSocketPath(path)) throw unknownPath(path);
  return path;
}

/** Throws the first refusal. */
function checkOrder(...refusals: readonly (SpikeError | null)[]): void {
  for (const refusal of refusals) if (refusal !== null) throw refusal;
}

function hostFacts(request: IncomingMessage) {
  const { localAddress, localPort } = request.socket;
  return { host: request.headers.host, localAddress, localPort };
}

function originOf(request: IncomingMessage, options: HttpServerOptions): SpikeError | null {
  return checkOrigin(request.headers.origin, request.headers.host, options.allowedOrigins);
}

/** The path of the target in origin form (RFC 9112, section 3.2.1); other forms are for proxies, which this is not. */
function pathOf(request: IncomingMessage): string {
  const target = request.url ?? '';
  if (!target.startsWith('/')) throw new SpikeError('bad-request', 'This port is no proxy: ask for a path.');
  return target.replace(/\?.*$/s, '');
}

function fail(request: IncomingMessage, response: ServerResponse, error: SpikeError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // What is left of a refused body is not read: the connection cannot carry another request.
  if (!request.complete) response.setHeader('connection', 'close');
  sendError(response, error);
}

function listen(server: Server, address: string): Promise<string> {
  const { host, port } = splitAddress(address);
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(address, error)));
    server.listen({ host, port }, () => resolve(addressText(server.address() as AddressInfo)));
  });
}

function listenError(address: string, error: NodeJS.ErrnoException): SpikeError {
  if (error.code === 'EADDRINUSE') {
    return new SpikeError('port-in-use', `${address} is in use. Give another one with --control, or port 0.`);
  }
  return new SpikeError('invalid-input', `The control API cannot listen on ${address}: ${error.message}.`);
}

function addressText({ address, family, port }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

async function closeServer(server: Server, closeSockets: () => Promise<void>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closeSockets();
  await closed;
}

function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

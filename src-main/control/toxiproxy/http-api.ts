import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { SpikeError } from '#shared/contract/errors.ts';
import { splitAddress } from '#shared/routes/route.ts';
import type { Log } from '../../engine/log.ts';
import { checkHost, checkOrigin } from '../security.ts';
import { ToxiproxyError } from './api-error.ts';
import { proxyJson, toxicsJson } from './proxy.ts';
import { ProxyCollection, toxiproxyError } from './proxy-collection.ts';
import type { Populated, ProxyEngine } from './proxy-collection.ts';
import { toxicJson } from './toxic.ts';

export interface ToxiproxyServerOptions {
  readonly engine: ProxyEngine;
  /** host:port; port 0 takes a free one. */
  readonly listen: string;
  readonly log: Log;
}

export interface ToxiproxyServer {
  /** host:port that is bound. */
  readonly address: string;
  /** Answers nothing more. Routes and rules are the engine's, and end with it. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  /** JSON; null: none. */
  readonly body: string | null;
  readonly type?: string;
}

type Call = (proxies: ProxyCollection, names: readonly string[], body: string) => Answer | Promise<Answer>;

interface Endpoint {
  readonly path: RegExp;
  readonly methods: Readonly<Record<string, Call>>;
}

/** The version whose behaviour this is. */
const version = '2.12.0';
const maxBodyBytes = 1024 * 1024;

const updateProxy: Call = async (proxies, [name = ''], body) =>
  ok(proxyJson(await proxies.update(name, body)));
const updateToxic: Call = async (proxies, [proxy = '', toxic = ''], body) =>
  ok(toxicJson(await proxies.updateToxic(proxy, toxic, body)));

/** Every call of Toxiproxy's API. POST changes what exists as PATCH does: older clients know nothing else. */
const endpoints: readonly Endpoint[] = [
  { path: /^\/reset$/, methods: { POST: async (proxies) => done(await proxies.reset()) } },
  {
    path: /^\/proxies$/,
    methods: {
      GET: (proxies) =>
        ok(
          `{${proxies
            .all()
            .map((proxy) => `${JSON.stringify(proxy.name)}:${proxyJson(proxy)}`)
            .join(',')}}`,
        ),
      POST: async (proxies, _names, body) => ({ status: 201, body: proxyJson(await proxies.create(body)) }),
    },
  },
  {
    path: /^\/populate$/,
    methods: { POST: async (proxies, _names, body) => populated(await proxies.populate(body)) },
  },
  {
    path: /^\/proxies\/([^/]+)$/,
    methods: {
      GET: (proxies, [name = '']) => ok(proxyJson(proxies.get(name))),
      POST: updateProxy,
      PATCH: updateProxy,
      DELETE: async (proxies, [name = '']) => done(await proxies.remove(name)),
    },
  },
  {
    path: /^\/proxies\/([^/]+)\/toxics$/,
    methods: {
      GET: (proxies, [name = '']) => ok(toxicsJson(proxies.get(name))),
      POST: async (proxies, [name = ''], body) => ok(toxicJson(await proxies.addToxic(name, body))),
    },
  },
  {
    path: /^\/proxies\/([^/]+)\/toxics\/([^/]+)$/,
    methods: {
      GET: (proxies, [proxy = '', toxic = '']) => ok(toxicJson(proxies.toxic(proxy, toxic))),
      POST: updateToxic,
      PATCH: updateToxic,
      DELETE: async (proxies, [proxy = '', toxic = '']) => done(await proxies.removeToxic(proxy, toxic)),
    },
  },
  {
    path: /^\/version$/,
    methods: {
      GET: () => ({
        status: 200,
        body: `{"version": "${version}"}\n`,
        type: 'application/json;charset=utf-8',
      }),
    },
  },
];

/**
 * Answers Toxiproxy's API on a port of its own: no token, as its clients know none; browsers are kept out.
 * Rejects with `port-in-use`, or `invalid-input` for an address that cannot be bound.
 */
export async function startToxiproxyServer(options: ToxiproxyServerOptions): Promise<ToxiproxyServer> {
  const { engine, log } = options;
  const proxies = new ProxyCollection(engine, log);
  const server = createServer({ requestTimeout: 15_000, headersTimeout: 10_000 });
  server.on('request', (request, response) => void answer(proxies, request, response, log));
  const address = await listen(server, options.listen).catch((error: unknown) => {
    proxies.close();
    throw error;
  });
  return {
    address,
    async close() {
      proxies.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  proxies: ProxyCollection,
  request: IncomingMessage,
  response: ServerResponse,
  log: Log,
): Promise<void> {
  try {
    const refusal = refuseBrowser(request);
    if (refusal !== null) return plain(response, 403, refusal);
    const path = pathOf(request);
    const endpoint = endpoints.find((one) => one.path.test(path));
    if (endpoint === undefined) return plain(response, 404, '404 page not found');
    const call = Object.hasOwn(endpoint.methods, request.method ?? '')
      ? endpoint.methods[request.method ?? '']
      : undefined;
    if (call === undefined) return void response.writeHead(405).end();
    if (isMozilla(request)) return plain(response, 403, 'User agent not allowed');
    response.setHeader('x-toxiproxy-request-id', randomBytes(10).toString('hex'));
    const names = endpoint.path.exec(path)?.slice(1) ?? [];
    send(response, await call(proxies, names, await readBody(request)));
  } catch (error) {
    fail(response, error, log);
  }
}

function fail(response: ServerResponse, error: unknown, log: Log): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  let told: ToxiproxyError;
  try {
    told = toxiproxyError(error);
  } catch {
    log.error({ err: error }, 'A call of the Toxiproxy API failed');
    told = new ToxiproxyError(500, 'internal error');
  }
  plain(response, told.status, errorJson(told));
}

// --- answers

function ok(body: string): Answer {
  return { status: 200, body };
}

function done(_nothing: void): Answer {
  return { status: 204, body: null };
}

/** Go writes an empty list that was never made as null. */
function populated({ proxies, error }: Populated): Answer {
  const list = proxies.length === 0 ? 'null' : `[${proxies.map(proxyJson).join(',')}]`;
  if (error === null) return { status: 201, body: `{"proxies":${list}}` };
  return { status: error.status, body: `${errorJson(error).slice(0, -1)},"proxies":${list}}` };
}

function errorJson({ message, status }: ToxiproxyError): string {
  return JSON.stringify({ error: message, status });
}

function send(response: ServerResponse, { status, body, type = 'application/json' }: Answer): void {
  if (body === null) return void response.writeHead(status).end();
  const bytes = Buffer.from(body);
  response.writeHead(status, { 'content-type': type, 'content-length': bytes.length }).end(bytes);
}

/** As Go's `http.Error` writes: errors are JSON called text. */
function plain(response: ServerResponse, status: number, text: string): void {
  const bytes = Buffer.from(`${text}\n`);
  response
    .writeHead(status, {
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'content-length': bytes.length,
    })
    .end(bytes);
}

// --- requests

/** A page that was re-bound to loopback, or of another origin; Toxiproxy itself looks at the user agent only. */
function refuseBrowser({ headers, socket }: IncomingMessage): string | null {
  const { localAddress, localPort } = socket;
  const refusal =
    checkHost({ host: headers.host, localAddress, localPort }) ?? checkOrigin(headers.origin, headers.host);
  return refusal?.message ?? null;
}

function isMozilla({ headers }: IncomingMessage): boolean {
  return headers['user-agent']?.startsWith('Mozilla/') === true;
}

/** Names may have any character; one that is not decodable matches nothing. */
function pathOf(request: IncomingMessage): string {
  const path = (request.url ?? '').replace(/[?#].*$/s, '');
  try {
    return decodeURIComponent(path);
  } catch {
    return '';
  }
}

/** Whatever it says that it is: clients send JSON as text, or as a form. What is too long is read to its end, and answered. */
function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBodyBytes) chunks.push(chunk);
    });
    request.once('error', reject); // and nobody is left to be answered
    request.once('end', () => {
      if (size <= maxBodyBytes) return resolve(Buffer.concat(chunks, size).toString('utf8'));
      reject(new ToxiproxyError(413, `the body is larger than ${maxBodyBytes} bytes`));
    });
  });
}

// --- listening

function listen(server: Server, address: string): Promise<string> {
  const { host, port } = splitAddress(address);
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(address, error)));
    server.listen({ host, port }, () => resolve(addressText(server.address() as AddressInfo)));
  });
}

function listenError(address: string, error: NodeJS.ErrnoException): SpikeError {
  if (error.code === 'EADDRINUSE')
    return new SpikeError(
      'port-in-use',
      `${address} is in use. Give another one with --toxiproxy, or port 0.`,
    );
  return new SpikeError('invalid-input', `Toxiproxy's API cannot listen on ${address}: ${error.message}.`);
}

function addressText({ address, family, port }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

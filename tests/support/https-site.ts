import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { loadOrCreateCertificateAuthority } from '../../src-main/engine/tls/certificate-authority.ts';
import { createLeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';

/**
 * A small web site on loopback: a page with a style sheet, a script, an image and calls of that script; answers in JSON
 * under every content coding; an answer that takes as long as it is told. Over HTTPS its CA is its own, trusted by nobody
 * who is not told to.
 */
export interface Site {
  /** `https://127.0.0.1:PORT`, without a slash at its end. */
  readonly origin: string;
  readonly port: number;
  /** The PEM file to trust; null for plain HTTP. */
  readonly caPath: string | null;
  /** What reached it, as `METHOD path`, oldest first. */
  readonly requests: string[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** What `/data.json`, `/data.gzip` and `/data.br` answer with, once decoded. */
export const siteData = { items: [{ sku: 'A-1', count: 3 }], text: 'grüße '.repeat(40) };

/** @param directory where the CA of an HTTPS site is made; null for plain HTTP. */
export async function startSite(directory: string | null): Promise<Site> {
  const requests: string[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    requests.push(`${request.method} ${request.url}`);
    void answer(request, response);
  };
  const { server, caPath } = directory === null ? plain(listener) : await secured(directory, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `${caPath === null ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    caPath,
    requests,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

function plain(listener: Listener): { server: Server; caPath: null } {
  return { server: createHttpServer(listener), caPath: null };
}

async function secured(directory: string, listener: Listener) {
  const log = { info: () => undefined, warn: () => undefined };
  const ca = await loadOrCreateCertificateAuthority({ directory, now: Date.now, log });
  const issuer = createLeafIssuer({ ca, now: Date.now });
  const leaf = issuer.issue('127.0.0.1');
  if (leaf === null) throw new Error('127.0.0.1 cannot be certified');
  return {
    server: createHttpsServer({ key: issuer.privateKeyPem, cert: leaf.chainPem }, listener) as Server,
    caPath: `${dirname(ca.path)}/ca.pem`,
  };
}

const page = `<!doctype html><html><head><title>loading</title><link rel="stylesheet" href="/style.css">
<link rel="icon" href="/image.png"></head>
<body><img src="/image.png" alt=""><p id="said">nothing yet</p><script src="/script.js"></script></body></html>`;
const script = `Promise.all([fetch('/data.gzip').then((r) => r.json()), fetch('/data.br', { method: 'POST', body: '{"a":1}' }).then((r) => r.json())])
  .then(([one, two]) => { document.querySelector('#said').textContent = one.items[0].sku + ' ' + two.items[0].sku; document.title = 'all loaded'; });`;
/** One transparent pixel. */
const image = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);

const json = JSON.stringify(siteData);
const files: Record<string, { type: string; coding?: string; body: string | Buffer }> = {
  '/': { type: 'text/html; charset=utf-8', body: page },
  '/style.css': { type: 'text/css', body: 'p { color: rgb(1, 2, 3) }' },
  '/script.js': { type: 'text/javascript', body: script },
  '/image.png': { type: 'image/png', body: image },
  '/data.json': { type: 'application/json', body: json },
  '/data.gzip': { type: 'application/json', coding: 'gzip', body: gzipSync(json) },
  '/data.br': { type: 'application/json', coding: 'br', body: brotliCompressSync(json) },
};

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://site');
  request.resume();
  if (pathname === '/slow') await sleep(Number(searchParams.get('ms')));
  const file = files[pathname] ?? { type: 'text/plain', body: 'fine' };
  response.setHeader('content-type', file.type);
  if (file.coding !== undefined) response.setHeader('content-encoding', file.coding);
  response.end(file.body);
}

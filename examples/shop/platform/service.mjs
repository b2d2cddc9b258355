import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { CallFailed } from './call.mjs';
import { seededRandom, workload } from './chance.mjs';
import { reportFailure, reportReady } from './lifeline.mjs';
import { portOf, variableOf } from './ports.mjs';
import { traceOf } from './trace.mjs';

// One way to be a small JSON service:  request ─► endpoint ─► answer ─► [ETag, 304] ─► [br, gzip] ─► response

const longestBodyBytes = 64 * 1024;
const compressFromBytes = 1024;
const encoders = {
  br: (bytes) =>
    promisify(zlib.brotliCompress)(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }),
  gzip: promisify(zlib.gzip),
};

/**
 * What an endpoint answers with.
 * @typedef {{ status?: number, body?: unknown, headers?: Record<string, string>, cacheable?: boolean }} Answer
 * `cacheable`: with an ETag, and 304 for those who have it already; default false.
 *
 * What an endpoint is given; `takes(ms)` is the work it does itself, `body` the parsed JSON or undefined.
 * @typedef {{ params: Record<string, string>, query: URLSearchParams, body: any, trace: object,
 *   headers: import('node:http').IncomingHttpHeaders, takes: (medianMs: number) => Promise<void> }} Call
 */

/**
 * Serves on 127.0.0.1, on NAME_PORT or the documented port.
 * @param {string} name
 * @param {Record<string, (call: Call) => Promise<Answer>>} endpoints by 'METHOD /path/:parameter'
 * @param {{ tls?: { key: Buffer, cert: Buffer } }} [options] tls: speak HTTPS with this certificate
 */
export function serve(name, endpoints, { tls } = {}) {
  const takes = workload(seededRandom(`${process.env.SHOP_SEED ?? 'shop'}:${name}`));
  const table = compile({
    'GET /healthz': async () => ({ body: { status: 'ok', service: name } }),
    ...endpoints,
  });
  const listener = (request, response) => void respond({ table, takes }, request, response);
  const server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener);
  const port = Number(process.env[`${variableOf(name)}_PORT`] ?? portOf(name));
  server.on('error', reportFailure);
  server.listen(port, '127.0.0.1', () => reportReady({ name, port: server.address().port }));
}

function compile(endpoints) {
  return Object.entries(endpoints).map(([key, handle]) => {
    const [method, pathname] = key.split(' ');
    return { method, pattern: new URLPattern({ pathname }), handle };
  });
}

async function respond(service, request, response) {
  // A caller that has gone, or a reset on the way: nobody is left to be told.
  request.on('error', () => {});
  response.on('error', () => {});
  const answer = await answerTo(service, request).catch(answerForFailure);
  if (!response.destroyed) await send(request, response, answer);
}

async function answerTo({ table, takes }, request) {
  const url = new URL(request.url, 'http://localhost');
  const fits = table.filter(({ pattern }) => pattern.test({ pathname: url.pathname }));
  const endpoint = fits.find(({ method }) => method === request.method);
  if (fits.length === 0) return problem(404, 'no-such-path', `Nothing is served at ${url.pathname}.`);
  if (endpoint === undefined) {
    const allow = fits.map(({ method }) => method).join(', ');
    return { ...problem(405, 'method-not-allowed', `Only ${allow}.`), headers: { allow } };
  }
  const { headers } = request;
  const params = endpoint.pattern.exec({ pathname: url.pathname }).pathname.groups;
  const body = await readJson(request);
  return endpoint.handle({ params, query: url.searchParams, body, headers, trace: traceOf(headers), takes });
}

/**
 * An answer that says what went wrong.
 * @param {number} status
 * @param {string} code stable, for programs
 * @param {string} message for people
 */
export function problem(status, code, message) {
  return { status, body: { error: { code, message } } };
}

/** Thrown by an endpoint that is given nonsense; answered with 4xx. */
class BadRequest extends Error {
  constructor(status, code, message) {
    super(message);
    Object.assign(this, { status, code });
  }
}

function answerForFailure(error) {
  if (error instanceof BadRequest) return problem(error.status, error.code, error.message);
  if (error instanceof CallFailed)
    return problem(error.timedOut ? 504 : 502, 'upstream-failed', error.message);
  console.error(error);
  return problem(500, 'bug', 'Something is wrong in this service; its log says what.');
}

async function readJson(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > longestBodyBytes) throw new BadRequest(413, 'too-large', `Over ${longestBodyBytes} bytes.`);
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw new BadRequest(400, 'not-json', 'The body is not JSON.');
  }
}

async function send(request, response, { status = 200, body, headers = {}, cacheable = false }) {
  const plain = body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body));
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (cacheable) {
    // Weak: the same for every encoding of the answer (RFC 9110, 8.8.3.3).
    const etag = `W/"${createHash('sha256').update(plain).digest('base64url').slice(0, 16)}"`;
    response.setHeader('etag', etag).setHeader('cache-control', 'private, max-age=0, must-revalidate');
    const known = request.headers['if-none-match']?.split(/,\s*/) ?? [];
    if (known.includes(etag)) return response.writeHead(304).end();
  }
  const encoding = encodingFor(request, plain);
  const sent = encoding === undefined ? plain : await encoders[encoding](plain);
  if (encoding !== undefined) response.setHeader('content-encoding', encoding);
  if (plain.length >= compressFromBytes) response.setHeader('vary', 'accept-encoding');
  if (plain.length > 0) response.setHeader('content-type', 'application/json; charset=utf-8');
  if (status !== 204) response.setHeader('content-length', sent.length);
  return response.writeHead(status).end(sent);
}

function encodingFor(request, plain) {
  if (plain.length < compressFromBytes) return undefined;
  const offers = (request.headers['accept-encoding'] ?? '').split(/,\s*/);
  const accepted = offers
    .filter((offer) => !/;\s*q=0(\.0+)?$/.test(offer))
    .map((offer) => offer.split(';')[0].trim());
  return Object.keys(encoders).find((encoding) => accepted.includes(encoding));
}

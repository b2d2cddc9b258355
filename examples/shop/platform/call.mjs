import http from 'node:http';
import https from 'node:https';
import zlib from 'node:zlib';
import { portOf, schemeOf, variableOf } from './ports.mjs';
import { traceHeaders } from './trace.mjs';

// Calls to peers use Node's global agents on purpose: with NODE_USE_ENV_PROXY=1 they take HTTP_PROXY, HTTPS_PROXY and
// NO_PROXY from the environment, loopback included, and send plain HTTP in absolute form. Node's fetch before
// undici 8.7 would send plain HTTP inside CONNECT instead, and an agent of our own without `proxyEnv` would go direct.

/** A peer did not give a usable answer: it was not reached, broke off, took too long, or answered with 5xx. */
export class CallFailed extends Error {
  constructor(peer, reason, timedOut) {
    super(`${peer.name}: ${reason}`);
    this.timedOut = timedOut;
  }
}

/**
 * A service that this one calls; its address is NAME_URL or the documented port on loopback.
 * @param {string} name
 */
export function peer(name) {
  const url = process.env[`${variableOf(name)}_URL`] ?? `${schemeOf(name)}://127.0.0.1:${portOf(name)}`;
  return { name, url: new URL(url) };
}

/**
 * Calls a peer with JSON and reads all of its answer.
 * @param {{ name: string, url: URL }} peer
 * @param {string} target 'METHOD /path?query'
 * @param {{ trace: object, body?: unknown, headers?: Record<string, string>, timeoutMs?: number, retries?: number }} options
 *   timeoutMs: for each try, from start to end; absent means as long as it takes. retries: default 0; with more than
 *   0 a call that is not idempotent must carry an Idempotency-Key.
 * @returns {Promise<{ status: number, headers: import('node:http').IncomingHttpHeaders, body: any }>}
 * @throws {CallFailed}
 */
export async function call(peer, target, { retries = 0, ...options }) {
  try {
    return await tryOnce(peer, target, options);
  } catch (error) {
    if (retries === 0 || !(error instanceof CallFailed)) throw error;
    return call(peer, target, { retries: retries - 1, ...options });
  }
}

async function tryOnce(peer, target, { trace, body, headers = {}, timeoutMs }) {
  const [method, path] = target.split(' ');
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const all = {
    accept: 'application/json',
    'accept-encoding': 'br, gzip',
    ...traceHeaders(trace),
    ...headers,
  };
  if (payload !== undefined) {
    all['content-type'] = 'application/json';
    all['content-length'] = Buffer.byteLength(payload);
  }
  const signal = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const answer = await exchange(new URL(path, peer.url), { method, headers: all, signal }, payload).catch(
    (error) => {
      if (signal?.aborted) throw new CallFailed(peer, `no answer within ${timeoutMs} ms`, true);
      throw new CallFailed(peer, error.code ?? error.message, false);
    },
  );
  if (answer.status >= 500) throw new CallFailed(peer, `answered ${answer.status}`, false);
  return answer;
}

async function exchange(url, options, payload) {
  const response = await new Promise((resolve, reject) => {
    const client = url.protocol === 'https:' ? https : http;
    client.request(url, options, resolve).on('error', reject).end(payload);
  });
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  return {
    status: response.statusCode,
    headers: response.headers,
    body: parsed(decoded(Buffer.concat(chunks), response.headers['content-encoding'])),
  };
}

function decoded(bytes, encoding) {
  if (encoding === 'br') return zlib.brotliDecompressSync(bytes);
  return encoding === 'gzip' ? zlib.gunzipSync(bytes) : bytes;
}

/** Not every answer is JSON: a proxy on the way may speak for itself, in words. */
function parsed(bytes) {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return bytes.toString();
  }
}

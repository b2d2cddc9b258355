import { readFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { SpikeError } from '#shared/contract/errors.ts';
import { sendText } from './json-response.ts';

/**
 * The built window, for browsers. It holds nothing secret, so it needs no token: the page takes it from the fragment
 * of its own URL. Not compressed: it never leaves the machine.
 */

const mimeTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};

/**
 * Scripts from here only. Styles: CodeMirror and Radix make `<style>` elements while they run, which no header but
 * 'unsafe-inline' lets them do.
 */
function pagePolicy(host: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "worker-src 'self' blob:",
    // Not every browser takes 'self' for its WebSockets as well.
    `connect-src 'self' ws://${host}`,
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** Answers `GET` and `HEAD` for a file of the window. Rejects with `not-found` or `method-not-allowed`. */
export type StaticHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
) => Promise<void>;

export function createStaticHandler(directory: string): StaticHandler {
  return async (request, response, path) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      throw new SpikeError('method-not-allowed', `${path} takes GET, not ${request.method}.`);
    }
    setPageHeaders(response, request.headers.host ?? '');
    const file = fileWithin(directory, path);
    const content = file === null ? null : await readIfThere(file);
    if (file !== null && content !== null) return sendFile(request, response, file, content);
    if (path === '/') return sendText(response, 503, 'text/html; charset=utf-8', notBuiltPage);
    throw new SpikeError('not-found', `There is no ${path}.`);
  };
}

function setPageHeaders(response: ServerResponse, host: string): void {
  response.setHeader('content-security-policy', pagePolicy(host));
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('cross-origin-opener-policy', 'same-origin');
  response.setHeader('cross-origin-resource-policy', 'same-origin');
}

/** The file that a path of a URL names; null when it would be outside of the directory, or is no path at all. */
export function fileWithin(directory: string, urlPath: string): string | null {
  let path: string;
  try {
    path = decodeURIComponent(urlPath);
  } catch {
    return null; // a percent sign without two digits: no file is called that
  }
  if (path.includes('\0') || path.includes('\\')) return null;
  const root = normalize(directory + sep);
  const file = join(root, path === '/' ? 'index.html' : path);
  return file.startsWith(root) ? file : null;
}

async function readIfThere(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR') return null;
    throw error;
  }
}

function sendFile(request: IncomingMessage, response: ServerResponse, file: string, content: Buffer): void {
  const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
  // The build names what is in `assets` after its content.
  const named = file.includes(`${sep}assets${sep}`);
  response.setHeader('etag', etag);
  response.setHeader('cache-control', named ? 'public, max-age=31536000, immutable' : 'no-cache');
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end();
    return;
  }
  const type = mimeTypes[extname(file)] ?? 'application/octet-stream';
  response.writeHead(200, { 'content-type': type, 'content-length': content.length });
  response.end(content);
}

const notBuiltPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Spike: the window is not built</title>
<h1>The window is not built</h1>
<p>The agent runs, and its API answers under <code>/api/v1</code>. For the window, run <code>npm run build</code>
in the repository, then load this page again.</p>
</html>
`;

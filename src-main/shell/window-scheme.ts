import { readFile } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';
import type { ElectronParts } from './electron-parts.ts';

/** The page that the window shows, and with it who may speak to the main process. */
export interface WindowPage {
  readonly url: string;
  /** Compared as the beginning of a URL: for a scheme of our own `new URL(…).origin` is "null" in Node. */
  readonly origin: string;
}

const windowScheme = 'spike';

/** The page has an origin of its own: `file://` has none, and may read every file that the user may. */
export const builtPage: WindowPage = {
  origin: `${windowScheme}://window`,
  url: `${windowScheme}://window/index.html`,
};

/** The page of electron-vite's development server (its ELECTRON_RENDERER_URL). */
export function developmentPage(url: string): WindowPage {
  const { origin, href } = new URL(url);
  return { origin, url: href };
}

export function belongsTo(page: WindowPage, url: string): boolean {
  return url === page.origin || url.startsWith(`${page.origin}/`);
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.map': 'application/json',
};

/** The same policy as the page's own, as a header: also for what is not a page. Nothing is fetched from anywhere. */
const contentSecurityPolicy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "worker-src 'self'",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Before the app is ready (Electron: protocol.registerSchemesAsPrivileged). */
export function declareWindowScheme(protocol: ElectronParts['protocol']): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: windowScheme, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
}

/** Once the app is ready: answers from the built files, and with nothing else. */
export function serveWindowScheme(protocol: ElectronParts['protocol'], rendererDirectory: string): void {
  protocol.handle(windowScheme, (request) => answer(request.url, rendererDirectory));
}

/** A file of the window, or 404: outside of its folder, of a kind that a window has not, or not there. */
export async function answer(url: string, rendererDirectory: string): Promise<Response> {
  const path = fileOf(url, rendererDirectory);
  const type = path === null ? undefined : contentTypes[extname(path)];
  if (path === null || type === undefined) return new Response('Not found', { status: 404 });
  try {
    const body = new Uint8Array(await readFile(path));
    return new Response(body, {
      headers: {
        'content-type': type,
        'content-security-policy': contentSecurityPolicy,
        'x-content-type-options': 'nosniff',
      },
    });
  } catch {
    // Not there, or not readable: the page is told the same.
    return new Response('Not found', { status: 404 });
  }
}

/** The file that a URL names; null for one outside of the folder or of another host. */
function fileOf(url: string, rendererDirectory: string): string | null {
  const { host, pathname } = new URL(url);
  if (host !== 'window') return null;
  let relative: string;
  try {
    relative = normalize(decodeURIComponent(pathname));
  } catch {
    return null; // A malformed escape names no file.
  }
  const root = normalize(rendererDirectory + sep);
  const path = join(root, relative === sep ? 'index.html' : relative);
  return path.startsWith(root) ? path : null;
}

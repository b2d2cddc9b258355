import type { CustomScheme } from 'electron';
import type { Route } from '@playwright/test';

type Handler = (request: Request) => Response | Promise<Response>;

/**
 * Electron's `protocol`. A Chromium that is not Electron knows no schemes of others, so a page of `spike://window/` is at
 * `https://window.spike.test/`: an origin of its own and a secure context, as `standard` and `secure` make of the scheme.
 * Nothing leaves the machine: each request of that host is answered by the registered handler, which sees its own URL.
 */
export class StandInSchemes {
  readonly #privileged = new Map<string, CustomScheme>();
  readonly #handlers = new Map<string, Handler>();
  readonly #isReady: () => boolean;

  constructor(isReady: () => boolean) {
    this.#isReady = isReady;
  }

  registerSchemesAsPrivileged = (schemes: CustomScheme[]): void => {
    if (this.#isReady()) throw new Error('registerSchemesAsPrivileged: the app is ready already');
    for (const scheme of schemes) this.#privileged.set(scheme.scheme, scheme);
  };

  handle = (scheme: string, handler: Handler): void => {
    if (!this.#isReady()) throw new Error('protocol.handle: the app is not ready');
    const { standard, secure, supportFetchAPI } = this.#privileged.get(scheme)?.privileges ?? {};
    if (!standard || !secure || !supportFetchAPI) {
      throw new Error(
        `The stand-in gives ${scheme}: an https origin, which only these privileges would give it`,
      );
    }
    this.#handlers.set(scheme, handler);
  };

  /** Where the browser finds what Electron has at this URL. */
  toBrowser(url: string): string {
    const [, scheme = '', host = '', rest = ''] = /^([a-z][a-z\d+.-]*):\/\/([^/?#]*)(.*)$/.exec(url) ?? [];
    return this.#handlers.has(scheme) ? `https://${host}.${scheme}.test${rest || '/'}` : url;
  }

  /** What Electron would call it. */
  toElectron(url: string): string {
    const [, host = '', scheme = '', rest = ''] = /^https:\/\/([^/?#]*)\.([a-z]+)\.test(.*)$/.exec(url) ?? [];
    return this.#handlers.has(scheme) ? `${scheme}://${host}${rest}` : url;
  }

  /** Answers a request of the browser with the handler of its scheme; others go on to where they would. */
  async answer(route: Route): Promise<void> {
    const request = route.request();
    const url = this.toElectron(request.url());
    const handler = this.#handlers.get(url.slice(0, url.indexOf(':')));
    if (handler === undefined) return route.continue();
    const response = await handler(
      new Request(url, { method: request.method(), headers: request.headers() }),
    );
    await route.fulfill({
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: Buffer.from(await response.arrayBuffer()),
    });
  }
}

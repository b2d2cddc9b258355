import { readFileSync } from 'node:fs';
import type { CDPSession, Page } from '@playwright/test';
import { createCloneCodec } from './clone-codec.ts';
import type { StandInPort } from './message-ports.ts';

/** What the preload's world tells; `url` is the page's at that time. */
type FromPage = { readonly url: string } & (
  | { readonly type: 'hello' }
  | { readonly type: 'send'; readonly channel: string; readonly args: unknown[] }
  | { readonly type: 'invoke'; readonly id: number; readonly channel: string; readonly args: unknown[] }
  | { readonly type: 'port-message'; readonly port: number; readonly data: unknown }
  | { readonly type: 'port-closed'; readonly port: number }
);

export interface PageHostOptions {
  readonly preloadPath: string;
  readonly platform: NodeJS.Platform;
  onSend(url: string, channel: string, args: unknown[]): void;
  onInvoke(url: string, channel: string, args: unknown[]): Promise<unknown>;
}

const worldName = 'electron-stand-in preload';
const bindingName = 'standInSend';
const codec = createCloneCodec();

/**
 * One page with a preload, as Electron's `contextIsolation` has it: the preload's file runs before the page's scripts, in a
 * world of its own (DevTools protocol, `worldName`), where alone the channel to this process is. What passes to the page
 * is cloned; ports pass with `window.postMessage`.
 */
export class PageHost {
  readonly #session: CDPSession;
  readonly #options: PageHostOptions;
  readonly #ports = new Map<number, StandInPort>();
  /** The preload's world in the present document; null between two. */
  #world: number | null = null;
  #lastPort = 0;

  private constructor(session: CDPSession, options: PageHostOptions) {
    this.#session = session;
    this.#options = options;
  }

  static async attach(page: Page, options: PageHostOptions): Promise<PageHost> {
    const session = await page.context().newCDPSession(page);
    const host = new PageHost(session, options);
    session.on('Runtime.bindingCalled', ({ name, payload, executionContextId }) => {
      if (name === bindingName) host.#receive(codec.decode(payload) as FromPage, executionContextId);
    });
    session.on('Runtime.executionContextDestroyed', ({ executionContextId }) => {
      if (executionContextId === host.#world) host.#forget();
    });
    session.on('Runtime.executionContextsCleared', () => host.#forget());
    page.on('close', () => host.#forget());
    await session.send('Page.enable');
    await session.send('Runtime.enable');
    await session.send('Runtime.addBinding', { name: bindingName, executionContextName: worldName });
    await session.send('Page.addScriptToEvaluateOnNewDocument', { source: inPage('main-world.js') });
    await session.send('Page.addScriptToEvaluateOnNewDocument', {
      source: preloadSource(options),
      worldName,
    });
    return host;
  }

  /** A message to the preload; the ports move to the page. */
  post(channel: string, args: readonly unknown[], ports: readonly StandInPort[]): void {
    const ids = ports.map((port) => this.#bridge(port));
    this.#tell({ type: 'message', channel, args, ports: ids });
  }

  #bridge(port: StandInPort): number {
    const id = (this.#lastPort += 1);
    this.#ports.set(id, port);
    port.on('message', ({ data }: { data: unknown }) => this.#tell({ type: 'port-message', port: id, data }));
    port.on('close', () => {
      if (this.#ports.delete(id)) this.#tell({ type: 'port-close', port: id });
    });
    port.start();
    return id;
  }

  #receive(message: FromPage, world: number): void {
    const { url } = message;
    switch (message.type) {
      case 'hello':
        this.#forget();
        this.#world = world;
        return;
      case 'send':
        return this.#options.onSend(url, message.channel, message.args);
      case 'invoke':
        return void this.#invoke(url, message.id, message.channel, message.args);
      case 'port-message':
        return this.#ports.get(message.port)?.postMessage(message.data);
      case 'port-closed':
        return this.#closePort(message.port);
    }
  }

  async #invoke(url: string, id: number, channel: string, args: unknown[]): Promise<void> {
    try {
      this.#tell({ type: 'reply', id, value: await this.#options.onInvoke(url, channel, args) });
    } catch (error) {
      this.#tell({ type: 'reply', id, error: `Error invoking remote method '${channel}': ${String(error)}` });
    }
  }

  #tell(message: object): void {
    if (this.#world === null) return; // Sent to a page that has gone.
    const expression = `standInReceive(${JSON.stringify(codec.encode(message))})`;
    this.#session.send('Runtime.evaluate', { expression, contextId: this.#world }).catch(() => {
      // The page went while this was on its way; nobody waits for it.
    });
  }

  #closePort(id: number): void {
    const port = this.#ports.get(id);
    this.#ports.delete(id);
    port?.close();
  }

  /** The document is gone, and with it its ends of the ports. */
  #forget(): void {
    this.#world = null;
    for (const id of [...this.#ports.keys()]) this.#closePort(id);
  }
}

function inPage(name: string): string {
  return readFileSync(new URL(`./in-page/${name}`, import.meta.url), 'utf8');
}

function preloadSource({ preloadPath, platform }: PageHostOptions): string {
  return `(() => {
    if (window !== window.top) return;
    const codec = (${createCloneCodec.toString()})();
    const send = globalThis[${JSON.stringify(bindingName)}];
    const platform = ${JSON.stringify(platform)};
    const runPreload = (require, process) => {
      const module = { exports: {} };
      (function (require, module, exports, process) {${readFileSync(preloadPath, 'utf8')}
      })(require, module, module.exports, process);
    };
    ${inPage('preload-world.js')}
  })();`;
}

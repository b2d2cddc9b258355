import { EventEmitter } from 'node:events';
import type { BrowserContext, Page, Request } from '@playwright/test';
import type { BrowserWindowConstructorOptions } from 'electron';
import { StandInEvent } from './app.ts';
import type { StandInApp } from './app.ts';
import type { StandInPort } from './message-ports.ts';
import { PageHost } from './page-host.ts';
import type { StandInPermissions } from './permissions.ts';
import type { StandInSchemes } from './schemes.ts';

/** What windows are made in. */
export interface WindowWorld {
  readonly app: StandInApp;
  readonly schemes: StandInSchemes;
  readonly permissions: StandInPermissions;
  readonly platform: NodeJS.Platform;
  readonly ipcMain: EventEmitter;
  invoke(event: object, channel: string, args: unknown[]): Promise<unknown>;
  /** Null: windows without a page, for tests of the main process alone. */
  readonly context: Promise<BrowserContext> | null;
}

export interface StandInFrame {
  readonly url: string;
  readonly parent: StandInFrame | null;
}

type OpenHandler = (details: { url: string }) => { action: 'allow' | 'deny' };

export class StandInWebContents extends EventEmitter {
  openHandler: OpenHandler = () => ({ action: 'allow' });
  mainFrame: StandInFrame = { url: '', parent: null };
  readonly #window: StandInWindow;

  constructor(window: StandInWindow) {
    super();
    this.#window = window;
  }

  setWindowOpenHandler(handler: OpenHandler): void {
    this.openHandler = handler;
  }

  send(channel: string, ...args: unknown[]): void {
    this.#window.host?.post(channel, args, []);
  }

  postMessage(channel: string, message: unknown, transfer: StandInPort[] = []): void {
    this.#window.host?.post(channel, [message], transfer);
  }

  reload(): void {
    void this.#window.page.then((page) => page?.reload());
  }

  /** Whether the page may go there: as Electron, asked for what the page or its user begins. */
  mayNavigate(url: string, isMainFrame: boolean): boolean {
    const details = Object.assign(new StandInEvent(), { url, isMainFrame, isSameDocument: false });
    this.emit('will-frame-navigate', details);
    if (isMainFrame) this.emit('will-navigate', details, url);
    return !details.defaultPrevented;
  }
}

export class StandInWindow extends EventEmitter {
  readonly options: BrowserWindowConstructorOptions;
  readonly webContents: StandInWebContents;
  /** The browser's page; null where windows have none. */
  readonly page: Promise<Page | null>;
  host: PageHost | null = null;
  visible = false;
  minimized = false;
  backgroundColor: string | undefined;
  overlay: unknown;
  /** What the page wanted to open and was refused. */
  readonly refusedWindows: string[] = [];
  readonly refusedNavigations: string[] = [];
  readonly #world: WindowWorld;
  #loading: string | null = null;
  #destroyed = false;

  constructor(world: WindowWorld, options: BrowserWindowConstructorOptions) {
    super();
    const { contextIsolation, sandbox, nodeIntegration } = options.webPreferences ?? {};
    if (contextIsolation === false || sandbox === false || nodeIntegration === true) {
      throw new Error('The stand-in has isolated, sandboxed pages without Node, and no others');
    }
    this.#world = world;
    this.options = options;
    this.visible = options.show !== false;
    this.backgroundColor = options.backgroundColor;
    this.overlay = options.titleBarOverlay;
    this.webContents = new StandInWebContents(this);
    world.app.windows.add(this);
    world.app.emit('web-contents-created', new StandInEvent(), this.webContents);
    this.page = world.context === null ? Promise.resolve(null) : this.#openPage(world.context);
    this.page.catch(() => undefined); // Told by loadURL, which waits for it.
  }

  async loadURL(url: string): Promise<void> {
    const page = await this.page;
    this.webContents.mainFrame = { url, parent: null };
    if (page !== null) {
      this.#loading = this.#world.schemes.toBrowser(url);
      await this.#world.permissions.apply(page.context());
      await page.goto(this.#loading);
    }
    if (!this.#destroyed) this.emit('ready-to-show');
  }

  show(): void {
    this.visible = true;
  }
  focus(): void {
    this.emit('focus');
  }
  isMinimized(): boolean {
    return this.minimized;
  }
  restore(): void {
    this.minimized = false;
  }
  isDestroyed(): boolean {
    return this.#destroyed;
  }
  setBackgroundColor(color: string): void {
    this.backgroundColor = color;
  }
  setTitleBarOverlay(overlay: object): void {
    if (this.options.titleBarOverlay === undefined) throw new TypeError('Titlebar overlay is not enabled');
    this.overlay = overlay;
  }

  /** As the user closes it. */
  close(): void {
    const event = new StandInEvent();
    this.emit('close', event);
    if (!event.defaultPrevented) this.destroy();
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    void this.page.then((page) => page?.close()).catch(() => undefined); // Closed with its browser.
    this.emit('closed');
    this.#world.app.windowClosed(this);
  }

  /** The event of a message that the page sent. */
  messageEvent(url: string, parent: StandInFrame | null = null): object {
    this.webContents.mainFrame = { url, parent };
    return { sender: this.webContents, senderFrame: this.webContents.mainFrame, ports: [], type: 'frame' };
  }

  async #openPage(opening: Promise<BrowserContext>): Promise<Page> {
    const context = await opening;
    const page = await context.newPage();
    const { width = 800, height = 600 } = this.options;
    await page.setViewportSize({ width, height });
    page.on('popup', (popup) => void this.#decidePopup(popup));
    page.on('crash', () =>
      this.webContents.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 1 }),
    );
    await page.route('**/*', async (route) => {
      if (this.#mayRequest(route.request())) await this.#world.schemes.answer(route);
      else await route.abort('aborted');
    });
    this.host = await PageHost.attach(page, this.#hostOptions());
    return page;
  }

  #hostOptions(): Parameters<typeof PageHost.attach>[1] {
    const { preload = '' } = this.options.webPreferences ?? {};
    const { ipcMain, platform, schemes } = this.#world;
    return {
      preloadPath: preload,
      platform,
      onSend: (url, channel, args) =>
        void ipcMain.emit(channel, this.messageEvent(schemes.toElectron(url)), ...args),
      onInvoke: (url, channel, args) =>
        this.#world.invoke(this.messageEvent(schemes.toElectron(url)), channel, args),
    };
  }

  #mayRequest(request: Request): boolean {
    if (!request.isNavigationRequest()) return true;
    if (request.url() === this.#loading) {
      this.#loading = null; // By loadURL: nobody is asked.
      return true;
    }
    const url = this.#world.schemes.toElectron(request.url());
    const allowed = this.webContents.mayNavigate(url, request.frame().parentFrame() === null);
    if (!allowed) this.refusedNavigations.push(url);
    return allowed;
  }

  /** A popup of a browser is there before anybody can be asked; it is closed before it has loaded anything. */
  async #decidePopup(popup: Page): Promise<void> {
    const url = popup.url();
    if (this.webContents.openHandler({ url }).action === 'allow') {
      throw new Error('The stand-in has no windows that a page opens');
    }
    this.refusedWindows.push(url);
    await popup.close();
  }
}

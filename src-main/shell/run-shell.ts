import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { BrowserWindow } from 'electron';
import type { Agent } from '../agent/agent.ts';
import { createPortServer } from '../control/message-port.ts';
import type { Log } from '../engine/log.ts';
import { setApplicationMenu } from './application-menu.ts';
import type { ElectronParts } from './electron-parts.ts';
import { handleIpc } from './ipc.ts';
import { holdStopAllShortcut } from './stop-all-shortcut.ts';
import { createTray } from './tray.ts';
import { confine, createWindow, denyPermissions } from './window.ts';
import { builtPage, declareWindowScheme, developmentPage, serveWindowScheme } from './window-scheme.ts';
import type { WindowPage } from './window-scheme.ts';

export interface ShellOptions {
  readonly preloadPath: string;
  readonly rendererDirectory: string;
  readonly resourcesDirectory: string;
  /** The agent's: Chromium keeps its own files in a folder of it, so that one instance is one for each home. */
  readonly homeDirectory: string;
  /** The page of electron-vite's server while Spike itself is worked on; null: the built one. */
  readonly developmentUrl: string | null;
  readonly log: Log;
  startAgent(): Promise<Agent>;
}

/** How long the agent may take to end its calls when the user quits, before the application ends all the same. */
const quitTimeoutMs = 8000;

/**
 * The desktop application: one instance, one agent, one window that may be closed and opened again while the agent goes
 * on in the tray. Resolves once the window has been made, or when this is not the first instance; a start that fails is
 * shown, and ends the application with code 1.
 */
export async function runShell(electron: ElectronParts, options: ShellOptions): Promise<void> {
  const { app } = electron;
  const page = options.developmentUrl === null ? builtPage : developmentPage(options.developmentUrl);
  try {
    // All of this before the first await: later Electron is ready, and refuses it.
    if (!isFirstInstance(electron, options)) return;
    declareWindowScheme(electron.protocol);
    await app.whenReady();
    app.setAppUserModelId('dev.spike-proxy.spike');
    denyPermissions(electron.session);
    serveWindowScheme(electron.protocol, options.rendererDirectory);
    app.on('web-contents-created', (_event, contents) => confine(contents, page));
    const agent = await options.startAgent();
    new Shell(electron, options, agent, page).open();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    options.log.error({ error: message }, 'Spike could not start.');
    electron.dialog.showErrorBox('Spike could not start', message);
    app.exit(1);
  }
}

/** The first instance of a home goes on; another one is told to it (`second-instance`), and ends. */
function isFirstInstance({ app }: ElectronParts, { homeDirectory, log }: ShellOptions): boolean {
  const profile = join(homeDirectory, 'window');
  mkdirSync(profile, { recursive: true, mode: 0o700 });
  app.setPath('userData', profile);
  if (app.requestSingleInstanceLock()) return true;
  log.warn({ home: homeDirectory }, 'Spike is running already with this home directory; its window is shown');
  app.quit();
  return false;
}

class Shell {
  #window: BrowserWindow | null = null;
  #closing = false;
  #systemEnds = false;
  readonly #electron: ElectronParts;
  readonly #options: ShellOptions;
  readonly #agent: Agent;
  readonly #page: WindowPage;
  readonly #devTools: boolean;

  constructor(electron: ElectronParts, options: ShellOptions, agent: Agent, page: WindowPage) {
    this.#electron = electron;
    this.#options = options;
    this.#agent = agent;
    this.#page = page;
    this.#devTools = options.developmentUrl !== null;
  }

  open(): void {
    const { app } = this.#electron;
    const { engine, control } = this.#agent;
    const serve = createPortServer(control);
    const quit = (): void => app.quit();
    handleIpc(this.#electron, {
      window: () => this.#window,
      page: this.#page,
      // The overloads of MessagePortMain's `on` hide from TypeScript that it is the kind of port that oRPC takes.
      serve: (port) => serve(port as unknown as Parameters<typeof serve>[0]),
      mayShow: (path) => resolve(path) === resolve(engine.ca.path),
    });
    setApplicationMenu(this.#electron, { platform: process.platform, devTools: this.#devTools, quit });
    app.on('second-instance', () => this.#show());
    app.on('activate', () => this.#show());
    // The agent goes on without a window: services that call through it must not fail because somebody closed one.
    app.on('window-all-closed', () => undefined);
    this.#show();
    const shortcut = holdStopAllShortcut(this.#electron, { engine, log: this.#options.log });
    const tray = this.#createTray(quit);
    this.#endWith(() => {
      shortcut.close();
      tray.close();
    });
  }

  #show(): void {
    if (this.#closing) return;
    if (this.#window !== null) {
      if (this.#window.isMinimized()) this.#window.restore();
      this.#window.show();
      this.#window.focus();
      return;
    }
    const { preloadPath, resourcesDirectory, log } = this.#options;
    const window = createWindow(this.#electron, {
      page: this.#page,
      preloadPath,
      iconPath: resolve(resourcesDirectory, 'icon.png'),
      devTools: this.#devTools,
      log,
    });
    this.#window = window;
    window.on('closed', () => {
      this.#window = null;
    });
  }

  #createTray(quit: () => void): { close(): void } {
    const { resourcesDirectory, log } = this.#options;
    return createTray(this.#electron, {
      engine: this.#agent.engine,
      iconPath: resolve(resourcesDirectory, 'tray.png'),
      activeIconPath: resolve(resourcesDirectory, 'tray-active.png'),
      log,
      openWindow: () => this.#show(),
      quit,
    });
  }

  /** Quitting waits for the agent, once; whoever asks again gets it at once. */
  #endWith(close: () => void): void {
    const { app, powerMonitor } = this.#electron;
    // macOS takes a quit that waits for a refusal and stops the whole log-out, so that one is not waited for: calls that
    // are open are cut, and the capture, a database, stays whole. Told before `before-quit`.
    powerMonitor.on('shutdown', () => {
      this.#systemEnds = true;
      app.quit();
    });
    app.on('before-quit', (event) => {
      if (this.#closing) return;
      this.#closing = true;
      close();
      if (!this.#systemEnds) event.preventDefault();
      void this.#quit();
    });
  }

  async #quit(): Promise<void> {
    const late = setTimeout(() => this.#electron.app.exit(1), quitTimeoutMs);
    try {
      await this.#agent.close();
    } catch (error) {
      this.#options.log.error({ error: String(error) }, 'The agent did not end as it should.');
    }
    clearTimeout(late);
    this.#electron.app.exit(0);
  }
}

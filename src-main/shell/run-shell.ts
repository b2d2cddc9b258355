import { resolve } from 'node:path';
import type { BrowserWindow } from 'electron';
import type { Agent } from '../agent/agent.ts';
import { createPortServer } from '../control/message-port.ts';
import type { Log } from '../engine/log.ts';
import type { ElectronParts } from './electron-parts.ts';
import { handleIpc } from './ipc.ts';
import { createTray, stopAllAccelerator } from './tray.ts';
import { confine, createWindow, denyPermissions } from './window.ts';
import { declareWindowScheme, serveWindowScheme } from './window-scheme.ts';

export interface ShellOptions {
  readonly preloadPath: string;
  readonly rendererDirectory: string;
  readonly resourcesDirectory: string;
  readonly log: Log;
  startAgent(): Promise<Agent>;
}

/** How long the agent may take to end its calls when the user quits, before the application ends all the same. */
const quitTimeoutMs = 8000;

/**
 * The desktop application: one instance, one agent, one window that may be closed and opened again while the agent goes
 * on in the tray. Resolves once the window has been made; a start that fails is shown and ends with code 1 or 2.
 */
export async function runShell(electron: ElectronParts, options: ShellOptions): Promise<void> {
  const { app } = electron;
  if (!app.requestSingleInstanceLock()) {
    // The first instance is told by `second-instance` and shows its window.
    app.quit();
    return;
  }
  declareWindowScheme(electron.protocol);
  await app.whenReady();
  app.setAppUserModelId('dev.spike-proxy.spike');
  denyPermissions(electron.session);
  serveWindowScheme(electron.protocol, options.rendererDirectory);
  app.on('web-contents-created', (_event, contents) => confine(contents));

  const agent = await startOrTell(electron, options);
  if (agent === null) return;
  new Shell(electron, options, agent).open();
}

async function startOrTell(electron: ElectronParts, options: ShellOptions): Promise<Agent | null> {
  try {
    return await options.startAgent();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    options.log.error({ error: message }, 'Spike could not start.');
    electron.dialog.showErrorBox('Spike could not start', message);
    electron.app.exit(1);
    return null;
  }
}

class Shell {
  #window: BrowserWindow | null = null;
  #closing = false;
  readonly #electron: ElectronParts;
  readonly #options: ShellOptions;
  readonly #agent: Agent;

  constructor(electron: ElectronParts, options: ShellOptions, agent: Agent) {
    this.#electron = electron;
    this.#options = options;
    this.#agent = agent;
  }

  open(): void {
    const { app, globalShortcut } = this.#electron;
    const serve = createPortServer(this.#agent.control);
    handleIpc(this.#electron, {
      window: () => this.#window,
      serve: (port) => serve(port as unknown as Parameters<typeof serve>[0]),
      mayShow: (path) => resolve(path) === resolve(this.#agent.engine.ca.path),
    });
    this.#show();
    const tray = this.#createTray();
    globalShortcut.register(stopAllAccelerator, () => void this.#stopAll());
    app.on('second-instance', () => this.#show());
    app.on('activate', () => this.#show());
    // The agent goes on without a window: services that call through it must not fail because somebody closed one.
    app.on('window-all-closed', () => undefined);
    app.on('before-quit', (event) => {
      if (this.#closing) return;
      event.preventDefault();
      this.#closing = true;
      globalShortcut.unregisterAll();
      tray.close();
      void this.#quit();
    });
  }

  #show(): void {
    if (this.#window !== null) {
      if (this.#window.isMinimized()) this.#window.restore();
      this.#window.show();
      this.#window.focus();
      return;
    }
    const { preloadPath, resourcesDirectory } = this.#options;
    const window = createWindow(this.#electron, {
      preloadPath,
      iconPath: resolve(resourcesDirectory, 'icon.png'),
    });
    this.#window = window;
    window.on('closed', () => {
      this.#window = null;
    });
  }

  #createTray(): { close(): void } {
    const { resourcesDirectory, log } = this.#options;
    return createTray(this.#electron, {
      engine: this.#agent.engine,
      iconPath: resolve(resourcesDirectory, 'tray.png'),
      activeIconPath: resolve(resourcesDirectory, 'tray-active.png'),
      log,
      openWindow: () => this.#show(),
      quit: () => this.#electron.app.quit(),
    });
  }

  async #stopAll(): Promise<void> {
    try {
      await this.#agent.engine.rules.disableAll();
    } catch (error) {
      this.#options.log.error({ error: String(error) }, 'The faults could not be stopped.');
    }
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

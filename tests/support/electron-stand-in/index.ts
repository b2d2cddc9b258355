import { EventEmitter } from 'node:events';
import type { Browser, BrowserContext } from '@playwright/test';
import type { BrowserWindowConstructorOptions, MenuItemConstructorOptions } from 'electron';
import type { ElectronParts } from '../../../src-main/shell/electron-parts.ts';
import { StandInApp } from './app.ts';
import { StandInWindow } from './browser-window.ts';
import type { WindowWorld } from './browser-window.ts';
import { StandInDialogs, StandInMenu, StandInShortcuts, StandInTray, standInImages } from './desktop.ts';
import type { StandInImage } from './desktop.ts';
import { MessageChannelMain } from './message-ports.ts';
import { StandInPermissions } from './permissions.ts';
import { StandInSchemes } from './schemes.ts';

export interface StandInOptions {
  /** Where windows have their pages; null: windows without pages, for tests of the main process alone. */
  readonly browser: Browser | null;
  readonly dark?: boolean;
  /** Files that the page downloads and console errors are of the context; a test may look at it first. */
  readonly onContext?: (context: BrowserContext) => void;
}

/** A desktop that runs the shell: what Electron is given, and what a test does to it and sees of it. */
export interface ElectronStandIn {
  readonly electron: ElectronParts;
  readonly app: StandInApp;
  readonly dialogs: StandInDialogs;
  readonly shortcuts: StandInShortcuts;
  readonly permissions: StandInPermissions;
  readonly ipcMain: EventEmitter;
  readonly powerMonitor: EventEmitter;
  readonly trays: readonly StandInTray[];
  readonly shownFiles: readonly string[];
  readonly windows: readonly StandInWindow[];
  /** undefined: Electron's default. */
  applicationMenu(): StandInMenu | null | undefined;
  /** As ipcRenderer.invoke would, with an event that the test makes up. */
  invoke(event: object, channel: string, args: unknown[]): Promise<unknown>;
  /** Ends the browser's side. */
  close(): Promise<void>;
}

export function createElectronStandIn(options: StandInOptions): ElectronStandIn {
  const { browser, dark = true } = options;
  const app = new StandInApp();
  const ipc = createIpcMain();
  const schemes = new StandInSchemes(() => app.isReady);
  const permissions = new StandInPermissions();
  const dialogs = new StandInDialogs();
  const shortcuts = new StandInShortcuts();
  const powerMonitor = new EventEmitter();
  const trays: StandInTray[] = [];
  const shownFiles: string[] = [];
  const windows: StandInWindow[] = [];
  let menu: StandInMenu | null | undefined;
  const context = browser === null ? null : openContext(browser, options);
  const world: WindowWorld = { app, schemes, permissions, platform: process.platform, ...ipc, context };

  const parts = {
    app,
    BrowserWindow: class extends StandInWindow {
      constructor(given: BrowserWindowConstructorOptions) {
        super(world, given);
        windows.push(this);
      }
    },
    Menu: {
      buildFromTemplate: (template: MenuItemConstructorOptions[]) => new StandInMenu(template),
      setApplicationMenu: (given: StandInMenu | null) => void (menu = given),
    },
    MessageChannelMain,
    Tray: class extends StandInTray {
      constructor(image: StandInImage) {
        super(image);
        trays.push(this);
      }
    },
    dialog: dialogs,
    globalShortcut: shortcuts,
    ipcMain: ipc.ipcMain,
    nativeImage: standInImages,
    nativeTheme: { shouldUseDarkColors: dark },
    powerMonitor,
    protocol: schemes,
    session: { defaultSession: permissions },
    shell: { showItemInFolder: (path: string) => void shownFiles.push(path) },
  };
  return {
    // Electron's classes have hundreds of members; the shell is held to the few of ElectronParts by its own types.
    electron: parts as unknown as ElectronParts,
    app,
    dialogs,
    shortcuts,
    permissions,
    ...ipc,
    powerMonitor,
    trays,
    shownFiles,
    windows,
    applicationMenu: () => menu,
    async close() {
      app.exit(0);
      await (await context)?.close();
    },
  };
}

async function openContext(browser: Browser, { dark, onContext }: StandInOptions): Promise<BrowserContext> {
  const context = await browser.newContext({ colorScheme: dark === false ? 'light' : 'dark' });
  onContext?.(context);
  return context;
}

interface StandInIpc {
  readonly ipcMain: EventEmitter & { handle(channel: string, handler: Handler): void };
  invoke(event: object, channel: string, args: unknown[]): Promise<unknown>;
}
type Handler = (event: object, ...args: unknown[]) => unknown;

function createIpcMain(): StandInIpc {
  const handlers = new Map<string, Handler>();
  return {
    ipcMain: Object.assign(new EventEmitter(), {
      handle(channel: string, handler: Handler) {
        if (handlers.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`);
        handlers.set(channel, handler);
      },
    }),
    async invoke(event, channel, args) {
      const handler = handlers.get(channel);
      if (handler === undefined) throw new Error(`No handler registered for '${channel}'`);
      return handler(event, ...args);
    },
  };
}

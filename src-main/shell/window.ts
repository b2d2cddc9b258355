import type { BrowserWindow, WebContents } from 'electron';
import type { Log } from '../engine/log.ts';
import type { ElectronParts } from './electron-parts.ts';
import { belongsTo } from './window-scheme.ts';
import type { WindowPage } from './window-scheme.ts';

export interface WindowOptions {
  readonly page: WindowPage;
  readonly preloadPath: string;
  readonly iconPath: string;
  /** Chromium's developer tools: for whoever works on the window, not for what it shows. */
  readonly devTools: boolean;
  readonly log: Log;
}

const colours = {
  dark: { color: '#111214', symbolColor: '#adb3bd' },
  light: { color: '#f3f4f6', symbolColor: '#474d57' },
} as const;
const titleBarHeight = 40;

export type Theme = keyof typeof colours;

/** The window: no Node in the page, no way out of it. */
export function createWindow(electron: ElectronParts, options: WindowOptions): BrowserWindow {
  const theme: Theme = electron.nativeTheme.shouldUseDarkColors ? 'dark' : 'light';
  const window = new electron.BrowserWindow({
    width: 1440,
    height: 900,
    minWidth: 720,
    minHeight: 480,
    show: false,
    title: 'Spike',
    icon: options.iconPath,
    backgroundColor: colours[theme].color,
    titleBarStyle: 'hidden',
    titleBarOverlay: { ...colours[theme], height: titleBarHeight },
    webPreferences: {
      preload: options.preloadPath,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webviewTag: false,
      webSecurity: true,
      devTools: options.devTools,
      spellcheck: false,
      navigateOnDragDrop: false,
    },
  });
  window.once('ready-to-show', () => window.show());
  window.webContents.on('render-process-gone', reloadOnce(window, options.log));
  window.loadURL(options.page.url).catch((error: unknown) => {
    options.log.error({ error: String(error) }, 'The window could not be loaded.');
    if (!window.isDestroyed()) window.show(); // Empty, but there to be seen and closed.
  });
  return window;
}

const crashLoopMs = 10_000;

/** A page whose process died is loaded again, but not one that dies at each start. */
function reloadOnce(
  window: BrowserWindow,
  log: Log,
): (event: unknown, details: { reason: string; exitCode: number }) => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  return (_event, { reason, exitCode }) => {
    log.error({ reason, exitCode }, "The window's process ended.");
    const again = performance.now() - lastMs > crashLoopMs;
    lastMs = performance.now();
    if (again) window.webContents.reload();
    else window.destroy();
  };
}

/**
 * The page stays where it is, and opens nothing: links in captured bodies are data. `will-frame-navigate` is asked for
 * every frame, the main one included; what the main process loads by itself is asked by neither event.
 */
export function confine(contents: WebContents, page: WindowPage): void {
  const stay = (event: { url: string; preventDefault(): void }): void => {
    if (!belongsTo(page, event.url)) event.preventDefault();
  };
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  contents.on('will-frame-navigate', stay);
  contents.on('will-redirect', stay);
  contents.on('will-attach-webview', (event) => event.preventDefault());
}

/** What a page may ask of the machine: nothing but writing to the clipboard, for the copy buttons. */
export function denyPermissions(session: ElectronParts['session']): void {
  session.defaultSession.setPermissionRequestHandler((_contents, permission, allow) =>
    allow(permission === 'clipboard-sanitized-write'),
  );
  session.defaultSession.setPermissionCheckHandler(
    (_contents, permission) => permission === 'clipboard-sanitized-write',
  );
}

/** The buttons that the system draws over the title bar follow the page's colours; macOS draws its own, without any. */
export function setWindowTheme(window: BrowserWindow, theme: Theme, platform = process.platform): void {
  window.setBackgroundColor(colours[theme].color);
  if (platform !== 'darwin') window.setTitleBarOverlay({ ...colours[theme], height: titleBarHeight });
}

import type { BrowserWindow, WebContents } from 'electron';
import type { ElectronParts } from './electron-parts.ts';
import { windowOrigin, windowUrl } from './window-scheme.ts';

export interface WindowOptions {
  readonly preloadPath: string;
  readonly iconPath: string;
  readonly show?: boolean;
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
      spellcheck: false,
      navigateOnDragDrop: false,
    },
  });
  confine(window.webContents);
  window.once('ready-to-show', () => {
    if (options.show !== false) window.show();
  });
  void window.loadURL(windowUrl);
  return window;
}

/** The page stays where it is, and opens nothing: links in captured bodies are data. */
export function confine(contents: WebContents): void {
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  contents.on('will-navigate', (event, url) => {
    if (new URL(url).origin !== windowOrigin && !url.startsWith(`${windowOrigin}/`)) event.preventDefault();
  });
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

/** The buttons that the system draws over the title bar follow the page's colours; macOS and some Linux have none. */
export function setWindowTheme(window: BrowserWindow, theme: Theme): void {
  window.setBackgroundColor(colours[theme].color);
  if (process.platform !== 'darwin') window.setTitleBarOverlay({ ...colours[theme], height: titleBarHeight });
}

import { writeFile } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import type { BrowserWindow, IpcMainEvent, IpcMainInvokeEvent, MessagePortMain } from 'electron';
import { channels } from '#shared/contract/bridge.ts';
import type { ElectronParts } from './electron-parts.ts';
import { setWindowTheme } from './window.ts';
import { belongsTo } from './window-scheme.ts';
import type { WindowPage } from './window-scheme.ts';

export interface IpcOptions {
  window(): BrowserWindow | null;
  readonly page: WindowPage;
  /** Serves the contract on a port. */
  serve(port: MessagePortMain): void;
  /** Files that a page may have shown: those that Spike itself wrote or told of. */
  mayShow(path: string): boolean;
}

type Event = IpcMainEvent | IpcMainInvokeEvent;

/**
 * The bridge's channels. Each message is checked for its sender: the main frame of our own window, showing our own page.
 * Anything else is ignored, or rejected where an answer is waited for.
 */
export function handleIpc(electron: ElectronParts, options: IpcOptions): void {
  const { ipcMain } = electron;
  const { page } = options;
  const written = new Set<string>();
  let port: MessagePortMain | null = null;

  ipcMain.on(channels.requestPort, (event) => {
    if (!isOurs(event, options.window(), page)) return;
    // The page has one port at a time: asking again replaces it.
    port?.close();
    const { port1, port2 } = new electron.MessageChannelMain();
    port = port1;
    options.serve(port1);
    event.sender.postMessage(channels.port, null, [port2]);
  });
  ipcMain.handle(channels.saveFile, async (event, name: unknown, bytes: unknown) => {
    const window = options.window();
    if (window === null || !isOurs(event, window, page)) throw new Error('Refused: not the window of Spike.');
    const path = await save(electron, window, name, bytes);
    if (path !== null) written.add(path);
    return path;
  });
  ipcMain.on(channels.showFile, (event, path: unknown) => {
    if (!isOurs(event, options.window(), page) || typeof path !== 'string' || !isAbsolute(path)) return;
    if (written.has(path) || options.mayShow(path)) electron.shell.showItemInFolder(path);
  });
  ipcMain.on(channels.setTheme, (event, theme: unknown) => {
    const window = options.window();
    if (window === null || !isOurs(event, window, page)) return;
    if (theme === 'dark' || theme === 'light') setWindowTheme(window, theme);
  });
}

/** Electron's security guide, 17: validate the sender of all IPC messages. */
export function isOurs(event: Event, window: BrowserWindow | null, page: WindowPage): boolean {
  // Null when the frame has gone on, or away, since it sent.
  const frame = event.senderFrame;
  if (window === null || frame === null || event.sender !== window.webContents) return false;
  return frame.parent === null && belongsTo(page, frame.url);
}

async function save(
  electron: ElectronParts,
  window: BrowserWindow,
  name: unknown,
  bytes: unknown,
): Promise<string | null> {
  if (typeof name !== 'string' || !(bytes instanceof Uint8Array)) throw new Error('Refused: not a file.');
  const { canceled, filePath } = await electron.dialog.showSaveDialog(window, {
    defaultPath: join(electron.app.getPath('downloads'), basename(name)),
  });
  if (canceled || filePath === '') return null;
  // What is exported may hold secrets: readable by its owner alone until they decide otherwise.
  await writeFile(filePath, bytes, { mode: 0o600 });
  return filePath;
}

/**
 * What the preload script of the Electron shell puts on `window.spike`: the little that a page cannot do by itself.
 * Everything else goes over the contract, through a MessagePort to the agent in the main process.
 *
 * The way of the port: the page calls `requestPort()`; the main process makes a channel, keeps one end, and the preload
 * passes the other on with `window.postMessage({ type: portMessageType }, location.origin, [port])`. The page asks again
 * after it has lost one; each request closes the port before it.
 */
export interface SpikeBridge {
  readonly platform: 'darwin' | 'linux' | 'win32';
  /** Asks for a port to the agent; it arrives as a `message` event of the window, as a `PortMessage` with one port. */
  requestPort(): void;
  /**
   * Opens the system's save dialog and writes the file.
   * @param name the file name that the dialog proposes, without a folder.
   * @returns the path that was written, or null when the user cancelled. Rejects when it could not be written.
   */
  saveFile(name: string, bytes: Uint8Array): Promise<string | null>;
  /** Shows a file in the system's file manager; a path that does not exist is ignored. */
  showFile(path: string): void;
  /** Tells the shell which colours its window controls should have. */
  setTheme(theme: 'dark' | 'light'): void;
}

export const portMessageType = 'spike.port';

export interface PortMessage {
  type: typeof portMessageType;
}

/** The names under which preload and main process talk (Electron's ipc); nothing else is listened to. */
export const channels = {
  requestPort: 'spike.request-port',
  port: portMessageType,
  saveFile: 'spike.save-file',
  showFile: 'spike.show-file',
  setTheme: 'spike.set-theme',
} as const;

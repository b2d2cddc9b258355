import type { SpikeBridge } from '#shared/contract/bridge.ts';
import { keepConnected } from './agent-connection.ts';
import type { AgentConnection, ConnectionObserver } from './agent-connection.ts';
import type { OpenLink } from './agent-link.ts';
import { noKey, openBrowserLink } from './browser-link.ts';
import { openElectronLink } from './electron-link.ts';
import { takeToken } from './token.ts';

declare global {
  interface Window {
    /** Put there by the preload script; absent in a browser. */
    readonly spike?: SpikeBridge;
  }
}

/** Connects to the agent that this window belongs to, and stays connected. */
export function connectAgent(observer: ConnectionObserver): AgentConnection {
  return keepConnected(pickTransport(), observer);
}

function pickTransport(): OpenLink {
  if (window.spike !== undefined) return openElectronLink(window.spike);
  const token = takeToken();
  // An address with another key, opened in this tab, changes the fragment only: the page has to begin anew with it.
  window.addEventListener('hashchange', () => {
    if (location.hash.startsWith('#token=') && takeToken() !== null) location.reload();
  });
  return token === null ? () => Promise.reject(noKey()) : openBrowserLink(token);
}

/** Where the window runs: an Electron window has the system's controls laid over its title bar. */
export function shellPlatform(): SpikeBridge['platform'] | 'browser' {
  return window.spike?.platform ?? 'browser';
}

/** Tells the shell, where there is one, to colour its window controls. */
export function announceTheme(theme: 'dark' | 'light'): void {
  window.spike?.setTheme(theme);
}

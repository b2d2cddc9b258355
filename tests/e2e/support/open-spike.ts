import { readFile, rm } from 'node:fs/promises';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test as base, _electron } from '@playwright/test';
import type { Browser, Page } from '@playwright/test';
import { startAgentWithFlags } from '../../../src-main/cli/agent-with-flags.ts';
import { packageDirectory } from '../../../src-main/cli/package-directory.ts';
import { findRunningAgent } from '../../../src-main/control/agent-file.ts';
import { runShell } from '../../../src-main/shell/run-shell.ts';
import { createElectronStandIn } from '../../support/electron-stand-in/index.ts';
import type { ElectronStandIn } from '../../support/electron-stand-in/index.ts';
import { endAll, eventually, startedAgent } from '../../support/spike-process.ts';
import { builtPreload, electronBinary } from './electron-target.ts';
import type { Target } from './electron-target.ts';
import { callThrough, startOrigin } from './origin.ts';

/** A real agent with its window open, whatever shows it. */
export interface OpenSpike {
  readonly page: Page;
  /** One call of `checkout` to the test's own service, through the proxy. @returns its status, or the code of its error. */
  call(path: string): Promise<number | string>;
  /** Asks the REST API; rejects when the status is not 2xx. */
  ask<T>(path: string, init?: RequestInit): Promise<T>;
  /** What a page's export writes: `act` starts it. Resolves with the text of the file. */
  exported(act: () => Promise<void>): Promise<string>;
  /** Only for the stand-in: the desktop around the window. */
  readonly desktop: ElectronStandIn | null;
}

interface Window {
  readonly page: Page;
  readonly home: string;
  readonly desktop: ElectronStandIn | null;
  exported(act: () => Promise<void>): Promise<string>;
  close(): Promise<void>;
}

/** The options of `spike open`; free ports, one worker. */
const flags = {
  proxy: '127.0.0.1:0',
  control: '127.0.0.1:0',
  workers: 1,
  workspace: false,
  demo: false,
  logLevel: 'warn',
} as const;
const words = ['--proxy=127.0.0.1:0', '--control=127.0.0.1:0', '--workers=1', '--no-workspace'];

const log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (fields: object, message: string) => console.warn(message, fields),
  error: (fields: object, message: string) => console.error(message, fields),
};

/** HTTP and WebSocket, to an agent without a window. */
async function openInBrowser(page: Page): Promise<Window> {
  const { home, ready } = await startedAgent(['--no-workspace']);
  await page.goto(`${ready.control}/#token=${ready.token}`);
  return {
    page,
    home,
    desktop: null,
    async exported(act) {
      const download = page.waitForEvent('download');
      await act();
      return readFile(await (await download).path(), 'utf8');
    },
    close: endAll,
  };
}

/** The shell as it is, on a desktop that is not Electron's; the built preload; the contract over a MessagePort. */
export async function openInStandIn(
  browser: Browser,
  home: string,
): Promise<Window & { desktop: ElectronStandIn }> {
  const desktop = createElectronStandIn({ browser });
  await runShell(desktop.electron, {
    preloadPath: builtPreload,
    rendererDirectory: fileURLToPath(new URL('out/renderer', packageDirectory)),
    resourcesDirectory: fileURLToPath(new URL('resources', packageDirectory)),
    homeDirectory: home,
    developmentUrl: null,
    log,
    startAgent: () => startAgentWithFlags({ ...flags, home }, log, { shell: 'electron' }),
  });
  const page = await desktop.windows[0]?.page;
  if (page === undefined || page === null)
    throw new Error(`No window: ${JSON.stringify(desktop.dialogs.errors)}`);
  const path = join(home, 'export.har');
  desktop.dialogs.answerSave = () => path;
  return {
    page,
    home,
    desktop,
    exported: (act) => writtenBy(act, path),
    async close() {
      desktop.app.quit();
      await desktop.app.ended;
      await desktop.close();
    },
  };
}

/** Electron itself. */
async function openInElectron(home: string): Promise<Window> {
  const binary = await electronBinary();
  if (!binary.ok) throw new Error(binary.reason);
  const application = await _electron.launch({
    executablePath: binary.path,
    args: [fileURLToPath(packageDirectory), `--home=${home}`, ...words],
    colorScheme: 'dark',
  });
  const path = join(home, 'export.har');
  await application.evaluate(({ dialog }, filePath) => {
    dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath });
  }, path);
  return {
    page: await application.firstWindow(),
    home,
    desktop: null,
    exported: (act) => writtenBy(act, path),
    close: () => application.close(),
  };
}

async function writtenBy(act: () => Promise<void>, path: string): Promise<string> {
  await act();
  return eventually(() => readFile(path, 'utf8'));
}

function openWindow(target: Target, page: Page, browser: Browser, home: string): Promise<Window> {
  if (target === 'browser') return openInBrowser(page);
  return target === 'stand-in' ? openInStandIn(browser, home) : openInElectron(home);
}

async function withCalls({ page, home, desktop, exported }: Window, origin: string): Promise<OpenSpike> {
  const agent = await eventually(async () => {
    const found = await findRunningAgent(home);
    if (found === null || found.proxy === null) throw new Error(`No agent answers for ${home}`);
    return { ...found, proxy: found.proxy };
  });
  const { proxy } = agent;
  const ask = async <T>(path: string, init: RequestInit = {}): Promise<T> => {
    const headers = { authorization: `Bearer ${agent.token}`, 'content-type': 'application/json' };
    const answer = await fetch(`${agent.control}/api/v1${path}`, { ...init, headers });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as T;
  };
  return { page, desktop, exported, ask, call: (path) => callThrough(proxy, `http://${origin}${path}`) };
}

/** A test over one target, with an agent and a service of its own. */
export const test = base.extend<{ target: Target; home: string; spike: OpenSpike }>({
  target: ['browser', { option: true }],

  home: async ({}, use) => {
    const home = mkdtempSync(join(tmpdir(), 'spike-e2e-'));
    await use(home);
    await rm(home, { recursive: true, force: true });
  },
  spike: async ({ target, page, browser, home }, use) => {
    const origin = await startOrigin();
    const window = await openWindow(target, page, browser, home);
    try {
      await use(await withCalls(window, origin.address));
    } finally {
      await window.close();
      await origin.close();
    }
  },
});

export { expect } from '@playwright/test';

import { spawn } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findProgram, isExecutable } from '../agent/find-program.ts';

const programs = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'microsoft-edge',
  'brave-browser',
];
const macApplications = ['Google Chrome', 'Chromium', 'Microsoft Edge', 'Brave Browser'];
const windowsPaths = ['Google\\Chrome\\Application\\chrome.exe', 'Microsoft\\Edge\\Application\\msedge.exe'];

/** A browser that can show a page as an application's window, or null. */
export function findChromium(platform: NodeJS.Platform = process.platform): string | null {
  if (platform === 'darwin') {
    return (
      macApplications.map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`).find(isExecutable) ??
      null
    );
  }
  if (platform === 'win32') {
    const roots = ['ProgramFiles', 'ProgramFiles(x86)', 'LOCALAPPDATA'].flatMap(
      (name) => process.env[name] ?? [],
    );
    return roots.flatMap((root) => windowsPaths.map((path) => join(root, path))).find(isExecutable) ?? null;
  }
  for (const name of programs) {
    const path = findProgram(name);
    if (path !== null) return path;
  }
  return null;
}

export interface BrowserWindow {
  /** Resolves when the window was closed. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a URL in a window with a profile of its own. The key in the URL must not stand on a command line, which every user
 * of the machine can read: the browser is given a page, readable by its owner alone, that goes there.
 */
export async function openChromium(
  browser: string,
  url: string,
  homeDirectory: string,
): Promise<BrowserWindow> {
  const directory = join(homeDirectory, 'window');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const page = join(directory, 'open.html');
  await rm(page, { force: true });
  await writeFile(page, redirectPage(url), { mode: 0o600 });
  const words = [
    `--app=${pathToFileURL(page).href}`,
    `--user-data-dir=${join(directory, 'profile')}`,
    '--no-first-run',
    '--no-default-browser-check',
  ];
  const child = spawn(browser, words, { stdio: 'ignore' });
  const closed = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  }).then(() => rm(page, { force: true }));
  return {
    closed,
    close: async () => {
      child.kill();
      await closed;
    },
  };
}

function redirectPage(url: string): string {
  return `<!doctype html><meta charset="utf-8"><title>Spike</title><script>location.replace(${JSON.stringify(url)})</script>\n`;
}

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isExecutable } from '../agent/find-program.ts';
import type { Environment } from '../workspace/environment.ts';

/** Something that is there, or why it is not, as the rest of a sentence. */
export type Found = { ok: true; path: string } | { ok: false; reason: string };

export interface ElectronSearch {
  readonly packageDirectory: URL;
  readonly environment: Environment;
  readonly platform: NodeJS.Platform;
  /** Fetches the binary into its package; resolves with whether it succeeded. */
  readonly download: (installer: string) => Promise<boolean>;
}

/** Whether windows can be shown at all. */
export function displayProblem(environment: Environment, platform: NodeJS.Platform): string | null {
  if (platform !== 'linux') return null;
  const display = environment['DISPLAY'] || environment['WAYLAND_DISPLAY'];
  return display ? null : 'there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)';
}

/**
 * Electron's binary. `require('electron')` is not asked: without a binary it starts a download that nothing bounds. So its
 * files are looked at, and the download is tried once, within a time.
 */
export async function findElectron(search: ElectronSearch): Promise<Found> {
  const { packageDirectory, environment, platform } = search;
  if (environment['SPIKE_NO_ELECTRON'] === '1') return { ok: false, reason: 'SPIKE_NO_ELECTRON is set' };
  const problem = displayProblem(environment, platform);
  if (problem !== null) return { ok: false, reason: problem };
  if (!existsSync(new URL('out/main/index.js', packageDirectory))) {
    return { ok: false, reason: 'the application is not built (npm run build)' };
  }
  const directory = electronPackage(packageDirectory);
  if (directory === null) return { ok: false, reason: 'the package electron is not installed' };
  const binary = (): string | null => electronBinary(directory, environment);
  const present = binary() ?? ((await search.download(join(directory, 'install.js'))) ? binary() : null);
  return present === null
    ? { ok: false, reason: "Electron's binary cannot be had" }
    : { ok: true, path: present };
}

function electronPackage(packageDirectory: URL): string | null {
  try {
    return dirname(createRequire(packageDirectory).resolve('electron/package.json'));
  } catch {
    return null; // a package without its development dependencies
  }
}

/** As electron/index.js looks for it, without its download. */
function electronBinary(directory: string, environment: Environment): string | null {
  const named = join(directory, 'path.txt');
  const file = existsSync(named) ? readFileSync(named, 'utf8').trim() : 'electron';
  const path = join(environment['ELECTRON_OVERRIDE_DIST_PATH'] || join(directory, 'dist'), file);
  return isExecutable(path) ? path : null;
}

const downloadWithinMs = 120_000;

/** Runs Electron's own installer, at most two minutes. */
export function downloadElectron(installer: string): Promise<boolean> {
  process.stderr.write('Fetching Electron, once (about 110 MB)…\n');
  const child = spawn(process.execPath, [installer], {
    stdio: ['ignore', 'ignore', 'ignore'],
    timeout: downloadWithinMs,
  });
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}

/** An end so soon after the start is one of Electron itself: missing libraries, no sandbox for root. */
const startsWithinMs = 10_000;

export type ElectronEnd = { started: true; code: number } | { started: false; reason: string };

/** Runs the application to its end. */
export function runElectron(
  binary: string,
  packageDirectory: URL,
  words: readonly string[],
): Promise<ElectronEnd> {
  const { ELECTRON_RUN_AS_NODE: _, ...env } = process.env; // left over from a surrounding Electron, it would be no window
  const child = spawn(binary, [fileURLToPath(packageDirectory), ...words], {
    env,
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const lastLine = followErrors(child);
  const startedAt = performance.now();
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, forward);
  return new Promise<ElectronEnd>((resolve) => {
    child.once('error', (error) =>
      resolve({ started: false, reason: `Electron cannot be run (${error.message})` }),
    );
    child.once('exit', (code, signal) => {
      const early = performance.now() - startedAt < startsWithinMs && code !== 0 && !child.killed;
      if (early) resolve({ started: false, reason: `Electron ended with ${code ?? signal}${lastLine()}` });
      else resolve({ started: true, code: code ?? 1 });
    });
  }).finally(() => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, forward);
  });
}

/** Passes stderr on, and remembers its last line. */
function followErrors(child: ChildProcess): () => string {
  let last = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    process.stderr.write(chunk);
    last = chunk.toString().trim().split('\n').at(-1)?.slice(0, 200) ?? last;
  });
  return () => (last === '' ? '' : ` ("${last}")`);
}

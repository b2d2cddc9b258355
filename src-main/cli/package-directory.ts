import { existsSync, readFileSync } from 'node:fs';
import type { EngineOptions } from '../engine/engine-interface.ts';

/** Where package.json is, with a slash at its end: two or more folders up, from the sources as from the bundle. */
export const packageDirectory: URL = findPackageDirectory();

/** The version in package.json. */
export const packageVersion: string = (
  JSON.parse(readFileSync(new URL('package.json', packageDirectory), 'utf8')) as { version: string }
).version;

function findPackageDirectory(): URL {
  for (let directory = new URL('./', import.meta.url); ; directory = new URL('../', directory)) {
    if (existsSync(new URL('package.json', directory))) return directory;
    if (directory.pathname === '/' || directory.href === new URL('../', directory).href) {
      throw new Error('Spike is installed without its package.json.');
    }
  }
}

/** The files that workers and the recorder start from: the sources where they are run, else the bundles. */
export function engineEntries(): EngineOptions['entries'] {
  const fromSources = import.meta.url.endsWith('.ts');
  // From the package, not from this module: a bundler moves what two entries share into a chunk in another folder.
  const at = (source: string, bundle: string): URL =>
    new URL(fromSources ? source : bundle, packageDirectory);
  return {
    worker: at('src-main/engine/cluster/worker-entry.ts', 'out/main/worker.js'),
    recorderThread: at('src-main/engine/capture/recorder-thread.ts', 'out/main/recorder-thread.js'),
  };
}

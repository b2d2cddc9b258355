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

/** The files that workers and the recorder start from: the sources where they are run, else the bundles beside this one. */
export function engineEntries(moduleUrl: string = import.meta.url): EngineOptions['entries'] {
  const fromSources = moduleUrl.endsWith('.ts');
  return {
    worker: new URL(fromSources ? '../engine/cluster/worker-entry.ts' : './worker.js', moduleUrl),
    recorderThread: new URL(
      fromSources ? '../engine/capture/recorder-thread.ts' : './recorder-thread.js',
      moduleUrl,
    ),
  };
}

import { getCompileCacheDir } from 'node:module';
import { dirname, join } from 'node:path';
import type { WorkerExec } from './cluster/fork-worker.ts';
import type { EngineOptions } from './engine-interface.ts';

/**
 * With a place for compiled code: a replacement for a killed worker is there in half the time (see worker-entry.ts). It
 * is that of this process, where it has one (cli/compiled-code.ts), else in the home.
 */
export function workerExec({ entries, workerExec: given, homeDirectory }: EngineOptions): WorkerExec {
  const own = getCompileCacheDir();
  // Node keeps a folder a version in it.
  const compiled = own === undefined ? join(homeDirectory, 'compile-cache') : dirname(own);
  const env = { NODE_COMPILE_CACHE: compiled, ...systemMemory, ...given?.env };
  return { workerPath: entries.worker, ...given, env };
}

/**
 * For glibc, which other systems do not have: it would take the first large block that is given back as a sign to keep such blocks
 * from then on. With bounds that stay, bodies that have passed leave nothing behind (mallopt(3), M_MMAP_THRESHOLD).
 */
const systemMemory = { MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' };

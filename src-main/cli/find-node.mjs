// Plain JavaScript for any Node from 18 on: this decides whether the rest can be run at all.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The first version with everything that Spike uses: node:sqlite, TypeScript run directly, zstd. */
export const neededMajor = 24;

/** This process if it is new enough, else the Node that the package brings, else null. */
export function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= neededMajor) return process.execPath;
  try {
    const directory = dirname(createRequire(import.meta.url).resolve('node/package.json'));
    const binary = join(directory, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(binary) ? binary : null;
  } catch {
    return null; // the package node is not installed
  }
}

/** What to say when there is none. */
export const missingNode = `spike: Node ${neededMajor} is needed, this is ${process.versions.node}. Run "npm ci" in Spike's folder, which brings it, or install Node ${neededMajor}.`;

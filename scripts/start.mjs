// `npm start`: builds what is missing or older than its sources, then does what `spike open` does.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNode, missingNode } from '../src-main/cli/find-node.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = [
  'src-renderer',
  'src-shared',
  'src-main',
  'src-preload',
  'electron.vite.config.ts',
  'package.json',
];
const built = 'out/renderer/index.html';

const node = findNode();
if (node === null) {
  console.error(missingNode);
  process.exitCode = 2;
} else if (isCurrent() || build(node)) {
  await import('../src-main/cli/bin.mjs');
} else {
  process.exitCode = 1;
}

function isCurrent() {
  const output = join(root, built);
  return (
    existsSync(output) &&
    Math.max(...sources.map((name) => newest(join(root, name)))) <= statSync(output).mtimeMs
  );
}

/** When the newest file in a folder was changed; 0 when there is no such folder. */
function newest(path) {
  if (!existsSync(path)) return 0;
  const facts = statSync(path);
  if (!facts.isDirectory()) return facts.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function build(binary) {
  console.error('Building Spike: at the first start, and after its sources have changed…');
  const tool = createRequire(import.meta.url).resolve('electron-vite/package.json');
  const words = [join(dirname(tool), 'bin/electron-vite.js'), 'build', '--logLevel', 'warn'];
  const result = spawnSync(binary, words, {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (result.status !== 0) console.error('spike: the build failed; what is above says why.');
  return result.status === 0;
}

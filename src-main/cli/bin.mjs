#!/usr/bin/env node
// The `spike` command under any Node: goes on with Node 24, in this process or in another.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { findNode, missingNode } from './find-node.mjs';

const source = new URL('./main.ts', import.meta.url);
const bundle = new URL('../../out/main/cli.js', import.meta.url);
const words = process.argv.slice(2);
const node = findNode();

if (node === null) {
  console.error(missingNode);
  process.exitCode = 2;
} else if (node === process.execPath) {
  const { main } = await import((existsSync(source) ? source : bundle).href);
  process.exitCode = await main(words);
} else {
  runWith(node);
}

function runWith(binary) {
  const child = spawn(binary, [fileURLToPath(import.meta.url), ...words], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // A terminal interrupts both; passed on as well it would be the second one, which ends at once.
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    console.error(`spike: ${binary} cannot be run: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(signal === null ? code : 128 + constants.signals[signal]));
}

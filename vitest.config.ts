import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Compiled code for the many processes that tests start, which are there in half the time; made again where a source changes.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url));

// One project a kind of test, so that each can be run alone; `npm test` runs them all (scripts/test.mjs).
/** What is polled for comes at once; only on a busy machine it does not. */
const expect = { poll: { timeout: 30_000 } };
const fuzzing = 'tests/property/fuzz/fuzz.test.ts';

export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['tests/unit/**/*.test.ts', 'tests/property/**/*.test.ts'],
          exclude: [fuzzing],
          expect,
          // Only to end what hangs: property tests take many times longer on a machine that is busy with other things.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['tests/{integration,contract,interop}/**/*.test.ts'],
          // They wait for sockets and processes more than they compute. Two at once whatever the machine has: each file
          // starts processes of its own. The times only end what hangs: they are never what a test finds out.
          maxWorkers: 2,
          expect,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      { test: { name: 'fuzz', include: [fuzzing], maxConcurrency: availableParallelism() } },
    ],
  },
});

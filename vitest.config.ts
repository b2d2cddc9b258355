import { defineConfig } from 'vitest/config';

// One project a kind of test, so that each can be run alone; `npm test` runs them all (scripts/test.mjs).
export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['tests/unit/**/*.test.ts', 'tests/property/**/*.test.ts'],
          // Only to end what hangs: property tests take many times longer on a machine that is busy with other things.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['tests/{integration,contract,interop}/**/*.test.ts'],
          // Real processes and sockets: files one after the other, so that two cores are not fought over.
          fileParallelism: false,
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});

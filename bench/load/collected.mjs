// Loaded before a program that is measured: at SIGUSR2 it collects all garbage, and adds a line to a file with what is in use then.
import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const file = process.env['SPIKE_BENCH_MEMORY'];

if (isMainThread && file !== undefined)
  process.on('SIGUSR2', () => {
    globalThis.gc();
    // What the first one has let go of outside of the heap is gone with the second.
    setImmediate(() => {
      globalThis.gc();
      const { heapUsed, external } = process.memoryUsage();
      appendFileSync(file, `${heapUsed + external}\n`);
    });
  });

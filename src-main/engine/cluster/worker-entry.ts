import { flushCompileCache } from 'node:module';
import { createSystemClock } from '../clock.ts';
import { DataPlane } from '../data-plane.ts';
import { createSocketNames } from '../io/socket-names.ts';
import { runWorker, stderrLog } from './worker-process.ts';

/** The file that a worker process starts from: composes the data plane with the process. */
runWorker(async ({ identity, config, link, edges }) => {
  const clock = createSystemClock();
  const log = stderrLog;
  const names = createSocketNames({ clock, log });
  const plane = new DataPlane({ identity, config, clock, random: Math.random, log, link, edges, names });
  await plane.configure(config);
  // Node writes it when a process ends by itself; a worker that is killed must leave it to its replacement, too.
  flushCompileCache();
  return plane;
});

import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';

/**
 * V8's options of every worker, before what `execArgv` says.
 *
 * Pretenuring: where most of what a line of code made has survived, V8 goes on to make it among the old. Calls survive while
 * their caller's name is being looked up, at the start; from then on the record of every call was born old, kept its
 * texts and bodies alive with it, and a fifth of all that was allocated waited for a full collection.
 *
 * Semi-space: the default of 16 MiB holds 30 MB more at the same work. What is alive at once is far less.
 */
const v8Options = ['--no-allocation-site-pretenuring', '--max-semi-space-size=4'];

/** How a worker process is made; the composition root knows (repository, bundle, Electron). */
export interface WorkerExec {
  /** The worker's entry: `.ts` in the repository, `.js` in a bundle, also inside an asar archive. */
  readonly workerPath: string | URL;
  /** Default: the binary of this process. */
  readonly execPath?: string;
  /** Default: none; the primary's own (an inspector, a test runner's loader) are not handed down. */
  readonly execArgv?: readonly string[];
  /**
   * Added to a copy of this process's environment. In Electron `ELECTRON_RUN_AS_NODE=1`: never to be written into
   * `process.env`, where the renderers would find it.
   */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Forks a worker. The cluster module's settings are the process's, not ours: they are set before each fork, in the same
 * tick, so that engines side by side (tests) do not start each other's workers. Nobody listens to the cluster's own
 * events for the same reason: each worker object tells its own.
 * @param isAlone There is nobody to share connections with: it accepts them itself (ADR 0005).
 */
export function forkWorker(exec: WorkerExec, isAlone: boolean): Worker {
  // Before the first fork of the process; later it is fixed. Windows would default to the shared handle.
  cluster.schedulingPolicy = isAlone ? cluster.SCHED_NONE : cluster.SCHED_RR;
  const path = exec.workerPath instanceof URL ? fileURLToPath(exec.workerPath) : exec.workerPath;
  const settings = {
    exec: path,
    args: [],
    execArgv: [...v8Options, ...(exec.execArgv ?? [])],
    execPath: exec.execPath ?? process.execPath,
    serialization: 'advanced' as const, // Bytes cross as bytes.
    // The last one is for batches of the capture (batch-pipe.ts).
    stdio: ['inherit' as const, 'inherit' as const, 'inherit' as const, 'ipc' as const, 'pipe' as const],
    windowsHide: true,
  };
  cluster.setupPrimary(settings);
  return cluster.fork(exec.env);
}

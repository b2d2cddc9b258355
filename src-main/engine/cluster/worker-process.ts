import cluster from 'node:cluster';
import { Registry } from 'prom-client';
import { createSystemClock } from '../clock.ts';
import type { Log } from '../log.ts';
import { collectProcessMetrics } from '../metrics/process-metrics.ts';
import { BatchPipe } from './batch-pipe.ts';
import type { ToPrimary, ToWorker } from './messages.ts';
import { createWorkerSession } from './worker-session.ts';
import type { WorkerSession, WorkerSessionOptions } from './worker-session.ts';

/** How long open calls may go on without a primary, or after a SIGTERM that was meant for this worker alone. */
const aloneMs = 3000;

/**
 * Makes this process a worker: the cluster's channel, signals and last words around a session.
 *
 * SIGINT is the terminal's, which sends it to all processes of a Ctrl-C: the primary decides, workers go on. SIGTERM to
 * one worker drains it; the supervisor replaces it. When the primary is gone, its listening sockets are gone with
 * it: open calls may end, then the process does.
 */
export function runWorker(createDataPlane: WorkerSessionOptions['createDataPlane']): WorkerSession {
  process.on('uncaughtException', dieOf);
  process.on('SIGINT', () => undefined);
  const batches = new BatchPipe();
  const session = createWorkerSession({
    clock: createSystemClock(),
    log: stderrLog,
    link: { send, capture: (...batch) => batches.write(...batch) },
    createDataPlane,
    metricsOf: processMetrics(),
    exit: onceMoreAtOnce((code) => batches.end(() => process.exit(code))),
  });
  process.on('message', (message) => session.receive(message as ToWorker));
  process.on('SIGTERM', () => session.shutDown(aloneMs));
  cluster.worker?.once('disconnect', () => {
    // Says that the disconnection is handled: node:cluster would exit at once, in the middle of calls.
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
    session.shutDown(aloneMs);
  });
  return session;
}

function send(message: ToPrimary): void {
  // Between the primary's end and ours nobody reads: what is sent then is lost, and said so in its 'lost flows'.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

/** The first call may take its time for the last batch; the second is the end of patience. */
function onceMoreAtOnce(exit: (code: number) => void): (code: number) => void {
  let asked = false;
  return (code) => {
    if (asked) process.exit(code);
    asked = true;
    exit(code);
  };
}

function processMetrics(): (worker: number) => Promise<unknown> {
  const registry = new Registry();
  collectProcessMetrics(registry);
  return (worker) => {
    registry.setDefaultLabels({ worker: String(worker) });
    return registry.getMetricsAsJSON();
  };
}

/** A bug: this process is not to be trusted any more. One line for the log, and the supervisor's replacement. */
function dieOf(error: Error): void {
  stderrLog.error({ error: error.stack ?? String(error) }, 'A worker failed and is replaced.');
  process.exit(1);
}

/** Workers log as JSON lines on stderr, as pino's: level number, time, then the fields. */
export const stderrLog: Log = {
  debug: () => undefined,
  info: (fields, message) => writeLine(30, fields, message),
  warn: (fields, message) => writeLine(40, fields, message),
  error: (fields, message) => writeLine(50, fields, message),
};

function writeLine(level: number, fields: object, msg: string): void {
  process.stderr.write(`${JSON.stringify({ level, time: Date.now(), pid: process.pid, ...fields, msg })}\n`);
}

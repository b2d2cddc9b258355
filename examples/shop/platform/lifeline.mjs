/**
 * Tells the launcher, if there is one, that this process is ready, and ends with it: the IPC channel closes
 * however the launcher ends, kill -9 included. A service that was started by hand just keeps running.
 * @param {Record<string, unknown>} ready sent to the launcher
 */
export function reportReady(ready) {
  if (process.send === undefined) return;
  process.once('disconnect', () => process.exit(0));
  process.send({ ready });
}

/** The service cannot start: the launcher is told why, in one line, and the process ends with 1. */
export function reportFailure(error) {
  const message = error instanceof Error ? error.message : String(error);
  console.error(message);
  process.exitCode = 1;
  if (process.send === undefined) return;
  process.send({ failed: message }, () => process.disconnect());
}

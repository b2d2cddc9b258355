import { constants } from 'node:os';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** What is promised is 5 s; this leaves time to end. */
const closeWithinMs = 4_700;

/**
 * Resolves with the first signal from now on. After it a second one ends the process at once, and so does the time that
 * ending may take, which is told by `late`.
 */
export function firstSignal(late: () => void): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const first = (signal: NodeJS.Signals): void => {
      for (const name of signals) {
        process.removeListener(name, first);
        process.on(name, () => process.exit(128 + constants.signals[name]));
      }
      setTimeout(() => {
        late();
        process.exit(0);
      }, closeWithinMs).unref();
      resolve(signal);
    };
    for (const name of signals) process.on(name, first);
  });
}

import { constants } from 'node:os';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** What is promised is 5 s; this leaves time to end. */
const closeWithinMs = 4_700;

/**
 * Resolves with the first signal from now on. After it a second one ends the process at once, and so does the time that
 * ending may take. `cut` is called before either, with whether it is for the time: what would go on without us ends there.
 */
export function firstSignal(cut: (late: boolean) => void): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const first = (signal: NodeJS.Signals): void => {
      for (const name of signals) {
        process.removeListener(name, first);
        process.on(name, () => exit(128 + constants.signals[name], false));
      }
      setTimeout(() => exit(0, true), closeWithinMs).unref();
      resolve(signal);
    };
    const exit = (code: number, late: boolean): void => {
      cut(late);
      process.exit(code);
    };
    for (const name of signals) process.on(name, first);
  });
}

import type { WorkerStatus } from '#shared/contract/status.ts';
import { counted, formatClock } from '../../ui/words.ts';

/** Whether nobody but the owner may read the file: null when the mode is not known. `0600`, `0400`. */
export function ownerOnly(mode: string | null): boolean | null {
  return mode === null ? null : /00$/.test(mode);
}

/** Workers that have something to tell: not ready, or replaced before. */
export function troubledWorkers(workers: readonly WorkerStatus[]): readonly WorkerStatus[] {
  return workers.filter((worker) => worker.state !== 'ready' || worker.restarts > 0);
}

const states: Record<WorkerStatus['state'], string> = {
  starting: 'is starting',
  ready: 'is ready',
  draining: 'ends its calls',
  lost: 'was lost',
  'backing-off': 'waits before it is started again',
};

/** `Worker 3 is ready, replaced 2 times. Last at 14:32:31: signal SIGKILL, 7 calls cut.` */
export function workerWords({ number, state, restarts, lastExit }: WorkerStatus): string {
  const replaced = restarts === 0 ? '' : `, replaced ${restarts === 1 ? 'once' : `${restarts} times`}`;
  const words = `Worker ${number} ${states[state]}${replaced}.`;
  if (lastExit === null) return words;
  const cut = lastExit.lostFlows === 0 ? 'no call cut' : `${counted(lastExit.lostFlows, 'call')} cut`;
  return `${words} Last at ${formatClock(Date.parse(lastExit.at))}: ${lastExit.reason}, ${cut}.`;
}

/** Why a client is left alone: `It sent unknown_ca` (RFC 8446, section 6), `It hung up 3 times without a word`. */
export function rejectionWords(reason: string): string {
  return reason.includes(' ') ? `It ${reason}` : `It sent ${reason}`;
}

/** `2026-03-09` of an ISO time. */
export function formatDay(iso: string): string {
  return iso.slice(0, 10);
}

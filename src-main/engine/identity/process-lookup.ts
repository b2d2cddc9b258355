import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { createLinuxLookup } from './process-lookup-linux.ts';
import { createMacLookup } from './process-lookup-macos.ts';
import { createWindowsLookup } from './process-lookup-windows.ts';
import { runCommand } from './command-runner.ts';

/** The process at one end of a connection. */
export interface OwningProcess {
  readonly pid: number;
  /** The service, as well as it can be told from how the process was started. */
  readonly name: string;
  /** `run`: it, or a process that started it, carries SPIKE_SERVICE. `process`: told from its command line. */
  readonly resolvedBy: 'run' | 'process';
}

/** The client's end of an accepted connection, and the listener's port that it connected to. */
export interface ClientEnd {
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly localPort: number;
}

export interface ProcessLookup {
  /** null: not of this machine, gone already, or of a user whose processes may not be read. Never rejects. */
  ownerOf(end: ClientEnd): Promise<OwningProcess | null>;
  /** The process that listens on a port of this machine. null as above. Never rejects. */
  listenerOf(port: number): Promise<OwningProcess | null>;
  /** Answers what waits with null; what is asked later gets null at once. */
  close(): void;
}

export interface ProcessLookupOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Default: the platform that this runs on. */
  readonly platform?: NodeJS.Platform;
}

export const noLookup: ProcessLookup = {
  ownerOf: () => Promise.resolve(null),
  listenerOf: () => Promise.resolve(null),
  close: () => undefined,
};

export function createProcessLookup({
  clock,
  log,
  platform = process.platform,
}: ProcessLookupOptions): ProcessLookup {
  if (platform === 'linux') return createLinuxLookup({ clock, log });
  if (platform === 'darwin') return createMacLookup({ clock, log, run: runCommand });
  if (platform === 'win32') return createWindowsLookup({ clock, log, run: runCommand });
  return noLookup;
}

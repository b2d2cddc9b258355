// What Linux tells of a process under /proc/PID (proc(5)). Read synchronously: the kernel answers from memory within
// microseconds, a trip over the thread pool costs more than the answer.
import { readFileSync, readlinkSync } from 'node:fs';
import { serviceNameOf } from './process-name.ts';
import type { OwningProcess } from './process-lookup.ts';

interface Known {
  readonly identity: string;
  readonly process: OwningProcess;
}

/** More are forgotten, oldest first. */
const MAX_KNOWN = 2_000;
const MAX_ANCESTORS = 32;
const MAX_PACKAGE_BYTES = 256 * 1024;
/** The beginning of the environment variables' values that are looked for. */
const SERVICE = 'SPIKE_SERVICE=';
const OTEL_SERVICE = 'OTEL_SERVICE_NAME=';

export interface ProcessFacts {
  /** null when the process is gone. The same object as long as it is the same process running the same program. */
  of(pid: number): OwningProcess | null;
}

/** @param root normally '/proc'. */
export function createProcessFacts(root: string): ProcessFacts {
  const known = new Map<number, Known>();
  return {
    of(pid) {
      const stat = readStat(root, pid);
      if (stat === null) {
        known.delete(pid);
        return null;
      }
      // Pids are used again, and a process may become another program: the start time tells the one, the name the other.
      const identity = `${stat.startTime} ${stat.comm}`;
      const cached = known.get(pid);
      if (cached?.identity === identity) return cached.process;
      const process = describe(root, pid, stat);
      known.set(pid, { identity, process });
      if (known.size > MAX_KNOWN) known.delete(known.keys().next().value as number);
      return process;
    },
  };
}

interface Stat {
  readonly comm: string;
  readonly parent: number;
  readonly startTime: string;
}

/** proc_pid_stat(5): the name is in parentheses and may hold anything, so the last one counts; fields 4 and 22. */
function readStat(root: string, pid: number): Stat | null {
  const text = read(`${root}/${pid}/stat`);
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return null;
  const fields = text.slice(close + 2).split(' ');
  return { comm: text.slice(open + 1, close), parent: Number(fields[1]), startTime: fields[19] ?? '' };
}

function describe(root: string, pid: number, stat: Stat): OwningProcess {
  const environment = read(`${root}/${pid}/environ`);
  const service = variable(environment, SERVICE) ?? serviceOfAncestors(root, stat.parent);
  if (service !== null) return { pid, name: service.slice(0, 100), resolvedBy: 'run' };
  const started = {
    comm: stat.comm,
    argv: read(`${root}/${pid}/cmdline`).split('\0').slice(0, -1),
    cwd: readLink(`${root}/${pid}/cwd`),
    otelServiceName: variable(environment, OTEL_SERVICE) ?? undefined,
  };
  return { pid, name: serviceNameOf(started, packageNameOf), resolvedBy: 'process' };
}

/** For children that were started with an environment of their own. */
function serviceOfAncestors(root: string, parent: number): string | null {
  let pid = parent;
  for (let climbed = 0; climbed < MAX_ANCESTORS && pid > 1; climbed += 1) {
    const service = variable(read(`${root}/${pid}/environ`), SERVICE);
    if (service !== null) return service;
    pid = readStat(root, pid)?.parent ?? 0;
  }
  return null;
}

/** The value of a variable in a block of NUL-terminated ones; null when absent or empty. */
function variable(environment: string, assignment: string): string | null {
  const start = environment.startsWith(assignment) ? 0 : environment.indexOf(`\0${assignment}`) + 1;
  if (start === 0 && !environment.startsWith(assignment)) return null;
  const end = environment.indexOf('\0', start);
  return environment.slice(start + assignment.length, end < 0 ? undefined : end) || null;
}

/** '' when it is gone or of another user: both are common, and mean that nothing is known. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // as above
  }
}

export function packageNameOf(folder: string): string | null {
  const text = read(`${folder}/package.json`);
  if (text === '' || text.length > MAX_PACKAGE_BYTES) return null;
  try {
    const { name } = JSON.parse(text) as { name?: unknown };
    return typeof name === 'string' && name !== '' ? name : null;
  } catch {
    return null; // somebody's broken package.json is not our concern
  }
}

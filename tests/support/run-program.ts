import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** A program that is not ours, run to its end in an environment without this machine's own proxies and trust. */
export interface ProgramEnd {
  readonly exitCode: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

export function cleanEnvironment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const foreign = /_proxy$|^(?:SSL|CURL|REQUESTS|GIT|NODE|JAVA|PIP|npm)_|^SPIKE_/i;
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  return { ...Object.fromEntries(kept), ...extra };
}

export function runProgram(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    const options = { env: cleanEnvironment(env), timeout: 50_000, maxBuffer: 2 ** 24 };
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      resolve({ exitCode: error?.code ?? (error ? 'killed' : 0), stdout, stderr });
    });
    child.stdin?.end();
  });
}

export interface RunningProgram {
  /** What it has said so far. */
  readonly stdout: () => string;
  /** Ends it, as whoever waits for it and has had enough does; resolves when it is gone. */
  readonly giveUp: () => Promise<void>;
}

/**
 * A program that a test gives up at a moment that it knows: `curl -m` gives up at one that depends on how busy the
 * machine is, which may be before anything has happened. On the wire the two are the same.
 */
export function startProgram(program: string, args: readonly string[]): RunningProgram {
  let said = '';
  const child = spawn(program, args, { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'ignore'] });
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const gone = once(child, 'close');
  return {
    stdout: () => said,
    async giveUp() {
      child.kill('SIGTERM');
      await gone;
    },
  };
}

/** Whether a program is there; `--help` may fail, so that only its absence counts. */
export function isInstalled(program: string): boolean {
  return spawnSync(program, ['--help'], { stdio: 'ignore' }).error === undefined;
}

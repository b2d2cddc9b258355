import { execFile, spawnSync } from 'node:child_process';

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
    const options = { env: cleanEnvironment(env), timeout: 25_000, maxBuffer: 2 ** 24 };
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      resolve({ exitCode: error?.code ?? (error ? 'killed' : 0), stdout, stderr });
    });
    child.stdin?.end();
  });
}

/** Whether a program is there; `--help` may fail, so that only its absence counts. */
export function isInstalled(program: string): boolean {
  return spawnSync(program, ['--help'], { stdio: 'ignore' }).error === undefined;
}

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRestClient } from '../../src-main/control/rest-client.ts';
import type { AgentClient } from '#shared/contract/contract.ts';

/** The real `spike` command in processes of its own, ended by `endAll` whatever a test did. */

const bin = fileURLToPath(new URL('../../src-main/cli/bin.mjs', import.meta.url));
const running = new Set<SpikeProcess>();
const directories: string[] = [];

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SpikeOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export class SpikeProcess {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  readonly #child;
  #stdout = '';
  #stderr = '';

  constructor(words: readonly string[], options: SpikeOptions = {}) {
    const { SPIKE_HOME: _, ...inherited } = process.env;
    this.#child = spawn(process.execPath, [bin, ...words], {
      cwd: options.cwd ?? temporaryDirectory(),
      env: { ...inherited, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.pid = this.#child.pid ?? 0;
    this.#child.stdout.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()));
    this.#child.stderr.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    running.add(this);
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        running.delete(this);
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  get stdout(): string {
    return this.#stdout;
  }
  get stderr(): string {
    return this.#stderr;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

/** Runs a command to its end. */
export function spike(words: readonly string[], options?: SpikeOptions): Promise<Ended> {
  return new SpikeProcess(words, options).ended;
}

export interface Ready {
  event: 'ready';
  proxy: string;
  control: string;
  token: string;
  caPath: string;
  routes: Record<string, string>;
  toxiproxy?: string;
}

export interface StartedAgent {
  readonly process: SpikeProcess;
  readonly ready: Ready;
  readonly home: string;
  readonly client: AgentClient;
}

/** `spike start --json` with free ports and one worker, until it is ready. */
export async function startedAgent(
  words: readonly string[] = [],
  options?: SpikeOptions,
): Promise<StartedAgent> {
  const home = join(temporaryDirectory(), 'home');
  const ports = ['--proxy', '127.0.0.1:0', '--control', '127.0.0.1:0'];
  const child = new SpikeProcess(
    ['start', '--headless', '--json', ...ports, '--workers', '1', '--home', home, ...words],
    options,
  );
  void child.ended.then(() => undefined);
  await eventually(() => {
    if (child.stdout.includes('\n')) return;
    throw new Error(`not ready: ${child.stderr}`);
  });
  const ready = JSON.parse(child.stdout) as Ready;
  return {
    process: child,
    ready,
    home,
    client: createRestClient({ baseUrl: ready.control, token: ready.token }),
  };
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'spike-cli-'));
  directories.push(directory);
  return directory;
}

/** Repeats a check until it holds; fails with its last failure after a time that only a defect takes, on a busy machine, too. */
export async function eventually<T>(check: () => T | Promise<T>, withinMs = 50_000): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Ends what is still running, each process by its own number, and takes the directories away. */
export async function endAll(): Promise<void> {
  for (const child of running) child.kill('SIGKILL');
  await Promise.all([...running].map((child) => child.ended));
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
}

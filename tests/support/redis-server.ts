import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cleanEnvironment, runProgram } from './run-program.ts';
import type { ProgramEnd } from './run-program.ts';
import { databaseProgram, freePort } from './database-programs.ts';
import { eventually, temporaryDirectory } from './spike-process.ts';

/** A Redis server on loopback that keeps nothing on disk. */
export interface RedisServer {
  readonly port: number;
  /** redis-cli or redis-benchmark, to any port: the server's own or one that leads to it. */
  run(program: string, port: number, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<ProgramEnd>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startRedis(): Promise<RedisServer> {
  const port = await freePort();
  const child = spawn(
    program('redis-server'),
    ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no', '--daemonize', 'no'],
    { cwd: temporaryDirectory(), env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'ignore'] },
  );
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const ended = once(child, 'close');
  const run: RedisServer['run'] = (name, toPort, args, env) =>
    runProgram(program(name), ['-h', '127.0.0.1', '-p', String(toPort), ...args], env);
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) child.kill('SIGTERM');
    await ended;
  };
  try {
    await eventually(async () => {
      const { stdout } = await run('redis-cli', port, ['PING']);
      if (stdout.trim() !== 'PONG') throw new Error(`redis-server does not answer: ${stdout}${log}`);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, run, [Symbol.asyncDispose]: stop };
}

function program(name: string): string {
  const path = databaseProgram(name);
  if (path === null) throw new Error(`${name} is not installed: apt-get install redis-server redis-tools`);
  return path;
}

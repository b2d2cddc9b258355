import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanEnvironment, runProgram } from './run-program.ts';
import type { ProgramEnd } from './run-program.ts';
import { databaseProgram, databaseUser, freePort } from './database-programs.ts';
import { eventually } from './spike-process.ts';

/** A PostgreSQL server in a temporary folder, on loopback; passwords by SCRAM-SHA-256, no TLS. */
export interface PostgresqlServer {
  readonly port: number;
  readonly password: string;
  /** psql, pgbench and others, to any port: the server's own or one that leads to it. */
  run(program: string, port: number, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<ProgramEnd>;
  /** The environment in which libpq finds the port, the user and the password. */
  environment(port: number): NodeJS.ProcessEnv;
  /** Turns TLS on, with this key and certificate (PEM). */
  secure(key: string, certificate: string): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const password = 'only-for-tests';

export async function startPostgresql(): Promise<PostgresqlServer> {
  const user = databaseUser();
  const directory = mkdtempSync(join(tmpdir(), 'spike-pg-'));
  const own = (path: string): void => {
    if (user !== null) chownSync(path, user.uid, user.gid);
  };
  own(directory);
  const data = join(directory, 'data');
  initialise(directory, data, user, own);
  const port = await freePort();
  const settings = { listen_addresses: '127.0.0.1', port, unix_socket_directories: directory, fsync: 'off' };
  const child = spawn(
    program('postgres'),
    ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    { ...user, cwd: directory, env: cleanEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const ended = once(child, 'close');
  const environment = (toPort: number): NodeJS.ProcessEnv => ({
    PGHOST: '127.0.0.1',
    PGPORT: String(toPort),
    PGUSER: 'spike',
    PGPASSWORD: password,
    PGDATABASE: 'postgres',
    PGCONNECT_TIMEOUT: '10',
  });
  const run: PostgresqlServer['run'] = (name, toPort, args, env) =>
    runProgram(program(name), args, { ...environment(toPort), ...env });
  const stop = async (): Promise<void> => {
    // SIGINT: sessions are ended, then the server ("Shutting Down the Server").
    if (child.exitCode === null) child.kill('SIGINT');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  };
  const ask = async (statement: string): Promise<void> => {
    const { exitCode, stderr } = await run('psql', port, ['-qAtXc', statement]);
    if (exitCode !== 0) throw new Error(`psql ended with ${exitCode}: ${stderr}${log}`);
  };
  try {
    await eventually(() => ask('SELECT 1'));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    password,
    environment,
    run,
    async secure(key, certificate) {
      for (const [name, text] of [
        ['server.key', key],
        ['server.crt', certificate],
      ] as const) {
        const path = join(data, name);
        writeFileSync(path, text);
        chmodSync(path, 0o600);
        own(path);
      }
      await ask('ALTER SYSTEM SET ssl = on');
      await ask('SELECT pg_reload_conf()');
      await eventually(async () => {
        const { exitCode, stderr } = await run('psql', port, ['-qAtXc', 'SELECT 1'], {
          PGSSLMODE: 'require',
        });
        if (exitCode !== 0) throw new Error(stderr);
      });
    },
    [Symbol.asyncDispose]: stop,
  };
}

function program(name: string): string {
  const path = databaseProgram(name);
  if (path === null) throw new Error(`${name} is not installed: apt-get install postgresql`);
  return path;
}

function initialise(
  directory: string,
  data: string,
  user: ReturnType<typeof databaseUser>,
  own: (path: string) => void,
): void {
  const passwordFile = join(directory, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  own(passwordFile);
  const { status, stderr } = spawnSync(
    program('initdb'),
    [
      '-D',
      data,
      '-U',
      'spike',
      '-A',
      'scram-sha-256',
      '--pwfile',
      passwordFile,
      '-E',
      'UTF8',
      '--locale=C',
      '-N',
    ],
    { ...user, cwd: directory, env: cleanEnvironment(), encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`initdb ended with ${status}: ${stderr}`);
}

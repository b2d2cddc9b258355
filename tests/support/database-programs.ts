import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { delimiter, join } from 'node:path';

/** Debian keeps the server's programs of each major version in a folder of its own, which is not on the PATH. */
const versions = '/usr/lib/postgresql';

function places(): string[] {
  const numbers = existsSync(versions) ? readdirSync(versions).map(Number).filter(Number.isInteger) : [];
  const newestFirst = numbers.sort((a, b) => b - a).map((version) => join(versions, String(version), 'bin'));
  return [...newestFirst, ...(process.env['PATH'] ?? '').split(delimiter)];
}

/** The path of a program of PostgreSQL or Redis; null where it is not installed. */
export function databaseProgram(name: string): string | null {
  return (
    places()
      .map((place) => join(place, name))
      .find((path) => existsSync(path)) ?? null
  );
}

/**
 * Whether tests that need these programs are to be skipped: never in CI, which installs them. Says what is missing and how
 * to get it.
 */
export function skipWithout(packages: string, ...programs: string[]): boolean {
  const missing = programs.filter((program) => databaseProgram(program) === null);
  if (missing.length === 0) return false;
  const what = `${missing.join(', ')} not found: apt-get install ${packages}`;
  if (process.env['CI']) throw new Error(what);
  console.warn(`skipped: ${what}`);
  return true;
}

/** PostgreSQL refuses to run as root; then its files and its processes are of another user. Null: as who we are. */
export function databaseUser(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((what) =>
      spawnSync('id', [what, name], { encoding: 'utf8' }).stdout.trim(),
    );
    if (uid !== undefined && gid !== undefined && uid !== '' && gid !== '')
      return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error('No user named postgres or nobody to run PostgreSQL as.');
}

/** A port that nobody listens on now: neither server can be asked to choose one itself. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

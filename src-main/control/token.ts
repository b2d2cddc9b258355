import { randomBytes, randomUUID } from 'node:crypto';
import { link, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SpikeError } from '#shared/contract/errors.ts';

/** What a token may look like: it travels as a WebSocket subprotocol, which takes no other characters (RFC 9110, token). */
const tokenPattern = /^[A-Za-z0-9_-]{32,128}$/;

export function tokenPath(homeDirectory: string): string {
  return join(homeDirectory, 'token');
}

/**
 * The token of a home directory; made (256 bits, mode 0600) where there is none. Two agents that start at once agree on
 * one. Rejects with `conflict` for a file that holds no token or that others may read, and says how to mend it.
 */
export async function loadOrCreateToken(homeDirectory: string): Promise<string> {
  const path = tokenPath(homeDirectory);
  const existing = await readToken(path);
  if (existing !== null) return existing;
  await createToken(path);
  const created = await readToken(path);
  if (created === null)
    throw new SpikeError('conflict', `The token file ${path} went away while it was made.`);
  return created;
}

/** The token in a file, checked; null where there is no file. */
export async function readToken(path: string): Promise<string | null> {
  const text = await readIfThere(path);
  if (text === null) return null;
  const token = text.trim();
  if (!tokenPattern.test(token)) {
    throw new SpikeError('conflict', `${path} holds no token. Delete it: the next start makes a new one.`, {
      path,
    });
  }
  await refuseOpenFile(path);
  return token;
}

/** Complete before it has its name, and never over one that is there: `link` fails where another agent was first. */
async function createToken(path: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  try {
    await writeFile(temporary, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
    await link(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function refuseOpenFile(path: string): Promise<void> {
  if (process.platform === 'win32') return; // modes say nothing there; the profile's folder is the owner's
  const mode = (await stat(path)).mode & 0o777;
  if ((mode & 0o077) === 0) return;
  throw new SpikeError(
    'conflict',
    `Others may read the token in ${path} (mode ${mode.toString(8).padStart(4, '0')}). Delete it, or run: chmod 600 ${path}`,
    { path },
  );
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

// One agent a home directory: two would write the same captures. A socket is the lock, since the kernel takes it back when
// its process ends in whatever way; a file with a number in it would stay behind and, after a restart of the machine,
// name a stranger. Who connects is told the number of the process that holds it.
import { createHash } from 'node:crypto';
import { realpath, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SpikeError } from '#shared/contract/errors.ts';

export interface AgentLock {
  release(): Promise<void>;
}

const answerTimeoutMs = 1000;

/** Takes the lock of a home directory that exists. Rejects with `conflict`, naming the process that has it. */
export async function lockHome(directory: string): Promise<AgentLock> {
  const name = socketName(await realpath(directory));
  const server = (await listening(name)) ?? (await listeningAgain(name, directory));
  server.unref();
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}

function socketName(directory: string): string {
  const key = `spike-${createHash('sha256').update(directory).digest('hex').slice(0, 24)}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\${key}`;
  // Linux: an abstract name (unix(7)) is no file, and gone with its process.
  return process.platform === 'linux' ? `\0${key}` : join(tmpdir(), `${key}.sock`);
}

/** A listening server, or null when another process has the name. */
function listening(name: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy()); // it asked and went away
      socket.end(String(process.pid));
    });
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    );
    // Exclusive: a worker of node:cluster would otherwise share the primary's.
    server.listen({ path: name, exclusive: true }, () => resolve(server));
  });
}

/** The name is taken: by an agent that answers, or (where names are files) by what one left behind. */
async function listeningAgain(name: string, directory: string): Promise<Server> {
  const pid = await holder(name);
  if (pid === null && !name.startsWith('\0') && process.platform !== 'win32') {
    await rm(name, { force: true });
    const server = await listening(name);
    if (server !== null) return server;
  }
  throw new SpikeError(
    'conflict',
    `An agent is already running with the home directory ${directory}${pid === null ? '' : ` (process ${pid})`}. Stop it, or give this one another with --home.`,
    { pid },
  );
}

/** The process that holds a name; null when none answers. */
function holder(name: string): Promise<number | null> {
  return new Promise((resolve) => {
    const socket = connect(name);
    let text = '';
    const settle = (): void => {
      socket.destroy();
      resolve(/^\d+$/.test(text) ? Number(text) : null);
    };
    socket.setTimeout(answerTimeoutMs, settle);
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.once('end', settle).once('error', settle);
  });
}

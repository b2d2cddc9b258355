import { readFile, readdir, readlink } from 'node:fs/promises';

export interface PortOwner {
  readonly pid: number;
  readonly command: string;
}

const listenState = '0A';

/**
 * The process that listens on a TCP port. Null when there is none, when it belongs to another user, and where /proc is
 * not there to be read (macOS, Windows).
 */
export async function portOwner(port: number): Promise<PortOwner | null> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map(readTable));
  const inodes = new Set(tables.flatMap((table) => listeningInodes(table, port)));
  if (inodes.size === 0) return null;
  for (const name of await readdir('/proc')) {
    if (/^\d+$/.test(name) && (await holdsOneOf(name, inodes))) {
      return { pid: Number(name), command: await commandOf(name) };
    }
  }
  return null;
}

function readTable(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => ''); // no such table on this system
}

/** Columns of proc_net_tcp(5): 1 local address, 3 state, 9 inode. */
export function listeningInodes(table: string, port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table.split('\n').flatMap((line) => {
    const columns = line.trim().split(/\s+/);
    const matches = columns[1]?.endsWith(wanted) === true && columns[3] === listenState;
    return matches && columns[9] !== undefined ? [columns[9]] : [];
  });
}

async function holdsOneOf(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  try {
    for (const descriptor of await readdir(`/proc/${pid}/fd`)) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined && inodes.has(inode)) return true;
    }
  } catch {
    // Ended in this moment, or of another user: it cannot be told.
  }
  return false;
}

async function commandOf(pid: string): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'a process')).trim();
}

// Linux: the client's address and port → inode of its socket → the process that holds it → its name.
// sock_diag would answer the first step without reading whole tables, but netlink cannot be reached from Node.
import { readFile } from 'node:fs/promises';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { createBatchedLookup } from './batched-lookup.ts';
import { normalAddress, tcpRows } from './proc-net-tcp.ts';
import type { TcpRow } from './proc-net-tcp.ts';
import { createProcessFacts } from './proc-process.ts';
import { createSocketOwners } from './proc-sockets.ts';
import type { OwningProcess, ProcessLookup } from './process-lookup.ts';

export interface LinuxLookupOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Default /proc. */
  readonly root?: string;
}

/** Both kinds of question in one batch, since both read the same tables. */
const ownerKey = (address: string, port: number, localPort: number): string =>
  `${address} ${port} ${localPort}`;
const listenerKey = (port: number): string => `listener ${port}`;

export function createLinuxLookup({ clock, log, root = '/proc' }: LinuxLookupOptions): ProcessLookup {
  const facts = createProcessFacts(root);
  const owners = createSocketOwners(root, clock);
  const questions = createBatchedLookup<OwningProcess>({
    clock,
    failed: (error) =>
      log.warn({ err: error }, 'Looking up who is calling failed; callers are named by address.'),
    async answer(keys) {
      const inodes = await inodesOf(root, keys);
      const pids = await owners.find(new Set(inodes.values()));
      const processes = new Map([...new Set(pids.values())].map((pid) => [pid, facts.of(pid)]));
      const answers = new Map<string, OwningProcess>();
      for (const [key, inode] of inodes) {
        const process = processes.get(pids.get(inode) ?? -1);
        if (process) answers.set(key, process);
      }
      return answers;
    },
  });
  return {
    ownerOf: ({ clientAddress, clientPort, localPort }) =>
      questions.ask(ownerKey(normalAddress(clientAddress), clientPort, localPort)),
    listenerOf: (port) => questions.ask(listenerKey(port)),
    close: () => questions.close(),
  };
}

/** The inodes of the sockets that are asked for, by key. A socket of IPv6 may speak IPv4: both tables are read. */
async function inodesOf(root: string, keys: ReadonlySet<string>): Promise<Map<string, number>> {
  const inodes = new Map<string, number>();
  const localPorts = new Set<number>();
  for (const key of keys)
    localPorts.add(Number(key.startsWith('listener ') ? key.slice(9) : key.split(' ')[1]));
  for (const name of ['tcp', 'tcp6']) {
    if (inodes.size === keys.size) break;
    const table = await readTable(`${root}/net/${name}`);
    for (const row of tcpRows(table, (localPort) => localPorts.has(localPort))) {
      const key = keyOf(row);
      if (row.inode !== 0 && keys.has(key) && !inodes.has(key)) inodes.set(key, row.inode);
    }
  }
  return inodes;
}

const keyOf = (row: TcpRow): string =>
  row.isListening ? listenerKey(row.localPort) : ownerKey(row.localAddress, row.localPort, row.remotePort);

/** Off the event loop: with ten thousand connections the kernel writes for milliseconds. */
async function readTable(path: string): Promise<string> {
  try {
    return await readFile(path, 'latin1');
  } catch (error) {
    // Without IPv6 there is no such table.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

// Linux's table of TCP sockets, /proc/net/tcp and /proc/net/tcp6, as documented in the kernel's
// Documentation/networking/proc_net_tcp.rst. Pure: text in, rows out.
//
//   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
//    0: 0100007F:1B9E 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 …
import { endianness } from 'node:os';

export interface TcpRow {
  /** As Node writes addresses; an IPv4 address in IPv6 form (::ffff:…) as IPv4. */
  readonly localAddress: string;
  readonly localPort: number;
  readonly remotePort: number;
  readonly isListening: boolean;
  /** 0 when no process holds it any more. */
  readonly inode: number;
}

const LISTEN = '0A';
const columns =
  /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]{2}) \S+ \S+ \S+ +\d+ +\d+ (\d+)/;

/**
 * The rows that `wants` by their ports, which are read first: most rows of a busy machine are not asked for.
 * Rows that cannot be read are skipped, since the table may end anywhere.
 */
export function* tcpRows(
  table: string,
  wants: (localPort: number, remotePort: number) => boolean,
): Generator<TcpRow> {
  let start = table.indexOf('\n') + 1;
  while (start > 0 && start < table.length) {
    const end = table.indexOf('\n', start);
    const row = rowAt(table, start, end < 0 ? table.length : end, wants);
    if (row !== null) yield row;
    if (end < 0) return;
    start = end + 1;
  }
}

function rowAt(
  table: string,
  start: number,
  end: number,
  wants: (localPort: number, remotePort: number) => boolean,
): TcpRow | null {
  const localColon = table.indexOf(':', table.indexOf(': ', start) + 2);
  const remoteColon = table.indexOf(':', localColon + 1);
  if (localColon < start || remoteColon < 0 || remoteColon + 5 > end) return null;
  if (!wants(hex(table, localColon + 1, 4), hex(table, remoteColon + 1, 4))) return null;
  const found = columns.exec(table.slice(start, end));
  if (found === null) return null;
  const [, address = '', localPort = '', remotePort = '', state, inode] = found;
  return {
    localAddress: addressOf(address),
    localPort: Number.parseInt(localPort, 16),
    remotePort: Number.parseInt(remotePort, 16),
    isListening: state === LISTEN,
    inode: Number(inode),
  };
}

const hex = (text: string, at: number, length: number): number =>
  Number.parseInt(text.slice(at, at + length), 16);

/** Written as 32-bit words in the machine's own order. */
function addressOf(digits: string): string {
  const bytes = Buffer.from(digits, 'hex');
  if (endianness() === 'LE') bytes.swap32();
  if (bytes.length === 4) return bytes.join('.');
  const isMapped =
    bytes.readUInt32BE(0) === 0 && bytes.readUInt32BE(4) === 0 && bytes.readUInt32BE(8) === 0xffff;
  return isMapped ? bytes.subarray(12).join('.') : normalAddress(groupsOf(bytes));
}

const groupsOf = (bytes: Buffer): string =>
  Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16)).join(':');

/** One text for one address: IPv6 shortened, mapped IPv4 as IPv4, no zone. */
export function normalAddress(address: string): string {
  const bare = address.replace(/%.*$/, '');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare);
  if (mapped !== null) return mapped[1] as string;
  if (!bare.includes(':') || !URL.canParse(`http://[${bare}]/`)) return bare;
  return new URL(`http://[${bare}]/`).hostname.slice(1, -1);
}

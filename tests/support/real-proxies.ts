import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Peers } from './network-peers.ts';

/** Whether a program is installed, by a call of it that ends at once. */
function runs(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).error === undefined;
}

/** Tests whose proxy is not installed are skipped. */
export const installed = {
  tinyproxy: runs('tinyproxy', '-v'),
  microsocks: runs('microsocks', '-h'),
  squid: runs('squid', '-v'),
};

const user = 'jo';
/** As simple as tinyproxy's configuration wants it. */
const password = 'pass.word';
/** What goes before the host of the proxy's URL. */
export const credentials = `${user}:${encodeURIComponent(password)}@`;

export interface TinyproxyOptions {
  readonly withCredentials?: boolean;
  /** Hosts that it does not connect to: extended regular expressions. */
  readonly denied?: readonly string[];
}

/** An HTTP proxy; its port. */
export async function startTinyproxy(peers: Peers, options: TinyproxyOptions = {}): Promise<number> {
  const { withCredentials = false, denied = [] } = options;
  return await withDirectory(peers, async (directory, port) => {
    await writeFile(join(directory, 'filter'), denied.join('\n'));
    const lines = [
      `Port ${port}`,
      'Listen 127.0.0.1',
      'Timeout 30',
      'LogLevel Critical',
      ...(withCredentials ? [`BasicAuth ${user} ${password}`] : []),
      ...(denied.length > 0 ? [`Filter "${join(directory, 'filter')}"`, 'FilterExtended On'] : []),
    ];
    const file = join(directory, 'tinyproxy.conf');
    await writeFile(file, `${lines.join('\n')}\n`);
    return ['tinyproxy', '-d', '-c', file];
  });
}

/** A SOCKS5 proxy; its port. */
export async function startMicrosocks(peers: Peers, withCredentials = false): Promise<number> {
  return await withDirectory(peers, (_directory, port) =>
    Promise.resolve([
      'microsocks',
      ...['-i', '127.0.0.1', '-p', String(port)],
      ...(withCredentials ? ['-u', user, '-P', password] : []),
    ]),
  );
}

/** Squid with the rules that Debian delivers: no CONNECT but to port 443, which is `tlsPort` here. */
export async function startSquid(peers: Peers, tlsPort: number): Promise<number> {
  return await withDirectory(peers, async (directory, port) => {
    const file = join(directory, 'squid.conf');
    const lines = [
      `http_port 127.0.0.1:${port}`,
      `acl SSL_ports port ${tlsPort}`,
      'http_access deny CONNECT !SSL_ports',
      'http_access allow localhost',
      'http_access deny all',
      'cache deny all',
      'pid_filename none',
      'access_log none',
      'cache_log /dev/null',
      'cache_store_log none',
      'pinger_enable off',
      'shutdown_lifetime 0 seconds',
      `coredump_dir ${directory}`,
    ];
    await writeFile(file, `${lines.join('\n')}\n`);
    return ['squid', '-N', '-f', file];
  });
}

async function withDirectory(
  peers: Peers,
  command: (directory: string, port: number) => Promise<string[]>,
): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'spike-proxies-'));
  peers.also(() => rm(directory, { recursive: true, force: true }));
  const port = await unusedPort();
  const [program = '', ...args] = await command(directory, port);
  const child = spawn(program, args, { stdio: 'ignore' });
  peers.also(() => end(child));
  await accepting(child, program, port);
  return port;
}

/** These programs cannot be given port 0. */
async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function accepting(child: ChildProcess, program: string, port: number): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}`);
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await delay(20);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

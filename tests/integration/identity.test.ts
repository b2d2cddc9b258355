// Callers named by the processes that own their ports: real processes, real sockets, the real /proc.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ServiceName } from '#shared/flow/flow.ts';
import { createSystemClock } from '../../src-main/engine/clock.ts';
import { createCalleeResolver } from '../../src-main/engine/identity/callee-resolver.ts';
import { createCallerResolver } from '../../src-main/engine/identity/caller-resolver.ts';
import type { CallerHandle } from '../../src-main/engine/identity/caller-resolver.ts';
import { createLinuxLookup } from '../../src-main/engine/identity/process-lookup-linux.ts';
import type { ProcessLookup } from '../../src-main/engine/identity/process-lookup.ts';
import { silentLog } from '../../src-main/engine/log.ts';

/** Opens connections, each of which says who it is, and keeps them until its input ends. */
const CLIENT = `
import { connect } from 'node:net';
const [port, count, label, host = '127.0.0.1'] = process.argv.slice(2);
for (let i = 0; i < Number(count); i += 1) {
  const socket = connect(Number(port), host, () => socket.write(label));
  socket.on('error', () => {});
}
process.stdin.resume().on('end', () => process.exit());
`;
/** Starts the client in an environment without SPIKE_SERVICE: only its parent has it. */
const PARENT = `
import { spawn } from 'node:child_process';
const { SPIKE_SERVICE, ...env } = process.env;
const child = spawn(process.execPath, process.argv.slice(2), { env, stdio: ['pipe', 'inherit', 'inherit'] });
process.stdin.pipe(child.stdin);
child.on('exit', () => process.exit());
`;
const LISTENER = `
import { createServer } from 'node:net';
const server = createServer().listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume().on('end', () => process.exit());
`;

describe.skipIf(process.platform !== 'linux')('on Linux', () => {
  let folder: string;
  let server: Server;
  let lookup: ProcessLookup;
  let port: number;
  const children: ChildProcess[] = [];
  const sockets: Socket[] = [];
  /** What each connection said it was, and the handle of its caller. */
  let accepted: { label: string; handle: CallerHandle }[];
  let expected: number;
  let complete: () => void;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spike-identity-'));
    await mkdir(join(folder, 'ledger'));
    await Promise.all([
      ...['orders.mjs', 'payments.mjs', 'shipping.mjs', 'ledger/server.mjs'].map((name) =>
        writeFile(join(folder, name), CLIENT),
      ),
      writeFile(join(folder, 'parent.mjs'), PARENT),
      writeFile(join(folder, 'stock.mjs'), LISTENER),
    ]);
    const clock = createSystemClock();
    lookup = createLinuxLookup({ clock, log: silentLog });
    const resolver = createCallerResolver({ lookup, clock, log: silentLog });
    accepted = [];
    server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined); // Clients are ended in the middle.
      const { remoteAddress = '', remotePort = 0, localPort = 0 } = socket;
      const end = { clientAddress: remoteAddress, clientPort: remotePort, localPort };
      const handle = resolver.resolve({ ...end, proxyUser: null, listenerCaller: null });
      socket.once('data', (label) => {
        accepted.push({ label: label.toString(), handle });
        if (accepted.length === expected) complete();
      });
    });
    server.listen(0, '::');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });

  afterEach(async () => {
    lookup.close();
    for (const socket of sockets.splice(0)) socket.destroy();
    server.close();
    await Promise.all(
      children.splice(0).map(async (child) => {
        const ended = child.exitCode === null ? once(child, 'exit') : null;
        child.stdin?.end();
        await ended;
      }),
    );
    await rm(folder, { recursive: true, force: true });
  });

  function start(args: string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
    const { SPIKE_SERVICE: _, ...own } = process.env;
    const child = spawn(process.execPath, args, {
      cwd: folder,
      env: { ...own, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(child);
    return child;
  }

  function connections(count: number): Promise<void> {
    expected = count;
    return new Promise((resolve) => (complete = resolve));
  }

  async function names(): Promise<{ label: string; name: ServiceName }[]> {
    await Promise.all(accepted.map(({ handle }) => handle.ready));
    return accepted.map(({ label, handle }) => ({ label, name: handle.current }));
  }

  test.each([
    ['a script', 'orders.mjs', '127.0.0.1', {}, { name: 'orders', resolvedBy: 'process' }],
    [
      'a script in a folder that tells more',
      'ledger/server.mjs',
      '127.0.0.1',
      {},
      { name: 'ledger', resolvedBy: 'process' },
    ],
    [
      'SPIKE_SERVICE',
      'orders.mjs',
      '127.0.0.1',
      { SPIKE_SERVICE: 'checkout' },
      { name: 'checkout', resolvedBy: 'run' },
    ],
    [
      'OTEL_SERVICE_NAME',
      'orders.mjs',
      '127.0.0.1',
      { OTEL_SERVICE_NAME: 'otel' },
      { name: 'otel', resolvedBy: 'process' },
    ],
    ['a script, over IPv6', 'orders.mjs', '::1', {}, { name: 'orders', resolvedBy: 'process' }],
  ])('a caller is named by %s', async (_, script, host, env, name) => {
    const all = connections(1);
    const child = start([script, String(port), '1', 'x', host], env);
    await all;
    expect(await names()).toEqual([{ label: 'x', name: { ...name, pid: child.pid } }]);
  });

  test('a grandchild without the variable is named by what its parent was started as', async () => {
    const all = connections(1);
    start(['parent.mjs', 'orders.mjs', String(port), '1', 'x'], { SPIKE_SERVICE: 'checkout' });
    await all;
    expect((await names()).map(({ name }) => [name.name, name.resolvedBy])).toEqual([['checkout', 'run']]);
  });

  test('500 connections at once from three processes, each named right', async () => {
    const all = connections(500);
    start(['orders.mjs', String(port), '200', 'orders']);
    start(['payments.mjs', String(port), '200', 'payments']);
    start(['shipping.mjs', String(port), '100', 'paid'], { SPIKE_SERVICE: 'paid' });
    await all;
    const named = await names();
    expect(named.filter(({ label, name }) => label !== name.name)).toEqual([]);
    // Records share them: one object a process.
    expect(new Set(named.map(({ name }) => name)).size).toBe(3);
  });

  test('a process that was not there at the first look is found at the next', async () => {
    const first = connections(1);
    start(['orders.mjs', String(port), '1', 'orders']);
    await first;
    await names();
    const second = connections(2);
    start(['payments.mjs', String(port), '1', 'payments']);
    await second;
    expect((await names()).map(({ name }) => name.name)).toEqual(['orders', 'payments']);
  });

  test('a port that nobody owns has no owner', async () => {
    expect(await lookup.ownerOf({ clientAddress: '127.0.0.1', clientPort: 1, localPort: port })).toBeNull();
    expect(await lookup.listenerOf(1)).toBeNull();
  });

  test('a callee on localhost is the process that listens there', async () => {
    const listener = start(['stock.mjs']);
    const [line] = (await once(listener.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    const resolver = createCalleeResolver({ lookup, clock: createSystemClock() });
    const place = { route: null, virtualName: null, host: 'localhost', port: Number(line.toString()) };
    const handle = resolver.resolve(place);
    await handle.ready;
    expect(handle.current).toEqual({ name: 'stock', resolvedBy: 'process', pid: listener.pid });
  });
});

import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createSystemClock } from '../../src-main/engine/clock.ts';
import { silentLog } from '../../src-main/engine/log.ts';
import type { ToPrimary } from '../../src-main/engine/cluster/messages.ts';
import { createSupervisor } from '../../src-main/engine/cluster/supervisor.ts';
import type {
  Supervisor,
  SupervisorEvent,
  SupervisorSettings,
} from '../../src-main/engine/cluster/supervisor.ts';
import { workerConfig, workerIdentity } from '../support/worker-config.ts';

const workerPath = new URL('../support/cluster-fixture-worker.ts', import.meta.url);

interface Bench {
  readonly supervisor: Supervisor;
  readonly events: SupervisorEvent[];
  readonly messages: [number, ToPrimary][];
  readonly pids: Set<number>;
}

const benches: Bench[] = [];
const sockets: Socket[] = [];

function bench(
  options: {
    workers?: number;
    behaviour?: string;
    listen?: string;
    settings?: Partial<SupervisorSettings>;
  } = {},
): Bench {
  const events: SupervisorEvent[] = [];
  const messages: [number, ToPrimary][] = [];
  const pids = new Set<number>();
  const supervisor = createSupervisor({
    clock: createSystemClock(),
    log: silentLog,
    workers: options.workers ?? 2,
    exec: { workerPath, env: { FIXTURE_BEHAVIOUR: options.behaviour ?? '' } },
    identityFor: workerIdentity,
    config: () => workerConfig(1, options.listen),
    onMessage: (worker, message) => messages.push([worker, message]),
    onEvent: (event) => events.push(event),
    onChange: (workers) => {
      for (const { pid } of workers) if (pid !== null) pids.add(pid);
    },
    ...(options.settings ? { settings: options.settings } : {}),
  });
  const made = { supervisor, events, messages, pids };
  benches.push(made);
  return made;
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const { supervisor, pids } of benches.splice(0)) {
    await supervisor.close(2000);
    expect([...pids].filter(isAlive), 'processes that were left behind').toEqual([]);
  }
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // ESRCH: no such process.
  }
}

async function until<T>(what: string, look: () => T | undefined | false): Promise<T> {
  for (const end = Date.now() + 15_000; Date.now() < end; await sleep(10)) {
    const seen = look();
    if (seen !== undefined && seen !== false) return seen;
  }
  throw new Error(`waited in vain for: ${what}`);
}

interface Client {
  readonly socket: Socket;
  ask(word?: string): Promise<{ worker: number; pid: number; version: number }>;
}

async function dial(address: string): Promise<Client> {
  const [host, port] = address.split(':') as [string, string];
  const socket = connect(Number(port), host);
  socket.on('error', () => undefined); // A killed worker resets it; tests look at 'close'.
  sockets.push(socket);
  await once(socket, 'connect');
  return {
    socket,
    async ask(word = 'hello') {
      socket.write(word);
      const [bytes] = (await once(socket, 'data')) as [Buffer];
      const [worker, pid, version] = bytes.toString().trim().split(' ').map(Number) as [
        number,
        number,
        number,
      ];
      return { worker, pid, version };
    },
  };
}

/** Connections until each worker has one. */
async function dialBoth(address: string): Promise<Map<number, Client>> {
  const byWorker = new Map<number, Client>();
  while (byWorker.size < 2) {
    const client = await dial(address);
    byWorker.set((await client.ask()).worker, client);
  }
  return byWorker;
}

describe('supervisor', () => {
  it('starts all workers on one port and hands connections to both', async () => {
    const { supervisor } = bench();
    const { address } = await supervisor.start();
    expect(address).not.toMatch(/:0$/);
    expect(supervisor.workers().map(({ number, state, restarts }) => ({ number, state, restarts }))).toEqual([
      { number: 1, state: 'ready', restarts: 0 },
      { number: 2, state: 'ready', restarts: 0 },
    ]);
    await dialBoth(address);
  });

  it('replaces a killed worker on the same port while the other one goes on', async () => {
    const { supervisor, events } = bench();
    const { address } = await supervisor.start();
    const clients = await dialBoth(address);
    const killed = supervisor.workers()[0] as { pid: number };
    const victim = clients.get(1) as Client;
    await until('a gauge', () => supervisor.workers()[0]?.openConnections !== 0);
    process.kill(killed.pid, 'SIGKILL');
    await once(victim.socket, 'close');
    const lost = await until('worker.lost', () => events.find((event) => event.type === 'worker.lost'));
    expect(lost).toMatchObject({ worker: 1, pid: killed.pid, reason: 'signal SIGKILL' });
    // 'lost' counts what was open at the last gauge, and names it.
    expect(lost.type === 'worker.lost' && lost.openFlows).toBeGreaterThan(0);
    expect(lost.type === 'worker.lost' && lost.openFlowIds.every((id) => id.startsWith('1-'))).toBe(true);
    expect((await (clients.get(2) as Client).ask()).worker).toBe(2);
    const replaced = await until('worker.replaced', () =>
      events.find((one) => one.type === 'worker.replaced'),
    );
    const status = supervisor.workers()[0];
    expect(status).toMatchObject({ number: 1, state: 'ready', restarts: 1, pid: replaced.pid });
    expect(status?.lastExit).toMatchObject({ reason: 'signal SIGKILL' });
    expect(status?.lastExit?.replacedAfterMs).toBeGreaterThan(0);
    expect((await (await dialBoth(address)).get(1)?.ask())?.pid).toBe(replaced.pid);
  });

  it('replaces the only worker on the same port, though port 0 was asked for', async () => {
    const { supervisor, events } = bench({ workers: 1 });
    const { address } = await supervisor.start();
    process.kill(supervisor.workers()[0]?.pid as number, 'SIGKILL');
    await until('worker.replaced', () => events.find((event) => event.type === 'worker.replaced'));
    expect((await (await dial(address)).ask()).worker).toBe(1);
  });

  it('configures every worker and sums what they released; a replacement starts with the newest', async () => {
    const { supervisor, events } = bench();
    const { address } = await supervisor.start();
    const clients = await dialBoth(address);
    const open = [...sockets].filter((socket) => !socket.destroyed).length;
    expect(await supervisor.configure(workerConfig(2))).toEqual({ released: open });
    expect((await clients.get(1)?.ask())?.version).toBe(2);
    expect((await clients.get(2)?.ask())?.version).toBe(2);
    process.kill(supervisor.workers()[1]?.pid as number, 'SIGKILL');
    await until('worker.replaced', () => events.find((event) => event.type === 'worker.replaced'));
    expect((await (await dialBoth(address)).get(2)?.ask())?.version).toBe(2);
  });

  it('does not wait for a worker that dies while it is configured', async () => {
    const { supervisor } = bench();
    await supervisor.start();
    process.kill(supervisor.workers()[0]?.pid as number, 'SIGSTOP');
    const configured = supervisor.configure(workerConfig(2));
    process.kill(supervisor.workers()[0]?.pid as number, 'SIGKILL');
    expect(await configured).toEqual({ released: 0 });
  });

  it('collects process metrics of every worker, labelled with its number', async () => {
    const { supervisor } = bench();
    await supervisor.start();
    const all = (await supervisor.metrics()) as { name: string; values: { labels: object }[] }[][];
    const labels = all.map(
      (one) => one.find(({ name }) => name === 'process_cpu_seconds_total')?.values[0]?.labels,
    );
    expect(labels).toEqual([{ worker: '1' }, { worker: '2' }]);
  });

  it('passes reports on twice a second', async () => {
    const { supervisor, messages } = bench();
    const { address } = await supervisor.start();
    const client = await dial(address);
    await client.ask();
    client.socket.end();
    const report = await until('a call in a report', () => {
      for (const [, message] of messages) {
        if (message.type === 'edges' && JSON.stringify(message.report).includes('"calls":1')) return message;
      }
      return undefined;
    });
    expect(JSON.stringify(report)).toContain('"callee":"orders"');
  });

  it('backs off when workers keep dying, shows it, and can still be closed', async () => {
    const restarts = {
      stormDeaths: 3,
      stormWindowMs: 10_000,
      firstDelayMs: 30_000,
      longestDelayMs: 30_000,
      quietMs: 60_000,
    };
    const { supervisor, events } = bench({ workers: 1, behaviour: 'die', settings: { restarts } });
    await supervisor.start();
    await until('backing-off', () => supervisor.workers()[0]?.state === 'backing-off');
    expect(events.filter((event) => event.type === 'worker.lost')).toHaveLength(3);
    expect(supervisor.workers()[0]).toMatchObject({ pid: null, lastExit: { reason: 'exit code 3' } });
  });

  it('reports a worker that hangs, then kills and replaces it', async () => {
    const { supervisor, events } = bench({
      settings: { silentAfterMs: 1500, killAfterMs: 2500, watchEveryMs: 200 },
    });
    await supervisor.start();
    const { pid } = supervisor.workers()[1] as { pid: number };
    process.kill(pid, 'SIGSTOP');
    const silent = await until('worker.silent', () => events.find((event) => event.type === 'worker.silent'));
    expect(silent).toMatchObject({ worker: 2, pid });
    const lost = await until('worker.lost', () => events.find((event) => event.type === 'worker.lost'));
    expect(lost).toMatchObject({ worker: 2, pid, reason: 'signal SIGKILL' });
    await until('worker.replaced', () => events.find((event) => event.type === 'worker.replaced'));
  });

  it('replaces a worker that throws', async () => {
    const { supervisor, events } = bench({ workers: 1, behaviour: 'throw' });
    const { address } = await supervisor.start();
    (await dial(address)).socket.write('throw');
    const lost = await until('worker.lost', () => events.find((event) => event.type === 'worker.lost'));
    expect(lost).toMatchObject({ reason: 'exit code 1' });
    await until('worker.replaced', () => events.find((event) => event.type === 'worker.replaced'));
  });

  it('refuses a taken port, names it, and leaves no worker', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const listen = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    const { supervisor, pids } = bench({ listen });
    await expect(supervisor.start()).rejects.toMatchObject({
      code: 'port-in-use',
      message: expect.stringContaining(listen) as string,
    });
    expect(pids.size).toBeGreaterThan(0);
    expect([...pids].filter(isAlive)).toEqual([]);
    await new Promise((resolve) => taken.close(resolve));
  });

  it('refuses an address that is not of this machine', async () => {
    const { supervisor } = bench({ listen: '192.0.2.1:0' });
    await expect(supervisor.start()).rejects.toMatchObject({ code: 'invalid-input' });
  });

  it('rejects when workers cannot start', async () => {
    const { supervisor } = bench({ behaviour: 'die-early' });
    await expect(supervisor.start()).rejects.toMatchObject({
      code: 'not-available',
      message: expect.stringContaining('exit code 4') as string,
    });
  });

  it('drains, and kills at the deadline what does not', async () => {
    const { supervisor, pids, events } = bench({ behaviour: 'never-drain' });
    await supervisor.start();
    await supervisor.close(100);
    expect([...pids].filter(isAlive)).toEqual([]);
    expect(events).toEqual([]); // Asked to go: nothing was lost.
  });

  it('runs beside another engine in the same process', async () => {
    const one = bench({ workers: 1 });
    const two = bench({ workers: 1, behaviour: 'throw' });
    const [first, second] = await Promise.all([one.supervisor.start(), two.supervisor.start()]);
    expect(first.address).not.toBe(second.address);
    (await dial(second.address)).socket.write('throw');
    await until('worker.lost', () => two.events.find((event) => event.type === 'worker.lost'));
    expect(one.events).toEqual([]);
    expect((await (await dial(first.address)).ask('throw')).worker).toBe(1);
  });
});

describe('worker process', () => {
  it('ends by itself when its primary is killed', async () => {
    const script = fileURLToPath(new URL('../support/cluster-fixture-primary.ts', import.meta.url));
    const primary = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(primary.stdout, 'data')) as [Buffer];
    const { pids } = JSON.parse(line.toString()) as { pids: number[] };
    expect(pids.filter(isAlive)).toEqual(pids);
    primary.kill('SIGKILL');
    await until('the workers to end', () => !pids.some(isAlive));
  });

  it('goes on at SIGINT, drains at SIGTERM and is replaced', async () => {
    const { supervisor, events } = bench({ workers: 1 });
    const { address } = await supervisor.start();
    const pid = supervisor.workers()[0]?.pid as number;
    const client = await dial(address);
    process.kill(pid, 'SIGINT');
    expect((await client.ask()).pid).toBe(pid);
    process.kill(pid, 'SIGTERM');
    await once(client.socket, 'end'); // Ended, not reset.
    const lost = await until('worker.lost', () => events.find((event) => event.type === 'worker.lost'));
    expect(lost).toMatchObject({ pid, reason: 'exit code 0' });
    await until('worker.replaced', () => events.find((event) => event.type === 'worker.replaced'));
  });
});

import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { DataPlaneHarness } from './data-plane-harness.ts';
import type { RuleText } from './data-plane-harness.ts';

/**
 * Run with --expose-gc, and without a test runner around it: many requests through one data plane, and what is left of them.
 * Prints a LeakReport as JSON.
 *
 * Usage: leak-run.ts REQUESTS PARTS
 */
export interface LeakReport {
  readonly answered: number;
  readonly troubled: number;
  /** Flows that were captured. */
  readonly flows: number;
  /** Of the heap and outside of it, after collection, at the end of each part. */
  readonly heapBytes: readonly number[];
  readonly externalBytes: readonly number[];
  /** What Node waits for: before anything was started, with all idle, and when all was closed. */
  readonly handlesBefore: readonly string[];
  readonly handlesAfter: readonly string[];
  readonly openFlows: number;
  readonly openConnections: number;
  /** The most connections that the origin had at once. */
  readonly mostUpstream: number;
}

const [requests = 200_000, parts = 10] = process.argv.slice(2).map(Number);
const perConnection = 100;
const atOnce = 16;
const pipelined = 10;

/** Faults on some calls, so that what rules hold is given back as well. */
const rules: readonly RuleText[] = [
  { name: 'teapot', match: { path: '/teapot' }, faults: [{ type: 'status', status: 418 }] },
  {
    name: 'late',
    match: { path: '/late' },
    faults: [{ type: 'latency', latencyMs: 1 }],
  },
  { name: 'cut', match: { path: '/cut' }, faults: [{ type: 'reset', at: 'mid-body' }] },
];

let mostUpstream = 0;

/** Answers whole heads without a body; `/broken` in the middle of an answer, `/gone` not at all. */
function originServer(): Server {
  let open = 0;
  const body = 'x'.repeat(200);
  const answer = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 200\r\n\r\n${body}`;
  return createServer({ noDelay: true }, (socket) => {
    open += 1;
    mostUpstream = Math.max(mostUpstream, open);
    socket.on('close', () => (open -= 1));
    socket.on('error', () => undefined); // Spike gives up connections of calls that a rule cut.
    socket.on('data', (bytes: Buffer) => {
      const text = bytes.toString('latin1');
      if (text.startsWith('GET /gone')) socket.resetAndDestroy();
      else if (text.startsWith('GET /broken')) socket.end(answer.slice(0, 150));
      else socket.write(answer);
    });
  });
}

/** What a connection asks for: nearly all is well, the rest in turn, one a connection, since most of it ends it. */
const troubles = ['/teapot', '/late', '/cut', '/broken', '/gone', '/ nonsense', '', '/'];

class Load {
  answered = 0;
  /** Those of the rest that asked for something, so that there is a flow. */
  troubled = 0;
  #turn = 0;
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  async part(count: number): Promise<void> {
    const target = this.answered + count;
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        while (this.answered < target) {
          await this.#connection(perConnection);
          await this.#trouble(troubles[this.#turn++ % troubles.length] as string);
        }
      }),
    );
  }

  /** Keep-alive, requests in groups; ended by a reset now and then. */
  async #connection(count: number): Promise<void> {
    const socket = connect(this.#port, '127.0.0.1');
    socket.on('error', () => undefined); // Its close is what counts.
    const group = 'GET /well HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(pipelined);
    let sent = pipelined;
    let seen = 0;
    socket.on('data', (bytes: Buffer) => {
      for (let at = bytes.indexOf('HTTP/1.1 200'); at >= 0; at = bytes.indexOf('HTTP/1.1 200', at + 1))
        seen += 1;
      if (seen >= count) socket.destroy();
      else if (seen >= sent) {
        sent += pipelined;
        socket.write(group);
      }
    });
    socket.write(group);
    await new Promise((resolve) => socket.once('close', resolve));
    this.answered += seen;
  }

  async #trouble(path: string): Promise<void> {
    const socket: Socket = connect(this.#port, '127.0.0.1');
    socket.on('error', () => undefined); // As above.
    if (path === '') socket.on('connect', () => socket.resetAndDestroy());
    else socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
    if (path !== '') this.troubled += 1;
  }
}

/** Collected as often as it takes for the objects with finalizers to be gone as well. */
async function settle(): Promise<NodeJS.MemoryUsage> {
  for (let round = 0; round < 4; round++) {
    globalThis.gc?.();
    await delay(20);
  }
  return process.memoryUsage();
}

/** What Node waits for, but for the pipes that it was started with. */
function handles(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => !/Pipe|TTY|File/.test(name))
    .sort();
}

const handlesBefore = handles();
const server = originServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
const spike = await DataPlaneHarness.start({
  routes: [{ name: 'origin', listen: '127.0.0.1:0', upstream: `http://127.0.0.1:${port}` }],
  rules,
});
const load = new Load(spike.port('origin'));
const heapBytes: number[] = [];
const externalBytes: number[] = [];
let flows = 0;
for (let part = 0; part < parts; part++) {
  await load.part(requests / parts);
  while (spike.plane.openConnections() > 0) await delay(10);
  // What the test's own recorder has kept is not Spike's.
  flows += spike.ended.length;
  spike.ended.length = 0;
  spike.open.length = 0;
  const { heapUsed, external } = await settle();
  heapBytes.push(heapUsed);
  externalBytes.push(external);
}
let openFlows = 0;
const { edges } = spike;
edges.begin = () => void (openFlows += 1);
spike.plane.announceOpenFlows();
const openConnections = spike.plane.openConnections();
await spike[Symbol.asyncDispose]();
await new Promise((resolve) => server.close(resolve));
for (let tries = 0; tries < 100 && handles().length > handlesBefore.length; tries++) await delay(20);
const report: LeakReport = {
  answered: load.answered,
  troubled: load.troubled,
  flows: flows + spike.ended.length,
  heapBytes,
  externalBytes,
  handlesBefore,
  handlesAfter: handles(),
  openFlows,
  openConnections,
  mostUpstream,
};
process.stdout.write(`${JSON.stringify(report)}\n`);

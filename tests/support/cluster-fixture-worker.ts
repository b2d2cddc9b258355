import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { HoldGauge, WorkerConfig, WorkerIdentity } from '../../src-main/engine/cluster/messages.ts';
import { runWorker } from '../../src-main/engine/cluster/worker-process.ts';
import type { PrimaryLink, WorkerDataPlane } from '../../src-main/engine/cluster/worker-session.ts';
import type { EdgeAggregator } from '../../src-main/engine/metrics/edge-aggregator.ts';
import { splitAddress } from '../../src-shared/routes/route.ts';
import { flowRecord } from './flow-record.ts';

/**
 * A worker as small as one can be: answers each chunk on its proxy port with `number pid version`, and counts every
 * connection as one flow. FIXTURE_BEHAVIOUR makes it misbehave: `die` (exit 3 soon after it is ready), `die-early`
 * (exit 4 before), `throw` (an uncaught exception on the word `throw`), `never-drain`.
 */
const behaviour = process.env['FIXTURE_BEHAVIOUR'] ?? '';
if (behaviour === 'die-early') process.exit(4);

class FixtureDataPlane implements WorkerDataPlane {
  readonly #identity: WorkerIdentity;
  readonly #link: PrimaryLink;
  readonly #edges: EdgeAggregator;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #config: WorkerConfig;

  constructor(identity: WorkerIdentity, config: WorkerConfig, link: PrimaryLink, edges: EdgeAggregator) {
    this.#identity = identity;
    this.#config = config;
    this.#link = link;
    this.#edges = edges;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  takeHolds(): HoldGauge {
    return { heldBytes: 0, leftMessages: 0, pausedReads: 0 };
  }

  async listen(): Promise<void> {
    const { host, port } = splitAddress(this.#config.proxyListen);
    const listening = { type: 'listening', name: null } as const;
    const error = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
      this.#server.once('error', resolve);
      this.#server.listen(port, host, () => resolve(null));
    });
    if (error === null) this.#link.send({ ...listening, address: `${host}:${port}`, error: null });
    else {
      const { code = 'ERROR', message } = error;
      this.#link.send({ ...listening, address: null, error: { code, message } });
    }
    if (behaviour === 'die') setTimeout(() => process.exit(3), 50);
  }

  configure(config: WorkerConfig): Promise<{ released: number }> {
    this.#config = config;
    return Promise.resolve({ released: this.#sockets.size });
  }

  decideReply(): void {}
  heldReceived(): void {}

  captureAck(): void {}

  async drain(): Promise<void> {
    if (behaviour === 'never-drain') await new Promise(() => undefined);
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.end();
    await closed;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  announceOpenFlows(): void {} // Each is begun when its connection comes.

  openConnections(): number {
    return this.#sockets.size;
  }

  #serve(socket: Socket): void {
    const flow = flowRecord({
      id: `${this.#identity.number}-${socket.remotePort}`,
      kind: 'tcp',
      durationMs: -1,
    });
    this.#sockets.add(socket);
    this.#edges.begin(flow);
    socket.on('data', (bytes) => {
      if (behaviour === 'throw' && bytes.toString().includes('throw')) throw new Error('asked to throw');
      socket.write(`${this.#identity.number} ${process.pid} ${this.#config.version}\n`);
    });
    socket.on('error', () => undefined); // A client that resets is gone: 'close' follows.
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#edges.add({ ...flow, durationMs: 1 });
    });
  }
}

runWorker(async ({ identity, config, link, edges }) => {
  const dataPlane = new FixtureDataPlane(identity, config, link, edges);
  await dataPlane.listen();
  return dataPlane;
});

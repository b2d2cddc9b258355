import { once } from 'node:events';
import { connect, constants, createServer } from 'node:http2';
import type { ClientHttp2Session, Http2Server, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { DataPlaneHarness } from './data-plane-harness.ts';
import type { RuleText } from './data-plane-harness.ts';
import type { LeakReport } from './leak-run.ts';

/**
 * As leak-run.ts, over HTTP/2: many streams on few connections, some of which are reset, and connections that break with streams
 * open. Run with --expose-gc; prints a LeakReport as JSON.
 *
 * Usage: leak-run-http2.ts REQUESTS PARTS
 */
const [requests = 50_000, parts = 10] = process.argv.slice(2).map(Number);
const perConnection = 500;
const streamsAtOnce = 20;
const connectionsAtOnce = 4;

/** Faults on some calls, so that what rules hold is given back as well. */
const rules: readonly RuleText[] = [
  { name: 'teapot', match: { path: '/teapot' }, faults: [{ type: 'status', status: 418 }] },
  { name: 'late', match: { path: '/late' }, faults: [{ type: 'latency', latencyMs: 1 }] },
  { name: 'cut', match: { path: '/cut' }, faults: [{ type: 'reset', at: 'mid-body' }] },
];

let mostUpstream = 0;
const sessions = new Set<ServerHttp2Session>();

/** Answers with a body and, for a POST, trailers; `/gone` by a reset, `/broken` in the middle of an answer, `/silent` never. */
function answer(stream: ServerHttp2Stream, path: string): void {
  stream.on('error', () => undefined); // Spike gives up streams of calls that a rule cut.
  stream.resume();
  if (path === '/gone') return void stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  if (path === '/silent') return;
  const hasTrailers = path === '/post';
  stream.respond({ ':status': 200, 'content-type': 'text/plain' }, { waitForTrailers: hasTrailers });
  if (hasTrailers) stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1' }));
  if (path === '/broken') stream.write('x'.repeat(100), () => stream.close(constants.NGHTTP2_CANCEL));
  else stream.end('x'.repeat(200));
}

function originServer(): Http2Server {
  const server = createServer();
  server.on('session', (session) => {
    sessions.add(session);
    mostUpstream = Math.max(mostUpstream, sessions.size);
    session.on('error', () => undefined); // As above.
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => answer(stream, String(headers[':path'])));
  return server;
}

/** What one stream in twenty asks for; `/silent` is given up by its client. */
const troubles = ['/teapot', '/late', '/cut', '/broken', '/gone', '/silent'];
const troubleEvery = 20;

class Load {
  answered = 0;
  troubled = 0;
  #turn = 0;
  readonly #origin: string;

  constructor(origin: string) {
    this.#origin = origin;
  }

  async part(count: number): Promise<void> {
    const target = this.answered + count;
    const one = async (): Promise<void> => {
      while (this.answered < target) await this.#connection(target);
    };
    await Promise.all(Array.from({ length: connectionsAtOnce }, one));
  }

  async #connection(target: number): Promise<void> {
    const session = connect(this.#origin);
    session.on('error', () => undefined); // Its close is what counts.
    let left = perConnection;
    const one = async (): Promise<void> => {
      while (left-- > 0 && this.answered < target) await this.#stream(session);
    };
    await Promise.all(Array.from({ length: streamsAtOnce }, one));
    const over = once(session, 'close');
    // Every other one breaks with a stream open.
    if (this.#turn++ % 2 === 0) session.close();
    else {
      const broken = session.request({ ':path': '/silent' });
      broken.on('error', () => undefined); // As above.
      await delay(5);
      session.destroy();
      this.troubled += 1;
    }
    await over;
  }

  async #stream(session: ClientHttp2Session): Promise<void> {
    const turn = this.#turn++;
    const isTrouble = turn % troubleEvery === 0;
    const path = isTrouble ? (troubles[(turn / troubleEvery) % troubles.length] as string) : '/post';
    const stream = session.request({ ':path': path, ':method': isTrouble ? 'GET' : 'POST' });
    stream.on('error', () => undefined); // Its code says the same.
    let isWhole = false;
    stream.on('trailers', () => (isWhole = true));
    stream.resume();
    if (!isTrouble) stream.end('body');
    // The server has it by then, or soon: given up either way.
    if (path === '/silent') setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), 5);
    await new Promise((resolve) => stream.once('close', resolve));
    if (isTrouble) this.troubled += 1;
    else if (isWhole) this.answered += 1;
    else throw new Error(`A call of ${path} was not answered whole: ${stream.rstCode}`);
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
  routes: [{ name: 'origin', listen: '127.0.0.1:0', upstream: `h2c://127.0.0.1:${port}` }],
  rules,
});
const load = new Load(`http://${spike.address('origin')}`);
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
for (const session of sessions) session.destroy();
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

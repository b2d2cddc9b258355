// Toxiproxy's own Node client drives Spike as it drives Toxiproxy; what each toxic does is seen by the peers of real connections.
import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Toxiproxy } from 'toxiproxy-node-client';
import type { Proxy } from 'toxiproxy-node-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Flow } from '#shared/flow/flow.ts';
import { Peers } from '../support/network-peers.ts';
import type { RawClient } from '../support/network-peers.ts';
import { endRealAgents, startRealAgent } from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';

let agent: RealAgent;
let toxiproxy: Toxiproxy;
let peers: Peers;
/** Of the test at hand. */
let proxy: Proxy;
/** The upstream's end of the last connection. */
let upstream: Socket;
let upstreams: Socket[];

beforeAll(async () => {
  agent = await startRealAgent({ words: ['--toxiproxy', '127.0.0.1:0'] });
  toxiproxy = new Toxiproxy(`http://${agent.ready.toxiproxy}`);
});
afterAll(endRealAgents);

type Toxic = Parameters<Proxy['addToxic']>[0];

const addToxic = (body: Partial<Toxic>) => proxy.addToxic(body as Toxic);
const portOf = ({ listen }: Proxy): number => Number(listen.split(':').at(-1));

beforeEach(async () => {
  peers = new Peers();
  upstreams = [];
  const server = await peers.tcp((socket) => {
    upstream = socket;
    upstreams.push(socket);
    socket.on('data', (bytes) => socket.emit('seen', bytes));
    // As most servers: they answer what they were asked, and go when their client goes.
    socket.on('end', () => socket.end());
  });
  proxy = await toxiproxy.createProxy({
    name: 'service',
    listen: '127.0.0.1:0',
    upstream: `127.0.0.1:${server.port}`,
  });
});
afterEach(async () => {
  await proxy.remove().catch(() => undefined); // some tests remove it
  await peers[Symbol.asyncDispose]();
});

const echo = (): void => void upstream.on('data', (bytes) => upstream.write(bytes));

/** A connection of which both ends are there. */
async function connected(): Promise<RawClient> {
  const before = upstreams.length;
  const client = await peers.connect(portOf(proxy));
  await expect.poll(() => upstreams.length).toBe(before + 1);
  return client;
}

const toxicRule = async () => (await agent.client.rules.list()).find(({ origin }) => origin === 'toxiproxy');

/** The flows that name the toxic of the test, when there are so many. */
/** Flows that are over: what a fault has done in one that is open may not be all of it. */
async function flowsHit(count: number): Promise<Flow[]> {
  const id = (await toxicRule())?.id;
  const hit = async (): Promise<Flow[]> =>
    (await agent.flows()).filter(
      ({ durationMs, faults }) => durationMs !== null && faults.some(({ ruleId }) => ruleId === id),
    );
  await expect.poll(hit, { timeout: 10_000 }).toHaveLength(count);
  return hit();
}

const msSince = (start: number): number => performance.now() - start;

describe('latency', () => {
  it('delays by so much, in its direction, on a connection that is open; its change and its end act at once', async () => {
    const client = await connected();
    echo();
    client.write('a');
    await client.see('a');
    const toxic = await addToxic({ type: 'latency', attributes: { latency: 150, jitter: 0 } });
    let start = performance.now();
    client.write('b');
    await client.see('b');
    expect(msSince(start)).toBeGreaterThanOrEqual(149);
    await toxic.update({ ...toxic.toJson(), attributes: { latency: 60_000, jitter: 0 } });
    client.write('c');
    start = performance.now();
    await toxic.update({ ...toxic.toJson(), attributes: { latency: 50, jitter: 0 } });
    client.write('d');
    await client.see('abcd');
    expect(msSince(start)).toBeLessThan(30_000);
    await toxic.remove();
    client.write('e');
    expect(await client.see('e')).toBe('abcde');
  });

  it('draws evenly from latency − jitter to latency + jitter', async () => {
    await addToxic({ type: 'latency', attributes: { latency: 40, jitter: 40 } });
    const waits: number[] = [];
    const client = await connected();
    echo();
    for (let call = 0; call < 40; call += 1) {
      const start = performance.now();
      client.write('x');
      await client.until((text) => text.length === call + 1);
      waits.push(msSince(start));
    }
    const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
    // Uniform in 0…80 ms: the mean of 40 has a standard deviation of 3.7 ms; a machine that is busy adds to it.
    expect(mean).toBeGreaterThan(25);
    expect(Math.min(...waits)).toBeLessThan(25);
    expect(Math.max(...waits)).toBeGreaterThan(55);
  });

  it('in both directions, and several one after the other, adds up', async () => {
    await addToxic({
      name: 'a',
      type: 'latency',
      stream: 'upstream',
      attributes: { latency: 60, jitter: 0 },
    });
    await addToxic({ name: 'b', type: 'latency', attributes: { latency: 60, jitter: 0 } });
    await addToxic({ name: 'c', type: 'latency', attributes: { latency: 60, jitter: 0 } });
    const client = await connected();
    echo();
    const start = performance.now();
    client.write('x');
    await client.see('x');
    expect(msSince(start)).toBeGreaterThanOrEqual(178);
  });
});

describe('bandwidth', () => {
  it('is within 10 % of its figure over two seconds', async () => {
    await addToxic({ type: 'bandwidth', attributes: { rate: 500 } });
    const client = await connected();
    const start = performance.now();
    upstream.write(Buffer.alloc(1_000_000, 'x'));
    await client.until((text) => text.length === 1_000_000);
    const rate = 1_000_000 / msSince(start);
    expect(rate).toBeGreaterThan(450);
    expect(rate).toBeLessThan(550);
  });

  it('of 0 stalls; toggled off it loses nothing', async () => {
    const toxic = await addToxic({ type: 'bandwidth', attributes: { rate: 0 } });
    const client = await connected();
    const sent = Buffer.alloc(300_000, '0123456789');
    upstream.write(sent);
    await delay(300);
    expect(client.bytes.length).toBe(0);
    await toxic.remove();
    await client.until((text) => text.length === sent.length);
    expect(client.bytes.equals(sent)).toBe(true);
  });
});

describe('slicer', () => {
  it('cuts into pieces of about that size, so many µs apart', async () => {
    await addToxic({
      name: 'cut',
      type: 'slicer',
      attributes: { average_size: 100, size_variation: 20, delay: 20_000 },
    });
    const client = await connected();
    const pieces: number[] = [];
    client.socket.on('data', (piece: Buffer) => pieces.push(piece.length));
    const sent = Buffer.alloc(1600, '0123456789');
    const start = performance.now();
    upstream.write(sent);
    await client.until((text) => text.length === sent.length);
    const tookMs = msSince(start);
    expect(client.bytes.equals(sent)).toBe(true);
    upstream.end();
    await client.toClose();
    const [flow] = await flowsHit(1);
    const made = Number(/into (\d+) pieces/.exec(flow?.faults[0]?.note ?? '')?.[1]);
    // Halved until at most average + variation is left: 1600 becomes sixteen of 100, more where a cut was uneven.
    expect(made).toBeGreaterThanOrEqual(14);
    expect(made).toBeLessThanOrEqual(32);
    expect(tookMs).toBeGreaterThanOrEqual((made - 1) * 20 - 2);
    // A peer that is busy meanwhile reads several at once; most come one by one.
    expect(pieces.length).toBeGreaterThan(made / 2);
    expect(pieces.filter((bytes) => bytes <= 120).length).toBeGreaterThan(made / 2);
  });

  it('toggled off in the middle loses nothing', async () => {
    const toxic = await addToxic({
      type: 'slicer',
      attributes: { average_size: 10, size_variation: 5, delay: 50_000 },
    });
    const client = await connected();
    const sent = Buffer.alloc(20_000, '0123456789');
    upstream.write(sent);
    await client.until((text) => text.length >= 20);
    await toxic.remove();
    await client.until((text) => text.length === sent.length);
    expect(client.bytes.equals(sent)).toBe(true);
  });
});

describe('limit_data', () => {
  it('closes after exactly so many bytes, counted for each connection', async () => {
    await addToxic({ type: 'limit_data', attributes: { bytes: 1234 } });
    for (let round = 0; round < 2; round += 1) {
      const client = await connected();
      upstream.write(Buffer.alloc(1000, 'x'));
      await client.until((text) => text.length === 1000);
      upstream.write(Buffer.alloc(1000, 'y'));
      expect(await client.toClose()).toBe('');
      expect(client.text).toBe('x'.repeat(1000) + 'y'.repeat(234));
    }
  });

  it('goes on counting when it is changed', async () => {
    const toxic = await addToxic({ type: 'limit_data', attributes: { bytes: 1000 } });
    const client = await connected();
    upstream.write(Buffer.alloc(600, 'x'));
    await client.until((text) => text.length === 600);
    await toxic.update({ ...toxic.toJson(), attributes: { bytes: 700 } });
    upstream.write(Buffer.alloc(600, 'y'));
    await client.toClose();
    expect(client.text.length).toBe(700);
  });

  it('upstream: what the server gets', async () => {
    await addToxic({ type: 'limit_data', stream: 'upstream', attributes: { bytes: 5 } });
    const client = await connected();
    let got = '';
    upstream.on('data', (bytes) => (got += bytes.toString()));
    client.write('0123456789');
    await client.toClose();
    await expect.poll(() => got).toBe('01234');
  });
});

describe('timeout', () => {
  it('drops all, and closes so long after; a chunk begins the time anew', async () => {
    await addToxic({ type: 'timeout', attributes: { timeout: 400 } });
    const client = await connected();
    const start = performance.now();
    await delay(200);
    upstream.write('never seen');
    expect(await client.toClose()).toBe('');
    expect(msSince(start)).toBeGreaterThanOrEqual(595);
    expect(client.text).toBe('');
  });

  it('closes a connection on which nothing is said', async () => {
    await addToxic({ type: 'timeout', stream: 'upstream', attributes: { timeout: 100 } });
    const client = await connected();
    expect(await client.toClose()).toBe('');
  });

  it('of 0 never closes; its change neither; its removal closes its connections', async () => {
    const idle = await connected();
    const toxic = await addToxic({ type: 'timeout', attributes: { timeout: 0 } });
    const client = await connected();
    upstream.write('never seen');
    await toxic.update({ ...toxic.toJson(), attributes: { timeout: 60_000 } });
    await toxic.update({ ...toxic.toJson(), attributes: { timeout: 0 } });
    expect([idle.closedBy, client.closedBy, client.ended]).toEqual([null, null, false]);
    await toxic.remove();
    expect(await idle.toClose()).toBe('');
    expect(await client.toClose()).toBe('');
    expect(client.text).toBe('');
  });

  it('ends at once when the sender ends', async () => {
    await addToxic({ type: 'timeout', attributes: { timeout: 60_000 } });
    const client = await connected();
    upstream.end('never seen');
    expect(await client.toClose()).toBe('');
  });
});

describe('slow_close', () => {
  it('delays the end, and nothing else', async () => {
    await addToxic({ type: 'slow_close', attributes: { delay: 300 } });
    const client = await connected();
    const start = performance.now();
    upstream.end('answer');
    await client.see('answer');
    expect(client.ended).toBe(false);
    await client.toEnd();
    expect(msSince(start)).toBeGreaterThanOrEqual(299);
  });
});

describe('reset_peer', () => {
  it('resets connections that were opened after it, once something is said', async () => {
    await addToxic({ type: 'reset_peer', attributes: { timeout: 100 } });
    const client = await connected();
    const upstreamEnd = new Promise<string>((resolve) =>
      upstream.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? '')),
    );
    await delay(200);
    expect(client.closedBy).toBeNull();
    const start = performance.now();
    upstream.write('never seen');
    expect(await client.toClose()).toBe('ECONNRESET');
    expect(msSince(start)).toBeGreaterThanOrEqual(98);
    expect(client.text).toBe('');
    expect(await upstreamEnd).toBe('ECONNRESET');
  });

  it('closes older ones in an orderly way', async () => {
    const client = await connected();
    await addToxic({ type: 'reset_peer', attributes: { timeout: 0 } });
    upstream.write('never seen');
    expect(await client.toClose()).toBe('');
  });

  it('upstream, without a delay: the client that says something is reset', async () => {
    await addToxic({ type: 'reset_peer', stream: 'upstream', attributes: { timeout: 0 } });
    const client = await connected();
    client.write('hello');
    expect(await client.toClose()).toBe('ECONNRESET');
  });

  it('changed, still resets what was opened after it was added', async () => {
    const toxic = await addToxic({ type: 'reset_peer', attributes: { timeout: 60_000 } });
    const client = await connected();
    await toxic.update({ ...toxic.toJson(), attributes: { timeout: 0 } });
    upstream.write('never seen');
    expect(await client.toClose()).toBe('ECONNRESET');
  });
});

describe('toxicity', () => {
  it('is drawn for each connection, and stays with it', async () => {
    await addToxic({ type: 'limit_data', toxicity: 0.5, attributes: { bytes: 1 } });
    const cut: boolean[] = [];
    for (let round = 0; round < 40; round += 1) {
      const client = await connected();
      upstream.end('hello');
      await client.toClose();
      cut.push(client.text === 'h');
      if (client.text !== 'h') expect(client.text).toBe('hello');
    }
    const share = cut.filter(Boolean).length / cut.length;
    // 40 draws of one half: 5 to 35 is 4.7 standard deviations.
    expect(share).toBeGreaterThan(5 / 40);
    expect(share).toBeLessThan(35 / 40);
  });

  it('of 0 is nothing', async () => {
    await addToxic({ type: 'timeout', toxicity: 0, attributes: { timeout: 1 } });
    const client = await connected();
    upstream.end('hello');
    expect(await client.toEnd()).toBe('hello');
  });
});

describe('toxics together', () => {
  it('act in the order in which they were added: what a limit lets through, a delay behind it still lets out', async () => {
    await addToxic({ name: 'limit', type: 'limit_data', attributes: { bytes: 5 } });
    await addToxic({ name: 'slow', type: 'latency', attributes: { latency: 200, jitter: 0 } });
    const client = await connected();
    const start = performance.now();
    upstream.write('0123456789');
    expect(await client.toClose()).toBe('');
    expect(client.text).toBe('01234');
    expect(msSince(start)).toBeGreaterThanOrEqual(199);
  });

  it('keep their order on open connections when one of them is changed', async () => {
    const line = await addToxic({ name: 'line', type: 'bandwidth', attributes: { rate: 2 } });
    await addToxic({ name: 'limit', type: 'limit_data', attributes: { bytes: 101 } });
    const client = await connected();
    await line.update({ ...line.toJson(), attributes: { rate: 1 } });
    const start = performance.now();
    upstream.write('x'.repeat(1000));
    expect(await client.toClose()).toBe('');
    expect(client.text.length).toBe(101);
    // Byte 101 is in the second piece of 100 ms. Behind the limit, the line would have 101 bytes to send: 101 ms.
    expect(msSince(start)).toBeGreaterThanOrEqual(199);
  });

  it('toggled while bytes pass both ways lose none of them', async () => {
    const client = await connected();
    echo();
    const sent = Buffer.alloc(2_000_000);
    for (let at = 0; at + 4 <= sent.length; at += 4) sent.writeUInt32BE(at, at);
    client.write(sent);
    const bodies: Partial<Toxic>[] = [
      { type: 'latency', attributes: { latency: 30, jitter: 20 } },
      { type: 'bandwidth', attributes: { rate: 5000 } },
      { type: 'slicer', attributes: { average_size: 900, size_variation: 100, delay: 0 } },
      { type: 'slow_close', attributes: { delay: 10 } },
    ];
    for (let round = 0; round < 12; round += 1) {
      const stream = round % 2 === 0 ? 'upstream' : 'downstream';
      const toxic = await addToxic({ ...bodies[round % bodies.length], stream });
      await delay(20);
      if (round % 3 === 0) await toxic.update({ ...toxic.toJson(), toxicity: 0.5 });
      await toxic.remove();
    }
    await client.until((text) => text.length >= sent.length);
    expect(client.bytes.equals(sent)).toBe(true);
  });
});

describe('a proxy', () => {
  const outcome = (port: number): Promise<string> =>
    new Promise((resolve) => {
      const socket = createConnection({ port, host: '127.0.0.1' });
      socket.once('connect', () => {
        socket.destroy();
        resolve('connected');
      });
      socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? ''));
    });

  it('that is disabled refuses connections and ends those that it had; enabled it listens where it was', async () => {
    const client = await connected();
    const { listen, upstream: to } = proxy;
    const off = await proxy.update({ enabled: false, listen, upstream: to });
    expect(off.enabled).toBe(false);
    expect(await outcome(portOf(proxy))).toBe('ECONNREFUSED');
    await client.toClose();
    await expect.poll(() => upstream.destroyed || upstream.readableEnded).toBe(true);
    const on = await off.update({ enabled: true, listen, upstream: to });
    expect([on.enabled, on.listen]).toEqual([true, listen]);
    expect(await outcome(portOf(proxy))).toBe('connected');
  });

  it('that leads elsewhere drops its connections, and leads there from then on', async () => {
    const client = await connected();
    const other = await peers.tcp((socket) => socket.end('elsewhere'));
    const { listen, enabled } = proxy;
    await proxy.update({ enabled, listen, upstream: `127.0.0.1:${other.port}` });
    await client.toClose();
    const next = await peers.connect(portOf(proxy));
    expect(await next.toEnd()).toBe('elsewhere');
  });

  it('whose upstream cannot be reached closes the connection', async () => {
    const gone = await peers.tcp(() => undefined);
    await new Promise((resolve) => gone.close(resolve));
    const { listen, enabled } = proxy;
    await proxy.update({ enabled, listen, upstream: `127.0.0.1:${gone.port}` });
    const client = await peers.connect(portOf(proxy));
    expect(await client.toClose()).toBe('');
  });

  it('knows no half-close: an answer under way is lost when the client ends its side', async () => {
    const client = await connected();
    const server = upstream;
    server.removeAllListeners('end');
    const asked = new Promise((resolve) => server.once('end', resolve));
    client.end();
    expect(await client.toEnd()).toBe('');
    await asked;
    server.end('too late');
    expect(client.text).toBe('');
  });

  it('is reset with all others: enabled, without toxics', async () => {
    await addToxic({ type: 'timeout', attributes: { timeout: 0 } });
    await proxy.update({ enabled: false, listen: proxy.listen, upstream: proxy.upstream });
    await toxiproxy.reset();
    const client = await connected();
    echo();
    client.write('hello');
    expect(await client.see('hello')).toBe('hello');
    expect(Object.keys(await toxiproxy.getAll())).toEqual(['service']);
    expect(JSON.parse(await toxiproxy.getVersion())).toEqual({ version: '2.12.0' });
  });
});

describe('in the hit log', () => {
  it('a connection names the toxics that acted, and each counts its hits, over both workers', async () => {
    // A name of its own: rules are known by their names, and so are the flows that they hit.
    await addToxic({ name: 'counted', type: 'latency', attributes: { latency: 10, jitter: 0 } });
    for (let round = 0; round < 6; round += 1) {
      const client = await connected();
      upstream.end('hello');
      expect(await client.toEnd()).toBe('hello');
    }
    const [flow] = await flowsHit(6);
    await expect.poll(async () => (await toxicRule())?.hits, { timeout: 10_000 }).toBe(6);
    expect(flow).toMatchObject({
      kind: 'tcp',
      route: 'service',
      callee: { name: 'service', resolvedBy: 'route' },
    });
    expect(flow?.faults).toMatchObject([
      { type: 'latency', note: expect.stringMatching(/^held the response for \d+ ms/) },
    ]);
    expect((await agent.client.topology.get({ window: '60s' })).edges).toContainEqual(
      expect.objectContaining({ callee: 'service' }),
    );
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import http, { type IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import readline from 'node:readline';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import zlib from 'node:zlib';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { WorkspaceSchema } from '#shared/workspace/workspace.ts';
import { portOf, schemeOf, serviceNames } from '../../examples/shop/platform/ports.mjs';
import { startShop } from '../../examples/shop/start.mjs';

type Shop = Awaited<ReturnType<typeof startShop>>;

const shopDirectory = fileURLToPath(new URL('../../examples/shop/', import.meta.url));
const certificatesDir = mkdtempSync(join(tmpdir(), 'spike-shop-'));
const steady = { PAYMENTS_DECLINE_SHARE: '0' };
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).reverse()) await cleanUp();
});
afterAll(() => rmSync(certificatesDir, { recursive: true }));

async function openShop(options: Parameters<typeof startShop>[0] = {}): Promise<Shop> {
  const shop = await startShop({ portBase: 0, certificatesDir, env: steady, ...options });
  cleanups.push(shop.stop);
  return shop;
}

function portIn(shop: Shop, name: string): number {
  const service = shop.services.find((candidate) => candidate.name === name);
  if (service === undefined) throw new Error(`no ${name} in the shop`);
  return service.port;
}

const pidIn = (shop: Shop, name: string) => shop.services.find((service) => service.name === name)?.pid ?? 0;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly raw: Buffer;
  // The bodies are the example's, not ours: each assertion names the part that it is about.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

interface Ask {
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly ca?: string;
}

/** One call on a connection of its own: nothing is left open behind it. */
async function ask(method: string, url: string, { headers = {}, body, ca }: Ask = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const client = url.startsWith('https:') ? https : http;
  const options = { method, headers, agent: false as const, ...(ca === undefined ? {} : { ca }) };
  client
    .request(url, options, resolve)
    .on('error', reject)
    .end(body === undefined ? undefined : JSON.stringify(body));
  const response = await promise;
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const raw = Buffer.concat(chunks);
  const plain = response.headers['content-encoding'] === 'br' ? zlib.brotliDecompressSync(raw) : raw;
  const parsed: unknown = plain.length === 0 ? undefined : JSON.parse(plain.toString());
  return { status: response.statusCode ?? 0, headers: response.headers, raw, body: parsed };
}

const card = { number: '4111 1111 1111 1111', expires: '2028-04' };

async function buy(shop: Shop, cartId: string, sku: string, headers: Record<string, string> = {}) {
  const web = `http://127.0.0.1:${portIn(shop, 'web')}`;
  const lines = [{ sku, quantity: 2 }];
  expect((await ask('PUT', `${web}/cart/${cartId}`, { headers, body: { lines } })).status).toBe(200);
  return ask('POST', `${web}/checkout`, { headers, body: { cartId, country: 'NL', card } });
}

async function stockOf(shop: Shop, sku: string): Promise<unknown> {
  const { body } = await ask('GET', `http://127.0.0.1:${portIn(shop, 'inventory')}/v1/items/${sku}`);
  return body.inStock;
}

async function isListening(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false; // refused: nobody is there
  } finally {
    socket.destroy();
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // ESRCH
  }
}

describe('the example shop, called directly', () => {
  it('sells: from the list to the order that was placed', async () => {
    const shop = await openShop();
    const web = `http://127.0.0.1:${portIn(shop, 'web')}`;

    const list = await ask('GET', `${web}/products?page=2`, { headers: { 'accept-encoding': 'gzip, br' } });
    expect(list.status).toBe(200);
    expect(list.headers['content-encoding']).toBe('br');
    expect(list.body.products).toHaveLength(128);
    expect(list.raw.length).toBeLessThan(JSON.stringify(list.body).length / 3);
    expect(JSON.stringify(list.body).length).toBeGreaterThan(30_000);
    const etag = list.headers.etag ?? '';
    const again = await ask('GET', `${web}/products?page=2`, { headers: { 'if-none-match': etag } });
    expect([again.status, again.raw.length]).toEqual([304, 0]);

    const sku: string = list.body.products[0].sku;
    const before = await ask('GET', `${web}/products/${sku}`);
    const placed = await buy(shop, 'c_1', sku);
    expect(placed.status).toBe(201);
    expect(placed.body.payment).toEqual({ status: 'authorized', chargeId: expect.stringMatching(/^ch_/) });
    expect((await ask('GET', `${web}/orders/${placed.body.id}`)).body).toEqual(placed.body);
    expect(await stockOf(shop, sku)).toBe(before.body.stock.inStock - 2);
  });

  it('says no in the way of each service', async () => {
    const shop = await openShop({ env: { PAYMENTS_DECLINE_SHARE: '1' } });
    const web = `http://127.0.0.1:${portIn(shop, 'web')}`;
    expect((await ask('GET', `${web}/products/SKU-9999`)).status).toBe(404);
    expect((await ask('GET', `${web}/nowhere`)).status).toBe(404);
    expect((await ask('DELETE', `${web}/products`)).status).toBe(405);
    const checkout = { body: { cartId: 'c_none', card } };
    expect((await ask('POST', `${web}/checkout`, checkout)).body.error.code).toBe('unknown-cart');

    // Declined: what was put aside goes back on the shelf.
    const declined = await buy(shop, 'c_1', 'SKU-1002');
    expect([declined.status, declined.body.error.code]).toEqual([402, 'declined']);
    expect(await stockOf(shop, 'SKU-1002')).toBe(400);

    // SKU-1008 is scarce: three in stock.
    const lines = [{ sku: 'SKU-1008', quantity: 4 }];
    const reservations = `http://127.0.0.1:${portIn(shop, 'inventory')}/v1/reservations`;
    expect((await ask('POST', reservations, { body: { lines } })).status).toBe(409);
  });

  it('serves payments over TLS that its CA vouches for, by name and by address', async () => {
    const shop = await openShop();
    const url = `https://127.0.0.1:${portIn(shop, 'payments')}/healthz`;
    const ca = readFileSync(shop.peerCaPath, 'utf8');
    expect((await ask('GET', url, { ca })).status).toBe(200);
    expect((await ask('GET', url.replace('127.0.0.1', 'localhost'), { ca })).status).toBe(200);
    await expect(ask('GET', url)).rejects.toThrow(/unable to verify|self-signed/);
    expect(statSync(join(certificatesDir, 'payments-key.pem')).mode & 0o077).toBe(0);
  });

  it('takes the order with its payment pending while payments hangs or is gone', async () => {
    const shop = await openShop();
    process.kill(pidIn(shop, 'payments'), 'SIGSTOP');
    const slow = await buy(shop, 'c_1', 'SKU-1001');
    expect([slow.status, slow.body.payment]).toEqual([202, { status: 'pending', reason: 'timeout' }]);
    process.kill(pidIn(shop, 'payments'), 'SIGKILL');
    const gone = await buy(shop, 'c_2', 'SKU-1001');
    expect([gone.status, gone.body.payment]).toEqual([202, { status: 'pending', reason: 'unavailable' }]);
  });
});

interface SeenCall {
  readonly caller: string;
  readonly target: string;
  readonly traceparent: string | undefined;
}

const callerOf = ({ 'proxy-authorization': credentials = '' }: IncomingHttpHeaders) =>
  Buffer.from(credentials.replace('Basic ', ''), 'base64').toString().replace(':x', '');

/** A forward proxy that only notes what it is asked, so that what the services send is seen as it is sent. */
async function openProxy(): Promise<{ url: string; seen: SeenCall[] }> {
  const seen: SeenCall[] = [];
  const note = ({ method, url, headers }: http.IncomingMessage) => {
    seen.push({
      caller: callerOf(headers),
      target: `${method} ${url}`,
      traceparent: headers['traceparent'] as string,
    });
  };
  const server = http.createServer((request, response) => {
    note(request);
    const { method, headers } = request;
    const onward = http.request(request.url ?? '', { method, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward.on('error', () => response.destroy()));
  });
  server.on('connect', (request: http.IncomingMessage, socket: Duplex) => {
    note(request);
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    joinTo(Number(request.url?.split(':')[1]), socket);
  });
  return { url: `http://127.0.0.1:${await listen(server)}`, seen };
}

/** A TCP relay in the place of a route's listener. Its target is told once the service has its port. */
async function openRelay() {
  const relay = { address: '', targetPort: 0, connections: 0 };
  const server = net.createServer((socket) => {
    relay.connections += 1;
    joinTo(relay.targetPort, socket);
  });
  relay.address = `127.0.0.1:${await listen(server)}`;
  return relay;
}

function joinTo(port: number, socket: Duplex): void {
  const onward = net.connect(port, '127.0.0.1');
  socket.on('error', () => onward.destroy()).pipe(onward);
  onward.on('error', () => socket.destroy()).pipe(socket);
}

async function listen(server: net.Server): Promise<number> {
  const open = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => open.add(socket.once('close', () => open.delete(socket))));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(async () => {
    server.close();
    for (const socket of open) socket.destroy();
    if (server.listening) await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}

describe('the example shop, through a proxy', () => {
  it('names every caller, uses absolute form and CONNECT, and keeps one trace to the last hop', async () => {
    const proxy = await openProxy();
    const shop = await openShop({ proxyUrl: proxy.url });
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const placed = await buy(shop, 'c_1', 'SKU-1001', { traceparent: `00-${traceId}-00f067aa0ba902b7-01` });
    expect(placed.status).toBe(201);

    const at = (name: string) => `http://127.0.0.1:${portIn(shop, name)}`;
    expect(proxy.seen.map(({ caller, target }) => `${caller} ${target.split('?')[0]}`)).toEqual([
      `web PUT ${at('orders')}/v1/carts/c_1`,
      `web POST ${at('checkout')}/v1/checkouts`,
      `checkout GET ${at('orders')}/v1/carts/c_1`,
      `checkout POST ${at('inventory')}/v1/reservations`,
      `checkout GET ${at('shipping')}/v1/quotes`,
      `checkout CONNECT 127.0.0.1:${portIn(shop, 'payments')}`,
      `checkout POST ${at('orders')}/v1/orders`,
      `orders GET ${at('inventory')}/v1/items/SKU-1001`,
    ]);
    const traced = proxy.seen.filter(({ target }) => !target.startsWith('CONNECT'));
    const spans = traced.map(({ traceparent }) => traceparent?.split('-') ?? []);
    expect(spans.map(([, id]) => id)).toEqual(traced.map(() => traceId));
    expect(new Set(spans.map(([, , span]) => span)).size).toBe(traced.length);
  });

  it('calls a route without the proxy, stock-db included, and starts a trace where none comes in', async () => {
    const proxy = await openProxy();
    const [orders, stock] = [await openRelay(), await openRelay()];
    const routes = { orders: orders.address, 'stock-db': stock.address };
    const shop = await openShop({ proxyUrl: proxy.url, routes });
    orders.targetPort = portIn(shop, 'orders');
    stock.targetPort = portIn(shop, 'stock-db');

    const shown = await ask('GET', `http://127.0.0.1:${portIn(shop, 'web')}/products/SKU-1001`);
    expect(shown.body.stock.inStock).toBe(400);
    expect([orders.connections, stock.connections]).toEqual([1, 1]);
    expect(proxy.seen).toEqual([
      {
        caller: 'orders',
        target: `GET http://127.0.0.1:${portIn(shop, 'inventory')}/v1/items/SKU-1001`,
        traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
      },
    ]);
  });

  it('sends its shoppers through the proxy too, as the browser', async () => {
    const proxy = await openProxy();
    await openShop({ proxyUrl: proxy.url, loadPerSecond: 100 });
    const byBrowser = () => proxy.seen.filter(({ caller }) => caller === 'browser');
    await expect.poll(() => byBrowser().length, { timeout: 5000 }).toBeGreaterThan(10);
    expect(byBrowser()[0]?.target).toMatch(/^GET http:\/\/127\.0\.0\.1:\d+\/products\?page=[12]$/);
  });
});

async function freePort(): Promise<number> {
  const server = net.createServer();
  const port = await listen(server);
  server.close();
  return port;
}

describe('the processes of the example shop', () => {
  it('are gone when stop() returns', async () => {
    const shop = await openShop({ loadPerSecond: 10 });
    const pids = [...shop.services.map(({ pid }) => pid), shop.load?.pid ?? 0];
    expect(pids).toHaveLength(8);
    expect(pids.every(isRunning)).toBe(true);
    await shop.stop();
    expect(pids.filter(isRunning)).toEqual([]);
  });

  it('say which port is taken, and leave nothing behind', async () => {
    const taken = Number((await openRelay()).address.split(':')[1]);
    const stockDbPort = await freePort();
    const ports = { checkout: taken, 'stock-db': stockDbPort };
    await expect(openShop({ ports })).rejects.toThrow(/^checkout cannot start: .*EADDRINUSE/);
    expect(await isListening(stockDbPort)).toBe(false);
  });

  it('end when the launcher is killed', async () => {
    const args = [
      join(shopDirectory, 'start.mjs'),
      '--port-base',
      '0',
      '--no-load',
      '--certificates',
      certificatesDir,
    ];
    const launcher = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const ports: number[] = [];
    for await (const line of readline.createInterface({ input: launcher.stdout })) {
      ports.push(Number(/:(\d+) {2}pid \d+$/.exec(line)?.[1]));
      if (ports.length === serviceNames.length) break;
    }
    expect(await Promise.all(ports.map(isListening))).toEqual(ports.map(() => true));
    launcher.kill('SIGKILL');
    await once(launcher, 'exit');
    let listening = ports;
    for (let tries = 0; tries < 100 && listening.length > 0; tries += 1) {
      await sleep(50);
      const states = await Promise.all(listening.map(isListening));
      listening = listening.filter((_, index) => states[index]);
    }
    expect(listening).toEqual([]);
  });

  it('refuse an unknown option with 2 and the usage', async () => {
    const args = [join(shopDirectory, 'start.mjs'), '--prots', '1'];
    const launcher = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const said = launcher.stderr.setEncoding('utf8').toArray();
    const [code] = (await once(launcher, 'exit')) as [number];
    expect(code).toBe(2);
    expect((await said).join('')).toMatch(/--prots[^]*Usage:/);
  });
});

describe('the workspace file of the example shop', () => {
  it('is one that Spike takes, with every rule off and a route to every service', () => {
    const workspace = WorkspaceSchema.parse(parse(readFileSync(join(shopDirectory, 'spike.yaml'), 'utf8')));
    expect(workspace.rules.length).toBeGreaterThanOrEqual(5);
    expect(workspace.rules.filter(({ enabled }) => enabled)).toEqual([]);
    const upstreams = workspace.routes.map(({ name, upstream }) => [name, upstream]);
    const services = serviceNames.map((name) => [name, `${schemeOf(name)}://127.0.0.1:${portOf(name)}`]);
    expect(Object.fromEntries(upstreams)).toEqual(Object.fromEntries(services));
  });
});

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isMap, isSeq, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { SpikeError } from '#shared/contract/errors.ts';
import type { Status } from '#shared/contract/status.ts';
import { parseUpstream, splitAddress } from '#shared/routes/route.ts';
import type { Log } from '../engine/log.ts';

/** The part of examples/shop/start.mjs that is used; its documentation is there. */
interface Shop {
  startShop(options: {
    proxyUrl: string;
    caPath: string;
    routes: Record<string, string>;
    ports: Record<string, number>;
    loadPerSecond: number;
    certificatesDir: string;
    log: (line: string) => void;
  }): Promise<{ stop(): Promise<void> }>;
}
interface ShopCertificates {
  ensureCertificates(directory: string): { caPath: string };
}

export interface DemoOptions {
  /** examples/shop, with a slash at its end. */
  readonly shop: URL;
  readonly homeDirectory: string;
  readonly log: Log;
}

/** The example shop, run through an agent, with a workspace of its own. */
export interface Demo {
  state(): Status['demo'];
  /** Writes the demo's workspace and gives its path. Rejects with `not-available` where the example is not installed. */
  prepare(): Promise<string>;
  /** Starts services and shoppers; `prepare` comes first. Rejects with `not-available` and the reason. */
  start(agent: { proxy: string; caPath: string; routes: Readonly<Record<string, string>> }): Promise<void>;
  stop(): Promise<void>;
}

const callsPerSecond = 20;

export function createDemo({ shop, homeDirectory, log }: DemoOptions): Demo {
  const directory = join(homeDirectory, 'demo');
  const certificatesDir = join(directory, 'certificates');
  let state: Status['demo'] = 'off';
  let ports: Record<string, number> = {};
  let running: { stop(): Promise<void> } | null = null;

  async function prepare(): Promise<string> {
    const example = await exampleText(shop).catch((error: unknown) => {
      state = 'unavailable';
      throw error;
    });
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const { ensureCertificates } = await load<ShopCertificates>(shop, 'certificate.mjs');
    const document = parseDocument(example);
    document.setIn(['tls', 'trust', 0], ensureCertificates(certificatesDir).caPath);
    ports = await freePorts(document, log);
    const path = join(directory, 'spike.yaml');
    await writeFile(path, document.toString({ lineWidth: 0 }), { mode: 0o600 });
    return path;
  }

  return {
    state: () => state,
    prepare,
    async start({ proxy, caPath, routes }) {
      state = 'starting';
      try {
        const { startShop } = await load<Shop>(shop, 'start.mjs');
        running = await startShop({
          proxyUrl: `http://${proxy}`,
          caPath,
          routes: { ...(routes['stock-db'] === undefined ? {} : { 'stock-db': routes['stock-db'] }) },
          ports,
          loadPerSecond: callsPerSecond,
          certificatesDir,
          log: (line) => log.debug({ part: 'shop' }, line),
        });
        state = 'running';
      } catch (error) {
        state = 'off';
        throw new SpikeError('not-available', `The example shop did not start: ${(error as Error).message}`);
      }
    },
    async stop() {
      await running?.stop();
      running = null;
      if (state === 'running') state = 'off';
    },
  };
}

function load<T>(shop: URL, file: string): Promise<T> {
  return import(new URL(file, shop).href) as Promise<T>;
}

async function exampleText(shop: URL): Promise<string> {
  try {
    return await readFile(new URL('spike.yaml', shop), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new SpikeError('not-available', `The example shop is not installed (${fileURLToPath(shop)}).`);
  }
}

/** Puts free ports where those of the example are taken, and gives the port of each service. */
async function freePorts(document: Document, log: Log): Promise<Record<string, number>> {
  const routes = document.get('routes');
  const ports: Record<string, number> = {};
  for (const route of isSeq(routes) ? routes.items : []) {
    if (!isMap(route)) continue;
    const name = String(route.get('name'));
    const listen = splitAddress(String(route.get('listen')));
    const upstream = parseUpstream(String(route.get('upstream')));
    if (!(await isFree(listen.port))) {
      log.warn(
        { route: name, port: listen.port },
        `Port ${listen.port} is taken; the route ${name} gets a free one`,
      );
      route.set('listen', `${listen.host}:0`);
    }
    const port = (await isFree(upstream.port)) ? upstream.port : await anyPort();
    if (port !== upstream.port) {
      log.warn(
        { service: name, port: upstream.port },
        `Port ${upstream.port} is taken; ${name} gets ${port}`,
      );
      route.set('upstream', `${upstream.scheme}://${upstream.host}:${port}`);
    }
    ports[name] = port;
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  return (await bound(port)) !== null;
}

async function anyPort(): Promise<number> {
  const port = await bound(0);
  if (port === null) throw new SpikeError('not-available', 'No port is free on 127.0.0.1.');
  return port;
}

/** Binds a port for a moment; null when it is taken. */
function bound(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null)); // taken or not allowed: either way another is wanted
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      const given = typeof address === 'object' && address !== null ? address.port : null;
      server.close(() => resolve(given));
    });
  });
}

/** examples/shop of this installation. */
export function installedShop(packageDirectory: URL): URL {
  return pathToFileURL(`${fileURLToPath(new URL('examples/shop', packageDirectory))}/`);
}

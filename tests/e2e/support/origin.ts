import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A service to call. */
export interface Origin {
  /** host:port */
  readonly address: string;
  close(): Promise<void>;
}

/** A service that has charged whatever it is asked for. */
export async function startOrigin(): Promise<Origin> {
  const server = createServer((_request, response) => {
    response.writeHead(201, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ id: 'ch_1', status: 'captured', amount: 4200 }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** One call through a proxy, with a connection of its own, by a caller named `checkout`. @returns its status, or the code of its error. */
export function callThrough(proxy: string, url: string): Promise<number | string> {
  const { hostname, port } = new URL(`http://${proxy}`);
  const headers = {
    host: new URL(url).host,
    'proxy-authorization': `Basic ${Buffer.from('checkout:x').toString('base64')}`,
  };
  return new Promise((resolve) => {
    const call = request({ hostname, port, path: url, method: 'POST', headers, agent: false }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    call.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    call.end('{"amount":4200}');
  });
}

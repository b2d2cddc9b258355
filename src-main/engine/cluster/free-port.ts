import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { splitAddress } from '#shared/routes/route.ts';

/**
 * A port that is free now, for an address that asks for port 0.
 *
 * Why not leave port 0 to node:cluster: it shares one listening handle between workers by address, port and *how many
 * port-0 listeners the worker has opened before*. A replacement, whose count starts again, or routes that come and go
 * in another order, would meet another handle, and so another port. A fixed port has one key for the whole run.
 * Between here and the worker's bind somebody may take the port: the caller then asks again.
 *
 * Rejects with the system's error (`EADDRNOTAVAIL`, …) when the host is not ours to listen on.
 */
export async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port: 0, exclusive: true }, resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** `address`, with a port that is free now where it asks for 0. */
export async function withFreePort(address: string): Promise<string> {
  const { host, port } = splitAddress(address);
  if (port !== 0) return address;
  return `${address.slice(0, address.lastIndexOf(':'))}:${await freePort(host)}`;
}

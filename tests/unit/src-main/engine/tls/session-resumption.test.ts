import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket, connect, createSecureContext } from 'node:tls';
import { expect, test } from 'vitest';
import { createLeafIssuer } from '../../../../../src-main/engine/tls/leaf-certificates.ts';
import {
  TICKET_KEYS_BYTES,
  leafSocketOptions,
  upstreamContextOptions,
  upstreamSocketOptions,
} from '../../../../../src-main/engine/tls/tls-options.ts';
import { makeCa } from './fixtures.ts';

const HOST = 'orders.internal';

test('a session begun with one worker resumes with another, when they share their ticket keys', async () => {
  expect(await resumesElsewhere(randomBytes(TICKET_KEYS_BYTES))).toBe(true);
});

test('and does not when they share none', async () => {
  expect(await resumesElsewhere(null)).toBe(false);
});

/** Two issuers of one CA, as two workers have them: one connection to each, the second with the first one's session. */
async function resumesElsewhere(ticketKeys: Buffer | null): Promise<boolean> {
  const ca = await makeCa(Date.now());
  const options = { ca, now: Date.now, ...(ticketKeys && { ticketKeys }) };
  const workers = [createLeafIssuer(options), createLeafIssuer(options)];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    const secureContext = workers.shift()?.contextFor(HOST);
    if (!secureContext) throw new Error('a third connection');
    const secure = new TLSSocket(socket, leafSocketOptions(secureContext, []));
    secure.on('error', () => undefined); // The client just goes.
    secure.write('hello');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const secureContext = createSecureContext(upstreamContextOptions([ca.certificatePem]));
  const open = async (session?: Buffer) => {
    const socket = connectTcp((server.address() as AddressInfo).port, '127.0.0.1');
    sockets.push(socket);
    const handshake = { host: HOST, secureContext, alpnProtocols: [], socket, ...(session && { session }) };
    const secure = connect(upstreamSocketOptions(handshake));
    const tickets = session ? null : once(secure, 'session'); // A resumed session need not bring a new ticket.
    await once(secure, 'data');
    const [ticket] = ((await tickets) ?? []) as [Buffer?];
    return { reused: secure.isSessionReused(), ticket };
  };
  try {
    const first = await open();
    return (await open(first.ticket)).reused;
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

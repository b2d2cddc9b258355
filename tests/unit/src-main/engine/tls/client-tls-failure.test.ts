import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import type { Socket } from 'node:net';
import { TLSSocket, connect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { expect, test } from 'vitest';
import { describeClientTlsFailure } from '../../../../../src-main/engine/tls/client-tls-failure.ts';
import type { ClientTlsFailure } from '../../../../../src-main/engine/tls/client-tls-failure.ts';
import { createLeafIssuer } from '../../../../../src-main/engine/tls/leaf-certificates.ts';
import { leafSocketOptions } from '../../../../../src-main/engine/tls/tls-options.ts';
import { makeCa } from './fixtures.ts';

async function failureOf(options: ConnectionOptions, alpn: string[] = []): Promise<ClientTlsFailure> {
  const issuer = createLeafIssuer({ ca: await makeCa(Date.now()), now: Date.now });
  const failed = Promise.withResolvers<ClientTlsFailure>();
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => {
    sockets.push(socket);
    const context = issuer.contextFor('orders.internal');
    if (!context) throw new Error('a good name');
    const secure = new TLSSocket(socket, leafSocketOptions(context, alpn));
    secure.on('error', (error) =>
      failed.resolve(describeClientTlsFailure(error, 'checkout', 'orders.internal')),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', ...options });
  client.on('error', () => undefined); // What the server makes of it is tested.
  try {
    return await failed.promise;
  } finally {
    for (const socket of [client, ...sockets]) socket.destroy();
    server.close();
  }
}

test('a client of an old version, and one of another protocol', async () => {
  const old: ConnectionOptions = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' };
  expect(await failureOf(old)).toMatchObject({ cause: 'tls-client-version-refused' });
  expect(await failureOf({ ALPNProtocols: ['smtp'] }, ['h2'])).toMatchObject({
    cause: 'tls-client-no-common-protocol',
  });
});

test.each([
  ['ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', 'tls-client-distrusts-ca'],
  ['ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN', 'tls-client-distrusts-ca'],
  ['ECONNRESET', 'tls-client-closed'],
  ['ERR_SSL_NO_SHARED_CIPHER', 'tls-client-handshake-failed'],
])('%s is %s', (code, cause) => {
  expect(describeClientTlsFailure(Object.assign(new Error(code), { code }), 'a', 'b').cause).toBe(cause);
});

test('a client that goes without a word, as Node does when it does not know the CA', () => {
  const failure = describeClientTlsFailure(null, 'checkout', 'orders.internal');
  expect(failure).toMatchObject({ cause: 'tls-client-closed', code: null });
  expect(failure.message).toMatch(/^checkout, calling orders\.internal, .*spike ca install/);
});

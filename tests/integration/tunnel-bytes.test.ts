// What passes through tunnels: bytes kept like bodies, and told as bursts, or as commands where a decoder knows them.
import { randomBytes } from 'node:crypto';
import { createServer as createTlsServer, connect as connectTls } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createLeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import { turnsPerFlow } from '../../src-main/engine/proxy/byte-bursts.ts';
import type { RawClient } from '../support/network-peers.ts';
import { testAuthority } from '../support/data-plane-harness.ts';
import { routeTo, useScene } from '../support/data-plane-test.ts';

const scene = useScene();

async function through(port: number): Promise<RawClient> {
  await scene.spike.configure({ routes: [routeTo(port, 'tcp')] });
  return await scene.peers.connect(scene.spike.port('service'));
}

/** A server that says what it is told, and ends when its client does. */
async function echo(): Promise<number> {
  const server = await scene.peers.tcp((socket) => {
    socket.on('data', (bytes: Buffer) => socket.write(bytes));
    socket.on('end', () => socket.end());
  });
  return server.port;
}

test('bytes of both directions are kept, and each turn is a burst, told while the tunnel is open', async () => {
  const client = await through(await echo());
  client.write('one\x00');
  await client.see('one\x00');
  const open = (): string | undefined => scene.spike.open.find(({ messages }) => messages !== null)?.id;
  await scene.spike.until(() => open() !== undefined);
  // The answer is a burst that nothing has ended but time.
  expect(await scene.spike.messagesOf(open() ?? '', 2)).toMatchObject([
    { index: 0, type: 'data', direction: 'request', sizeBytes: 4, text: '' },
    { index: 1, type: 'data', direction: 'response', sizeBytes: 4, durationMs: null },
  ]);
  client.write('two');
  await client.see('two');
  client.end();
  const { flow, requestBody, responseBody } = await scene.spike.flow();
  expect(flow).toMatchObject({
    kind: 'tcp',
    protocol: null,
    bytes: { request: 'stored', response: 'stored' },
    messages: { count: 4, dropped: 0 },
  });
  expect(requestBody.toString('latin1')).toBe('one\x00two');
  expect(responseBody.equals(requestBody)).toBe(true);
});

test('what is kept is bounded by capture.maxBodyBytes; a large transfer is a few bursts', async () => {
  await scene.spike.configure({ capture: { maxBodyBytes: 1000 } });
  const client = await through(await echo());
  const bytes = randomBytes(2 ** 20);
  client.write(bytes);
  await client.until((text) => text.length === bytes.length);
  client.end();
  const { flow, requestBody } = await scene.spike.flow();
  expect(flow.bytes).toEqual({ request: 'truncated', response: 'truncated' });
  expect(requestBody.equals(bytes.subarray(0, 1000))).toBe(true);
  expect(flow.sizes.requestBody).toBe(2 ** 20);
  const messages = await scene.spike.messagesOf(flow.id, flow.messages?.count ?? 0);
  for (const direction of ['request', 'response']) {
    const sizes = messages
      .filter((message) => message.direction === direction)
      .map((message) => message.sizeBytes);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(2 ** 20);
  }
});

test('a client and a server that take many turns: the first are told one by one, then how much each says', async () => {
  const client = await through(await echo());
  const turns = 500;
  for (let turn = 1; turn <= turns; turn += 1) {
    client.write('x');
    await client.until((text) => text.length === turn);
  }
  client.end();
  const { flow } = await scene.spike.flow();
  const { count = 0, dropped } = flow.messages ?? {};
  expect(dropped).toBe(0);
  expect(count).toBeGreaterThan(turnsPerFlow);
  expect(count).toBeLessThan(turns);
  const messages = await scene.spike.messagesOf(flow.id, count);
  expect(messages.slice(0, turnsPerFlow).map(({ direction }) => direction)).toEqual(
    Array.from({ length: turnsPerFlow }, (_, index) => (index % 2 === 0 ? 'request' : 'response')),
  );
  expect(messages.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBe(2 * turns);
});

test('TLS that nobody opens leaves sizes and bursts, and no bytes', async () => {
  const sites = createLeafIssuer({ ca: await testAuthority(), now: Date.now });
  const cert = sites.issue('localhost')?.chainPem ?? '';
  const server = createTlsServer({ key: sites.privateKeyPem, cert }, (socket) => {
    socket.on('data', () => socket.end('secret answer'));
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  scene.peers.also(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  const { port } = server.address() as AddressInfo;
  await scene.spike.configure({ routes: [routeTo(port, 'tcp')] });
  const client = connectTls({
    port: scene.spike.port('service'),
    host: '127.0.0.1',
    rejectUnauthorized: false,
  });
  client.on('error', () => undefined);
  client.write('secret');
  await new Promise((resolve) => client.once('data', resolve));
  client.end();
  const { flow, requestBody, responseBody } = await scene.spike.flow();
  expect(flow).toMatchObject({ kind: 'tcp', bytes: { request: 'none', response: 'none' } });
  expect(requestBody.length + responseBody.length).toBe(0);
  expect(flow.messages?.count).toBeGreaterThan(1);
});

test('a protocol that is known is told in its commands', async () => {
  const server = await scene.peers.tcp((socket) => {
    socket.on('data', () => socket.write('+OK\r\n'));
    socket.on('end', () => socket.end());
  });
  const client = await through(server.port);
  client.write('*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n');
  await client.see('+OK');
  client.end();
  const { flow, requestBody } = await scene.spike.flow();
  expect(flow).toMatchObject({ kind: 'tcp', protocol: 'redis', messages: { count: 1 } });
  expect(await scene.spike.messagesOf(flow.id, 1)).toMatchObject([
    { type: 'command', direction: 'request', text: expect.stringContaining('SET'), summary: 'OK' },
  ]);
  expect(requestBody.toString()).toContain('value');
});

test('an upgrade to another protocol is bytes as well', async () => {
  const server = await scene.peers.answering(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: own\r\nConnection: Upgrade\r\n\r\n',
    (socket) => {
      socket.on('data', (bytes: Buffer) => socket.end(bytes));
    },
  );
  await scene.spike.configure({ routes: [routeTo(server.port)] });
  const client = await scene.peers.connect(scene.spike.port('service'));
  client.write('GET / HTTP/1.1\r\nHost: a\r\nUpgrade: own\r\nConnection: Upgrade\r\n\r\n');
  await client.see('\r\n\r\n');
  client.write('own words');
  await client.toEnd();
  const { flow, requestBody } = await scene.spike.flow();
  expect(flow).toMatchObject({ kind: 'http', bytes: null, http: { requestBody: 'stored' } });
  expect(requestBody.toString()).toBe('own words');
  expect(flow.messages?.count).toBe(2);
});

test('while nothing is recorded nothing is kept', async () => {
  await scene.spike.configure({ capture: { recording: false } });
  const client = await through(await echo());
  client.write('one');
  await client.see('one');
  client.end();
  await client.toClose();
  expect(scene.spike.messages.size).toBe(0);
});

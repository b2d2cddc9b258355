// WebSockets of a client and a server that we did not write: what they say passes as it came, and is seen as messages.
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { ClientOptions, PerMessageDeflateOptions } from 'ws';
import { messageTextLimit } from '#shared/flow/message.ts';
import type { FlowMessage } from '#shared/flow/message.ts';
import { inflatedMessageLimitBytes } from '../../src-main/engine/proxy/websocket/inflater.ts';
import { routeTo, useScene } from '../support/data-plane-test.ts';

const scene = useScene();

interface Pair {
  readonly client: WebSocket;
  readonly server: WebSocket;
}

async function openPair(
  deflate: PerMessageDeflateOptions | false = false,
  options: ClientOptions = {},
): Promise<Pair> {
  const { peers, spike } = scene;
  const listener = await peers.http();
  const sockets = new WebSocketServer({ server: listener, perMessageDeflate: deflate, maxPayload: 2 ** 30 });
  const accepted = once(sockets, 'connection') as Promise<[WebSocket]>;
  await spike.configure({ routes: [routeTo(listener.port)] });
  const perMessageDeflate = deflate !== false;
  const client = new WebSocket(`ws://${spike.address('service')}/chat`, { perMessageDeflate, ...options });
  const [server] = await accepted;
  peers.also(() => {
    client.terminate();
    server.terminate();
  });
  await once(client, 'open');
  server.on('error', () => undefined);
  return { client, server };
}

async function received(socket: WebSocket): Promise<Buffer> {
  return ((await once(socket, 'message')) as [Buffer])[0];
}

/** Closes it, and gives all that was in it. */
async function messagesOf({ client }: Pair): Promise<readonly FlowMessage[]> {
  client.close(1000);
  const { flow } = await scene.spike.flow();
  expect(flow).toMatchObject({ kind: 'websocket', error: null, http: { status: 101 } });
  const messages = await scene.spike.messagesOf(flow.id, flow.messages?.count ?? 0);
  expect(messages.map(({ index }) => index)).toEqual(messages.map((_message, index) => index));
  return messages;
}

const shape = ({ type, direction, text }: FlowMessage): unknown => [type, direction, text];
const ofData = ({ type }: FlowMessage): boolean => type === 'text' || type === 'binary';

test('text, binary, fragments with a ping in between, and the close', async () => {
  const pair = await openPair();
  const { client, server } = pair;
  client.send('grüße');
  expect((await received(server)).toString()).toBe('grüße');
  const whole = received(client);
  server.send('one ', { fin: false });
  server.ping('are you there');
  server.send('two ', { fin: false });
  server.send('three', { fin: true });
  expect((await whole).toString()).toBe('one two three');
  client.send(Buffer.from([1, 2, 255]));
  await received(server);
  const pong = once(client, 'pong');
  client.ping();
  await pong;
  client.close(4001, 'enough');
  const { flow } = await scene.spike.flow();
  const messages = await scene.spike.messagesOf(flow.id, flow.messages?.count ?? 0);
  expect(messages.map(shape).sort()).toEqual(
    [
      ['text', 'request', 'grüße'],
      ['ping', 'response', 'are you there'],
      ['pong', 'request', 'are you there'],
      ['text', 'response', 'one two three'],
      ['binary', 'request', 'AQL/'],
      ['ping', 'request', ''],
      ['pong', 'response', ''],
      ['close', 'request', '4001 enough'],
      ['close', 'response', '4001 enough'],
    ].sort(),
  );
  expect(messages.find(({ type }) => type === 'close')?.summary).toBe('4001 of the application');
  expect(messages.filter(({ error }) => error !== null)).toEqual([]);
});

describe('permessage-deflate', () => {
  test.each<[string, PerMessageDeflateOptions]>([
    ['with context takeover', {}],
    ['without context takeover', { serverNoContextTakeover: true, clientNoContextTakeover: true }],
    ['without it on the server alone', { serverNoContextTakeover: true }],
    ['with small windows', { serverMaxWindowBits: 9, clientMaxWindowBits: 9 }],
  ])('%s: messages are shown decompressed, in their order', async (_name, options) => {
    const pair = await openPair({ threshold: 0, ...options }, { perMessageDeflate: { threshold: 0 } });
    const { client, server } = pair;
    expect(client.extensions).toContain('permessage-deflate');
    const texts = Array.from({ length: 20 }, (_none, index) =>
      `{"order":${index},"state":"shipped"}`.repeat(9),
    );
    for (const text of texts) {
      client.send(text);
      const seen = await received(server);
      expect(seen.toString()).toBe(text);
      server.send(seen.toString());
      await received(client);
    }
    const messages = (await messagesOf(pair)).filter(ofData);
    expect(messages.map(({ text }) => text)).toEqual(texts.flatMap((text) => [text, text]));
    expect(messages.every(({ compressed, error }) => compressed && error === null)).toBe(true);
    expect(messages[0]?.sizeBytes).toBeLessThan(texts[0]?.length ?? 0);
  });

  test('a message that becomes too large passes, and says so; the other direction is read on', async () => {
    const pair = await openPair({ threshold: 0 });
    const { client, server } = pair;
    const bomb = Buffer.alloc(inflatedMessageLimitBytes + 1);
    const whole = received(server);
    client.send(bomb);
    expect((await whole).equals(bomb)).toBe(true);
    server.send('still here');
    await received(client);
    const messages = (await messagesOf(pair)).filter(ofData);
    expect(messages).toMatchObject([
      { type: 'binary', compressed: true, truncated: true, error: 'It becomes larger than 16 MiB.' },
      { type: 'text', compressed: true, truncated: false, error: null, text: 'still here' },
    ]);
  });
});

test.each([false, {}])(
  'a MiB each way passes unchanged (deflate: %o); its first part is kept',
  async (deflate) => {
    const pair = await openPair(deflate);
    const { client, server } = pair;
    const text = 'spike€'.repeat(2 ** 18).slice(0, 2 ** 20);
    client.send(text);
    const seen = await received(server);
    expect(seen.toString() === text).toBe(true);
    const bytes = Buffer.from(Array.from({ length: 2 ** 20 }, (_none, index) => (index * 31) & 255));
    server.send(bytes);
    expect((await received(client)).equals(bytes)).toBe(true);
    const [first, second] = (await messagesOf(pair)).filter(ofData);
    expect(first).toMatchObject({ type: 'text', truncated: true, error: null, encoding: 'text' });
    expect(first?.text === text.slice(0, messageTextLimit)).toBe(true);
    expect(second).toMatchObject({ type: 'binary', truncated: true, encoding: 'base64' });
    const shown = Buffer.from(second?.text ?? '', 'base64');
    expect(shown.equals(bytes.subarray(0, shown.length))).toBe(true);
  },
);

test('what breaks the protocol is shown with what is wrong, and passes', async () => {
  const { peers, spike } = scene;
  const accept = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
  const server = await peers.tcp((socket) => {
    socket.once('data', () => {
      socket.write(accept);
      socket.on('data', (bytes: Buffer) => socket.end(bytes));
    });
  });
  await spike.configure({ routes: [routeTo(server.port)] });
  const client = await peers.connect(spike.port('service'));
  client.write('GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
  await client.see('\r\n\r\n');
  const unmasked = Buffer.from([0x81, 0x02, 0x68, 0x69]);
  client.write(unmasked);
  expect((await client.toEnd()).endsWith(unmasked.toString('latin1'))).toBe(true);
  const { flow } = await spike.flow();
  expect(await spike.messagesOf(flow.id, 2)).toMatchObject([
    {
      direction: 'request',
      text: 'hi',
      error: 'A frame of a client without a mask (RFC 6455, section 5.1).',
    },
    { direction: 'response', text: 'hi', error: null },
  ]);
});

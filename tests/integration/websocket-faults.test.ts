// Faults on frames, as `ws` sees them: a client and a server that we did not write.
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { FaultInput } from '../../src-shared/rules/fault.ts';
import type { Match, Trigger } from '../../src-shared/rules/rule.ts';
import { routeTo, useScene } from '../support/data-plane-test.ts';
import { openHttp2, serveHttp2 } from '../support/http2-peers.ts';

const scene = useScene();

interface Pair {
  readonly client: WebSocket;
  readonly server: WebSocket;
  /** What each has got, in its order: texts, `ping x`, `pong x`, `close 1000 why`. */
  readonly atClient: string[];
  readonly atServer: string[];
}

async function openPair(deflate = false): Promise<Pair> {
  const { peers, spike } = scene;
  const listener = await peers.http();
  const perMessageDeflate = deflate ? { threshold: 0 } : false;
  const sockets = new WebSocketServer({ server: listener, perMessageDeflate });
  const accepted = once(sockets, 'connection') as Promise<[WebSocket]>;
  await spike.configure({ routes: [routeTo(listener.port)] });
  const client = new WebSocket(`ws://${spike.address('service')}/chat`, { perMessageDeflate });
  const atClient = heardBy(client);
  const [server] = await accepted;
  const atServer = heardBy(server);
  peers.also(() => {
    client.terminate();
    server.terminate();
  });
  if (client.readyState === WebSocket.CONNECTING) await once(client, 'open');
  return { client, server, atClient, atServer };
}

function heardBy(socket: WebSocket): string[] {
  const heard: string[] = [];
  socket.on('message', (message: Buffer) => void heard.push(message.toString()));
  socket.on('ping', (data) => void heard.push(`ping ${data.toString()}`));
  socket.on('pong', (data) => void heard.push(`pong ${data.toString()}`));
  socket.on('close', (code, reason) => void heard.push(`close ${code} ${reason.toString()}`.trimEnd()));
  socket.on('error', (error) => void heard.push(`error ${error.message}`));
  return heard;
}

async function rule(faults: FaultInput[], match: Match = {}, trigger: Trigger = {}): Promise<void> {
  await scene.spike.configure({ rules: [{ name: 'rule', match, trigger, faults }] });
}

describe('ws-drop', () => {
  it('leaves out messages of one kind and direction, and nothing else', async () => {
    await rule([{ type: 'ws-drop', direction: 'response', frames: 'text' }], { path: '/chat' });
    const { client, server, atClient, atServer } = await openPair();
    client.send('to the server');
    server.send('lost');
    server.ping('p');
    server.send(Buffer.from('binary'));
    server.close(1000, 'bye');
    await expect.poll(() => atClient.at(-1)).toBe('close 1000 bye');
    expect(atClient).toEqual(['ping p', 'binary', 'close 1000 bye']);
    await expect.poll(() => atServer.at(-1)).toBe('close 1000 bye');
    expect(atServer).toContain('to the server');
    const { flow } = await scene.spike.flow();
    expect(flow).toMatchObject({ kind: 'websocket', error: null });
    expect(flow.faults).toMatchObject([
      { direction: 'response', messages: 1, bytes: 6, note: 'dropped 1 message of the response' },
    ]);
    await expect.poll(() => scene.spike.hits.get('rule')).toBe(1);
  });

  it('with all their fragments; a control frame in their middle passes', async () => {
    await rule([{ type: 'ws-drop', direction: 'request' }], {}, {});
    const { client, atServer } = await openPair();
    client.send('one ', { fin: false });
    client.ping('in between');
    client.send('two ', { fin: false });
    client.send('three', { fin: true });
    client.ping('after');
    await expect.poll(() => atServer).toEqual(['ping in between', 'ping after']);
    await scene.spike.configure({ rules: [] });
    client.send('four');
    await expect.poll(() => atServer.at(-1)).toBe('four');
  });

  it('what was begun while the rule was on is left out to its end when it is turned off', async () => {
    await rule([{ type: 'ws-drop', direction: 'request' }]);
    const { client, atServer } = await openPair();
    client.send('one ', { fin: false });
    client.ping('a');
    await expect.poll(() => atServer).toEqual(['ping a']);
    await scene.spike.configure({ rules: [] });
    client.send('two', { fin: true });
    client.send('three');
    await expect.poll(() => atServer).toEqual(['ping a', 'three']);
  });

  it('turned on in the middle of a message, by its path, waits for the next one', async () => {
    const { client, atServer } = await openPair();
    client.send('one ', { fin: false });
    client.ping('a');
    await expect.poll(() => atServer).toEqual(['ping a']);
    await rule([{ type: 'ws-drop', direction: 'request' }], { path: '/chat' });
    client.send('two', { fin: true });
    client.send('three');
    client.ping('b');
    await expect.poll(() => atServer).toEqual(['ping a', 'one two', 'ping b']);
  });

  it('compressed: the receiver lacks what was dropped of the window, and later messages do not inflate', async () => {
    const { server, atClient } = await openPair(true);
    const text = 'something that is said twice, something that is said twice: '.repeat(4);
    await rule([{ type: 'ws-drop' }]);
    server.send(text);
    server.ping('a');
    await expect.poll(() => atClient).toEqual(['ping a']);
    await scene.spike.configure({ rules: [] });
    server.send(text);
    await expect.poll(() => atClient.some((said) => said.startsWith('error'))).toBe(true);
    const { flow } = await scene.spike.flow();
    expect(flow.faults[0]?.note).toBe('dropped 1 message of the response, 1 of them compressed');
  });
});

it('ws-no-pong: pings arrive, pongs do not', async () => {
  await rule([{ type: 'ws-no-pong', direction: 'response' }]);
  const { client, atClient, atServer } = await openPair();
  client.ping('anybody');
  client.send('hello');
  await expect.poll(() => atServer).toEqual(['ping anybody', 'hello']);
  await scene.spike.configure({ rules: [] });
  client.ping('now');
  await expect.poll(() => atClient).toEqual(['pong now']);
});

it('ws-delay: order is kept, and what is held is let go when it is turned off', async () => {
  await rule([{ type: 'ws-delay', frames: 'binary', delayMs: 3_600_000 }]);
  const { server, atClient } = await openPair();
  server.send('first');
  server.send(Buffer.from('held'));
  server.send('behind');
  await expect.poll(() => atClient).toEqual(['first']);
  expect(await scene.spike.configure({ rules: [] })).toBe(1);
  await expect.poll(() => atClient).toEqual(['first', 'held', 'behind']);
});

it('ws-delay: holds each message for its time', async () => {
  await rule([{ type: 'ws-delay', direction: 'request', delayMs: 30 }]);
  const { client, atServer } = await openPair();
  for (let i = 0; i < 20; i++) client.send(`message ${i}`);
  await expect.poll(() => atServer.length).toBe(20);
  expect(atServer).toEqual(Array.from({ length: 20 }, (_, i) => `message ${i}`));
  client.close();
  const { flow } = await scene.spike.flow();
  expect(flow.faults[0]?.messages).toBe(20);
  expect(flow.faults[0]?.delayedMs).toBeGreaterThanOrEqual(29);
});

it('ws-duplicate: messages come twice, in fragments as well', async () => {
  await rule([{ type: 'ws-duplicate', direction: 'request', frames: 'text' }]);
  const { client, atServer } = await openPair();
  client.send('a');
  client.send(Buffer.from('binary'));
  client.send('b', { fin: false });
  client.ping('p');
  client.send('c', { fin: true });
  await expect.poll(() => atServer).toEqual(['a', 'a', 'binary', 'ping p', 'bc', 'bc']);
});

it.each(['request', 'response'] as const)(
  'ws-corrupt: one byte of a %s is another one',
  async (direction) => {
    await rule([{ type: 'ws-corrupt', direction }]);
    const { client, server, atClient, atServer } = await openPair();
    const said = 'x'.repeat(70_000);
    const [speaker, heard] = direction === 'request' ? [client, atServer] : [server, atClient];
    speaker.send(said);
    await expect.poll(() => heard.length).toBe(1);
    const text = heard[0] ?? '';
    expect(text).toHaveLength(said.length);
    expect([...text].filter((letter) => letter === 'y')).toHaveLength(1);
    expect([...text].filter((letter) => letter === 'x')).toHaveLength(said.length - 1);
  },
);

describe('ws-close', () => {
  it('both sides get the code and the reason, and the connection ends', async () => {
    await rule([{ type: 'ws-close', code: 4001, reason: 'enough', afterMessages: 2 }]);
    const { client, atClient, atServer } = await openPair();
    client.send('one');
    client.send('two');
    client.send('three');
    await expect.poll(() => atServer).toEqual(['one', 'two', 'close 4001 enough']);
    await expect.poll(() => atClient).toEqual(['close 4001 enough']);
    const { flow } = await scene.spike.flow();
    expect(flow.error?.cause).toBe('fault-close');
    expect(flow.faults).toMatchObject([
      { code: 4001, messages: 2, outcome: 'done', note: 'closed both sides with 4001 after 2 messages' },
    ]);
  });

  it('at once, on a WebSocket that is open', async () => {
    const { atClient, atServer } = await openPair();
    await rule([{ type: 'ws-close', code: 1012 }], { protocol: 'websocket' });
    await expect.poll(() => atClient).toEqual(['close 1012']);
    await expect.poll(() => atServer).toEqual(['close 1012']);
    await scene.spike.flow();
  });
});

it('every byte as it came when no message is chosen', async () => {
  await rule([
    { type: 'ws-drop', share: 0 },
    { type: 'ws-duplicate', share: 0, frames: 'any' },
  ]);
  const { client, server, atClient, atServer } = await openPair(true);
  const said = Array.from({ length: 200 }, (_, i) => 'message '.repeat(i * 7));
  for (const text of said) client.send(text);
  for (const text of said) server.send(text);
  await expect.poll(() => atServer.length).toBe(said.length);
  await expect.poll(() => atClient.length).toBe(said.length);
  expect(atServer).toEqual(said);
  expect(atClient).toEqual(said);
});

it('acts in a stream of HTTP/2', async () => {
  await rule([{ type: 'ws-close', code: 1011 }]);
  const server = await serveHttp2(scene.peers, (stream) => stream.respond({ ':status': 200 }), {
    settings: { enableConnectProtocol: true },
  });
  await scene.spike.configure({
    routes: [{ name: 'service', listen: '127.0.0.1:0', upstream: `h2c://127.0.0.1:${server.port}` }],
  });
  const client = await openHttp2(scene.peers, `http://${scene.spike.address('service')}`);
  await once(client, 'remoteSettings');
  const stream = client.request({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/chat',
    ':scheme': 'http',
    ':authority': 'here',
  });
  const [bytes] = (await once(stream, 'data')) as [Buffer];
  expect([...bytes]).toEqual([0x88, 2, 0x03, 0xf3]);
  stream.write(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xf3]));
  stream.end();
  stream.resume();
  await once(stream, 'close');
  expect((await scene.spike.flow()).flow.faults).toMatchObject([{ type: 'ws-close', code: 1011 }]);
});

it('does nothing to other tunnels and calls', async () => {
  await rule([
    { type: 'ws-drop', direction: 'request' },
    { type: 'ws-close', code: 1011 },
  ]);
  const http = await scene.peers.http((_request, response) => response.end('hello'));
  await scene.spike.configure({
    routes: [routeTo(http.port), routeTo(http.port, 'tcp', 'bytes')],
  });
  expect(await (await fetch(`http://${scene.spike.address('service')}/`)).text()).toBe('hello');
  const socket = connect(scene.spike.port('bytes'), '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n');
  let said = '';
  socket.on('data', (chunk) => (said += chunk.toString()));
  await once(socket, 'close');
  expect(said).toContain('hello');
  const flows = await scene.spike.flows(2);
  expect(flows.flatMap(({ flow }) => flow.faults)).toEqual([]);
});

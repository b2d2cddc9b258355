import { once } from 'node:events';
import type { ClientHttp2Session, ServerHttp2Stream } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { routeTo, useScene } from '../support/data-plane-test.ts';
import { callHttp2, openHttp2, serveHttp2 } from '../support/http2-peers.ts';
import type { StreamServer } from '../support/http2-peers.ts';

const scene = useScene();

/** A masked text frame of RFC 6455, section 5.2, with a mask of zeros. */
function textFrame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
}
const closeFrame = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);

/** Echoes WebSocket messages in streams (RFC 8441), by `ws` on the stream. */
async function streamEcho(): Promise<StreamServer> {
  return await serveHttp2(
    scene.peers,
    (stream, fields) => {
      if (!fields.includes(':protocol')) return refuse(stream);
      stream.respond({ ':status': 200, 'sec-websocket-protocol': 'chat' });
      // As its server does it after a handshake of HTTP/1.1.
      const socket = new WebSocket(null as never, undefined, {}) as WebSocket & {
        setSocket(stream: object, head: Buffer, options: object): void;
      };
      socket.setSocket(stream, Buffer.alloc(0), { maxPayload: 1_000_000, skipUTF8Validation: false });
      socket.on('message', (message) => socket.send(`re: ${String(message)}`));
    },
    { settings: { enableConnectProtocol: true } },
  );
}

function refuse(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 400 });
  stream.end();
}

/** The echo of `ws` in HTTP/1.1. */
async function http1Echo(): Promise<number> {
  const server = await scene.peers.http();
  const sockets = new WebSocketServer({ server, handleProtocols: () => 'chat' });
  sockets.on('connection', (socket) => {
    socket.on('message', (message) => socket.send(`re: ${String(message)}`));
  });
  return server.port;
}

/** Opens a WebSocket in a stream, says something, and returns the status and what came back. */
async function talk(
  client: ClientHttp2Session,
): Promise<{ status: number; protocol: unknown; said: string }> {
  const stream = client.request({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/chat',
    ':scheme': 'http',
    ':authority': 'here',
    'sec-websocket-version': '13',
    'sec-websocket-protocol': 'chat',
    origin: 'http://here',
  });
  const [head] = (await once(stream, 'response')) as [Record<string, unknown>];
  stream.write(textFrame('hello'));
  let said = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => (said = Buffer.concat([said, chunk])));
  await expect.poll(() => said.length).toBeGreaterThanOrEqual(11);
  stream.write(closeFrame);
  await once(stream, 'end');
  stream.end();
  return {
    status: Number(head[':status']),
    protocol: head['sec-websocket-protocol'],
    said: said.subarray(2, 2 + (said[1] ?? 0)).toString(),
  };
}

async function expectFlow(): Promise<void> {
  const { flow } = await scene.spike.flow(({ kind }) => kind === 'websocket');
  expect(flow).toMatchObject({ kind: 'websocket', error: null });
  expect(flow.messages?.count).toBeGreaterThanOrEqual(2);
}

describe('WebSocket in HTTP/2 (RFC 8441)', () => {
  it('from a stream to a stream', async () => {
    const server = await streamEcho();
    await scene.spike.configure({
      routes: [{ name: 'service', listen: '127.0.0.1:0', upstream: `h2c://127.0.0.1:${server.port}` }],
    });
    const client = await openHttp2(scene.peers, `http://${scene.spike.address('service')}`);
    await once(client, 'remoteSettings');
    expect(await talk(client)).toEqual({ status: 200, protocol: 'chat', said: 're: hello' });
    await expectFlow();
    expect((await callHttp2(client, { ':path': '/' })).status).toBe(400);
  });

  it('from a stream to a connection of HTTP/1.1', async () => {
    await scene.spike.configure({ routes: [routeTo(await http1Echo())] });
    const client = await openHttp2(scene.peers, `http://${scene.spike.address('service')}`);
    await once(client, 'remoteSettings');
    expect(await talk(client)).toEqual({ status: 200, protocol: 'chat', said: 're: hello' });
    await expectFlow();
  });

  it('from a connection of HTTP/1.1 to a stream', async () => {
    const server = await streamEcho();
    await scene.spike.configure({
      routes: [{ name: 'service', listen: '127.0.0.1:0', upstream: `h2c://127.0.0.1:${server.port}` }],
    });
    const socket = new WebSocket(`ws://${scene.spike.address('service')}/chat`, 'chat');
    await once(socket, 'open');
    socket.send('hello');
    const [message] = (await once(socket, 'message')) as [Buffer];
    expect(message.toString()).toBe('re: hello');
    socket.close();
    await once(socket, 'close');
    await expectFlow();
  });

  it('says so where the upstream lets none pass', async () => {
    const server = await serveHttp2(scene.peers, refuse);
    await scene.spike.configure({
      routes: [{ name: 'service', listen: '127.0.0.1:0', upstream: `h2c://127.0.0.1:${server.port}` }],
    });
    const client = await openHttp2(scene.peers, `http://${scene.spike.address('service')}`);
    await once(client, 'remoteSettings');
    const connect = {
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': '/',
      ':scheme': 'http',
      ':authority': 'here',
    };
    const answer = await callHttp2(client, connect, '');
    expect(answer.status).toBe(502);
    expect(answer.body.toString()).toContain('RFC 8441');
    const socket = new WebSocket(`ws://${scene.spike.address('service')}/chat`);
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain('501');
  });

  it('waits for a rule that holds the head that accepts it, and takes the rule along', async () => {
    await scene.spike.configure({
      routes: [routeTo(await http1Echo())],
      rules: [{ name: 'slow', faults: [{ type: 'latency', latencyMs: 40, direction: 'response' }] }],
    });
    const client = await openHttp2(scene.peers, `http://${scene.spike.address('service')}`);
    await once(client, 'remoteSettings');
    expect((await talk(client)).said).toBe('re: hello');
    const { flow } = await scene.spike.flow(({ kind }) => kind === 'websocket');
    expect(flow.faults.length).toBeGreaterThanOrEqual(2);
  });

  it('is refused where the upstream refuses it', async () => {
    const server = await scene.peers.http((_request, response) => response.end('plain'));
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const client = await openHttp2(scene.peers, `http://${scene.spike.address('service')}`);
    await once(client, 'remoteSettings');
    const answer = await callHttp2(
      client,
      {
        ':method': 'CONNECT',
        ':protocol': 'websocket',
        ':path': '/',
        ':scheme': 'http',
        ':authority': 'here',
      },
      '',
    );
    expect(answer.status).toBe(200);
    expect(answer.body.toString()).toBe('plain');
  });
});

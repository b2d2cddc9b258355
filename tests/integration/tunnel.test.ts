import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { curlArgs, routeTo, useScene } from '../support/data-plane-test.ts';
import type { RawClient } from '../support/network-peers.ts';
import { runProgram } from '../support/run-program.ts';

const scene = useScene({}, { connectTimeoutMs: 1000 });

async function tunnelTo(port: number, behind = ''): Promise<RawClient> {
  const client = await scene.peers.connect(scene.spike.proxyPort);
  client.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n${behind}`);
  await client.see('\r\n\r\n');
  return client;
}

describe('CONNECT', () => {
  it('opens plain HTTP inside, by curl and with the request right behind, and keeps the name of the caller', async () => {
    const server = await scene.peers.http((asked, response) => response.end(`hello ${asked.url}`));
    const url = `http://127.0.0.1:${server.port}/p`;
    const { stdout } = await runProgram('curl', curlArgs(scene.spike, '--proxytunnel', '-U', 'web:x', url));
    expect(stdout).toBe('hello /p');
    const client = await tunnelTo(server.port, 'GET /q HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.see('hello /q');
    const [first, second] = await scene.spike.flows(2);
    expect(first?.flow).toMatchObject({ kind: 'http', caller: { name: 'web' }, http: { url } });
    expect(second?.flow.http?.url).toBe(`http://127.0.0.1:${server.port}/q`);
  });

  it('passes other bytes both ways, and each end by itself', async () => {
    const server = await scene.peers.tcp((socket) => {
      socket.on('data', (chunk: Buffer) => socket.write(`<${chunk.toString()}>`));
      socket.on('end', () => socket.end('bye'));
    });
    const client = await tunnelTo(server.port);
    client.write('\x00\x01raw');
    await client.see('<\x00\x01raw>');
    client.end();
    expect(await client.toEnd()).toMatch(/bye$/);
    const { flow } = await scene.spike.flow();
    expect(flow).toMatchObject({ kind: 'tcp', http: null, error: null });
    expect(flow.sizes).toMatchObject({ requestBody: 5, responseBody: 10 });
  });

  it('lets a server speak first', async () => {
    const server = await scene.peers.tcp((socket) => {
      socket.write('220 mail ready\r\n');
      socket.on('data', (chunk: Buffer) => socket.write(`250 ${chunk.toString()}`));
      socket.on('end', () => socket.end());
    });
    const client = await tunnelTo(server.port);
    await client.see('220 mail ready');
    client.write('EHLO me\r\n');
    await client.see('250 EHLO me');
    client.end();
    await client.toClose();
    expect((await scene.spike.flow()).flow.kind).toBe('tcp');
  });

  it('passes what a client says that looks like the beginning of HTTP and then waits', async () => {
    const server = await scene.peers.tcp((socket) => socket.on('data', (chunk) => socket.write(chunk)));
    const client = await tunnelTo(server.port);
    client.write('PING');
    await client.see('\r\n\r\nPING');
  });

  it('hands over a server that only says goodbye', async () => {
    const server = await scene.peers.tcp((socket) => socket.end());
    const client = await tunnelTo(server.port);
    await client.toEnd();
    await client.toClose();
    expect((await scene.spike.flow()).flow).toMatchObject({ kind: 'tcp', error: null });
  });

  it('ends with a RST when nothing listens, and says why', async () => {
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write('CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: a\r\n\r\n\x00raw');
    expect(await client.toClose()).toBe('ECONNRESET');
    expect((await scene.spike.flow()).flow.error?.cause).toBe('upstream-refused');
  });

  it('loses nothing of a client that sends and closes its half before the upstream is there', async () => {
    let seen = '';
    const server = await scene.peers.tcp((socket) => {
      socket.on('data', (chunk) => (seen += chunk.toString()));
      socket.on('end', () => socket.end(`had ${seen.length}`));
    });
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write(`CONNECT 127.0.0.1:${server.port} HTTP/1.1\r\nHost: a\r\n\r\n\x00${'x'.repeat(9999)}`).end();
    expect(await client.toEnd()).toMatch(/had 10000$/);
  });
});

describe('a TCP route', () => {
  it('carries a megabyte each way unchanged, to a slow reader, up to the last byte', async () => {
    const bytes = randomBytes(1_500_000);
    const server = await scene.peers.tcp((socket) => {
      const hash = createHash('sha256');
      socket.on('data', (chunk: Buffer) => void hash.update(chunk));
      socket.on('end', () => {
        socket.write(hash.digest());
        socket.end(bytes);
      });
    });
    await scene.spike.configure({ routes: [routeTo(server.port, 'tcp', 'db')] });
    const client = await scene.peers.connect(scene.spike.port('db'));
    client.socket.pause();
    client.write(bytes).end();
    await delay(1500);
    client.socket.resume();
    await client.toEnd();
    expect(client.bytes.subarray(0, 32)).toEqual(createHash('sha256').update(bytes).digest());
    expect(client.bytes.subarray(32).equals(bytes)).toBe(true);
    const { flow } = await scene.spike.flow();
    expect(flow).toMatchObject({ route: 'db', callee: { name: 'db' }, error: null });
    expect(flow.sizes).toMatchObject({ requestBody: bytes.length, responseBody: bytes.length + 32 });
  });

  it.each([
    ['upstream', 'upstream-reset'],
    ['client', 'client-closed'],
  ])('passes a RST of the %s on', async (who, cause) => {
    let ended = '';
    const server = await scene.peers.tcp((socket) => {
      socket.removeAllListeners('error');
      socket.on('error', (error: NodeJS.ErrnoException) => (ended = error.code ?? ''));
      socket.on('data', () => (who === 'upstream' ? socket.resetAndDestroy() : socket.write('ok')));
    });
    await scene.spike.configure({ routes: [routeTo(server.port, 'tcp', 'db')] });
    const client = await scene.peers.connect(scene.spike.port('db'));
    client.write('hello');
    if (who === 'upstream') expect(await client.toClose()).toBe('ECONNRESET');
    else {
      await client.see('ok');
      client.socket.resetAndDestroy();
    }
    expect((await scene.spike.flow()).flow.error?.cause).toBe(cause);
    for (let tries = 0; who === 'client' && ended === '' && tries < 100; tries++) await delay(10);
    if (who === 'client') expect(ended).toBe('ECONNRESET');
  });

  it('stays open while Spike drains, until its sides end it', async () => {
    const server = await scene.peers.tcp((socket) => {
      socket.on('data', (chunk) => socket.write(chunk));
      socket.on('end', () => socket.end());
    });
    await scene.spike.configure({ routes: [routeTo(server.port, 'tcp', 'db')] });
    const client = await scene.peers.connect(scene.spike.port('db'));
    client.write('1');
    await client.see('1');
    const drained = scene.spike.plane.drain();
    await delay(50);
    client.write('2');
    await client.see('12');
    client.end();
    await client.toClose();
    await drained;
  });
});

describe('upgrades', () => {
  async function echo() {
    const server = await scene.peers.http();
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => {
      socket.send('welcome');
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    scene.peers.also(() => {
      for (const socket of sockets.clients) socket.terminate();
    });
    return server;
  }

  async function talk(socket: WebSocket): Promise<string[]> {
    const said: string[] = [];
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('open', () => socket.send('one'));
      socket.on('message', (data: Buffer) => {
        said.push(data.toString());
        if (said.length === 2) socket.close(1000);
      });
      socket.on('close', (code) => {
        said.push(String(code));
        resolve();
      });
    });
    return said;
  }

  it('carry WebSocket messages, by a route', async () => {
    const server = await echo();
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    expect(await talk(new WebSocket(`ws://${scene.spike.address('service')}/live`))).toEqual([
      'welcome',
      'one',
      '1000',
    ]);
    const { flow } = await scene.spike.flow((one) => one.kind === 'websocket');
    expect(flow).toMatchObject({ callee: { name: 'service' }, http: { status: 101 }, error: null });
    expect(flow.sizes.responseBody).toBeGreaterThan(10);
  });

  const head = 'Host: a\r\nConnection: Upgrade\r\nUpgrade: thing\r\n\r\n';
  const switching = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: thing\r\nConnection: Upgrade\r\n\r\n';

  it('lose nothing that either side says right behind the heads; the callee stays the one that was asked', async () => {
    const server = await scene.peers.tcp((socket) => {
      let seen = '';
      let switched = false;
      socket.on('data', (chunk: Buffer) => {
        seen += chunk.toString('latin1');
        if (!switched && seen.includes('\r\n\r\n')) {
          switched = true;
          setTimeout(() => socket.write(`${switching}SERVER-AHEAD;`), 50);
        }
        if (seen.includes('CLIENT-AHEAD;')) socket.write('got it;');
      });
      socket.on('end', () => socket.end());
    });
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write(`GET http://127.0.0.1:${server.port}/ HTTP/1.1\r\n${head}CLIENT-AHEAD;`);
    await client.see('got it;');
    expect(client.text).toContain('\r\n\r\nSERVER-AHEAD;got it;');
    client.end();
    await client.toClose();
    const { flow } = await scene.spike.flow();
    expect(flow.callee.name).toBe(`127.0.0.1:${server.port}`);
    expect(flow.sizes).toMatchObject({ requestBody: 13, responseBody: 20 });
  });

  it('go on as HTTP when the upstream does not want them', async () => {
    const server = await scene.peers.http((asked, response) => response.end(`plain ${asked.url}`));
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const client = await scene.peers.connect(scene.spike.port('service'));
    client.write(`GET /1 HTTP/1.1\r\n${head}GET /2 HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.see('plain /1');
    await client.see('plain /2');
  });

  it('wait for a rule that holds the 101, and the bytes behind it stay in order', async () => {
    const server = await echo();
    await scene.spike.configure({
      routes: [routeTo(server.port)],
      rules: [{ name: 'slow', faults: [{ type: 'latency', latencyMs: 150 }] }],
    });
    expect(await talk(new WebSocket(`ws://${scene.spike.address('service')}/live`))).toEqual([
      'welcome',
      'one',
      '1000',
    ]);
    const { flow } = await scene.spike.flow();
    expect(flow.kind).toBe('websocket');
    expect(flow.faults.length).toBeGreaterThanOrEqual(2);
    expect(flow.faults.every((fault) => (fault.delayedMs ?? 0) >= 149)).toBe(true);
  });
});

import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { routeTo, useScene } from '../support/data-plane-test.ts';

const scene = useScene(
  {},
  {
    clientLimits: {
      headTimeoutMs: 800,
      idleTimeoutMs: 1500,
      stalledTimeoutMs: 10_000,
      maxConnectionsPerAddress: 3,
      maxConnections: 100,
    },
  },
);

const timeout = { error: { cause: 'client-timeout', code: 'SPIKE_CLIENT_TIMEOUT' } };

/** What Node's TLS says first. */
async function clientHello(): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    scene.peers
      .tcp((socket) => {
        socket.once('data', resolve);
      })
      .then(({ port }) => {
        const secure = connectTls({ port, servername: 'a.test' }).on('error', () => undefined);
        scene.peers.also(() => void secure.destroy());
      })
      .catch(reject);
  });
}

describe('a client that takes too long', () => {
  it('for its head is answered 408, however often it says a little, and shown', async () => {
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write('GET http://a/ HTTP/1.1\r\n');
    const trickle = setInterval(() => client.write('X: 1\r\n'), 40);
    const text = await client.toEnd();
    clearInterval(trickle);
    expect(text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(text).toContain('spike-error: client-timeout');
    expect(text).toContain('connection: close');
    const { flow } = await scene.spike.flow();
    expect(flow).toMatchObject({ kind: 'refused', ...timeout });
    expect(flow.rawHead).toMatch(/^GET http:\/\/a\/ HTTP\/1\.1\r\nX: 1\r\n/);
  });

  it('for its first word is answered 408, on a route as well', async () => {
    const server = await scene.peers.http();
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    for (const port of [scene.spike.proxyPort, scene.spike.port('service')]) {
      const client = await scene.peers.connect(port);
      client.write('GE');
      expect(await client.toEnd()).toMatch(/^HTTP\/1\.1 408 /);
    }
    for (const { flow } of await scene.spike.flows(2)) expect(flow.rawHead).toBe('GE');
  });

  it('for its second head is answered 408 after the first answer', async () => {
    const server = await scene.peers.http((asked, response) => response.end(`ok ${asked.url}`));
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write(`GET http://127.0.0.1:${server.port}/1 HTTP/1.1\r\nHost: a\r\n\r\nGET http`);
    expect(await client.toEnd()).toMatch(/ok \/1HTTP\/1\.1 408 /);
  });

  it('for its TLS handshake is cut off, and shown: before its hello was whole, and after', async () => {
    const hello = await clientHello();
    for (const length of [20, hello.length]) {
      const client = await scene.peers.connect(scene.spike.proxyPort);
      client.write(hello.subarray(0, length));
      await client.toClose();
    }
    const flows = await scene.spike.flows(2);
    for (const { flow } of flows) expect(flow).toMatchObject({ kind: 'tls-failure', ...timeout });
    expect(scene.spike.ended).toHaveLength(2);
  });

  it('for its SOCKS request is refused, and shown', async () => {
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write(Buffer.of(5, 1, 0, 5));
    expect((await client.toEnd()).startsWith('\x05\x00\x05\x01')).toBe(true);
    expect((await scene.spike.flow()).flow).toMatchObject({ kind: 'refused', ...timeout });
  });

  it('with nothing at all is closed quietly: at once, between requests, and inside TLS that it did not use', async () => {
    const server = await scene.peers.http((asked, response) => response.end(`ok ${asked.url}`));
    const silent = await scene.peers.connect(scene.spike.proxyPort);
    const asked = await scene.peers.connect(scene.spike.proxyPort);
    asked.write(`GET http://127.0.0.1:${server.port}/1 HTTP/1.1\r\nHost: a\r\n\r\n`);
    await asked.see('ok /1');
    const secure = connectTls({ port: scene.spike.proxyPort, servername: 'a.test', ca: scene.spike.caPem });
    scene.peers.also(() => void secure.destroy());
    await once(secure, 'secureConnect');
    await once(secure.resume(), 'close');
    expect(await silent.toEnd()).toBe('');
    expect(await asked.toEnd()).toMatch(/ok \/1$/);
    expect(await silent.toClose()).toBe('');
    expect(scene.spike.ended.map((seen) => seen.flow.error)).toEqual([null]);
  });
});

describe('nobody is hurried', () => {
  it('who waits for an answer, sends a body, or has a tunnel', async () => {
    const server = await scene.peers.http((asked, response) => {
      let length = 0;
      asked.on('data', (chunk: Buffer) => (length += chunk.length));
      asked.on('end', () => setTimeout(() => response.end(`had ${length}`), 1900));
    });
    const echo = await scene.peers.tcp((socket) => {
      socket.on('data', (chunk) => socket.write(chunk));
      socket.on('end', () => socket.end());
    });
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write(`POST http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n1`);
    const tunnel = await scene.peers.connect(scene.spike.proxyPort);
    tunnel.write(`CONNECT 127.0.0.1:${echo.port} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await delay(1900);
    client.write('2');
    tunnel.write('\x00late');
    await tunnel.see('\x00late');
    await client.see('had 2');
  });

  it('who asks now and then', async () => {
    const server = await scene.peers.http((asked, response) => response.end(`ok ${asked.url}`));
    const client = await scene.peers.connect(scene.spike.proxyPort);
    for (let turn = 0; turn < 5; turn++) {
      client.write(`GET http://127.0.0.1:${server.port}/${turn} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await client.see(`ok /${turn}`);
      await delay(400);
    }
  });
});

describe('connections of one address', () => {
  it('beyond the limit are reset and shown; others take their place when they are gone', async () => {
    const server = await scene.peers.http((asked, response) => response.end(`ok ${asked.url}`));
    const url = `http://127.0.0.1:${server.port}`;
    const open = await Promise.all([1, 2, 3].map(() => scene.peers.connect(scene.spike.proxyPort)));
    for (const one of open) {
      one.write(`GET ${url}/1 HTTP/1.1\r\nHost: a\r\n\r\n`);
      await one.see('ok /1');
    }
    const fourth = connect(scene.spike.proxyPort, '127.0.0.1');
    scene.peers.also(() => void fourth.destroy());
    const [error] = (await once(fourth, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
    const { flow } = await scene.spike.flow((one) => one.kind === 'refused');
    expect(flow.error).toMatchObject({ cause: 'client-limit-exceeded', code: 'SPIKE_TOO_MANY_CONNECTIONS' });
    open[0]?.end();
    await open[0]?.toClose();
    while (scene.spike.plane.openConnections() > 2) await delay(5);
    const fifth = await scene.peers.connect(scene.spike.proxyPort);
    fifth.write(`GET ${url}/5 HTTP/1.1\r\nHost: a\r\n\r\n`);
    await fifth.see('ok /5');
  });
});

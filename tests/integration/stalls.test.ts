import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { useScene } from '../support/data-plane-test.ts';

const stalledTimeoutMs = 600;
const scene = useScene(
  {},
  {
    clientLimits: {
      headTimeoutMs: 10_000,
      idleTimeoutMs: 10_000,
      stalledTimeoutMs,
      maxConnectionsPerAddress: 100,
      maxConnections: 3,
    },
  },
);
const timeout = { error: { cause: 'client-timeout', code: 'SPIKE_CLIENT_TIMEOUT' } };
const large = Buffer.alloc(24 * 1024 * 1024, 0x61);

describe('a client that stalls', () => {
  it('in the middle of its body is answered 408; its upstream sees that the request broke off', async () => {
    const broken = Promise.withResolvers<boolean>();
    const server = await scene.peers.http((asked) => {
      asked.on('aborted', () => broken.resolve(true));
      asked.resume();
    });
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write(`POST http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n12`);
    const answer = await client.toEnd();
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(answer).toContain('no byte of it came for 0.6 s');
    expect((await scene.spike.flow()).flow).toMatchObject({ kind: 'http', ...timeout });
    expect(await broken.promise).toBe(true);
  });

  it('but sends a byte now and then is not hurried', async () => {
    const server = await scene.peers.http((asked, response) => {
      asked.resume().on('end', () => response.end('whole'));
    });
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write(`POST http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n`);
    for (let sent = 0; sent < 8; sent += 1) {
      await delay(stalledTimeoutMs / 3);
      client.write('x');
    }
    await client.see('whole');
  });

  it('because its upstream does not take the body is not hurried', async () => {
    const taken = Promise.withResolvers<number>();
    const server = await scene.peers.tcp((socket) => {
      socket.pause();
      void delay(stalledTimeoutMs * 3).then(() => {
        let bytes = 0;
        socket.on('data', (chunk) => {
          bytes += chunk.length;
          if (bytes >= large.length) taken.resolve(bytes);
        });
        socket.resume();
      });
    });
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write(
      `POST http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: a\r\nContent-Length: ${large.length}\r\n\r\n`,
    );
    client.write(large);
    expect(await taken.promise).toBeGreaterThanOrEqual(large.length);
  });

  it('and takes nothing of its answer is ended', async () => {
    const server = await scene.peers.http((_, response) => response.end(large));
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.socket.pause();
    client.write(`GET http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: a\r\n\r\n`);
    const { flow } = await scene.spike.flow();
    expect(flow).toMatchObject({ kind: 'http', http: { status: 200 }, ...timeout });
    expect(flow.error?.message).toBe(
      'The client does not read: it took no byte of what was sent to it for 0.6 s.',
    );
    client.socket.destroy();
  });

  it('and takes nothing of what comes through its tunnel is ended', async () => {
    const server = await scene.peers.tcp((socket) => socket.write(large));
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write(`CONNECT 127.0.0.1:${server.port} HTTP/1.1\r\nHost: a\r\n\r\n\x00`);
    client.socket.pause();
    expect((await scene.spike.flow()).flow).toMatchObject({ kind: 'tcp', ...timeout });
    client.socket.destroy();
  });
});

describe('a worker that has as many connections as it takes', () => {
  it('resets the next one, says why, and takes others when there is room', async () => {
    const open = await Promise.all([1, 2, 3].map(() => scene.peers.connect(scene.spike.proxyPort)));
    while (scene.spike.plane.openConnections() < 3) await delay(5);
    const fourth = connect(scene.spike.proxyPort, '127.0.0.1');
    scene.peers.also(() => void fourth.destroy());
    const [error] = (await once(fourth, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
    const { flow } = await scene.spike.flow();
    expect(flow).toMatchObject({ kind: 'refused', error: { cause: 'spike-overloaded' } });
    open[0]?.socket.destroy();
    while (scene.spike.plane.openConnections() > 2) await delay(5);
    const server = await scene.peers.http((_, response) => response.end('room'));
    const fifth = await scene.peers.connect(scene.spike.proxyPort);
    fifth.write(`GET http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: a\r\n\r\n`);
    await fifth.see('room');
  });
});

/** The kind of timer that runs on each connection of a local port (proc(5), tcp: 02 is keep-alive), by its peer's port. */
async function timersAt(port: number): Promise<string[]> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const lines = (await readFile('/proc/net/tcp', 'utf8')).split('\n');
  const established = lines.filter((line) => / 01 [0-9A-F]{8}:/.test(line));
  return established.flatMap(
    (line) => new RegExp(`^ *\\d+: [0-9A-F]+:${hex} .* (0[0-4]):`).exec(line)?.[1] ?? [],
  );
}

it.runIf(process.platform === 'linux')('keep-alive runs on both sides of a tunnel', async () => {
  let upstreamPeerPort = 0;
  const server = await scene.peers.tcp((socket) => {
    upstreamPeerPort = socket.remotePort ?? 0;
    socket.write('hello');
  });
  const client = await scene.peers.connect(scene.spike.proxyPort);
  client.write(`CONNECT 127.0.0.1:${server.port} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await client.see('hello');
  // A retransmission timer (01) may still run for bytes that were just sent; keep-alive follows it.
  const settles = async (port: number): Promise<void> => {
    while (!(await timersAt(port)).includes('02')) await delay(20);
  };
  await settles(scene.spike.proxyPort);
  await settles(upstreamPeerPort);
});

import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { DataPlaneHarness } from '../support/data-plane-harness.ts';
import { curlArgs, routeTo, useScene } from '../support/data-plane-test.ts';
import { callThrough } from '../support/proxy-client.ts';
import { runProgram } from '../support/run-program.ts';

const scene = useScene({}, { connectTimeoutMs: 400 });

interface Hostile {
  readonly name: string;
  readonly code: string;
  readonly bytes: string;
}
const hostile = JSON.parse(
  readFileSync(new URL('../fixtures/http1/requests-hostile.json', import.meta.url), 'utf8'),
) as Hostile[];

/** Those whose head is refused: nothing may have reached the upstream then. */
const refusedInHead = hostile.filter(
  ({ code, name, bytes }) =>
    !/^(chunk-|forbidden-trailer)/.test(code) &&
    !/chunk size|chunk ext|trailer|as second|HTTP\/2/i.test(name) &&
    !bytes.startsWith('\x16'),
);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('an upstream that cannot be reached', () => {
  it('is told in words and in a field: refused', async () => {
    const port = await freePort();
    const answer = await callThrough(scene.spike.proxy, `http://127.0.0.1:${port}/`);
    expect(answer).toMatchObject({ status: 502, headers: { 'spike-error': 'upstream-refused' } });
    expect(answer.body).toBe(
      `Spike: Nothing listens on 127.0.0.1:${port}: the connection was refused. Start the service, or correct the address.\n`,
    );
    const { flow, responseBody } = await scene.spike.flow();
    expect(flow.error).toMatchObject({ cause: 'upstream-refused', code: 'ECONNREFUSED' });
    expect(responseBody.toString()).toBe(answer.body);
  });

  it('is told: a name that is not found', async () => {
    const answer = await callThrough(scene.spike.proxy, 'http://no-such-name.invalid/');
    expect(answer).toMatchObject({ status: 502, headers: { 'spike-error': 'upstream-dns-failed' } });
    expect(answer.body).toContain('no-such-name.invalid could not be resolved');
  });

  it('is told: a port that does not accept, with 504', async () => {
    // A backlog of one that is full: the system lets further connections wait.
    const server = createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.on('connection', (socket) => scene.peers.also(() => void socket.destroy()));
    const unreachable = await runProgram('python3', [
      '-c',
      `import socket, subprocess, sys
l = socket.socket(); l.bind(('127.0.0.1', 0)); l.listen(0)
held = [socket.socket() for _ in range(4)]
for s in held: s.setblocking(False); s.connect_ex(l.getsockname())
print(subprocess.run(['curl', '-sS', '-i', '-m', '10', '-x', 'http://${scene.spike.proxy}', 'http://127.0.0.1:%d/' % l.getsockname()[1]], capture_output=True, text=True).stdout)`,
    ]);
    await new Promise((resolve) => server.close(resolve));
    expect(port).toBeGreaterThan(0);
    expect(unreachable.stdout).toMatch(/^HTTP\/1\.1 504 Gateway Timeout/);
    expect(unreachable.stdout).toContain('spike-error: upstream-connect-timeout');
    expect(unreachable.stdout).toContain('within 0.4 s');
  });
});

describe('an upstream that fails', () => {
  const ends: [string, (socket: Socket) => void, string][] = [
    ['closes before it answers', (socket) => socket.end(), 'upstream-closed-early'],
    ['resets before it answers', (socket) => socket.resetAndDestroy(), 'upstream-reset'],
    ['closes in its head', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Le'), 'upstream-closed-early'],
    [
      'greets in another protocol and waits',
      (socket) => void socket.write('SSH-2.0-OpenSSH_9.6\r\n'),
      'upstream-malformed-response',
    ],
    [
      'answers 101 unasked',
      (socket) =>
        socket.end(
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
        ),
      'upstream-malformed-response',
    ],
    [
      'answers with two lengths',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'),
      'upstream-malformed-response',
    ],
  ];
  it.each(ends)('%s: 502', async (_, end, cause) => {
    const server = await scene.peers.tcp((socket) => void socket.once('data', () => end(socket)));
    const answer = await callThrough(scene.spike.proxy, `http://127.0.0.1:${server.port}/`);
    expect(answer).toMatchObject({ status: 502, headers: { 'spike-error': cause } });
    expect(answer.body).toContain(`127.0.0.1:${server.port}`);
    expect((await scene.spike.flow()).flow.error?.cause).toBe(cause);
  });

  it.each([
    ['Content-Length: 10\r\n\r\nhalf', (socket: Socket) => socket.end(), '', 'upstream-closed-early'],
    [
      'Transfer-Encoding: chunked\r\n\r\n9\r\nhalf',
      (socket: Socket) => socket.end(),
      '',
      'upstream-closed-early',
    ],
    [
      'Transfer-Encoding: chunked\r\n\r\n4\r\nhalfXX',
      (socket: Socket) => socket.end(),
      '',
      'upstream-malformed-response',
    ],
    [
      'Content-Length: 10\r\n\r\nhalf',
      (socket: Socket) => socket.resetAndDestroy(),
      'ECONNRESET',
      'upstream-reset',
    ],
  ])('breaks off in the body %j', async (rest, end, closedBy, cause) => {
    const server = await scene.peers.answering(`HTTP/1.1 200 OK\r\n${rest}`, (socket) => {
      setTimeout(() => end(socket), 50);
    });
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const client = await scene.peers.connect(scene.spike.port('service'));
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await client.toClose()).toBe(closedBy);
    expect(client.text).toContain('half');
    const { flow, responseBody } = await scene.spike.flow();
    expect(flow).toMatchObject({ error: { cause }, http: { status: 200 } });
    expect(responseBody.toString().slice(0, 4)).toBe('half');
  });

  it('says more than its length: the rest goes nowhere and the connection is not used again', async () => {
    let connections = 0;
    const server = await scene.peers.tcp((socket) => {
      connections += 1;
      socket.on('data', () =>
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n'),
      );
    });
    const url = `http://127.0.0.1:${server.port}/`;
    expect((await callThrough(scene.spike.proxy, url)).body).toBe('ok');
    expect((await callThrough(scene.spike.proxy, url)).body).toBe('ok');
    expect(connections).toBe(2);
  });
});

describe('requests that could be read in two ways', () => {
  it('are many', () => expect(refusedInHead.length).toBeGreaterThan(60));

  it('are refused, shown, and reach nobody', async () => {
    let reached = '';
    const server = await scene.peers.tcp((socket) =>
      socket.on('data', (chunk) => (reached += chunk.toString())),
    );
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    for (const { name, bytes } of refusedInHead) {
      const client = await scene.peers.connect(scene.spike.port('service'));
      client.write(bytes).end();
      const text = await client.toEnd();
      expect(text, name).toMatch(/^HTTP\/1\.1 (400|414|431|501|505) /);
      expect(text.match(/^HTTP\/1\.1 /gm), name).toHaveLength(1);
    }
    const seen = await scene.spike.flows(refusedInHead.length);
    seen.forEach(({ flow }, index) => {
      const { name, bytes } = refusedInHead[index] as Hostile;
      expect(flow.kind, name).toBe('refused');
      expect(flow.error?.cause, name).toMatch(/^client-(malformed-request|limit-exceeded)$/);
      expect(bytes, name).toContain(flow.rawHead ?? 'no raw head');
    });
    expect(reached).toBe('');
  });

  it('are ended where they stand when they come behind a good one', async () => {
    const heads: string[] = [];
    const server = await scene.peers.http((asked, response) => {
      heads.push(`${asked.method} ${asked.url}`);
      response.end('fine');
    });
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const client = await scene.peers.connect(scene.spike.port('service'));
    const smuggled = 'POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n';
    client.write(`GET /1 HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}0\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect((await client.toEnd()).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
    expect(heads).toEqual(['GET /1']);
  });

  it('end the call when the body turns out to be one of them', async () => {
    const server = await scene.peers.tcp(() => undefined);
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const client = await scene.peers.connect(scene.spike.port('service'));
    client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n');
    await client.toClose();
    const { flow } = await scene.spike.flow();
    expect(flow).toMatchObject({ kind: 'http', error: { cause: 'client-malformed-request' } });
  });

  it.each(['GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 'hello\r\n'])(
    'what the proxy port cannot forward is refused once: %j',
    async (bytes) => {
      const client = await scene.peers.connect(scene.spike.proxyPort);
      client.write(`${bytes}Transfer-Encoding: chunked\r\n\r\nZZ\r\n`);
      const text = await client.toEnd();
      expect(text.match(/HTTP\/1\.1 400/g)).toHaveLength(1);
      expect((await scene.spike.flow()).flow.kind).toBe('refused');
    },
  );
});

describe('the ports of Spike itself', () => {
  const spellings = [
    '127.0.0.1',
    'localhost',
    '127.1',
    '127.9.9.9',
    '0.0.0.0',
    '[::ffff:127.0.0.1]',
    '2130706433',
    '0x7f000001',
    '0',
  ];
  it.each(spellings)('are not called as %s, in either form', async (host) => {
    const own = `${host}:${scene.spike.proxyPort}`;
    const plain = await callThrough(scene.spike.proxy, `http://${scene.spike.proxy}/`, {}).catch(() => null);
    expect(plain?.status).toBe(403);
    const raw = await scene.peers.connect(scene.spike.proxyPort);
    raw.write(`GET http://${own}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(await raw.toEnd()).toMatch(/spike-error: upstream-(forbidden|refused)/);
    const tunnel = await scene.peers.connect(scene.spike.proxyPort);
    tunnel.write(`CONNECT ${own} HTTP/1.1\r\nHost: ${own}\r\n\r\n`);
    const head = await tunnel.see('\r\n\r\n');
    if (!head.startsWith('HTTP/1.1 200')) expect(head).toMatch(/^HTTP\/1\.1 403 .*upstream-forbidden/s);
    else {
      tunnel.write(`GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: a\r\n\r\n`);
      expect(await tunnel.see('spike-error')).toMatch(/upstream-(forbidden|refused)/);
    }
    for (const { flow } of scene.spike.ended) {
      expect(flow.error?.cause).toMatch(/^upstream-(forbidden|refused)$/);
    }
  });

  it('are not called by another address of this machine when they are bound to all', async () => {
    await using open = await DataPlaneHarness.start({ proxyListen: '0.0.0.0:0' });
    const other = Object.values(networkInterfaces())
      .flat()
      .find((one) => one !== undefined && one.family === 'IPv4' && !one.internal);
    const host = other?.address ?? '127.0.0.2';
    const answer = await callThrough(`127.0.0.1:${open.proxyPort}`, `http://${host}:${open.proxyPort}/`);
    expect(answer.headers['spike-error']).toBe('upstream-forbidden');
  });

  it('include the control port', async () => {
    const control = await scene.peers.http((_, response) => response.end('secret'));
    await scene.spike.configure({ forbiddenUpstreams: [`127.0.0.1:${control.port}`] });
    const answer = await callThrough(scene.spike.proxy, `http://localhost:${control.port}/`);
    expect(answer.headers['spike-error']).toBe('upstream-forbidden');
  });
});

describe('a configuration that changes under way', () => {
  it('adds, moves and removes routes; calls at hand end as they began', async () => {
    const one = await scene.peers.http((_, response) => setTimeout(() => response.end('one'), 200));
    const two = await scene.peers.http((_, response) => response.end('two'));
    await scene.spike.configure({ routes: [routeTo(one.port)] });
    const listen = scene.spike.address('service');
    const kept = await scene.peers.connect(scene.spike.port('service'));
    kept.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await delay(50);
    await scene.spike.configure({ routes: [{ ...routeTo(two.port), listen }] });
    expect(await kept.toEnd()).toMatch(/one$/);
    const { stdout } = await runProgram('curl', ['-sS', `http://${listen}/`]);
    expect(stdout).toBe('two');
    await scene.spike.configure({ routes: [] });
    expect((await runProgram('curl', ['-sS', `http://${listen}/`])).exitCode).toBe(7);
    await scene.spike.configure({ routes: [{ ...routeTo(two.port), name: 'again', listen }] });
    expect((await runProgram('curl', ['-sS', `http://${listen}/`])).stdout).toBe('two');
    expect((await scene.spike.flows(3)).map(({ flow }) => flow.route)).toEqual([
      'service',
      'service',
      'again',
    ]);
  });

  it('reports a port that is taken, and serves the others', async () => {
    const taken = await scene.peers.http();
    const server = await scene.peers.http((_, response) => response.end('ok'));
    const routes = [
      { name: 'taken', listen: `127.0.0.1:${taken.port}`, upstream: 'http://127.0.0.1:1' },
      routeTo(server.port),
    ];
    await scene.spike.configure({ routes });
    expect(scene.spike.addresses.has('taken')).toBe(false);
    const url = `http://127.0.0.1:${server.port}/`;
    expect((await runProgram('curl', curlArgs(scene.spike, url))).stdout).toBe('ok');
  });
});

import { createHash, randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { curlArgs, routeTo, useScene } from '../support/data-plane-test.ts';
import { callThrough, oneConnection } from '../support/proxy-client.ts';
import { isInstalled, runProgram } from '../support/run-program.ts';

const scene = useScene();

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function sha(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Heads that a raw server saw, one text each. */
async function headRecorder(answer: string) {
  const heads: string[] = [];
  const server = await scene.peers.tcp((socket) => {
    let seen = '';
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString('latin1');
      for (let end = seen.indexOf('\r\n\r\n'); end >= 0; end = seen.indexOf('\r\n\r\n')) {
        heads.push(seen.slice(0, end + 4));
        seen = seen.slice(end + 4);
        socket.write(answer);
      }
    });
    socket.on('end', () => socket.end());
  });
  return { heads, port: server.port };
}

describe('how requests go on', () => {
  it('sends an absolute-form request in origin-form, fields in their order, case and number', async () => {
    const { heads, port } = await headRecorder('HTTP/1.1 204 No Content\r\n\r\n');
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write(
      `GET http://127.0.0.1:${port}/a?b=%20#`.slice(0, -1) +
        ` HTTP/1.1\r\nhOST: other\r\nX-b: 1\r\nX-A: 2\r\nx-B:   3  \r\nConnection: x-hop, close\r\nX-Hop: gone\r\n` +
        `Proxy-Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nProxy-Authorization: Basic YTpi\r\nTE: gzip, trailers\r\n\r\n`,
    );
    await client.toEnd();
    expect(heads[0]?.split('\r\n').filter((line) => !/^connection/i.test(line))).toEqual([
      'GET /a?b=%20 HTTP/1.1',
      `hOST: 127.0.0.1:${port}`,
      'X-b: 1',
      'X-A: 2',
      'x-B: 3',
      'TE: trailers',
      '',
      '',
    ]);
    const { flow } = await scene.spike.flow();
    expect(flow.http?.url).toBe(`http://127.0.0.1:${port}/a?b=%20`);
    expect(flow.caller).toMatchObject({ name: 'a', resolvedBy: 'proxy-user' });
  });

  it('keeps what a route is asked byte for byte', async () => {
    const { heads, port } = await headRecorder('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    await scene.spike.configure({ routes: [routeTo(port)] });
    const head = 'GET /x HTTP/1.1\r\nhost: Anything:1\r\nB: 2\r\nA: 1\r\nB: 3\r\nX-Long: \xe4\xf6\r\n\r\n';
    const client = await scene.peers.connect(scene.spike.port('service'));
    for (let at = 0; at < head.length; at++) client.write(head[at] as string);
    await client.see('\r\n\r\n');
    expect(heads).toEqual([head]);
    const { flow } = await scene.spike.flow();
    expect(flow).toMatchObject({ route: 'service', callee: { name: 'service', resolvedBy: 'route' } });
    expect(flow.sizes.requestHead).toBe(head.length);
  });

  it('serves curl, python and node through the proxy and by a route', async () => {
    const server = await scene.peers.http((asked, response) => response.end(`${asked.method} ${asked.url}`));
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const url = `http://127.0.0.1:${server.port}/hello`;
    const curl = await runProgram('curl', curlArgs(scene.spike, url, url));
    expect(curl.stdout).toBe('GET /helloGET /hello');
    const byRoute = `http://${scene.spike.address('service')}/route`;
    expect((await runProgram('curl', ['-sS', '-0', byRoute])).stdout).toBe('GET /route');
    expect((await callThrough(scene.spike.proxy, url, { caller: 'web' })).body).toBe('GET /hello');
    if (isInstalled('python3')) {
      const program = `import http.client as h
c = h.HTTPConnection('127.0.0.1', ${scene.spike.proxyPort}); c.request('GET', '${url}'); print(c.getresponse().read().decode())`;
      expect((await runProgram('python3', ['-c', program])).stdout).toBe('GET /hello\n');
    }
    const seen = await scene.spike.flows(4);
    expect(new Set(seen.map(({ flow }) => flow.http?.status))).toEqual(new Set([200]));
  });
});

describe('connections', () => {
  it('answers 20 pipelined requests in order, slow ones among them, and does not ask ahead', async () => {
    let open = 0;
    let most = 0;
    const server = await scene.peers.http((asked, response) => {
      most = Math.max(most, ++open);
      const slow = Number(asked.url?.slice(1)) % 5 === 0 ? 30 : 0;
      setTimeout(() => {
        open -= 1;
        response.end(`<${asked.url}>`);
      }, slow);
    });
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const client = await scene.peers.connect(scene.spike.port('service'));
    const urls = Array.from({ length: 20 }, (_, index) => `/${index}`);
    client.write(urls.map((url) => `GET ${url} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    const text = await client.see('</19>');
    expect(text.match(/<[^>]+>/g)).toEqual(urls.map((url) => `<${url}>`));
    expect(most).toBe(1);
    const seen = await scene.spike.flows(20);
    expect(new Set(seen.map(({ flow }) => flow.connectionId)).size).toBe(1);
    expect(seen.filter(({ flow }) => flow.upstream?.reused === true)).toHaveLength(19);
  });

  it('answers the pipelined requests of a client that has closed its half', async () => {
    const server = await scene.peers.http((asked, response) => {
      setTimeout(() => response.end(`<${asked.url}>`), 20);
    });
    // As it is made, node:http takes a client that says no more for gone, with or without Spike.
    Object.assign(server, { httpAllowHalfOpen: true });
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const client = await scene.peers.connect(scene.spike.port('service'));
    client.write('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n').end();
    expect((await client.toEnd()).match(/<[^>]+>/g)).toEqual(['</1>', '</2>']);
  });

  it('does not read on while a client leaves its answers untaken', async () => {
    let asked = 0;
    const body = Buffer.alloc(65_536, 'x');
    const server = await scene.peers.http((_, response) => {
      asked += 1;
      response.end(body);
    });
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const client = await scene.peers.connect(scene.spike.port('service'));
    client.socket.pause();
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2000));
    await delay(500);
    const before = asked;
    await delay(300);
    expect(asked).toBe(before);
    expect(asked).toBeLessThan(500);
    client.socket.resume();
    await scene.spike.flows(2000);
  });

  it('keeps connections on both sides, and ends its own when the client wants that', async () => {
    let connections = 0;
    const server = await scene.peers.http((_, response) => response.end('ok'));
    server.on('connection', () => (connections += 1));
    const agent = oneConnection();
    const url = `http://127.0.0.1:${server.port}/`;
    for (let turn = 0; turn < 5; turn++) await callThrough(scene.spike.proxy, url, { agent });
    agent.destroy();
    expect(connections).toBe(1);
    const last = await callThrough(scene.spike.proxy, url, { headers: { connection: 'close' } });
    expect(last.headers.connection).toBe('close');
    expect(connections).toBe(1);
    const ids = (await scene.spike.flows(6)).map(({ flow }) => flow.connectionId);
    expect(new Set(ids).size).toBe(2);
  });

  it.each([
    ['without keep-alive', '', true],
    ['with keep-alive', 'Connection: keep-alive\r\n', false],
  ])('serves HTTP/1.0 %s', async (_, field, closes) => {
    const server = await scene.peers.answering(
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      () => undefined,
    );
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const client = await scene.peers.connect(scene.spike.port('service'));
    client.write(`GET / HTTP/1.0\r\n${field}\r\n`);
    const text = closes ? await client.toEnd() : await client.see('\r\n\r\nok');
    expect(text).toContain(closes ? 'Connection: close\r\n' : 'Connection: keep-alive\r\n');
    if (closes) return;
    client.write(`GET / HTTP/1.0\r\n\r\n`);
    expect(await client.toEnd()).toContain('Connection: close\r\n');
  });

  it('gives up a reused connection that has gone stale: again for GET, a 502 for POST', async () => {
    let connections = 0;
    const server = await scene.peers.tcp((socket) => {
      connections += 1;
      let requests = 0;
      socket.on('data', () => {
        // The second request on a connection meets a RST: as when a keep-alive time-out has just run out.
        if (++requests === 2) return socket.resetAndDestroy();
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
      socket.on('end', () => socket.end());
    });
    const url = `http://127.0.0.1:${server.port}/`;
    expect((await callThrough(scene.spike.proxy, url)).body).toBe('ok');
    expect((await callThrough(scene.spike.proxy, url)).body).toBe('ok');
    expect(connections).toBe(2);
    const post = await callThrough(scene.spike.proxy, url, { method: 'POST', body: '1' });
    expect(post.status).toBe(502);
    expect(post.headers['spike-error']).toBe('upstream-reset');
    expect(connections).toBe(2);
  });
});

describe('framing', () => {
  const chunked = '4;a="x;y"\r\nWiki\r\n6;b\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nX-Sum: 1\r\n\r\n';

  it('passes chunks with extensions and trailers as they are, in both directions, and captures the content', async () => {
    let sent = '';
    const answer = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n${chunked}`;
    const server = await scene.peers.tcp((socket) =>
      socket.on('data', (chunk: Buffer) => {
        sent += chunk.toString('latin1');
        if (sent.endsWith('X-Sum: 1\r\n\r\n')) socket.write(answer);
      }),
    );
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const client = await scene.peers.connect(scene.spike.port('service'));
    const asked = `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`;
    client.write(asked);
    expect(await client.until((text) => text.endsWith('X-Sum: 1\r\n\r\n'))).toBe(answer);
    expect(sent).toBe(asked);
    const seen = await scene.spike.flow();
    expect(seen.requestBody.toString()).toBe('Wikipedia in \r\n\r\nchunks.');
    expect(seen.responseBody.toString()).toBe('Wikipedia in \r\n\r\nchunks.');
    expect(seen.flow.http?.trailers).toEqual([['X-Sum', '1']]);
    expect(seen.flow.sizes).toMatchObject({ requestBody: 24, responseBody: 24 });
  });

  it.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n'],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nETag: "x"\r\n\r\n'],
  ])('takes no body for granted: %s %j', async (method, answer) => {
    const server = await scene.peers.answering(answer, () => undefined);
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const client = await scene.peers.connect(scene.spike.port('service'));
    const head = `${method} / HTTP/1.1\r\nHost: a\r\n\r\n`;
    client.write(head + head);
    expect(await client.until((text) => text.length >= 2 * answer.length)).toBe(answer + answer);
    const [first, second] = await scene.spike.flows(2);
    expect(first?.flow.http?.responseBody).toBe('none');
    expect(second?.flow.upstream?.reused).toBe(true);
  });

  it('ends a body that lasts until close with the end of the connection', async () => {
    const server = await scene.peers.answering('HTTP/1.0 200 OK\r\n\r\nuntil the end');
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const client = await scene.peers.connect(scene.spike.port('service'));
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await client.toEnd()).toMatch(/Connection: close\r\n\r\nuntil the end$/);
    expect((await scene.spike.flow()).responseBody.toString()).toBe('until the end');
  });

  it('waits with the body for a 100, over a connection that has to be made first', async () => {
    const server = await scene.peers.http();
    server.on('checkContinue', (asked: IncomingMessage, response) => {
      response.writeContinue();
      void bodyOf(asked).then((body) => response.end(`got ${body.length}`));
    });
    const sent = request({
      port: scene.spike.proxyPort,
      method: 'POST',
      path: `http://127.0.0.1:${server.port}/`,
      headers: { host: 'x', expect: '100-continue', 'content-length': 5 },
      agent: false,
    });
    const order: string[] = [];
    sent.on('continue', () => {
      order.push('100');
      sent.end('12345');
    });
    sent.flushHeaders();
    const answer = await new Promise<IncomingMessage>((resolve) => sent.on('response', resolve));
    expect([...order, (await bodyOf(answer)).toString()]).toEqual(['100', 'got 5']);
    expect((await scene.spike.flow()).requestBody.toString()).toBe('12345');
  });

  it('passes a 417 on and asks for no body', async () => {
    const server = await scene.peers.answering(
      'HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n',
      () => undefined,
    );
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const client = await scene.peers.connect(scene.spike.port('service'));
    client.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n');
    const text = await client.toEnd();
    expect(text).toMatch(/^HTTP\/1.1 417 /);
    expect(text).toContain('Connection: close');
  });
});

describe('large bodies', () => {
  const large = randomBytes(10 * 1024 * 1024);

  it('carries 10 MiB up and down unchanged, with slow readers at both ends and little memory', async () => {
    const server = await scene.peers.http((asked, response) => {
      const hash = createHash('sha256');
      // A slow reader: takes a piece every 2 ms.
      asked.on('data', (chunk: Buffer) => {
        hash.update(chunk);
        asked.pause();
        setTimeout(() => asked.resume(), 2);
      });
      asked.on('end', () => {
        response.setHeader('x-hash', hash.digest('hex'));
        response.end(large);
      });
    });
    const before = process.memoryUsage().arrayBuffers;
    const sent = request({
      port: scene.spike.proxyPort,
      method: 'PUT',
      path: `http://127.0.0.1:${server.port}/`,
      headers: { host: 'x', 'content-length': large.length },
      agent: false,
    });
    sent.end(large);
    const answer = await new Promise<IncomingMessage>((resolve) => sent.on('response', resolve));
    expect(answer.headers['x-hash']).toBe(sha(large));
    answer.pause();
    await delay(300);
    // The answer waits in the sockets, not in Spike: what is held besides is the captured request.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(40 * 1024 * 1024);
    expect(sha(await bodyOf(answer))).toBe(sha(large));
    const seen = await scene.spike.flow();
    expect(seen.flow.sizes).toMatchObject({ requestBody: large.length, responseBody: large.length });
    expect(sha(seen.responseBody)).toBe(sha(large));
  });

  it('stops reading from the upstream while the client does not read', async () => {
    let written = 0;
    const server = await scene.peers.tcp((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n');
        const pump = (): void => {
          while (written < 104_857_600 && socket.writable) {
            written += 65_536;
            if (!socket.write(Buffer.alloc(65_536))) return void socket.once('drain', pump);
          }
        };
        pump();
      });
    });
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const client = await scene.peers.connect(scene.spike.port('service'));
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.see('\r\n\r\n');
    client.socket.pause();
    await delay(700);
    const before = written;
    await delay(300);
    expect(written).toBe(before);
    expect(written).toBeLessThan(60_000_000);
    client.socket.destroy();
    const { flow } = await scene.spike.flow();
    expect(flow.error?.cause).toBe('client-closed');
  });

  it('sends the whole of a last answer to a client that reads it slowly', async () => {
    const body = randomBytes(3_000_000);
    const server = await scene.peers.http((_, response) => response.end(body));
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.socket.pause();
    client.write(`GET http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const timer = setInterval(() => {
      client.socket.resume();
      setTimeout(() => client.socket.pause(), 5);
    }, 100);
    scene.peers.also(() => clearInterval(timer));
    await delay(1800);
    clearInterval(timer);
    await delay(10);
    client.socket.resume();
    await client.toEnd();
    expect(sha(client.bytes.subarray(-body.length))).toBe(sha(body));
  });

  it('passes an answer on that comes while the upload is going on', async () => {
    const server = await scene.peers.tcp((socket) => {
      socket.once('data', () =>
        socket.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nmuch'),
      );
    });
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const client = await scene.peers.connect(scene.spike.port('service'));
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n');
    client.write(Buffer.alloc(1_000_000));
    expect(await client.see('much')).toMatch(/^HTTP\/1.1 413 /);
    const { flow } = await scene.spike.flow();
    expect(flow).toMatchObject({ error: null, http: { status: 413 } });
  });
});

describe('flows', () => {
  it('have timings that add up, and are reported while they are open', async () => {
    const server = await scene.peers.http((_, response) => setTimeout(() => response.end('late'), 700));
    const agent = new Agent({ keepAlive: true });
    const url = `http://localhost:${server.port}/`;
    await callThrough(scene.spike.proxy, url, { agent });
    agent.destroy();
    const { flow } = await scene.spike.flow();
    const { blocked, dns, connect, send, wait, receive } = flow.timings;
    const parts = [blocked, dns, connect, send, wait, receive].map((part) => part ?? 0);
    expect(Math.min(...parts)).toBeGreaterThanOrEqual(0);
    expect(wait).toBeGreaterThan(600);
    expect(flow.timings.tls).toBeNull();
    expect(parts.reduce((sum, part) => sum + part, 0)).toBeLessThanOrEqual((flow.durationMs ?? 0) + 1);
    expect(scene.spike.open.filter((report) => report.id === flow.id).length).toBeGreaterThan(0);
    expect(scene.spike.open[0]).toMatchObject({ durationMs: null, http: { status: null, method: 'GET' } });
  });

  it('tell when a client gave up, and when Spike stopped', async () => {
    const server = await scene.peers.tcp(() => undefined);
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const head = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    const client = await scene.peers.connect(scene.spike.port('service'));
    client.write(head);
    await delay(50);
    client.socket.resetAndDestroy();
    expect((await scene.spike.flow()).flow.error?.cause).toBe('client-closed');
    const other = await scene.peers.connect(scene.spike.port('service'));
    other.write(head);
    await delay(50);
    await scene.spike.plane.close();
    expect((await scene.spike.flows(2))[1]?.flow.error?.cause).toBe('spike-stopping');
  });

  it('leave nobody waiting when Spike drains', async () => {
    const server = await scene.peers.http((_, response) => setTimeout(() => response.end('done'), 200));
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const silent = await scene.peers.connect(scene.spike.port('service'));
    const idle = await scene.peers.connect(scene.spike.port('service'));
    idle.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await idle.see('done');
    const busy = await scene.peers.connect(scene.spike.port('service'));
    busy.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await delay(50);
    const drained = scene.spike.plane.drain();
    expect(await busy.toEnd()).toMatch(/Connection: close\r\n\r\n.*done/s);
    await Promise.all([silent.toEnd(), idle.toEnd()]);
    await drained;
    expect(scene.spike.plane.openConnections()).toBe(0);
  });
});

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { FaultInput } from '../../src-shared/rules/fault.ts';
import type { AppliedFault } from '../../src-shared/flow/flow.ts';
import type { RuleText } from '../support/data-plane-harness.ts';
import { curlArgs, routeTo, useScene } from '../support/data-plane-test.ts';
import { runProgram, startProgram } from '../support/run-program.ts';

const scene = useScene();

function rule(...faults: FaultInput[]): RuleText {
  return { name: 'rule', faults };
}

/** A service, a route to it, and rules over both. */
async function serve(answer: RequestListener, ...rules: RuleText[]): Promise<string> {
  const { port } = await scene.peers.http(answer);
  await scene.spike.configure({ routes: [routeTo(port)], rules });
  return `http://127.0.0.1:${port}/`;
}

const plain: RequestListener = (request, response) => {
  request.resume();
  response.end('hello');
};

function curl(...args: string[]) {
  return runProgram('curl', curlArgs(scene.spike, ...args));
}

/** What the one rule did to the one call. */
async function marks(): Promise<readonly AppliedFault[]> {
  return (await scene.spike.flow()).flow.faults;
}

describe('delay', () => {
  it('holds the first byte', async () => {
    const url = await serve(plain, rule({ type: 'delay', delayMs: 250 }));
    const { stdout } = await curl('-w', ' %{time_starttransfer}', url);
    const [body, seconds] = stdout.split(' ');
    expect(body).toBe('hello');
    expect(Number(seconds)).toBeGreaterThanOrEqual(0.249);
    expect(await marks()).toMatchObject([{ type: 'delay', outcome: 'done', direction: 'response' }]);
  });

  it('lets the head pass and holds the body', async () => {
    const url = await serve(plain, rule({ type: 'delay', what: 'body', delayMs: 60_000 }));
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write(`GET ${url} HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(await client.see('\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/);
    await scene.spike.until(() => scene.spike.open[0]?.faults[0]?.outcome === 'acting');
    expect(await scene.spike.configure({ rules: [] })).toBe(1);
    expect(await client.see('hello')).toMatch(/\r\n\r\nhello$/);
    const [mark] = await marks();
    expect(mark?.note).toMatch(/^held the body of the response for \d+ ms$/);
  });

  it('holds the body for so long', async () => {
    const url = await serve(plain, rule({ type: 'delay', what: 'body', delayMs: 400 }));
    expect((await curl(url)).stdout).toBe('hello');
    const [mark] = await marks();
    expect(mark?.delayedMs).toBeGreaterThanOrEqual(399);
    expect(mark?.outcome).toBe('done');
  });
});

describe('slow head', () => {
  it('trickles the head, and the body follows at once', async () => {
    const url = await serve(plain, rule({ type: 'slow-head', bytesPerSecond: 1000 }));
    const { stdout } = await curl('-i', '-w', ' %{time_total}', url);
    const seconds = Number(stdout.split(' ').at(-1));
    const headBytes = stdout.indexOf('\r\n\r\n') + 4;
    expect(seconds).toBeGreaterThanOrEqual(headBytes / 1000 - 0.03);
    expect(await marks()).toMatchObject([{ type: 'slow-head', bytes: headBytes, outcome: 'done' }]);
  });

  it('trickles the head of a request', async () => {
    const url = await serve(plain, rule({ type: 'slow-head', direction: 'request', bytesPerSecond: 500 }));
    const { stdout } = await curl('-d', 'x'.repeat(5000), url);
    expect(stdout).toBe('hello');
    const [mark] = await marks();
    expect(mark?.delayedMs).toBeGreaterThanOrEqual(((mark?.bytes ?? 0) / 500) * 1000 - 30);
  });
});

describe('headers', () => {
  it('sets and removes fields of the answer', async () => {
    const answer: RequestListener = (_request, response) => {
      response.setHeader('Set-Cookie', ['a=1', 'b=2']);
      response.setHeader('X-Old', '1');
      response.end('hello');
    };
    const change: FaultInput = {
      type: 'headers',
      set: { 'x-new': 'yes', 'x-old': '2' },
      remove: ['set-cookie'],
    };
    const { stdout } = await curl('-i', await serve(answer, rule(change)));
    expect(stdout).toMatch(/\r\nX-Old: 2\r\n/);
    expect(stdout).toMatch(/\r\nx-new: yes\r\n/);
    expect(stdout).not.toMatch(/set-cookie/i);
    expect(stdout.endsWith('\r\n\r\nhello')).toBe(true);
    expect((await marks())[0]?.note).toBe('set x-new, x-old, removed set-cookie in the response');
  });

  it('sets and removes fields of the request', async () => {
    let seen: unknown = null;
    const answer: RequestListener = (request, response) => {
      seen = { ...request.headers };
      plain(request, response);
    };
    const set = { authorization: 'Bearer wrong', host: 'elsewhere.example' };
    const url = await serve(answer, rule({ type: 'headers', direction: 'request', set, remove: ['accept'] }));
    expect((await curl('-d', 'x=1', url)).stdout).toBe('hello');
    expect(seen).toMatchObject({ ...set, 'content-length': '3' });
    expect(seen).not.toHaveProperty('accept');
  });
});

describe('wrong length', () => {
  it.each([
    ['of a known length', plain],
    [
      'in chunks',
      (_request, response) => {
        response.write('hel');
        response.end('lo');
      },
    ],
  ] as [string, RequestListener][])('too long, %s: curl sees the end before it', async (_what, answer) => {
    const url = await serve(answer, rule({ type: 'wrong-length', by: 7 }));
    const { exitCode, stdout } = await curl('-i', url);
    expect(exitCode).toBe(18);
    expect(stdout).toMatch(/content-length: 12\r\n/i);
    expect(stdout).not.toMatch(/transfer-encoding/i);
    const [mark] = await marks();
    expect(mark).toMatchObject({ bytes: 12, outcome: 'done' });
    expect(mark?.note).toBe('said 12 bytes of a body that has 5 bytes');
  });

  it('too short: curl takes less', async () => {
    const url = await serve(plain, rule({ type: 'wrong-length', by: -2 }));
    expect(await curl(url)).toMatchObject({ exitCode: 0, stdout: 'hel' });
  });

  it('may keep the client waiting until it gives up, or the rule is turned off', async () => {
    const url = await serve(plain, rule({ type: 'wrong-length', by: 7, then: 'wait' }));
    const givenUp = startProgram('curl', curlArgs(scene.spike, '-N', url));
    await expect.poll(givenUp.stdout, { timeout: 20_000 }).toBe('hello');
    await givenUp.giveUp();
    const waiting = curl(url);
    await scene.spike.until(() => scene.spike.open.some(({ http }) => http?.status === 200));
    await scene.spike.configure({ rules: [] });
    expect((await waiting).exitCode).toBe(18);
  });
});

describe('body', () => {
  it('is replaced, whatever its framing', async () => {
    const chunked: RequestListener = (_request, response) => {
      response.write('hel');
      response.end('lo');
    };
    const url = await serve(chunked, rule({ type: 'body', text: 'something else' }));
    const { stdout } = await curl('-i', url, url);
    expect(stdout.match(/content-length: 14\r\n/gi)).toHaveLength(2);
    expect(stdout.endsWith('something else')).toBe(true);
    expect((await marks())[0]?.note).toBe('replaced the body of the response by 14 bytes');
  });

  it.each(['gzip', 'br', 'zstd', 'deflate'] as const)(
    'is changed under %s, and compressed again',
    async (coding) => {
      const compress = {
        gzip: gzipSync,
        br: brotliCompressSync,
        zstd: zstdCompressSync,
        deflate: deflateSync,
      };
      const answer: RequestListener = (_request, response) => {
        response.setHeader('content-encoding', coding);
        response.end(compress[coding](Buffer.from('{"id":12345678901234567890,"price":10}')));
      };
      const text = JSON.stringify([{ op: 'replace', path: '/price', value: 99 }]);
      const url = await serve(answer, rule({ type: 'body', how: 'json-patch', text }));
      const { stdout } = await curl('-i', '--compressed', url);
      expect(stdout).toContain(`content-encoding: ${coding}\r\n`);
      expect(stdout.endsWith('{"id":12345678901234567890,"price":99}')).toBe(true);
    },
  );

  it('of a request is changed by an expression, with its length', async () => {
    let seen = '';
    const answer: RequestListener = (request, response) => {
      request.on('data', (bytes: Buffer) => (seen += bytes.toString()));
      request.on('end', () => response.end(request.headers['content-length']));
    };
    const change: FaultInput = {
      type: 'body',
      direction: 'request',
      how: 'regex',
      pattern: '(\\d+)',
      text: '<$1>',
    };
    const { stdout } = await curl('-d', 'a=1&b=22', await serve(answer, rule(change)));
    expect([stdout, seen]).toEqual(['12', 'a=<1>&b=<22>']);
  });

  it('of a client that waits to be told to send it, is asked for', async () => {
    const answer: RequestListener = (request, response) => void request.pipe(response);
    const change: FaultInput = { type: 'body', direction: 'request', how: 'regex', pattern: 'a', text: 'b' };
    const waits = ['-H', 'Expect: 100-continue', '--expect100-timeout', '600', '-d', 'aaa'];
    expect(await curl(...waits, await serve(answer, rule(change)))).toMatchObject({
      exitCode: 0,
      stdout: 'bbb',
    });
  });

  it('is replaced in answers with a status that a rule waits for', async () => {
    const url = await serve(plain, { ...rule({ type: 'body', text: 'new' }), match: { status: '2xx' } });
    expect((await curl(url)).stdout).toBe('new');
  });

  it('that is too long passes as it is, and the mark says so', async () => {
    const long = Buffer.alloc(11 * 1024 ** 2, 'a');
    const answer: RequestListener = (_request, response) => {
      response.write(long.subarray(0, 1));
      response.end(long.subarray(1));
    };
    const url = await serve(answer, rule({ type: 'body', how: 'regex', pattern: 'a', text: 'b' }));
    const { stdout } = await curl('-o', '/dev/null', '-w', '%{size_download}', url);
    expect(Number(stdout)).toBe(long.length);
    expect((await marks())[0]?.note).toBe('left the response as it was: it is longer than 10,485,760 bytes');
  });
});

describe('bad chunk', () => {
  it.each([
    ['bad-size', 56, 'he'],
    ['short-chunk', 18, 'hello'],
    ['missing-end', 18, 'hello'],
  ] as const)('%s: curl ends with %i', async (how, exitCode, stdout) => {
    const url = await serve(plain, rule({ type: 'bad-chunk', how }));
    expect(await curl(url)).toMatchObject({ exitCode, stdout });
    expect(await marks()).toMatchObject([{ bytes: 5, outcome: 'done' }]);
  });
});

describe('truncated gzip', () => {
  it('ends early, with a framing that says that it is whole', async () => {
    const answer: RequestListener = (_request, response) => void response.end('hello '.repeat(5000));
    const url = await serve(answer, rule({ type: 'truncated-gzip', keepPercent: 40 }));
    // curl itself takes what there is, and finds nothing wrong with it: gzip does.
    const folder = await mkdtemp(join(tmpdir(), 'spike-gzip-'));
    const file = join(folder, 'answer.gz');
    const { exitCode, stdout } = await curl('-D', '-', '-o', file, url);
    const tested = await runProgram('gzip', ['-t', file]);
    const bytes = await readFile(file);
    await rm(folder, { recursive: true });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('content-encoding: gzip\r\n');
    expect(tested.stderr).toContain('unexpected end of file');
    const [mark] = await marks();
    expect(mark).toMatchObject({ type: 'truncated-gzip', bytes: bytes.length, outcome: 'done' });
  });
});

describe('a quota', () => {
  it('answers what is beyond it with 429, and says when to come again', async () => {
    const trigger = { rate: '2/m' };
    const url = await serve(plain, { ...rule({ type: 'status', status: 429 }), trigger });
    const codes: string[] = [];
    let last = '';
    for (let call = 0; call < 3; call += 1) {
      last = (await curl('-i', url)).stdout;
      codes.push(last.slice(9, 12));
    }
    expect(codes).toEqual(['200', '200', '429']);
    const seconds = Number(/retry-after: (\d+)\r\n/.exec(last)?.[1]);
    expect(seconds).toBeGreaterThan(50);
    expect(seconds).toBeLessThanOrEqual(60);
  });

  it('of a rule that says itself when, says that', async () => {
    const fault: FaultInput = { type: 'status', status: 503, headers: { 'Retry-After': '7' } };
    const url = await serve(plain, { ...rule(fault), trigger: { rate: '1/h' } });
    await curl(url);
    const { stdout } = await curl('-i', url);
    expect(stdout.match(/retry-after: .*/gi)).toEqual(['Retry-After: 7']);
  });
});

describe('another upstream', () => {
  const named =
    (name: string): RequestListener =>
    (request, response) => {
      request.resume();
      request.on('end', () => response.end(`${name} ${request.headers.host} ${request.url}`));
    };

  it('gets the call in place of the one that was meant, with its own name in Host', async () => {
    const other = await scene.peers.http(named('other'));
    const to = `http://127.0.0.1:${other.port}`;
    const url = await serve(named('meant'), rule({ type: 'redirect-upstream', to }));
    expect((await curl('-d', 'x', `${url}path?q`)).stdout).toBe(`other 127.0.0.1:${other.port} /path?q`);
    const { flow } = await scene.spike.flow();
    expect(flow.http?.url).toBe(`${url}path?q`);
    expect(flow.upstream?.address).toBe(`127.0.0.1:${other.port}`);
    expect(flow.faults).toMatchObject([
      { type: 'redirect-upstream', note: `sent the call to ${to}`, outcome: 'done' },
    ]);
  });

  it('is also reached from a route and with a rule for its bytes', async () => {
    const other = await scene.peers.http(named('other'));
    const to = `http://127.0.0.1:${other.port}`;
    await serve(
      named('meant'),
      rule({ type: 'redirect-upstream', to }, { type: 'latency', direction: 'request', latencyMs: 5 }),
    );
    const { stdout } = await runProgram('curl', ['-sS', `http://${scene.spike.address('service')}/a`]);
    expect(stdout).toBe(`other 127.0.0.1:${other.port} /a`);
  });

  it('that is a port of this Spike gets nothing', async () => {
    const url = await serve(
      named('meant'),
      rule({ type: 'redirect-upstream', to: `http://${scene.spike.proxy}` }),
    );
    expect((await curl('-o', '/dev/null', '-w', '%{http_code}', url)).stdout).toMatch(/^(403|508)$/);
  });
});

describe('what is not HTTP', () => {
  const all: FaultInput[] = [
    { type: 'headers', set: { 'x-a': '1' } },
    { type: 'body', text: 'new' },
    { type: 'wrong-length', by: 5 },
    { type: 'truncated-gzip' },
    { type: 'bad-chunk' },
    { type: 'delay', what: 'body', delayMs: 60_000 },
    { type: 'slow-head', direction: 'request', bytesPerSecond: 100_000 },
  ];

  it('a WebSocket has its handshake changed, and nothing behind it', async () => {
    const http = createServer();
    const sockets = new WebSocketServer({ server: http });
    sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`echo ${String(data)}`)));
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const { port } = http.address() as AddressInfo;
    await scene.spike.configure({ routes: [routeTo(port)], rules: [rule(...all)] });
    const client = new WebSocket(`ws://${scene.spike.address('service')}/`);
    const [upgrade] = (await once(client, 'upgrade')) as [IncomingMessage];
    expect(upgrade.headers['x-a']).toBe('1');
    if (client.readyState !== WebSocket.OPEN) await once(client, 'open');
    client.send('hello');
    const [answer] = (await once(client, 'message')) as [Buffer];
    expect(String(answer)).toBe('echo hello');
    client.terminate();
    const { flow } = await scene.spike.flow(({ kind }) => kind === 'websocket');
    const notes = Object.fromEntries(flow.faults.map(({ type, note }) => [type, note]));
    expect(notes).toMatchObject({
      headers: 'set x-a in the response',
      body: 'left the body of the response as it was: it has no body',
      'wrong-length': 'left the response as it was: it has no body',
    });
    sockets.close();
    http.close();
    http.closeAllConnections();
  });

  it('bytes pass as they are', async () => {
    const tcp = await scene.peers.tcp((socket) => {
      socket.on('data', (bytes) => socket.write(bytes));
      socket.on('end', () => socket.end());
    });
    await scene.spike.configure({ routes: [routeTo(tcp.port, 'tcp', 'db')], rules: [rule(...all)] });
    const client = await scene.peers.connect(scene.spike.port('db'));
    client.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
    await client.see('hello');
    client.socket.destroy();
    expect((await scene.spike.flow()).flow.faults).toEqual([]);
  });
});

describe('connections that are kept', () => {
  it('serve the next call after a body was changed, on both sides', async () => {
    const answer: RequestListener = (request, response) => {
      request.resume();
      request.on('end', () => response.end(`port ${request.socket.remotePort}`));
    };
    const change: FaultInput = { type: 'body', how: 'regex', pattern: 'port', text: 'the port' };
    const other: FaultInput = { type: 'body', direction: 'request', text: 'another request' };
    const url = await serve(answer, rule(change, other));
    const { stdout } = await curl('-w', ' %{num_connects}\n', '-d', 'x', url, url, url);
    const lines = stdout.trim().split('\n');
    expect(lines.map((line) => line.split(' ').at(-1))).toEqual(['1', '0', '0']);
    expect(new Set(lines.map((line) => /^the port (\d+)/.exec(line)?.[1])).size).toBe(1);
  });
});

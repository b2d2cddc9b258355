// Calls held by hand, as curl, raw sockets and their upstreams see them.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../src-shared/contract/events.ts';
import type { FaultInput } from '../../src-shared/rules/fault.ts';
import { curlArgs, routeTo, useScene } from '../support/data-plane-test.ts';
import { base64, heldCalls, heldMessage, release, withHeaders } from '../support/held-calls.ts';
import { runProgram } from '../support/run-program.ts';

const scene = useScene();

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** A service that keeps what it was asked, and rules before it. */
async function serve(
  faults: readonly FaultInput[],
  answer: RequestListener = (_request, response) => response.end('fine'),
): Promise<{ url: string; seen: Seen[]; hits(): number }> {
  const seen: Seen[] = [];
  let connections = 0;
  const server = await scene.peers.http((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      seen.push({ method, url, headers, body: Buffer.concat(chunks) });
      answer(request, response);
    });
  });
  server.on('connection', () => (connections += 1));
  await scene.spike.configure({ routes: [routeTo(server.port)], rules: [{ name: 'rule', faults }] });
  return { url: `http://127.0.0.1:${server.port}/orders?id=1`, seen, hits: () => connections };
}

function curl(...args: string[]) {
  return runProgram('curl', curlArgs(scene.spike, ...args));
}

/** A directory that goes with the test. */
async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'spike-held-'));
  scene.peers.also(() => rm(path, { recursive: true }));
  return path;
}

async function note(): Promise<string> {
  return (await scene.spike.flow()).flow.faults.map((fault) => fault.note).join('; ');
}

function outcomes(): string[] {
  return scene.spike.heldEvents.flatMap((event: AgentEvent) =>
    event.type === 'held.removed' ? [event.outcome] : [],
  );
}

const request: FaultInput = { type: 'breakpoint' };
const response: FaultInput = { type: 'breakpoint', at: 'response' };

describe('a held request', () => {
  it('is not known to the upstream before it is released, as it came', async () => {
    const { url, seen, hits } = await serve([request]);
    const call = curl('-d', 'a=1', url);
    const held = await heldMessage(scene.spike);
    expect(held).toMatchObject({
      at: 'request',
      ruleId: 'rule',
      method: 'POST',
      url,
      status: null,
      sizeBytes: 3,
      state: 'held',
      onTimeout: 'release',
      message: {
        kind: 'request',
        method: 'POST',
        target: '/orders?id=1',
        httpVersion: '1.1',
        body: base64('a=1'),
        bodyEncoding: 'identity',
        isBodyEditable: true,
        why: null,
      },
      request: null,
    });
    expect(Date.parse(held.expiresAt) - Date.parse(held.heldAt)).toBe(60_000);
    expect(hits()).toBe(0);
    expect(await scene.spike.held.release(held.id, {})).toBe('released');
    expect((await call).stdout).toBe('fine');
    expect(seen).toMatchObject([{ method: 'POST', url: '/orders?id=1', body: Buffer.from('a=1') }]);
    expect(await note()).toMatch(/^was held for [\d.]+ m?s at the request, released as it came$/);
    expect(outcomes()).toEqual(['released']);
  });

  it('goes on edited: method, target, headers, and a compressed body that stays compressed', async () => {
    const { url, seen } = await serve([request]);
    const file = join(await directory(), 'body.gz');
    await writeFile(file, gzipSync('{"amount":1}'));
    const fields = ['-H', 'content-encoding: gzip', '-H', 'X-Old: 1', '-H', 'X-Kept: 2'];
    const call = curl(...fields, '--data-binary', `@${file}`, url);
    const held = await heldMessage(scene.spike);
    expect(held.message).toMatchObject({ body: base64('{"amount":1}'), bodyEncoding: 'gzip' });
    expect(held.message.fixedHeaders.map(([name]) => name.toLowerCase())).toEqual([
      'content-encoding',
      'content-length',
    ]);
    const edit = {
      method: 'PUT',
      target: '/other?x=%20',
      headers: withHeaders(held, { 'x-old': null, 'X-New': 'ä\t1' }),
      body: base64('{"amount":1000000}'),
    };
    expect(await scene.spike.held.release(held.id, edit)).toBe('edited');
    expect((await call).stdout).toBe('fine');
    const [sent] = seen;
    expect(sent).toMatchObject({ method: 'PUT', url: '/other?x=%20' });
    expect(sent?.headers).toMatchObject({
      'x-kept': '2',
      'x-new': 'ä\t1',
      'content-encoding': 'gzip',
      'content-length': String(sent?.body.length),
    });
    expect(sent?.headers).not.toHaveProperty('x-old');
    expect(gunzipSync(sent?.body ?? Buffer.alloc(0)).toString()).toBe('{"amount":1000000}');
    expect(await note()).toMatch(
      /released edited: method POST to PUT, target \/orders\?id=1 to \/other\?x=%20, headers \(x-old, x-new\), body \(12 bytes to 18 bytes\)$/,
    );
    // The flow has what the caller sent.
    const { flow, requestBody } = await scene.spike.flow();
    expect(flow.http).toMatchObject({ method: 'POST', url });
    expect(gunzipSync(requestBody).toString()).toBe('{"amount":1}');
  });

  it('gets a body that it did not have, and loses one that it had', async () => {
    const { url, seen } = await serve([request]);
    const first = curl(url);
    await release(scene.spike, { method: 'POST', body: base64('made up') });
    await first;
    const second = curl('-d', 'a=1', url);
    await release(scene.spike, { body: '' });
    await second;
    expect(seen.map(({ method, body }) => `${method} ${body.toString()}`)).toEqual(['POST made up', 'POST ']);
    expect(seen.map(({ headers }) => headers['content-length'])).toEqual(['7', '0']);
  });

  it('in chunks with trailers keeps both when its body is edited', async () => {
    const trailers: unknown[] = [];
    const { url } = await serve([request], (asked, answer) => {
      trailers.push(asked.trailers);
      answer.end('fine');
    });
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write(
      `POST ${url} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 6\r\n\r\n`,
    );
    const held = await heldMessage(scene.spike);
    expect(held.message).toMatchObject({ body: base64('abc'), trailers: 'x-sum: 6' });
    await scene.spike.held.release(held.id, { body: base64('abcdef') });
    await client.until((text) => text.endsWith('fine'));
    expect(trailers).toEqual([{ 'x-sum': '6' }]);
  });

  it('is shown while its body is still coming, and can go on then with another head', async () => {
    const { url, seen } = await serve([request]);
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write(`POST ${url} HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc`);
    const [call] = await heldCalls(scene.spike);
    const id = call?.id ?? '';
    const held = await scene.spike.held.get(id);
    expect(held).toMatchObject({
      sizeBytes: 3,
      message: { isBodyEditable: false, why: 'it is still coming' },
    });
    await expect(scene.spike.held.release(id, { body: base64('other') })).rejects.toMatchObject({
      code: 'invalid-input',
      details: [{ path: 'body', message: 'The body cannot be edited: it is still coming.' }],
    });
    expect(await scene.spike.held.release(id, { method: 'PATCH' })).toBe('edited');
    client.write('def');
    await client.until((text) => text.endsWith('fine'));
    expect(seen.map(({ method, body }) => `${method} ${body.toString()}`)).toEqual(['PATCH abcdef']);
  });

  it('with Expect: 100-continue is told to go on, so that its body can be seen', async () => {
    const { url, seen } = await serve([request]);
    const call = curl('-H', 'Expect: 100-continue', '--expect100-timeout', '15', '-d', 'a=1', url);
    expect((await heldMessage(scene.spike)).message.body).toBe(base64('a=1'));
    await release(scene.spike, { body: base64('a=2') });
    expect((await call).stdout).toBe('fine');
    expect(seen.map(({ body }) => body.toString())).toEqual(['a=2']);
  });

  it('is answered, and the upstream never hears of it', async () => {
    const { url, hits } = await serve([request]);
    const call = curl('-i', '-d', 'a=1', url, url);
    const first = await heldMessage(scene.spike);
    const headers: [string, string][] = [
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
    ];
    const answer = { status: 418, headers, body: base64('short and stout') };
    expect(await scene.spike.held.answer(first.id, answer)).toBe('answered');
    // On the same connection.
    await scene.spike.until(() => scene.spike.held.list().some(({ id }) => id !== first.id));
    const [second] = scene.spike.held.list();
    await scene.spike.held.answer(second?.id ?? '', { status: 204, headers: [], body: '' });
    const { stdout, exitCode } = await call;
    expect(exitCode).toBe(0);
    expect(stdout).toBe(
      "HTTP/1.1 418 I'm a teapot\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\ncontent-length: 15\r\n\r\nshort and stoutHTTP/1.1 204 No Content\r\n\r\n",
    );
    expect(hits()).toBe(0);
    const { flow } = await scene.spike.flow();
    expect(flow.http).toMatchObject({ status: 418 });
    expect(flow.faults).toMatchObject([{ type: 'breakpoint', status: 418, outcome: 'done' }]);
    expect(flow.faults[0]?.note).toMatch(/answered 418 by hand without asking the upstream$/);
  });

  it('is dropped: the caller sees a reset', async () => {
    const { url, hits } = await serve([request]);
    const call = curl(url);
    const [held] = await heldCalls(scene.spike);
    expect(await scene.spike.held.drop(held?.id ?? '')).toBe('dropped');
    expect((await call).exitCode).toBe(56);
    expect(hits()).toBe(0);
    const { flow } = await scene.spike.flow();
    expect(flow.error?.cause).toBe('fault-reset');
    expect(flow.faults[0]?.note).toMatch(/, dropped$/);
  });

  it('whose caller hangs up is shown as gone, and nothing is sent', async () => {
    const { url, hits } = await serve([request]);
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write(`POST ${url} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc`);
    const held = await heldMessage(scene.spike);
    client.socket.destroy();
    await scene.spike.until(() => scene.spike.held.list()[0]?.state === 'caller-gone');
    // It can be looked at still.
    expect((await scene.spike.held.get(held.id)).message.body).toBe(base64('abc'));
    expect(scene.spike.held.status()).toMatchObject({ calls: 0, bytes: 0 });
    expect(await scene.spike.held.release(held.id, {})).toBe('caller-gone');
    expect(scene.spike.held.list()).toEqual([]);
    await expect(scene.spike.held.get(held.id)).rejects.toMatchObject({
      code: 'held-not-found',
      details: { outcome: 'caller-gone' },
    });
    expect(hits()).toBe(0);
    const { flow } = await scene.spike.flow();
    expect(flow.error?.cause).toBe('fault-hang');
    expect(flow.faults[0]?.note).toMatch(/the caller hung up$/);
  });

  it('whose caller says no more (FIN) has given up as well', async () => {
    const { url, hits } = await serve([request]);
    const client = await scene.peers.connect(scene.spike.proxyPort);
    client.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await heldCalls(scene.spike);
    client.end();
    await scene.spike.until(() => scene.spike.held.list()[0]?.state === 'caller-gone');
    expect(hits()).toBe(0);
  });

  it('is let go by its time-out, or dropped by it', async () => {
    const { url } = await serve([{ type: 'breakpoint', timeoutMs: 1000 }]);
    expect((await curl(url)).stdout).toBe('fine');
    expect(await note()).toMatch(/released by its time-out$/);
    await scene.spike.configure({
      rules: [{ name: 'drops', faults: [{ type: 'breakpoint', timeoutMs: 1000, onTimeout: 'drop' }] }],
    });
    expect((await curl(url)).exitCode).toBe(56);
    expect(outcomes()).toEqual(['timed-out', 'timed-out']);
  });

  it('goes on as it came when its rule is turned off or changed', async () => {
    const { url } = await serve([request]);
    const off = curl(url);
    await heldCalls(scene.spike);
    expect(await scene.spike.configure({ rules: [] })).toBe(1);
    expect((await off).stdout).toBe('fine');
    await scene.spike.configure({ rules: [{ name: 'rule', faults: [request] }] });
    const changed = curl(url);
    await heldCalls(scene.spike);
    await scene.spike.configure({ rules: [{ name: 'rule', epoch: 2, faults: [response] }] });
    expect((await changed).stdout).toBe('fine');
    expect(outcomes()).toEqual(['rule-off', 'rule-off']);
    const flows = await scene.spike.flows(2);
    expect(flows.map(({ flow }) => flow.faults[0]?.outcome)).toEqual(['released', 'released']);
  });

  it('goes on when Spike stops, and nothing is held from then on', async () => {
    const { url } = await serve([request, response]);
    const call = curl(url);
    await heldCalls(scene.spike);
    await scene.spike.plane.drain();
    expect((await call).stdout).toBe('fine');
    expect(await note()).toMatch(/released as Spike stops; the response was not held: Spike stops$/);
  });

  it('by two rules is held by one after the other, the second sees what the first made of it', async () => {
    const { url, seen } = await serve([]);
    await scene.spike.configure({
      rules: [
        { name: 'one', faults: [request] },
        { name: 'two', faults: [request] },
      ],
    });
    const call = curl('-d', 'a=1', url);
    await release(scene.spike, { method: 'PUT', target: '/second', body: base64('a=22') });
    await scene.spike.until(() => scene.spike.held.list()[0]?.ruleId === 'two');
    const held = await heldMessage(scene.spike);
    expect(held.message).toMatchObject({ method: 'PUT', target: '/second', body: base64('a=22') });
    await scene.spike.held.release(held.id, { body: base64('a=333') });
    await call;
    expect(seen.map(({ method, url, body }) => `${method} ${url} ${body.toString()}`)).toEqual([
      'PUT /second a=333',
    ]);
  });

  it('waits behind a latency, whose time is not its own', async () => {
    const { url } = await serve([{ type: 'latency', direction: 'request', latencyMs: 120 }, request]);
    const call = curl('-d', 'a=1', url);
    await release(scene.spike);
    expect((await call).stdout).toBe('fine');
    const { flow } = await scene.spike.flow();
    expect(flow.faults.map(({ type, outcome }) => `${type} ${outcome}`)).toEqual([
      'latency done',
      'breakpoint done',
    ]);
    expect(flow.faults[0]?.delayedMs).toBeGreaterThanOrEqual(119);
  });

  it('of a later call on the connection waits for its turn', async () => {
    const { url, seen } = await serve([request]);
    const client = await scene.peers.connect(scene.spike.proxyPort);
    const get = (path: string): string => `GET ${new URL(path, url).href} HTTP/1.1\r\nHost: x\r\n\r\n`;
    client.write(get('/1') + get('/2'));
    const first = await heldMessage(scene.spike);
    expect(scene.spike.held.list()).toHaveLength(1);
    await scene.spike.held.release(first.id, {});
    await scene.spike.until(() => scene.spike.held.list().some(({ id }) => id !== first.id));
    await release(scene.spike);
    await client.until((text) => text.split('fine').length === 3);
    expect(seen.map(({ url }) => url)).toEqual(['/1', '/2']);
  });

  it('to switch protocols is not held, and its mark says so', async () => {
    const { url } = await serve([request]);
    const call = await curl('-H', 'Connection: Upgrade', '-H', 'Upgrade: websocket', url);
    expect(call.stdout).toBe('fine');
    expect(await note()).toBe('the request was not held: it switches to another protocol');
  });
});

describe('a held answer', () => {
  it('is shown with the head of its request, and goes on edited', async () => {
    const { url } = await serve([response], (_asked, answer) => {
      answer.setHeader('content-type', 'application/json');
      answer.end('{"ok":true}');
    });
    const call = curl('-i', '-H', 'X-Asked: 1', url);
    const held = await heldMessage(scene.spike);
    expect(held).toMatchObject({
      at: 'response',
      status: 200,
      sizeBytes: 11,
      message: { kind: 'response', status: 200, reason: 'OK', body: base64('{"ok":true}') },
      request: { method: 'GET', target: '/orders?id=1' },
    });
    expect(held.request?.headers).toContainEqual(['X-Asked', '1']);
    const headers = withHeaders(held, { 'Retry-After': '3' });
    const edit = { status: 503, headers, body: base64('no') };
    expect(await scene.spike.held.release(held.id, edit)).toBe('edited');
    const { stdout } = await call;
    expect(stdout).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\n/);
    expect(stdout).toMatch(/\r\nRetry-After: 3\r\n/);
    expect(stdout).toMatch(/\r\nContent-Length: 2\r\n(?:.*\r\n)*\r\nno$/);
    expect(await note()).toMatch(
      /at the response, released edited: status 200 to 503, headers \(retry-after\), body \(11 bytes to 2 bytes\)$/,
    );
    // The flow has what the upstream answered.
    expect((await scene.spike.flow()).flow.http).toMatchObject({ status: 200 });
  });

  it('is held together with its request, one after the other', async () => {
    const { url } = await serve([request, response]);
    const call = curl(url);
    await release(scene.spike);
    await scene.spike.until(() => scene.spike.held.list()[0]?.at === 'response');
    await release(scene.spike, { status: 201 });
    expect((await call).stdout).toBe('fine');
    expect(outcomes()).toEqual(['released', 'edited']);
  });

  it('without a body by its nature can get another status, and then says where it ends', async () => {
    const { url } = await serve([response], (_asked, answer) => {
      answer.statusCode = 204;
      answer.end();
    });
    const call = curl('-i', url, url);
    const held = await heldMessage(scene.spike);
    expect(held.message).toMatchObject({ status: 204, body: '' });
    await expect(scene.spike.held.release(held.id, { body: base64('x') })).rejects.toMatchObject({
      details: [{ path: 'body', message: 'An answer with 204 has no body (RFC 9110, section 6.4.1).' }],
    });
    await scene.spike.held.release(held.id, { status: 200, body: base64('body') });
    await scene.spike.until(() => scene.spike.held.list().some(({ id }) => id !== held.id));
    await release(scene.spike, { status: 201 });
    const { stdout } = await call;
    expect(stdout).toMatch(
      /^HTTP\/1.1 200 OK\r\n(?:.*\r\n)*content-length: 4\r\n\r\nbodyHTTP\/1.1 201 Created\r\n(?:.*\r\n)*content-length: 0\r\n\r\n$/i,
    );
  });

  it('loses its body with a status that has none; to HEAD there is none', async () => {
    const { url } = await serve([response]);
    const call = curl('-i', url, '--next', '-sS', '-x', `http://${scene.spike.proxy}`, '-I', url);
    const held = await heldMessage(scene.spike);
    await scene.spike.held.release(held.id, { status: 204 });
    await scene.spike.until(() => scene.spike.held.list().some(({ id }) => id !== held.id));
    const head = await heldMessage(scene.spike);
    expect(head).toMatchObject({
      method: 'HEAD',
      message: { body: '', isBodyEditable: false, why: 'an answer to HEAD has none' },
    });
    await scene.spike.held.release(head.id, { status: 404 });
    const { stdout, exitCode } = await call;
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^HTTP\/1.1 204 No Content\r\n(?!(?:.*\r\n)*content-length).*HTTP\/1.1 404 Not Found/is,
    );
  });

  it('is replaced, and the upstream that is still sending is given up', async () => {
    let closed = false;
    const { url } = await serve([response], (_asked, answer) => {
      answer.writeHead(200, { 'content-type': 'text/plain' });
      answer.write('it never ends');
      answer.on('close', () => (closed = true));
    });
    const call = curl('-i', url);
    const [held] = await heldCalls(scene.spike);
    const answer = { status: 500, headers: [], body: base64('by hand') };
    expect(await scene.spike.held.answer(held?.id ?? '', answer)).toBe('answered');
    const { stdout, exitCode } = await call;
    expect({ stdout, exitCode }).toEqual({
      stdout: 'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 7\r\n\r\nby hand',
      exitCode: 0,
    });
    await expect.poll(() => closed).toBe(true);
    expect(await note()).toMatch(/answered 500 by hand in place of the upstream's answer$/);
  });

  it('whose upstream fails meanwhile breaks off', async () => {
    const { port } = await scene.peers.answering(
      'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc',
      (socket) => {
        scene.peers.also(() => void socket.destroy());
        setImmediate(() => socket.resetAndDestroy());
      },
    );
    await scene.spike.configure({ rules: [{ name: 'rule', faults: [response] }] });
    const { exitCode } = await curl(`http://127.0.0.1:${port}/`);
    expect(exitCode).not.toBe(0);
    expect(outcomes().every((outcome) => outcome === 'broken-off')).toBe(true);
    expect(scene.spike.held.list()).toEqual([]);
  });

  it('in a coding that is not known can have another head only', async () => {
    const { url } = await serve([response], (_asked, answer) => {
      answer.setHeader('content-encoding', 'secret');
      answer.end('%%%');
    });
    const call = curl('-i', url);
    const held = await heldMessage(scene.spike);
    expect(held.message).toMatchObject({
      isBodyEditable: false,
      why: 'its coding secret is not known',
      body: '',
    });
    await scene.spike.held.release(held.id, { status: 202 });
    expect((await call).stdout).toMatch(/^HTTP\/1.1 202 Accepted\r\n(?:.*\r\n)*\r\n%%%$/);
  });
});

describe('what is too much', () => {
  it('a body over 10 MiB waits behind its head, which can be edited', async () => {
    const whole = Buffer.alloc(11 * 1024 ** 2, 'x');
    const { url, seen } = await serve([request]);
    const file = join(await directory(), 'large');
    await writeFile(file, whole);
    for (const framing of ['Content-Length', 'Transfer-Encoding: chunked']) {
      const fields = framing.includes(':') ? ['-H', framing] : [];
      const call = curl('-H', 'Expect:', ...fields, '--data-binary', `@${file}`, url);
      const [row] = await heldCalls(scene.spike);
      const id = row?.id ?? '';
      const why = async (): Promise<string | null> => (await scene.spike.held.get(id)).message.why;
      while ((await why()) !== 'it is longer than 10,485,760 bytes') {
        const told = scene.spike.heldEvents.length;
        await scene.spike.until(() => scene.spike.heldEvents.length > told);
      }
      await scene.spike.held.release(id, { target: '/large' });
      expect((await call).stdout).toBe('fine');
    }
    expect(seen.map(({ url, body }) => `${url} ${body.equals(whole)}`)).toEqual([
      '/large true',
      '/large true',
    ]);
  });

  it('a body over 10 MiB is read to its end when its call is answered, and the connection goes on', async () => {
    const { url, hits } = await serve([request]);
    const client = await scene.peers.connect(scene.spike.proxyPort);
    const size = 12 * 1024 ** 2;
    client.write(`POST ${url} HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`);
    client.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`);
    for (const count of [1, 2]) {
      const [row] = await heldCalls(scene.spike);
      await scene.spike.held.answer(row?.id ?? '', { status: 413, headers: [], body: '' });
      await client.until((text) => text.split('413').length === count + 1);
    }
    expect(hits()).toBe(0);
  });

  it('a call beyond 200 passes, and says why', async () => {
    const { url } = await serve([request]);
    const clients = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const client = await scene.peers.connect(scene.spike.proxyPort);
        return client.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`);
      }),
    );
    await heldCalls(scene.spike, 200);
    expect((await curl(url)).stdout).toBe('fine');
    expect(await note()).toBe('the request was not held: 200 calls are held already');
    expect(scene.spike.held.status()).toEqual({ calls: 200, bytes: 0, passed: 1 });
    expect(await scene.spike.held.releaseAll()).toBe(200);
    for (const client of clients) await client.until((text) => text.endsWith('fine'));
    expect(scene.spike.held.status()).toEqual({ calls: 0, bytes: 0, passed: 1 });
  });

  it('bodies beyond 64 MiB pass, and say why', async () => {
    const { url } = await serve([request]);
    const body = 'x'.repeat(9 * 1024 ** 2);
    for (let count = 1; count <= 7; count++) {
      const client = await scene.peers.connect(scene.spike.proxyPort);
      client.write(`POST ${url} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      await heldCalls(scene.spike, count);
    }
    const file = join(await directory(), 'body');
    await writeFile(file, body);
    expect((await curl('-H', 'Expect:', '--data-binary', `@${file}`, url)).stdout).toBe('fine');
    expect(await note()).toBe('the request was not held: with its body more than 64 MiB would be held');
    // One whose length is not said is let go when it turns out.
    expect(
      (await curl('-H', 'Expect:', '-H', 'Transfer-Encoding: chunked', '--data-binary', `@${file}`, url))
        .stdout,
    ).toBe('fine');
    expect(outcomes()).toEqual(['passed']);
    expect(await scene.spike.held.releaseAll()).toBe(7);
  });
});

// Calls held by hand on HTTP/2: streams beside one another, clients and upstreams of either version.
import { constants } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { FaultInput } from '../../src-shared/rules/fault.ts';
import { routeTo, useScene } from '../support/data-plane-test.ts';
import { base64, heldCalls, heldMessage, release, withHeaders } from '../support/held-calls.ts';
import { answerOf, callHttp2, openHttp2, serveHttp2 } from '../support/http2-peers.ts';
import { runProgram } from '../support/run-program.ts';

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR } = constants;
const scene = useScene();
const request: FaultInput = { type: 'breakpoint' };
const response: FaultInput = { type: 'breakpoint', at: 'response' };

interface Seen {
  readonly fields: string[];
  body: Buffer;
}
let seen: Seen[] = [];

/** An upstream of HTTP/2 that answers `hello`, in gzip at /gzip, with trailers, and a route with rules before it. */
async function routed(...faults: FaultInput[]): Promise<void> {
  seen = [];
  const { port } = await serveHttp2(scene.peers, (stream, fields) => {
    const one: Seen = { fields, body: Buffer.alloc(0) };
    seen.push(one);
    stream.on('data', (bytes: Buffer) => (one.body = Buffer.concat([one.body, bytes])));
    stream.on('end', () => {
      const isCoded = fields.includes('/gzip');
      const body = isCoded ? gzipSync('hello') : Buffer.from('hello');
      const coding = isCoded ? { 'content-encoding': 'gzip' } : {};
      stream.respond({ ':status': 200, 'content-length': body.length, ...coding }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-after': 'done' }));
      if (fields.includes('HEAD')) stream.end();
      else stream.end(body);
    });
  });
  await scene.spike.configure({
    routes: [{ name: 'service', listen: '127.0.0.1:0', upstream: `h2c://127.0.0.1:${port}` }],
    rules: [{ name: 'rule', faults }],
  });
}

function open(): Promise<ClientHttp2Session> {
  return openHttp2(scene.peers, `http://${scene.spike.address('service')}`);
}

function value(fields: readonly string[], name: string): string | undefined {
  const at = fields.indexOf(name);
  return at < 0 ? undefined : fields[at + 1];
}

describe('a held request on HTTP/2', () => {
  it('goes on edited: method, path, authority, fields and body', async () => {
    await routed(request);
    const call = callHttp2(await open(), { ':path': '/a', ':method': 'POST', 'x-old': '1' }, 'body');
    const held = await heldMessage(scene.spike);
    expect(held.message).toMatchObject({
      method: 'POST',
      target: '/a',
      httpVersion: '2',
      body: base64('body'),
    });
    expect(held.message.headers[0]).toEqual(['host', scene.spike.address('service')]);
    const headers = withHeaders(held, { Host: 'elsewhere.example', 'X-New': 'yes', 'x-old': null });
    const edit = { method: 'PUT', target: '/b?c=d', headers, body: base64('another') };
    expect(await scene.spike.held.release(held.id, edit)).toBe('edited');
    expect(await call).toMatchObject({ status: 200, code: 0, trailers: ['x-after', 'done'] });
    const [{ fields, body } = { fields: [], body: '' }] = seen;
    expect([':method', ':path', ':authority', 'x-new', 'x-old'].map((name) => value(fields, name))).toEqual([
      'PUT',
      '/b?c=d',
      'elsewhere.example',
      'yes',
      undefined,
    ]);
    expect(body.toString()).toBe('another');
  });

  it('gets a body that it did not have', async () => {
    await routed(request);
    const call = callHttp2(await open(), { ':path': '/' });
    await release(scene.spike, { method: 'POST', body: base64('made up') });
    expect(await call).toMatchObject({ status: 200, code: 0 });
    expect(seen.map(({ fields, body }) => `${value(fields, ':method')} ${body.toString()}`)).toEqual([
      'POST made up',
    ]);
  });

  it('does not keep the other streams of its connection waiting, and all are decided one by one', async () => {
    await routed(request);
    const client = await open();
    const calls = ['/1', '/2', '/3'].map((path) => callHttp2(client, { ':path': path }));
    const held = await heldCalls(scene.spike, 3);
    const idOf = (path: string): string => held.find(({ url }) => url.endsWith(path))?.id ?? '';
    await scene.spike.held.drop(idOf('/2'));
    await scene.spike.held.answer(idOf('/3'), { status: 418, headers: [['X-A', '1']], body: base64('tea') });
    await scene.spike.held.release(idOf('/1'), {});
    const [first, second, third] = await Promise.all(calls);
    expect(first).toMatchObject({ status: 200, code: 0 });
    expect(second).toMatchObject({ status: 0, code: NGHTTP2_INTERNAL_ERROR });
    expect(third).toMatchObject({ status: 418, code: 0 });
    expect(third?.body.toString()).toBe('tea');
    expect(value(third?.fields ?? [], 'x-a')).toBe('1');
    expect(seen.map(({ fields }) => value(fields, ':path'))).toEqual(['/1']);
  });

  it('whose stream is reset is shown as gone', async () => {
    await routed(request);
    const stream = (await open()).request({ ':path': '/' });
    await heldCalls(scene.spike);
    const answer = answerOf(stream);
    stream.close(NGHTTP2_CANCEL);
    await scene.spike.until(() => scene.spike.held.list()[0]?.state === 'caller-gone');
    expect((await answer).code).toBe(NGHTTP2_CANCEL);
    expect(seen).toEqual([]);
    expect((await scene.spike.flow()).flow.error?.cause).toBe('fault-hang');
  });

  it('of curl is released edited, answered, and dropped', async () => {
    await routed(request);
    const args = ['-sS', '-m', '20', '--http2-prior-knowledge', '-w', ' %{http_code} %{http_version}'];
    const curl = (path: string) =>
      runProgram('curl', [...args, `http://${scene.spike.address('service')}${path}`]);
    const edited = curl('/x');
    await release(scene.spike, { target: '/gzip' });
    expect((await edited).exitCode).toBe(0);
    expect(value(seen[0]?.fields ?? [], ':path')).toBe('/gzip');
    const answered = curl('/y');
    const [held] = await heldCalls(scene.spike);
    await scene.spike.held.answer(held?.id ?? '', { status: 201, headers: [], body: base64('by hand') });
    expect((await answered).stdout).toBe('by hand 201 2');
    const dropped = curl('/z');
    const [other] = await heldCalls(scene.spike);
    await scene.spike.held.drop(other?.id ?? '');
    expect((await dropped).exitCode).toBe(92);
  });
});

describe('a held answer on HTTP/2', () => {
  it('goes on edited, compressed as it was, with its trailers', async () => {
    await routed(response);
    const call = callHttp2(await open(), { ':path': '/gzip' });
    const held = await heldMessage(scene.spike);
    expect(held.message).toMatchObject({ status: 200, body: base64('hello'), bodyEncoding: 'gzip' });
    await scene.spike.held.release(held.id, { status: 500, body: base64('good bye') });
    const answer = await call;
    expect(answer).toMatchObject({ status: 500, code: 0, trailers: ['x-after', 'done'] });
    expect(gunzipSync(answer.body).toString()).toBe('good bye');
    expect(value(answer.fields, 'content-length')).toBe(String(answer.body.length));
  });

  it('is replaced', async () => {
    await routed(response);
    const call = callHttp2(await open(), { ':path': '/' });
    const [held] = await heldCalls(scene.spike);
    await scene.spike.held.answer(held?.id ?? '', { status: 404, headers: [], body: base64('no') });
    const answer = await call;
    expect(answer).toMatchObject({ status: 404, code: 0 });
    expect(answer.body.toString()).toBe('no');
  });

  it('to HEAD gets another status', async () => {
    await routed(response);
    const call = callHttp2(await open(), { ':path': '/', ':method': 'HEAD' });
    await release(scene.spike, { status: 404 });
    expect(await call).toMatchObject({ status: 404, code: 0 });
  });
});

describe('between versions', () => {
  it('from HTTP/1.1 to HTTP/2', async () => {
    await routed(request, response);
    const call = runProgram('curl', [
      '-sS',
      '-m',
      '20',
      '-i',
      '-d',
      'a=1',
      `http://${scene.spike.address('service')}/`,
    ]);
    await release(scene.spike, { method: 'PUT', target: '/edited', body: base64('a=1000') });
    await scene.spike.until(() => scene.spike.held.list()[0]?.at === 'response');
    await release(scene.spike, { status: 202, body: base64('edited') });
    const { stdout } = await call;
    expect(stdout).toMatch(/^HTTP\/1.1 202 Accepted\r\n(?:.*\r\n)*\r\n(?:6\r\n)?edited/);
    const [{ fields, body } = { fields: [], body: '' }] = seen;
    expect([value(fields, ':method'), value(fields, ':path'), body.toString()]).toEqual([
      'PUT',
      '/edited',
      'a=1000',
    ]);
  });

  it('from HTTP/2 to HTTP/1.1, with a body that was not there', async () => {
    const asked: string[] = [];
    const { port } = await scene.peers.http((incoming, answer) => {
      let body = '';
      incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
      incoming.on('end', () => {
        asked.push(`${incoming.method} ${incoming.url} ${body}`);
        answer.end('fine');
      });
    });
    await scene.spike.configure({
      routes: [routeTo(port)],
      rules: [{ name: 'rule', faults: [request, response] }],
    });
    const call = callHttp2(await open(), { ':path': '/' });
    await release(scene.spike, { method: 'POST', target: '/edited', body: base64('made up') });
    await scene.spike.until(() => scene.spike.held.list()[0]?.at === 'response');
    await release(scene.spike, { status: 202, body: base64('edited') });
    const answer = await call;
    expect(answer).toMatchObject({ status: 202, code: 0 });
    expect(answer.body.toString()).toBe('edited');
    expect(asked).toEqual(['POST /edited made up']);
  });
});

import { constants } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { describe, expect, it } from 'vitest';
import type { FaultInput } from '../../src-shared/rules/fault.ts';
import { routeTo, useScene } from '../support/data-plane-test.ts';
import { answerOf, callHttp2, openHttp2, serveHttp2 } from '../support/http2-peers.ts';

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR } = constants;
const scene = useScene();
let asked = 0;

/** A client of a route whose upstream answers `hello` with trailers; `asked` counts what reaches the upstream. */
async function routed(): Promise<ClientHttp2Session> {
  asked = 0;
  const server = await serveHttp2(scene.peers, (stream, fields) => {
    asked += 1;
    stream.resume();
    const code = fields.includes('/fails') ? 500 : 200;
    stream.on('end', () => {
      stream.respond({ ':status': code, 'content-length': 5 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-after': 'done' }));
      stream.end('hello');
    });
  });
  await scene.spike.configure({
    routes: [{ name: 'service', listen: '127.0.0.1:0', upstream: `h2c://127.0.0.1:${server.port}` }],
  });
  return await openHttp2(scene.peers, `http://${scene.spike.address('service')}`);
}

async function rule(...faults: FaultInput[]): Promise<void> {
  await scene.spike.configure({ rules: [{ name: 'rule', faults }] });
}

const post = { ':path': '/', ':method': 'POST' };

describe('a rule on a stream', () => {
  it('matches what it asks for, and leaves other streams of the connection alone', async () => {
    const client = await routed();
    await scene.spike.configure({
      rules: [
        {
          name: 'rule',
          match: { path: '/slow*', method: 'GET' },
          faults: [{ type: 'status', status: 418, body: 'no' }],
        },
      ],
    });
    const [hit, missed] = await Promise.all([
      callHttp2(client, { ':path': '/slow?x=1' }),
      callHttp2(client, { ':path': '/fast' }),
    ]);
    expect(hit).toMatchObject({ status: 418, code: 0 });
    expect(hit.body.toString()).toBe('no');
    expect(missed).toMatchObject({ status: 200, trailers: ['x-after', 'done'] });
    expect(asked).toBe(1);
    const { flow } = await scene.spike.flow(({ http }) => http?.status === 418);
    expect(flow.faults).toMatchObject([{ ruleName: 'rule', type: 'status', status: 418, outcome: 'done' }]);
  });

  it('answers with fields that HTTP/2 has no place for, and without them', async () => {
    const client = await routed();
    await rule({
      type: 'status',
      status: 503,
      headers: { 'Keep-Alive': 'timeout=5', TE: 'gzip', 'Retry-After': '1' },
    });
    const answer = await callHttp2(client, { ':path': '/' });
    expect(answer).toMatchObject({ status: 503, fields: ['retry-after', '1', 'content-length', '0'] });
  });

  it('sends the call to another upstream, whichever version it speaks, under the name of that one', async () => {
    const client = await routed();
    const second = await serveHttp2(scene.peers, (stream, fields) => {
      stream.resume();
      stream.respond({ ':status': 200 });
      stream.end(`second ${fields[fields.indexOf(':authority') + 1]}`);
    });
    const old = await scene.peers.http((request, response) => {
      request.resume();
      request.on('end', () => response.end(`old ${request.headers.host} ${request.url}`));
    });
    const to = [`http://127.0.0.1:${second.port}`, `http://127.0.0.1:${old.port}`] as const;
    await rule({ type: 'redirect-upstream', to: to[0] });
    const inHttp2 = await callHttp2(client, { ':path': '/a?b' });
    expect(inHttp2.body.toString()).toBe(`second 127.0.0.1:${second.port}`);
    await scene.spike.configure({
      rules: [{ name: 'another', faults: [{ type: 'redirect-upstream', to: to[1] }] }],
    });
    const inHttp1 = await callHttp2(client, { ...post, ':path': '/a?b' }, 'body');
    expect(inHttp1.body.toString()).toBe(`old 127.0.0.1:${old.port} /a?b`);
    expect(asked).toBe(0);
    const flows = await scene.spike.flows(2);
    expect(flows.map(({ flow }) => flow.upstream?.address)).toEqual([
      `127.0.0.1:${second.port}`,
      `127.0.0.1:${old.port}`,
    ]);
    expect(flows.map(({ flow }) => flow.faults[0]?.note)).toEqual(to.map((one) => `sent the call to ${one}`));
  });

  it('has its trigger counted by the primary', async () => {
    const client = await routed();
    await scene.spike.configure({
      rules: [{ name: 'rule', trigger: { first: 2 }, faults: [{ type: 'status', status: 503 }] }],
    });
    const answers = [];
    for (let i = 0; i < 4; i++) answers.push((await callHttp2(client, { ':path': '/' })).status);
    expect(answers).toEqual([503, 503, 200, 200]);
  });

  it.each(['request', 'response'] as const)(
    'delays the %s, head, body and trailers in their order',
    async (direction) => {
      const client = await routed();
      await rule({ type: 'latency', latencyMs: 60, direction });
      const answer = await callHttp2(client, post, 'body');
      expect(answer).toMatchObject({ status: 200, code: 0, trailers: ['x-after', 'done'] });
      expect(answer.body.toString()).toBe('hello');
      const { flow, requestBody } = await scene.spike.flow();
      expect(flow.faults[0]).toMatchObject({ type: 'latency', direction, outcome: 'done' });
      expect(flow.faults[0]?.delayedMs).toBeGreaterThanOrEqual(60);
      expect(requestBody.toString()).toBe('body');
    },
  );

  it('throttles without losing a byte', async () => {
    const client = await routed();
    await rule({ type: 'bandwidth', direction: 'request', bytesPerSecond: 100_000 });
    expect(await callHttp2(client, post, Buffer.alloc(20_000, 'x'))).toMatchObject({ status: 200, code: 0 });
    const { flow } = await scene.spike.flow();
    expect(flow.sizes.requestBody).toBe(20_000);
  });

  it.each(['request', 'response'] as const)('hangs the %s until it is turned off', async (direction) => {
    const client = await routed();
    await rule({ type: 'hang', direction });
    const answer = callHttp2(client, post, 'body');
    await expect.poll(() => scene.spike.open.length).toBeGreaterThan(0);
    expect(await scene.spike.configure({ rules: [] })).toBe(1);
    expect(await answer).toMatchObject({ status: 200, code: 0, trailers: ['x-after', 'done'] });
    expect((await scene.spike.flow()).flow.faults[0]).toMatchObject({ type: 'hang', outcome: 'released' });
  });

  it('that hangs, until the client gives up', async () => {
    const client = await routed();
    await rule({ type: 'hang', direction: 'request' });
    const stream = client.request({ ':path': '/' });
    const over = answerOf(stream);
    await expect.poll(() => scene.spike.open.length).toBeGreaterThan(0);
    stream.close(NGHTTP2_CANCEL);
    await over;
    expect((await scene.spike.flow()).flow.error?.cause).toBe('fault-hang');
    expect(asked).toBe(0);
  });

  it.each([
    ['start', 0, '', 0],
    ['before-head', 0, '', 1],
    ['after-head', 200, '', 1],
    ['mid-body', 200, 'he', 1],
  ] as const)('resets the stream: %s', async (at, status, body, reached) => {
    const client = await routed();
    await rule({ type: 'reset', at });
    const answer = await callHttp2(client, post, 'x');
    expect(answer).toMatchObject({ status, code: NGHTTP2_INTERNAL_ERROR });
    expect(answer.body.toString()).toBe(body);
    expect(asked).toBe(reached);
    expect((await scene.spike.flow()).flow).toMatchObject({
      error: { cause: 'fault-reset' },
      faults: [{ type: 'reset' }],
    });
    await scene.spike.configure({ rules: [] });
    expect((await callHttp2(client, { ':path': '/' })).status).toBe(200);
  });

  it('that closes cancels the stream', async () => {
    const client = await routed();
    await rule({ type: 'close', at: 'after-head' });
    expect(await callHttp2(client, { ':path': '/' })).toMatchObject({ status: 200, code: NGHTTP2_CANCEL });
    expect((await scene.spike.flow()).flow.error?.cause).toBe('fault-close');
  });

  it('asks for the status of the answer', async () => {
    const client = await routed();
    await scene.spike.configure({
      rules: [
        { name: 'rule', match: { status: '5xx' }, faults: [{ type: 'status', status: 200, body: 'mended' }] },
      ],
    });
    const answer = await callHttp2(client, { ':path': '/fails' });
    expect([answer.status, answer.body.toString()]).toEqual([200, 'mended']);
    expect((await callHttp2(client, { ':path': '/' })).body.toString()).toBe('hello');
  });

  it('asks for the body of the request', async () => {
    const client = await routed();
    await scene.spike.configure({
      rules: [
        { name: 'rule', match: { body: { contains: 'bad' } }, faults: [{ type: 'status', status: 400 }] },
      ],
    });
    expect((await callHttp2(client, post, 'a bad one')).status).toBe(400);
    expect((await callHttp2(client, post, 'a good one')).status).toBe(200);
    expect(asked).toBe(1);
  });

  it('acts the same when the upstream speaks HTTP/1.1', async () => {
    const server = await scene.peers.http((request, response) => {
      request.resume();
      request.on('end', () => response.end('hello'));
    });
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const client = await openHttp2(scene.peers, `http://${scene.spike.address('service')}`);
    await rule({ type: 'latency', latencyMs: 30, direction: 'response' }, { type: 'reset', at: 'mid-body' });
    const answer = await callHttp2(client, post, 'x');
    expect(answer).toMatchObject({ status: 200, code: NGHTTP2_INTERNAL_ERROR });
    expect(answer.body.toString()).toBe('he');
  });
});

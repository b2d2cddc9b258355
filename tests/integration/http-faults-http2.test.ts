import { constants } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { FaultInput } from '../../src-shared/rules/fault.ts';
import { useScene } from '../support/data-plane-test.ts';
import { callHttp2, openHttp2, serveHttp2 } from '../support/http2-peers.ts';
import { runProgram } from '../support/run-program.ts';

const { NGHTTP2_PROTOCOL_ERROR } = constants;
const scene = useScene();
/** What the upstream saw of the last request. */
let seen: { fields: string[]; body: string } = { fields: [], body: '' };

/** A client of a route whose upstream answers `hello`, in gzip at /gzip, with trailers; under one rule. */
async function routed(...faults: FaultInput[]): Promise<ClientHttp2Session> {
  const server = await serveHttp2(scene.peers, (stream, fields) => {
    seen = { fields, body: '' };
    stream.on('data', (bytes: Buffer) => (seen.body += bytes.toString()));
    stream.on('end', () => {
      const isCoded = fields.includes('/gzip');
      const body = isCoded ? gzipSync('hello') : Buffer.from('hello');
      const coding = isCoded ? { 'content-encoding': 'gzip' } : {};
      const head = { ':status': 200, 'content-length': body.length, ...coding };
      stream.respond(head, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-after': 'done' }));
      if (fields.includes('HEAD')) stream.end();
      else stream.end(body);
    });
  });
  await scene.spike.configure({
    routes: [{ name: 'service', listen: '127.0.0.1:0', upstream: `h2c://127.0.0.1:${server.port}` }],
    rules: [{ name: 'rule', faults }],
  });
  return await openHttp2(scene.peers, `http://${scene.spike.address('service')}`);
}

const url = (): string => `http://${scene.spike.address('service')}/`;
const note = async (): Promise<string | undefined> => (await scene.spike.flow()).flow.faults[0]?.note;

describe('on HTTP/2', () => {
  it('headers are set and removed, in lower case', async () => {
    const client = await routed({ type: 'headers', set: { 'X-New': ' yes ' }, remove: ['Date'] });
    const answer = await callHttp2(client, { ':path': '/' });
    expect(answer).toMatchObject({ status: 200, code: 0, trailers: ['x-after', 'done'] });
    expect(answer.fields).toContain('x-new');
    expect(answer.fields[answer.fields.indexOf('x-new') + 1]).toBe('yes');
    expect(answer.body.toString()).toBe('hello');
  });

  it('Host is :authority', async () => {
    const set = { Host: 'elsewhere.example', 'X-A': '1' };
    const client = await routed({ type: 'headers', direction: 'request', set, remove: ['x-gone'] });
    await callHttp2(client, { ':path': '/', ':method': 'POST', 'x-gone': 'no' }, 'body');
    const value = (name: string): string | undefined => seen.fields[seen.fields.indexOf(name) + 1];
    expect([value(':authority'), value('x-a'), seen.body]).toEqual(['elsewhere.example', '1', 'body']);
    expect(seen.fields).not.toContain('x-gone');
  });

  it('a body is changed, its length with it, and its trailers stay', async () => {
    const client = await routed({ type: 'body', how: 'regex', pattern: 'l+', text: '-' });
    const answer = await callHttp2(client, { ':path': '/gzip' });
    expect(gunzipSync(answer.body).toString()).toBe('he-o');
    expect(answer.fields[answer.fields.indexOf('content-length') + 1]).toBe(String(answer.body.length));
    expect(answer).toMatchObject({ code: 0, trailers: ['x-after', 'done'] });
    expect(await note()).toBe(
      'changed the body of the response, from 5 bytes to 4 bytes, compressed as gzip',
    );
  });

  it('the body of a request is replaced', async () => {
    const client = await routed({ type: 'body', direction: 'request', text: 'another' });
    await callHttp2(client, { ':path': '/', ':method': 'POST', 'content-length': '4' }, 'body');
    expect(seen.body).toBe('another');
    expect(seen.fields[seen.fields.indexOf('content-length') + 1]).toBe('7');
  });

  it('a length that is wrong makes the message malformed', async () => {
    const client = await routed({ type: 'wrong-length', by: 3 });
    expect((await callHttp2(client, { ':path': '/' })).code).toBe(NGHTTP2_PROTOCOL_ERROR);
    expect(await runProgram('curl', ['-sS', '--http2-prior-knowledge', url()])).toMatchObject({
      exitCode: 92,
    });
  });

  it('there are no chunks to break', async () => {
    const client = await routed({ type: 'bad-chunk' });
    expect((await callHttp2(client, { ':path': '/' })).body.toString()).toBe('hello');
    expect(await note()).toBe('left the response as it was: HTTP/2 knows no chunks');
  });

  it('gzip is truncated', async () => {
    const client = await routed({ type: 'truncated-gzip', keepPercent: 60 });
    const { body, code, fields } = await callHttp2(client, { ':path': '/' });
    expect(code).toBe(0);
    expect(fields).toContain('content-encoding');
    expect(() => gunzipSync(body)).toThrow('unexpected end of file');
  });

  it('the head is slow, and the body comes at once behind it', async () => {
    const client = await routed({ type: 'slow-head', bytesPerSecond: 400 });
    const answer = await callHttp2(client, { ':path': '/' });
    expect(answer.body.toString()).toBe('hello');
    const { flow } = await scene.spike.flow();
    const [mark] = flow.faults;
    expect(mark?.delayedMs).toBeGreaterThanOrEqual(((mark?.bytes ?? 0) / 400) * 1000 - 30);
  });

  it('an answer to HEAD has no body to change', async () => {
    const client = await routed({ type: 'body', text: 'new' });
    const answer = await callHttp2(client, { ':path': '/', ':method': 'HEAD' });
    expect(answer).toMatchObject({ status: 200, code: 0 });
    expect(answer.body).toHaveLength(0);
    expect(await note()).toBe('left the body of the response as it was: it has no body');
  });
});

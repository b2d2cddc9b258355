import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { traverseContractProcedures } from '@orpc/server';
import { contract } from '#shared/contract/contract.ts';
import { ErrorBodySchema } from '#shared/contract/errors.ts';
import { startControlServer } from '../../src-main/control/http-server.ts';
import { createRestClient } from '../../src-main/control/rest-client.ts';
import { startHarness, testToken } from '../support/control-harness.ts';
import type { ControlHarness } from '../support/control-harness.ts';
import { rawBytes, rawRequest } from '../support/raw-http.ts';
import type { RawAnswer, RawRequest } from '../support/raw-http.ts';

const bearer = { authorization: `Bearer ${testToken}` };
const maxBodyBytes = 100_000;
let harness: ControlHarness;

beforeAll(async () => {
  harness = await startHarness({ http: { maxBodyBytes } });
  const now = Date.now();
  harness.engine.run(now - 1_800_000, now - 1_790_000);
  harness.engine.run(now - 60_000, now - 59_999);
});
afterAll(() => harness.close());

const api = (path: string, request: RawRequest = {}): Promise<RawAnswer> =>
  rawRequest(harness.server.url, {
    ...request,
    path: `/api/v1${path}`,
    headers: { ...bearer, ...request.headers },
  });

function expectError(answer: RawAnswer, status: number, code: string): void {
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toBe('application/json');
  const body = JSON.parse(answer.body) as unknown;
  // Nothing but the one shape: no status, no stack, no name of a library.
  expect(ErrorBodySchema.strict().parse(body)).toEqual(body);
  expect(body).toMatchObject({ error: { code } });
}

describe('status codes and the one error shape', () => {
  const post = (path: string, body: string, type = 'application/json'): Promise<RawAnswer> =>
    api(path, { method: 'POST', body, headers: { 'content-type': type } });

  it('answers 201 for what is made', async () => {
    const rule = { name: 'made', faults: [{ type: 'hang' }] };
    const answer = await post('/rules', JSON.stringify(rule));
    expect(answer.status).toBe(201);
    expect(JSON.parse(answer.body)).toMatchObject({ id: 'made', name: 'made' });
  });

  it('400 for what is not JSON, not UTF-8, or no JSON by its type', async () => {
    expectError(await post('/rules', '{"name":'), 400, 'bad-request');
    const bytes = Buffer.from([0x22, 0xff, 0x22]);
    const headers = { 'content-type': 'application/json' };
    expectError(await api('/rules', { method: 'POST', body: bytes, headers }), 400, 'bad-request');
    expectError(await post('/rules', 'name=x', 'application/x-www-form-urlencoded'), 400, 'bad-request');
    expectError(await post('/rules', '{}', 'text/plain'), 400, 'bad-request');
  });

  it('400 with every field for what the schema refuses, an absent body included', async () => {
    expectError(await post('/rules', ''), 400, 'invalid-input');
    const answer = await post('/rules', '{"name":"x","faults":[{"type":"nonsense"}]}');
    expectError(answer, 400, 'invalid-input');
    expect(JSON.parse(answer.body)).toMatchObject({
      error: { message: expect.stringContaining('`faults[0].type`'), details: [{ path: 'faults[0].type' }] },
    });
    expectError(await api('/flows?limit=many'), 400, 'invalid-input');
    expectError(await api('/flows?limit=0'), 400, 'invalid-input');
  });

  it('404 for what is not there, and for a path that is none', async () => {
    expectError(await api('/flows/none'), 404, 'not-found');
    expectError(await api('/nonsense'), 404, 'not-found');
    expectError(
      await rawRequest(harness.server.url, { path: '/api/v2/status', headers: bearer }),
      404,
      'not-found',
    );
    expectError(await api('/flows/a/b/c'), 404, 'not-found');
  });

  it('405 with Allow for a method that a path does not take', async () => {
    const answer = await api('/status', { method: 'DELETE' });
    expectError(answer, 405, 'method-not-allowed');
    expect(answer.headers.allow).toBe('OPTIONS, HEAD, GET');
    expectError(await api('/openapi.json', { method: 'POST' }), 405, 'method-not-allowed');
    expectError(await api('/rules/disable-all'), 404, 'not-found'); // GET /rules/{id}: no such rule
  });

  it('409 and 410 as the engine says', async () => {
    const route = JSON.stringify({ name: 'r', listen: '127.0.0.1:9', upstream: 'http://127.0.0.1:1' });
    expect((await post('/routes', route)).status).toBe(201);
    expectError(await post('/routes', route), 409, 'conflict');
    const [row] = (await harness.engine.flows.summaries({ limit: 1, filter: 'status:304' })).rows;
    expectError(await api(`/flows/${row?.id}/response/body`), 410, 'body-not-stored');
  });

  it('413 for a body over the limit, announced or not', async () => {
    const large = JSON.stringify({ name: 'x'.repeat(maxBodyBytes) });
    expectError(await post('/rules', large), 413, 'too-large');
    const chunked = await rawBytes(
      harness.server.url,
      [
        `POST /api/v1/rules HTTP/1.1\r\nhost: ${new URL(harness.server.url).host}`,
        `authorization: Bearer ${testToken}`,
        `content-type: application/json\r\ntransfer-encoding: chunked\r\n`,
        `${(maxBodyBytes + 1).toString(16)}\r\n${'x'.repeat(maxBodyBytes + 1)}\r\n`,
      ].join('\r\n'),
    );
    expect(chunked).toMatch(/^HTTP\/1\.1 413 /);
    expect(chunked).toContain('"code":"too-large"');
  });

  it('takes a body of just the limit', async () => {
    const shell = JSON.stringify({ name: 'x', pad: '' });
    const body = JSON.stringify({ name: 'x', pad: 'p'.repeat(maxBodyBytes - shell.length) });
    expect(body).toHaveLength(maxBodyBytes);
    expectError(await post('/rules', body), 400, 'invalid-input');
  });

  it('HEAD is GET without content; OPTIONS says what a path takes', async () => {
    const head = await api('/rules', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '' });
    const options = await api('/rules', { method: 'OPTIONS' });
    expect(options).toMatchObject({ status: 204, headers: { allow: 'OPTIONS, HEAD, GET, POST' } });
    expect(Object.keys(options.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('bodies and files', () => {
  it('cannot run in the origin of the window, whatever type they claim', async () => {
    const [row] = (await harness.engine.flows.summaries({ limit: 1, filter: 'path:/products?* status:200' }))
      .rows;
    const answer = await api(`/flows/${row?.id}/response/body?decoded=1`);
    expect(answer.body).toMatch(/^<!doctype html>/);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-disposition': `attachment; filename="${row?.id}-response"`,
      'content-security-policy': "sandbox; default-src 'none'",
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
  });

  it('exports a HAR under a name', async () => {
    const answer = await api('/captures/current/export?format=har&redact=1');
    expect(answer.headers['content-disposition']).toMatch(/^attachment; filename="spike-[\dT-]+\.har"$/);
    const har = JSON.parse(answer.body) as { log: { entries: unknown[] } };
    expect(har.log.entries.length).toBeGreaterThan(10);
  });

  it('exports rules as YAML under a name, from a path beside those of single rules', async () => {
    const answer = await api('/rules/export?format=istio');
    expect(answer.headers).toMatchObject({
      'content-type': 'application/yaml',
      'content-disposition': 'attachment; filename="spike-istio.yaml"',
    });
    expect(answer.body).toMatch(/^# VirtualServices of Istio/);
    expectError(await api('/rules/export?format=envoy'), 400, 'invalid-input');
  });
});

describe('who may ask', () => {
  const at = () => new URL(harness.server.url);
  const status = (headers: Record<string, string>) =>
    rawRequest(harness.server.url, { path: '/api/v1/status', headers });

  it('needs the token, in the header and nowhere else', async () => {
    expectError(await status({}), 401, 'unauthorized');
    expectError(await status({ authorization: 'Bearer wrong' }), 401, 'unauthorized');
    expectError(await status({ authorization: `Basic ${testToken}` }), 401, 'unauthorized');
    const inQuery = await rawRequest(harness.server.url, { path: `/api/v1/status?token=${testToken}` });
    expectError(inQuery, 401, 'unauthorized');
    expect(inQuery.headers['www-authenticate']).toMatch(/^Bearer/);
    expect((await status(bearer)).status).toBe(200);
  });

  it.each(['/api/v1/nonsense', '/api/v1/openapi.json', '/metrics', '/api/v1/events', '/api'])(
    'tells nothing of %s without it',
    async (path) => {
      expectError(await rawRequest(harness.server.url, { path }), 401, 'unauthorized');
    },
  );

  it('refuses the name that a page was re-bound under, with a token or without', async () => {
    expectError(await status({ ...bearer, host: `evil.example:${at().port}` }), 403, 'forbidden-host');
    expectError(await status({ host: `evil.example:${at().port}` }), 403, 'forbidden-host');
    expectError(await status({ ...bearer, host: '127.0.0.1:1' }), 403, 'forbidden-host');
    const window = await rawRequest(harness.server.url, { path: '/', headers: { host: 'evil.example' } });
    expectError(window, 403, 'forbidden-host');
  });

  it.each(['localhost', 'LOCALHOST', '127.0.0.1', '[::1]'])('answers to %s', async (name) => {
    expect((await status({ ...bearer, host: `${name}:${at().port}` })).status).toBe(200);
  });

  it('refuses pages of another origin, and never lets them read', async () => {
    for (const origin of [
      'http://evil.example',
      'null',
      `https://${at().host}`,
      `http://localhost:${at().port}`,
    ]) {
      const answer = await status({ ...bearer, origin });
      expectError(answer, 403, 'forbidden-origin');
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
    expect((await status({ ...bearer, origin: harness.server.url })).status).toBe(200);
  });

  it('is no proxy', async () => {
    const answer = await rawRequest(harness.server.url, {
      path: 'http://elsewhere.example/',
      headers: bearer,
    });
    expectError(answer, 400, 'bad-request');
  });
});

describe('the OpenAPI document', () => {
  interface Document {
    openapi: string;
    paths: Record<string, Record<string, { responses: Record<string, unknown>; operationId: string }>>;
    components: { schemas: Record<string, unknown>; responses: Record<string, unknown> };
  }
  const read = async () => JSON.parse((await api('/openapi.json')).body) as Document;

  it('has every procedure of the contract, with its failure', async () => {
    const { paths } = await read();
    traverseContractProcedures({ router: contract, path: [] }, ({ contract: procedure, path: name }) => {
      const { method, path } = procedure['~orpc'].route;
      const operation = paths[path as string]?.[(method as string).toLowerCase()];
      expect(operation, name.join('.')).toBeDefined();
      expect(operation?.operationId).toBe(name.join('.'));
      expect(operation?.responses.default).toEqual({ $ref: '#/components/responses/Failure' });
    });
  });

  it('refers to nothing that it does not have', async () => {
    const document = await read();
    expect(document.openapi).toMatch(/^3\.1\./);
    const references = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g);
    let count = 0;
    for (const [, kind, name] of references) {
      expect(document.components[kind as 'schemas' | 'responses']).toHaveProperty(name as string);
      count += 1;
    }
    expect(count).toBeGreaterThan(20);
  });

  it('gives each variable of a path as a parameter', async () => {
    const { paths } = await read();
    for (const [path, operations] of Object.entries(paths)) {
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      for (const operation of Object.values(operations)) {
        const { parameters = [] } = operation as { parameters?: { name: string; in: string }[] };
        const given = parameters.filter((parameter) => parameter.in === 'path').map((one) => one.name);
        expect(given.sort(), path).toEqual(wanted.sort());
      }
    }
  });
});

describe('metrics', () => {
  it('are Prometheus text', async () => {
    const answer = await rawRequest(harness.server.url, { path: '/metrics', headers: bearer });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.body).toContain('# TYPE spike_flows_stored gauge');
  });

  it('need no token where the setting says so, but the right host still', async () => {
    const open = await startHarness({ http: { metricsNeedsToken: false } });
    try {
      expect((await rawRequest(open.server.url, { path: '/metrics' })).status).toBe(200);
      const foreign = await rawRequest(open.server.url, {
        path: '/metrics',
        headers: { host: 'evil.example' },
      });
      expectError(foreign, 403, 'forbidden-host');
      expectError(await rawRequest(open.server.url, { path: '/api/v1/status' }), 401, 'unauthorized');
    } finally {
      await open.close();
    }
  });
});

describe('the window', () => {
  beforeAll(async () => {
    const { rendererDirectory: directory } = harness;
    await mkdir(join(directory, 'assets'));
    await writeFile(join(directory, 'assets', 'app-1a2b.js'), 'export {};');
    await writeFile(join(directory, '..', 'outside.txt'), 'outside');
  });
  const get = (path: string, headers = {}) => rawRequest(harness.server.url, { path, headers });

  it('says how to build it where it is not built', async () => {
    const answer = await get('/');
    expect(answer.status).toBe(503);
    expect(answer.body).toContain('npm run build');
  });

  it('is served without a token, with a policy that runs no inline script', async () => {
    await writeFile(join(harness.rendererDirectory, 'index.html'), '<!doctype html>');
    const page = await get('/');
    expect(page).toMatchObject({ status: 200, body: '<!doctype html>' });
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.headers['content-security-policy']).toContain("script-src 'self';");
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'");
    const script = await get('/assets/app-1a2b.js');
    expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(script.headers['cache-control']).toContain('immutable');
    expect((await rawRequest(harness.server.url, { method: 'HEAD' })).status).toBe(200);
  });

  it('answers 304 to who has it already', async () => {
    const { headers } = await get('/assets/app-1a2b.js');
    const again = await get('/assets/app-1a2b.js', { 'if-none-match': headers.etag });
    expect(again).toMatchObject({ status: 304, body: '' });
  });

  it.each([
    '/../outside.txt',
    '/%2e%2e/outside.txt',
    '/assets/..%2f..%2foutside.txt',
    '/..%5coutside.txt',
    '/%00',
    '/%zz',
  ])('has no %s', async (path) => expectError(await get(path), 404, 'not-found'));

  it('has no folder listing, and takes GET only', async () => {
    expectError(await get('/assets'), 404, 'not-found');
    expectError(await rawRequest(harness.server.url, { method: 'POST' }), 405, 'method-not-allowed');
  });
});

describe('the server itself', () => {
  it('says that a port is taken', async () => {
    const { control, server } = harness;
    const again = startControlServer({
      control,
      listen: server.address,
      token: () => testToken,
      version: '0',
      rendererDirectory: '/nonexistent',
    });
    await expect(again).rejects.toMatchObject({ code: 'port-in-use' });
  });

  it('tells a client that nobody answers', async () => {
    const gone = await startHarness();
    const { url } = gone.server;
    await gone.close();
    const client = createRestClient({ baseUrl: url, token: testToken });
    await expect(client.agent.status()).rejects.toMatchObject({ name: 'SpikeError', code: 'not-available' });
  });

  it('tells a client that its token is wrong', async () => {
    const client = createRestClient({ baseUrl: harness.server.url, token: 'wrong' });
    await expect(client.agent.status()).rejects.toMatchObject({ name: 'SpikeError', code: 'unauthorized' });
  });
});

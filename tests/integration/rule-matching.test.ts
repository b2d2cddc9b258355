// Which calls a rule is about, on real sockets: what the head tells, what the body tells, and what the response tells.
import { describe, expect, it } from 'vitest';
import type { Match } from '../../src-shared/rules/match.ts';
import type { RuleText } from '../support/data-plane-harness.ts';
import { routeTo, useScene } from '../support/data-plane-test.ts';
import { callThrough } from '../support/proxy-client.ts';
import type { ProxiedCall } from '../support/proxy-client.ts';

const scene = useScene();
const teapot: RuleText['faults'] = [{ type: 'status', status: 418 }];
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';

/** A service that answers with the status that it is asked for, and says what it was sent. */
async function serve(rules: readonly RuleText[], withRoute = true) {
  const bodies: string[] = [];
  const server = await scene.peers.http((request, response) => {
    let body = '';
    request.setEncoding('latin1').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      bodies.push(body);
      response.writeHead(Number(request.headers['x-answer'] ?? 200)).end('from upstream');
    });
  });
  await scene.spike.configure({ routes: withRoute ? [routeTo(server.port)] : [], rules });
  return { port: server.port, bodies, url: `http://127.0.0.1:${server.port}` };
}

describe('the head', () => {
  const call: ProxiedCall & { path: string } = {
    path: '/v1/charge/7?debug=1&tag=a&tag=b%20c&empty',
    method: 'POST',
    caller: 'checkout',
    headers: {
      'X-Tenant': 'acme',
      'content-type': 'application/json',
      traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
    },
    body: '{}',
  };
  it.each<[boolean, Match]>([
    [true, { caller: 'CHECKOUT', method: 'post', path: '/v1/charge/*' }],
    [true, { path: '/^\\/v1\\/charge\\/\\d+$/' }],
    [false, { path: '/v1/charge' }],
    [true, { route: 'service' }],
    [true, { route: 'serv*', listener: 'proxy' }],
    [false, { listener: 'service' }],
    [true, { protocol: 'http' }],
    [false, { protocol: 'grpc' }],
    [false, { protocol: 'tcp' }],
    [true, { query: { debug: '1' } }],
    [true, { query: { tag: 'b c' } }],
    [true, { query: { tag: '/^[ab]$/', empty: true, other: false } }],
    [false, { query: { tag: 'c' } }],
    [false, { query: { empty: false } }],
    [true, { header: { 'x-tenant': 'acme' } }],
    [true, { header: { 'X-TENANT': 'ac*', cookie: false } }],
    [false, { header: { 'x-tenant': 'ACME' } }],
    [true, { traceId }],
    [true, { traceId: '4bf92f*' }],
    [false, { traceId: traceId.replace('4', '5') }],
  ])('%s: %j', async (matches, match) => {
    const service = await serve([{ name: 'r', match, faults: teapot }]);
    const answer = await callThrough(scene.spike.proxy, service.url + call.path, call);
    expect(answer.status).toBe(matches ? 418 : 200);
  });

  it('knows a gRPC call by its content type, its service and its method', async () => {
    const grpc = { service: 'shop.Payments', method: 'Charge' };
    const service = await serve([{ name: 'r', match: { grpc }, faults: teapot }]);
    const statusOf = async (path: string, type: string): Promise<number> => {
      const headers = { 'content-type': type };
      return (await callThrough(scene.spike.proxy, service.url + path, { method: 'POST', headers })).status;
    };
    expect(await statusOf('/shop.Payments/Charge', 'application/grpc+proto')).toBe(418);
    expect(await statusOf('/shop.Payments/Charge', 'application/json')).toBe(200);
    expect(await statusOf('/shop.Payments/Refund', 'application/grpc')).toBe(200);
  });

  it('knows the port that the client used', async () => {
    const service = await serve([{ name: 'r', match: { listener: 'service' }, faults: teapot }]);
    expect((await callThrough(scene.spike.proxy, `${service.url}/`)).status).toBe(200);
    const direct = await fetch(`http://${scene.spike.address('service')}/`);
    expect(direct.status).toBe(418);
  });
});

describe('the body', () => {
  it.each<[boolean, Match['body'], string]>([
    [true, { contains: 'visa' }, 'card=visa'],
    [false, { contains: 'Visa' }, 'card=visa'],
    [true, { matches: '(?i)"amount":\\s*\\d{4,}' }, '{"Amount": 12345}'],
    [true, { json: '$.card.brand', equals: 'visa' }, '{"card":{"brand":"visa"}}'],
    [true, { json: '$.items[*].id', equals: 7 }, '{"items":[{"id":1},{"id":7}]}'],
    [true, { json: '$..secret' }, '{"a":[{"secret":null}]}'],
    [false, { json: '$.card.brand', equals: 'visa' }, '{"card":{"brand":"amex"}}'],
    [false, { json: '$.a' }, 'not json'],
    [true, { json: '$.a', exists: false }, '{"b":1}'],
    [false, { json: '$.a', exists: false }, 'not json'],
    [false, { contains: 'tail', firstBytes: 10 }, '0123456789 tail'],
  ])('%s: %j of %s', async (matches, body, sent) => {
    const service = await serve([{ name: 'r', match: { body }, faults: teapot }]);
    const answer = await callThrough(scene.spike.proxy, `${service.url}/`, { method: 'POST', body: sent });
    expect(answer.status).toBe(matches ? 418 : 200);
    if (!matches) expect(service.bodies).toEqual([sent]);
  });

  it('is passed on whole and in order, when the rule was not about it, however it came', async () => {
    const contains = 'nowhere';
    const service = await serve([{ name: 'r', match: { body: { contains } }, faults: teapot }]);
    const client = await scene.peers.connect(scene.spike.port('service'));
    client.write(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nfirst\r\n',
    );
    client.write('6\r\nsecond\r\n');
    client.write('0\r\n\r\n');
    expect(await client.toEnd()).toMatch(/^HTTP\/1\.1 200 /);
    expect(service.bodies).toEqual(['firstsecond']);
  });

  it('is waited for no longer than its first part takes, however long it is', async () => {
    const body = 'x'.repeat(3_000_000);
    const found = { body: { contains: 'xx', firstBytes: 1000 } };
    const late = { body: { contains: 'y' } };
    const service = await serve([
      { name: 'found', match: { ...found, path: '/found' }, faults: teapot },
      { name: 'late', match: late, faults: teapot },
    ]);
    const send = (path: string) =>
      callThrough(scene.spike.proxy, service.url + path, { method: 'POST', body });
    expect((await send('/found')).status).toBe(418);
    expect((await send('/other')).status).toBe(200);
    expect(service.bodies).toEqual([body]);
  });

  it('is asked for when the client waits to be told to send it', async () => {
    const service = await serve([{ name: 'r', match: { body: { contains: 'bad' } }, faults: teapot }]);
    for (const [body, status] of [
      ['bad', 418],
      ['fine', 200],
    ] as const) {
      const client = await scene.peers.connect(scene.spike.port('service'));
      client.write(
        `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`,
      );
      await client.until((text) => text.includes('100 Continue\r\n\r\n'));
      client.write(body);
      expect(await client.toEnd()).toContain(`HTTP/1.1 ${status} `);
    }
    expect(service.bodies).toEqual(['fine']);
  });

  it('does not keep a call without one waiting', async () => {
    const service = await serve([{ name: 'r', match: { body: { contains: 'a' } }, faults: teapot }]);
    expect((await callThrough(scene.spike.proxy, `${service.url}/`)).status).toBe(200);
  });
});

describe('the status of the response', () => {
  const answering = (status: number): ProxiedCall => ({ headers: { 'x-answer': String(status) } });

  it.each<[Match['status'], number, boolean]>([
    [503, 503, true],
    ['5xx', 500, true],
    ['500-503', 504, false],
    ['429, 5xx', 429, true],
    ['2xx', 404, false],
  ])('%s, and the upstream answers %i', async (status, answered, matches) => {
    const service = await serve([{ name: 'r', match: { status }, faults: teapot }]);
    const answer = await callThrough(scene.spike.proxy, `${service.url}/`, answering(answered));
    expect([answer.status, answer.body]).toEqual(matches ? [418, ''] : [answered, 'from upstream']);
    expect(service.bodies).toHaveLength(1);
    const { flow } = await scene.spike.flow();
    expect(flow.http?.status).toBe(answer.status);
    expect(flow.faults.map(({ note }) => note)).toEqual(
      matches ? ["answered 418 in place of the upstream's answer"] : [],
    );
  });

  it('is asked of the primary where the rule counts, and the answer is whole then', async () => {
    const rules = [{ name: 'r', match: { status: 200 }, trigger: { first: 1 }, faults: teapot }];
    const service = await serve(rules);
    const answers = [];
    for (let call = 0; call < 3; call += 1)
      answers.push(await callThrough(scene.spike.proxy, `${service.url}/`));
    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [418, ''],
      [200, 'from upstream'],
      [200, 'from upstream'],
    ]);
  });

  it('lets faults stand on the bytes of the response', async () => {
    const faults: RuleText['faults'] = [{ type: 'reset', at: 'after-head' }];
    const service = await serve([{ name: 'r', match: { status: '2xx' }, faults }]);
    await expect(callThrough(scene.spike.proxy, `${service.url}/`)).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
    expect((await callThrough(scene.spike.proxy, `${service.url}/`, answering(404))).status).toBe(404);
  });
});

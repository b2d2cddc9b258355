// Toxiproxy's API of a real agent, asked in raw HTTP: status codes, bodies and headers as Toxiproxy 2.12 gives them.
import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { endRealAgents, startRealAgent } from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';

let agent: RealAgent;
let api: string;

beforeAll(async () => {
  agent = await startRealAgent({ words: ['--toxiproxy', '127.0.0.1:0'] });
  api = agent.ready.toxiproxy as string;
});
afterAll(endRealAgents);

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** `body` goes as it is; an object as JSON. */
async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const [host, port] = api.split(':');
  const sent = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, method, path, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    asked.on('error', reject);
    asked.end(sent);
  });
}

const json = ({ text }: Answer): unknown => JSON.parse(text);

async function removeAll(): Promise<void> {
  const proxies = json(await ask('GET', '/proxies')) as Record<string, unknown>;
  for (const name of Object.keys(proxies)) await ask('DELETE', `/proxies/${encodeURIComponent(name)}`);
}

const upstream = '127.0.0.1:9';

describe('each call, as a new client would make it', () => {
  beforeEach(removeAll);

  it('a proxy and a toxic, from the first to the last call', async () => {
    const created = await ask('POST', '/proxies', { name: 'redis', listen: '127.0.0.1:0', upstream });
    expect(created.status).toBe(201);
    expect(created.headers['content-type']).toBe('application/json');
    expect(created.headers['x-toxiproxy-request-id']).toMatch(/^\w+$/);
    const proxy = json(created) as { listen: string };
    expect(proxy.listen).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
    expect(proxy).toEqual({ name: 'redis', listen: proxy.listen, upstream, enabled: true, toxics: [] });
    expect(json(await ask('GET', '/proxies'))).toEqual({ redis: proxy });
    expect(json(await ask('GET', '/proxies/redis'))).toEqual(proxy);

    const added = await ask('POST', '/proxies/redis/toxics', { type: 'latency', attributes: { latency: 7 } });
    expect(added.status).toBe(200);
    const toxic = {
      attributes: { latency: 7, jitter: 0 },
      name: 'latency_downstream',
      type: 'latency',
      stream: 'downstream',
      toxicity: 1,
    };
    expect(json(added)).toEqual(toxic);
    const list = await ask('GET', '/proxies/redis/toxics');
    expect([list.status, json(list)]).toEqual([200, [toxic]]);
    expect(json(await ask('GET', '/proxies/redis/toxics/latency_downstream'))).toEqual(toxic);
    const changes = {
      attributes: { jitter: 3 },
      toxicity: 0.1,
      name: 'other',
      stream: 'upstream',
      type: 'slicer',
    };
    for (const method of ['POST', 'PATCH']) {
      const changed = await ask(method, '/proxies/redis/toxics/latency_downstream', changes);
      expect([changed.status, json(changed)]).toEqual([
        200,
        { ...toxic, attributes: { latency: 7, jitter: 3 }, toxicity: 0.1 },
      ]);
    }
    const removed = await ask('DELETE', '/proxies/redis/toxics/latency_downstream');
    expect([removed.status, removed.text]).toEqual([204, '']);

    for (const method of ['POST', 'PATCH']) {
      const same = await ask(method, '/proxies/redis', { name: 'other', enabled: true });
      expect([same.status, json(same)]).toEqual([200, proxy]);
    }
    const gone = await ask('DELETE', '/proxies/redis');
    expect([gone.status, gone.text]).toEqual([204, '']);
    expect(json(await ask('GET', '/proxies'))).toEqual({});
  });

  it('its version, as it writes it', async () => {
    const { status, text, headers } = await ask('GET', '/version');
    expect([status, text]).toEqual([200, '{"version": "2.12.0"}\n']);
    expect(headers['content-type']).toBe('application/json;charset=utf-8');
  });

  it('a name that no path could have without escapes', async () => {
    const name = 'päyments & "co" 50%?';
    await ask('POST', '/proxies', { name, listen: '127.0.0.1:0', upstream });
    const path = `/proxies/${encodeURIComponent(name)}`;
    expect(json(await ask('GET', path))).toMatchObject({ name });
    const toxics = `${path}/toxics`;
    await ask('POST', toxics, { type: 'timeout', name: 'a b/c' });
    expect(json(await ask('GET', toxics))).toMatchObject([{ name: 'a b/c' }]);
  });

  it('toxics are listed upstream first, each stream in its order', async () => {
    await ask('POST', '/proxies', { name: 'p', listen: '127.0.0.1:0', upstream });
    for (const [type, stream] of [
      ['latency', 'downstream'],
      ['slicer', 'Upstream'],
      ['noop', 'downstream'],
      ['latency', 'upstream'],
    ]) {
      expect((await ask('POST', '/proxies/p/toxics', { type, stream })).status).toBe(200);
    }
    const toxics = json(await ask('GET', '/proxies/p/toxics')) as { name: string }[];
    expect(toxics.map(({ name }) => name)).toEqual([
      'slicer_Upstream',
      'latency_upstream',
      'latency_downstream',
      'noop_downstream',
    ]);
  });

  it('every type with its attributes, 0 where none are given; an int64 as it was', async () => {
    await ask('POST', '/proxies', { name: 'p', listen: '127.0.0.1:0', upstream });
    const attributesOf = async (type: string, body = '{}'): Promise<string> => {
      const { text } = await ask('POST', '/proxies/p/toxics', `{"type":"${type}","attributes":${body}}`);
      return /"attributes":(\{.*?\})/.exec(text)?.[1] ?? text;
    };
    expect(await attributesOf('latency')).toBe('{"latency":0,"jitter":0}');
    expect(await attributesOf('bandwidth')).toBe('{"rate":0}');
    expect(await attributesOf('slow_close')).toBe('{"delay":0}');
    expect(await attributesOf('timeout')).toBe('{"timeout":0}');
    expect(await attributesOf('reset_peer')).toBe('{"timeout":0}');
    expect(await attributesOf('slicer')).toBe('{"average_size":0,"size_variation":0,"delay":0}');
    expect(await attributesOf('limit_data', '{"bytes":9223372036854775807}')).toBe(
      '{"bytes":9223372036854775807}',
    );
    expect(await attributesOf('noop')).toBe('{}');
  });

  it('a toxicity as a float32 has it, whatever it is', async () => {
    await ask('POST', '/proxies', { name: 'p', listen: '127.0.0.1:0', upstream });
    const toxicityOf = async (toxicity: string): Promise<string> => {
      const name = `t${toxicity}`;
      const { text } = await ask(
        'POST',
        '/proxies/p/toxics',
        `{"type":"noop","name":"${name}","toxicity":${toxicity}}`,
      );
      return /"toxicity":([^}]*)/.exec(text)?.[1] ?? text;
    };
    expect(await toxicityOf('0.1')).toBe('0.1');
    expect(await toxicityOf('0.123456789')).toBe('0.12345679');
    expect(await toxicityOf('0')).toBe('0');
    expect(await toxicityOf('2')).toBe('2');
    expect(await toxicityOf('null')).toBe('1');
  });
});

describe('what is refused, and in which words', () => {
  beforeAll(async () => {
    await removeAll();
    await ask('POST', '/proxies', { name: 'p', listen: '127.0.0.1:0', upstream });
    await ask('POST', '/proxies/p/toxics', { type: 'latency', name: 't', attributes: { latency: 5 } });
  });

  const unmarshal = (what: string, where: string, type: string): string =>
    `bad request body: json: cannot unmarshal ${what} into Go struct field ${where} of type ${type}`;

  it.each<[string, string, unknown, number, string]>([
    ['GET', '/proxies/x', undefined, 404, 'proxy not found'],
    ['POST', '/proxies/x', {}, 404, 'proxy not found'],
    ['PATCH', '/proxies/x', {}, 404, 'proxy not found'],
    ['DELETE', '/proxies/x', undefined, 404, 'proxy not found'],
    ['GET', '/proxies/x/toxics', undefined, 404, 'proxy not found'],
    ['POST', '/proxies/x/toxics', 'not read', 404, 'proxy not found'],
    ['GET', '/proxies/x/toxics/t', undefined, 404, 'proxy not found'],
    ['GET', '/proxies/p/toxics/x', undefined, 404, 'toxic not found'],
    ['POST', '/proxies/p/toxics/x', {}, 404, 'toxic not found'],
    ['DELETE', '/proxies/p/toxics/x', undefined, 404, 'toxic not found'],
    ['POST', '/proxies', { name: 'p', upstream }, 409, 'proxy already exists'],
    ['POST', '/proxies', { upstream }, 400, 'missing required field: name'],
    ['POST', '/proxies', { name: 'q' }, 400, 'missing required field: upstream'],
    ['POST', '/proxies', '', 400, 'bad request body: EOF'],
    ['POST', '/proxies', '{"name":', 400, 'bad request body: unexpected EOF'],
    [
      'POST',
      '/proxies',
      'hello',
      400,
      "bad request body: invalid character 'h' looking for beginning of value",
    ],
    ['POST', '/proxies', { name: 1, upstream }, 400, unmarshal('number', 'Proxy.name', 'string')],
    [
      'POST',
      '/proxies',
      { name: 'q', upstream, enabled: 'yes' },
      400,
      unmarshal('string', 'Proxy.enabled', 'bool'),
    ],
    [
      'POST',
      '/proxies',
      '[]',
      400,
      'bad request body: json: cannot unmarshal array into Go value of type toxiproxy.Proxy',
    ],
    ['PATCH', '/proxies/p', { listen: 3 }, 400, unmarshal('number', 'Proxy.listen', 'string')],
    [
      'POST',
      '/proxies',
      { name: 'q', upstream, listen: 'nowhere' },
      500,
      'listen tcp: address nowhere: missing port in address',
    ],
    [
      'POST',
      '/proxies',
      { name: 'q', upstream, listen: '127.0.0.1:70000' },
      500,
      'listen tcp: address 70000: invalid port',
    ],
    ['POST', '/proxies/p/toxics', {}, 400, 'invalid toxic type'],
    ['POST', '/proxies/p/toxics', { type: 'packet_loss' }, 400, 'invalid toxic type'],
    ['POST', '/proxies/p/toxics', { type: 'constructor' }, 400, 'invalid toxic type'],
    [
      'POST',
      '/proxies/p/toxics',
      { type: 'x', stream: 'sideways' },
      400,
      'stream was invalid, can be either upstream or downstream',
    ],
    ['POST', '/proxies/p/toxics', { type: 'latency', name: 't' }, 409, 'toxic already exists'],
    ['POST', '/proxies/p/toxics', '{', 400, 'bad request body: unexpected EOF'],
    [
      'POST',
      '/proxies/p/toxics',
      { type: 'latency', attributes: { latency: 1.5 } },
      400,
      unmarshal('number 1.5', 'LatencyToxic.attributes.latency', 'int64'),
    ],
    [
      'POST',
      '/proxies/p/toxics',
      '{"type":"latency","attributes":{"jitter":1.0}}',
      400,
      unmarshal('number 1.0', 'LatencyToxic.attributes.jitter', 'int64'),
    ],
    [
      'POST',
      '/proxies/p/toxics',
      '{"type":"timeout","attributes":{"timeout":1e3}}',
      400,
      unmarshal('number 1e3', 'TimeoutToxic.attributes.timeout', 'int64'),
    ],
    [
      'POST',
      '/proxies/p/toxics',
      '{"type":"limit_data","attributes":{"bytes":9223372036854775808}}',
      400,
      unmarshal('number 9223372036854775808', 'LimitDataToxic.attributes.bytes', 'int64'),
    ],
    [
      'POST',
      '/proxies/p/toxics',
      { type: 'bandwidth', attributes: { rate: '10' } },
      400,
      unmarshal('string', 'BandwidthToxic.attributes.rate', 'int64'),
    ],
    [
      'POST',
      '/proxies/p/toxics',
      { type: 'slicer', toxicity: '1' },
      400,
      unmarshal('string', 'ToxicWrapper.toxicity', 'float32'),
    ],
    [
      'PATCH',
      '/proxies/p/toxics/t',
      { attributes: { latency: 9, jitter: true } },
      400,
      unmarshal('bool', 'LatencyToxic.attributes.jitter', 'int64'),
    ],
  ])('%s %s with %j: %i', async (method, path, body, status, message) => {
    const answer = await ask(method, path, body);
    expect(answer.text).toBe(`${JSON.stringify({ error: message, status })}\n`);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
  });

  it('leaves all as it was: nothing is half-applied', async () => {
    const [proxy] = Object.values(
      json(await ask('GET', '/proxies')) as Record<string, { toxics: unknown[] }>,
    );
    expect(Object.keys(json(await ask('GET', '/proxies')) as object)).toEqual(['p']);
    expect(proxy?.toxics).toMatchObject([{ name: 't', attributes: { latency: 5, jitter: 0 } }]);
    expect(await agent.client.rules.list()).toHaveLength(1);
    expect(await agent.client.routes.list()).toHaveLength(1);
  });

  it.each([
    ['PUT', '/proxies'],
    ['HEAD', '/proxies'],
    ['DELETE', '/proxies/p/toxics'],
    ['PUT', '/proxies/p'],
    ['GET', '/reset'],
    ['GET', '/populate'],
    ['POST', '/version'],
  ])('%s %s: 405, without a body', async (method, path) => {
    const { status, text } = await ask(method, path);
    expect([status, text]).toEqual([405, '']);
  });

  it.each(['/', '/proxies/', '/proxies/p/toxics/t/u', '/metrics', '/api/v1/rules'])(
    '%s: 404',
    async (path) => {
      const { status, text } = await ask('GET', path);
      expect([status, text]).toEqual([404, '404 page not found\n']);
    },
  );

  it('a body beyond what it reads', async () => {
    const { status, text } = await ask('POST', '/proxies', { name: 'x'.repeat(1_100_000), upstream });
    expect([status, json({ text } as Answer)]).toEqual([
      413,
      { error: 'the body is larger than 1048576 bytes', status: 413 },
    ]);
  });
});

describe('who is refused', () => {
  it('browsers, as Toxiproxy has it', async () => {
    const { status, text } = await ask('GET', '/proxies', undefined, { 'user-agent': 'Mozilla/5.0 (X11)' });
    expect([status, text]).toEqual([403, 'User agent not allowed\n']);
  });

  it.each([
    ['a re-bound name', { host: 'evil.example' }],
    ['a page of another origin', { origin: 'http://evil.example' }],
    ['a page of no origin', { origin: 'null' }],
  ])('%s', async (_what, headers) => {
    expect((await ask('POST', '/reset', undefined, headers)).status).toBe(403);
  });

  it('nobody may reach this API through Spike', async () => {
    const answer = await new Promise<number>((resolve, reject) => {
      const [host, port] = agent.ready.proxy.split(':');
      const asked = request({ host, port, path: `http://${api}/proxies` }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      asked.on('error', reject).end();
    });
    expect(answer).toBe(403);
  });
});

describe('as Go reads JSON', () => {
  beforeEach(removeAll);

  it.each([
    ['keys in any case', '{"NAME":"p","Listen":"127.0.0.1:0","UPSTREAM":"127.0.0.1:9"}'],
    ['of a repeated key the last', '{"name":"x","name":"p","listen":"127.0.0.1:0","upstream":"127.0.0.1:9"}'],
    [
      'unknown keys passed over',
      '{"name":"p","listen":"127.0.0.1:0","upstream":"127.0.0.1:9","Logger":{},"toxics":[1]}',
    ],
    [
      'null as if it were absent',
      '{"name":"p","listen":"127.0.0.1:0","upstream":"127.0.0.1:9","enabled":null}',
    ],
    ['what follows passed over', '{"name":"p","listen":"127.0.0.1:0","upstream":"127.0.0.1:9"} and more'],
  ])('%s', async (_what, body) => {
    const answer = await ask('POST', '/proxies', body, {
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect([answer.status, json(answer)]).toMatchObject([201, { name: 'p', enabled: true }]);
  });
});

describe('populate', () => {
  beforeEach(removeAll);

  const two = [
    { name: 'one', listen: '127.0.0.1:0', upstream },
    { name: 'two', listen: 'localhost:0', upstream, enabled: false },
  ];

  it('makes what is new; of what is there it leaves the same, with its toxics, and replaces the rest', async () => {
    const first = await ask('POST', '/populate', two);
    expect(first.status).toBe(201);
    const { proxies } = json(first) as { proxies: { name: string; listen: string; enabled: boolean }[] };
    expect(proxies).toMatchObject([
      { name: 'one', enabled: true, toxics: [] },
      { name: 'two', listen: 'localhost:0', enabled: false },
    ]);
    for (const name of ['one', 'two']) await ask('POST', `/proxies/${name}/toxics`, { type: 'latency' });

    const listen = proxies[0]?.listen;
    const again = [
      { name: 'one', listen: listen?.replace('127.0.0.1', 'localhost'), upstream, enabled: false },
      { name: 'two', listen: '127.0.0.1:0', upstream: '127.0.0.1:10' },
    ];
    const second = await ask('POST', '/populate', again);
    expect(second.status).toBe(201);
    expect(json(second)).toMatchObject({
      proxies: [
        { name: 'one', listen, enabled: true, toxics: [{ name: 'latency_downstream' }] },
        { name: 'two', upstream: '127.0.0.1:10', enabled: true, toxics: [] },
      ],
    });
    expect(await agent.client.rules.list()).toHaveLength(1);
  });

  it.each<[string, unknown, string]>([
    ['a name that is missing', [...two, { upstream }], 'missing required field: name at proxy 3'],
    ['an upstream that is missing', [...two, { name: 'x' }], 'missing required field: upstream at proxy 3'],
    [
      'no list',
      { name: 'x' },
      'bad request body: json: cannot unmarshal object into Go value of type []toxiproxy.Proxy',
    ],
    ['no JSON', '[', 'bad request body: unexpected EOF'],
  ])('%s: 400, proxies null, and nothing is made', async (_what, body, message) => {
    const answer = await ask('POST', '/populate', body);
    expect([answer.status, answer.text]).toEqual([
      400,
      `${JSON.stringify({ error: message, status: 400, proxies: null })}`,
    ]);
    expect(json(await ask('GET', '/proxies'))).toEqual({});
  });

  it('nothing gives null', async () => {
    expect(await ask('POST', '/populate', '[]')).toMatchObject({ status: 201, text: '{"proxies":null}' });
  });

  it('tells what it made before a port that is taken', async () => {
    const { port, close } = await takenPort();
    const answer = await ask('POST', '/populate', [
      two[0],
      { name: 'x', listen: `127.0.0.1:${port}`, upstream },
    ]);
    await close();
    expect([answer.status, json(answer)]).toMatchObject([
      500,
      {
        error: `listen tcp 127.0.0.1:${port}: bind: address already in use`,
        status: 500,
        proxies: [{ name: 'one' }],
      },
    ]);
  });

  it('a replacement that cannot listen leaves the old one, off, with its toxics', async () => {
    const { port, close } = await takenPort();
    await ask('POST', '/populate', [two[0]]);
    await ask('POST', '/proxies/one/toxics', { type: 'latency' });
    const answer = await ask('POST', '/populate', [{ name: 'one', listen: `127.0.0.1:${port}`, upstream }]);
    expect([answer.status, json(answer)]).toMatchObject([500, { proxies: null }]);
    await close();
    expect(json(await ask('GET', '/proxies/one'))).toMatchObject({
      enabled: false,
      toxics: [{ name: 'latency_downstream' }],
    });
    expect((await ask('PATCH', '/proxies/one', { enabled: true })).status).toBe(200);
  });
});

describe('ports', () => {
  beforeEach(removeAll);

  it('one that is taken: 500, and no proxy', async () => {
    const { port, close } = await takenPort();
    const body = { name: 'p', listen: `127.0.0.1:${port}`, upstream };
    const answer = await ask('POST', '/proxies', body);
    expect([answer.status, json(answer)]).toEqual([
      500,
      { error: `listen tcp 127.0.0.1:${port}: bind: address already in use`, status: 500 },
    ]);
    expect((await ask('GET', '/proxies/p')).status).toBe(404);
    await close();
    expect((await ask('POST', '/proxies', body)).status).toBe(201);
  });

  it('one that another proxy has: 500', async () => {
    const { listen } = json(
      await ask('POST', '/proxies', { name: 'p', listen: '127.0.0.1:0', upstream }),
    ) as {
      listen: string;
    };
    const answer = await ask('POST', '/proxies', { name: 'q', listen, upstream });
    expect([answer.status, json(answer)]).toMatchObject([
      500,
      { error: expect.stringContaining('address already in use') },
    ]);
  });

  it('a disabled proxy that cannot be enabled stays as it is', async () => {
    const { port, close } = await takenPort();
    await ask('POST', '/proxies', { name: 'p', listen: `127.0.0.1:${port}`, upstream, enabled: false });
    expect((await ask('PATCH', '/proxies/p', { enabled: true })).status).toBe(500);
    expect((await ask('POST', '/reset')).status).toBe(500);
    expect(json(await ask('GET', '/proxies/p'))).toMatchObject({ enabled: false });
    await close();
    expect((await ask('POST', '/reset')).status).toBe(204);
    expect(json(await ask('GET', '/proxies/p'))).toMatchObject({ enabled: true });
  });

  it('the port of a proxy that is gone is free at once', async () => {
    const { listen } = json(
      await ask('POST', '/proxies', { name: 'p', listen: '127.0.0.1:0', upstream }),
    ) as {
      listen: string;
    };
    for (let round = 0; round < 5; round += 1) {
      await ask('DELETE', '/proxies/p');
      expect((await ask('POST', '/proxies', { name: 'p', listen, upstream })).status).toBe(201);
    }
  });
});

describe('in Spike', () => {
  beforeEach(removeAll);

  it('proxies are routes and toxics are rules, marked with where they come from, and not in the workspace file', async () => {
    const before = agent.workspaceText();
    await ask('POST', '/proxies', { name: 'pay ments', listen: '127.0.0.1:0', upstream });
    await ask('POST', '/proxies/pay%20ments/toxics', {
      type: 'latency',
      attributes: { latency: 20 },
      toxicity: 0.5,
    });
    expect(await agent.client.routes.list()).toMatchObject([
      { name: 'pay-ments', origin: 'toxiproxy', upstream: `tcp://${upstream}`, error: null },
    ]);
    const [rule] = await agent.client.rules.list();
    expect(rule).toMatchObject({
      name: 'Toxiproxy: latency_downstream on pay ments',
      origin: 'toxiproxy',
      enabled: true,
      match: { listener: 'pay-ments', callee: 'pay-ments', protocol: 'tcp' },
      trigger: { probability: 0.5 },
      faults: [{ type: 'latency', direction: 'response', latencyMs: 20, jitterMs: 0 }],
    });
    // What the window changes is written; that it is written shows that what is not was looked at.
    await agent.client.rules.create({ name: 'mine', faults: [{ type: 'hang' }] });
    await expect.poll(() => agent.workspaceText()).toContain('mine');
    expect(agent.workspaceText()).not.toMatch(/toxiproxy|pay-ments/i);
    await agent.client.rules.remove({ id: 'mine' });
    await expect.poll(() => agent.workspaceText()).not.toContain('mine');
    expect(agent.workspaceText().trim()).toContain(before.trim());
    expect(await agent.client.rules.list()).toHaveLength(1);
  });

  it('"Stop all" turns toxics off: they are listed on, and act again when they are changed', async () => {
    await ask('POST', '/proxies', { name: 'p', listen: '127.0.0.1:0', upstream });
    await ask('POST', '/proxies/p/toxics', { type: 'latency' });
    await agent.client.rules.disableAll();
    expect(json(await ask('GET', '/proxies/p/toxics'))).toMatchObject([{ name: 'latency_downstream' }]);
    expect(await agent.client.rules.list()).toMatchObject([{ enabled: false }]);
    await ask('POST', '/proxies/p/toxics/latency_downstream', {});
    expect(await agent.client.rules.list()).toMatchObject([{ enabled: true }]);
  });

  it('what is made by a client is changed by it alone; it may be turned off and removed', async () => {
    await ask('POST', '/proxies', { name: 'p', listen: '127.0.0.1:0', upstream });
    await ask('POST', '/proxies/p/toxics', { type: 'latency' });
    const [rule] = await agent.client.rules.list();
    const id = rule?.id ?? '';
    const change = agent.client.rules.update({
      params: { id },
      body: { faults: [{ type: 'hang', direction: 'response' }] },
    });
    await expect(change).rejects.toMatchObject({ code: 'conflict' });
    await agent.client.rules.remove({ id });
    expect(json(await ask('GET', '/proxies/p'))).toMatchObject({ toxics: [] });
    await agent.client.routes.remove({ name: 'p' });
    expect(json(await ask('GET', '/proxies/p'))).toMatchObject({ enabled: false });
  });

  it('a route of the workspace keeps its name', async () => {
    await agent.client.routes.create({ name: 'db', listen: '127.0.0.1:0', upstream: `tcp://${upstream}` });
    await ask('POST', '/proxies', { name: 'db', listen: '127.0.0.1:0', upstream });
    const routes = await agent.client.routes.list();
    expect(routes.map(({ name, origin }) => [name, origin])).toEqual([
      ['db', undefined],
      ['db-2', 'toxiproxy'],
    ]);
    await agent.client.routes.remove({ name: 'db' });
  });
});

/** A port of loopback that another program listens on. */
async function takenPort(): Promise<{ port: number; close: () => Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

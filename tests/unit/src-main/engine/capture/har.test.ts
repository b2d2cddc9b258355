import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import Ajv from 'ajv';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Flow, Http } from '#shared/flow/flow.ts';
import type { FlowMessage } from '#shared/flow/message.ts';
import { createHar, harText } from '../../../../../src-main/engine/capture/har.ts';
import type { HarBody, HarOptions } from '../../../../../src-main/engine/capture/har.ts';
import { createRedactor } from '../../../../../src-main/engine/capture/redaction.ts';
import { brokenChromeRules } from '../../../../support/har-chrome-rules.ts';
import { arbitraryBody, arbitraryFlow } from './har-arbitrary-flow.ts';

const schemaErrors = harSchemaValidator();
const redactor = () => createRedactor({ key: Buffer.alloc(32, 7) });

const http: Http = {
  method: 'POST',
  url: 'http://orders.internal/v1/orders?page=2&q=a%20b',
  httpVersion: '1.1',
  requestHeaders: [
    ['Host', 'orders.internal'],
    ['Content-Type', 'application/json'],
    ['Cookie', 'a=1; b=2'],
  ],
  status: 201,
  reason: 'Created',
  responseHeaders: [
    ['Content-Type', 'application/json; charset=utf-8'],
    ['Set-Cookie', 'sid=s; Path=/; HttpOnly; Expires=Tue, 10 Mar 2026 14:12:40 GMT'],
    ['Location', '/v1/orders/7'],
  ],
  grpcStatus: null,
  trailers: [['X-Sum', '1']],
  requestBody: 'stored',
  responseBody: 'stored',
};

function aFlow(change: Partial<Flow> = {}, httpChange: Partial<Http> = {}): Flow {
  return {
    id: 'mfx3k2a1c000703k3v9q2',
    kind: 'http',
    startedAt: '2026-03-10T14:12:40.118250Z',
    durationMs: 65.5,
    caller: { name: 'checkout', resolvedBy: 'proxy-user', pid: null },
    callee: { name: 'orders', resolvedBy: 'host', pid: null },
    route: null,
    connectionId: 'c7',
    client: '127.0.0.1:50000',
    upstream: { address: '127.0.0.1:8101', reused: false },
    tls: null,
    http: { ...http, ...httpChange },
    protocol: null,
    bytes: null,
    messages: null,
    rawHead: null,
    sizes: { requestHead: 120, requestBody: 7, responseHead: 90, responseBody: 9 },
    timings: { blocked: 0.5, dns: null, connect: 1.25, tls: 2, send: 0.25, wait: 40, receive: 1.5 },
    faults: [],
    playback: null,
    trace: null,
    error: null,
    worker: 2,
    ...change,
  };
}

const whole = (content: string | Buffer): HarBody => ({
  bytes: Buffer.from(content),
  truncated: false,
  decoded: true,
});
const bodies =
  (request: HarBody | null, response: HarBody | null): HarOptions['bodyOf'] =>
  async (_, side) =>
    side === 'request' ? request : response;

const none: HarOptions['messagesOf'] = async () => [];

async function harOf(flows: HarOptions['flows'], change: Partial<HarOptions> = {}) {
  const bodyOf = bodies(whole('{"a":1}'), whole('{"ok":1}\n'));
  const text = await harText({
    flows,
    bodyOf,
    messagesOf: none,
    version: '0.1.0',
    redactor: null,
    ...change,
  });
  const har = JSON.parse(text);
  expect(brokenChromeRules(har)).toEqual([]);
  expect(schemaErrors(har)).toBeNull();
  return har.log;
}
const entryOf = async (flow: Flow, change: Partial<HarOptions> = {}) =>
  (await harOf([flow], change)).entries[0];

describe('a file', () => {
  test('says who made it, and holds one page that starts with the first call', async () => {
    const log = await harOf([aFlow()]);
    expect(log.creator).toEqual({ name: 'Spike', version: '0.1.0' });
    expect(log.version).toBe('1.2');
    expect(log.pages).toEqual([
      {
        startedDateTime: '2026-03-10T14:12:40.118250Z',
        id: 'page_1',
        title: 'Spike',
        pageTimings: { onContentLoad: -1, onLoad: -1 },
      },
    ]);
    expect(log.entries[0].pageref).toBe('page_1');
  });

  test('of nothing is a file', async () => {
    expect(await harOf([])).toMatchObject({ pages: [], entries: [], _spike: { omitted: { tcp: 0 } } });
  });

  test('leaves out tunnels, and says how many', async () => {
    const log = await harOf([
      aFlow({ kind: 'tcp', http: null }),
      aFlow(),
      aFlow({ kind: 'tcp', http: null }),
    ]);
    expect(log.entries).toHaveLength(1);
    expect(log._spike.omitted).toEqual({ tcp: 2 });
  });

  test('is in order of start, from a list and from a stream', async () => {
    const at = (micros: number) =>
      aFlow({ startedAt: `2026-03-10T14:12:40.${String(micros).padStart(6, '0')}Z` });
    const flows = Array.from({ length: 5_000 }, (_, i) => at(i ^ 3));
    async function* stream() {
      yield* flows;
    }
    for (const source of [flows, stream()]) {
      const starts = (await harOf(source)).entries.map(
        (entry: { startedDateTime: string }) => entry.startedDateTime,
      );
      expect(starts).toEqual(starts.toSorted());
      expect(starts).toHaveLength(5_000);
    }
  });

  test('comes piece by piece, no more than the window ahead of what is asked for', async () => {
    let given = 0;
    async function* endless() {
      for (;;) {
        given += 1;
        yield aFlow();
      }
    }
    const pieces = createHar({
      flows: endless(),
      bodyOf: bodies(null, null),
      messagesOf: none,
      version: '1',
      redactor: null,
    });
    for (let i = 0; i < 10; i += 1) expect((await pieces.next()).done).toBe(false);
    await pieces.return();
    expect(given).toBeLessThanOrEqual(2_000);
  });

  test('fails when a body cannot be read', async () => {
    const bodyOf = () => Promise.reject(new Error('disk'));
    const options = { flows: [aFlow()], bodyOf, messagesOf: none, version: '1', redactor: null };
    await expect(harText(options)).rejects.toThrow('disk');
  });
});

describe('an entry', () => {
  test('has all that HAR has a place for', async () => {
    expect(await entryOf(aFlow())).toMatchObject({
      startedDateTime: '2026-03-10T14:12:40.118250Z',
      request: {
        method: 'POST',
        url: 'http://orders.internal/v1/orders?page=2&q=a%20b',
        httpVersion: 'HTTP/1.1',
        queryString: [
          { name: 'page', value: '2' },
          { name: 'q', value: 'a b' },
        ],
        cookies: [
          { name: 'a', value: '1' },
          { name: 'b', value: '2' },
        ],
        headersSize: 120,
        bodySize: 7,
        postData: { mimeType: 'application/json', text: '{"a":1}' },
      },
      response: {
        status: 201,
        statusText: 'Created',
        redirectURL: '/v1/orders/7',
        cookies: [
          { name: 'sid', value: 's', path: '/', httpOnly: true, expires: '2026-03-10T14:12:40.000Z' },
        ],
        content: { size: 9, mimeType: 'application/json; charset=utf-8', text: '{"ok":1}\n' },
        headersSize: 90,
        bodySize: 9,
      },
      cache: {},
      serverIPAddress: '127.0.0.1',
      connection: 'c7',
      _spike: {
        id: 'mfx3k2a1c000703k3v9q2',
        caller: { name: 'checkout' },
        worker: 2,
        trailers: [['X-Sum', '1']],
      },
    });
  });

  test('counts TLS once, as part of connect', async () => {
    const { time, timings } = await entryOf(aFlow());
    expect(timings).toEqual({
      blocked: 0.5,
      dns: -1,
      connect: 3.25,
      send: 0.25,
      wait: 40,
      receive: 1.5,
      ssl: 2,
    });
    expect(time).toBe(45.5);
  });

  test.each([
    ['[::1]:8101', '::1'],
    ['10.0.0.7:80', '10.0.0.7'],
    ['orders.internal:80', undefined],
  ])('upstream %s: serverIPAddress %s', async (address, expected) => {
    expect((await entryOf(aFlow({ upstream: { address, reused: false } }))).serverIPAddress).toBe(expected);
  });

  test('without an answer has status 0, empty content and the cause', async () => {
    const failed = aFlow(
      { error: { code: 'ECONNREFUSED', cause: 'upstream-refused', message: 'm' } },
      { status: null, reason: null, responseHeaders: [], responseBody: 'none' },
    );
    expect((await entryOf(failed)).response).toEqual({
      status: 0,
      statusText: '',
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: [],
      redirectURL: '',
      content: { size: 0, mimeType: 'x-unknown' },
      headersSize: -1,
      bodySize: -1,
      _error: 'upstream-refused',
    });
  });

  test('that broke off keeps its status beside the cause', async () => {
    const broken = aFlow({ error: { code: 'ECONNRESET', cause: 'upstream-reset', message: 'm' } });
    expect((await entryOf(broken)).response).toMatchObject({ status: 201, _error: 'upstream-reset' });
  });

  test('of a failed handshake is a CONNECT that failed, of a refused head the method that was refused', async () => {
    const error = { code: 'x', cause: 'tls-closed' as const, message: 'm' };
    const tls = { intercepted: true, sni: 'pay.example', alpn: null, version: null, hello: null, note: null };
    const handshake = await entryOf(aFlow({ kind: 'tls-failure', http: null, tls, error }));
    expect(handshake.request).toMatchObject({ method: 'CONNECT', url: 'https://pay.example/' });
    expect(handshake.response).toMatchObject({ status: 0, _error: 'tls-closed' });
    const refused = await entryOf(aFlow({ kind: 'refused', http: null, rawHead: 'PUT /a b HTTP/1.1\r\n' }));
    expect(refused.request.method).toBe('PUT');
    expect(refused._spike.rawHead).toContain('PUT /a b');
  });

  test('of a WebSocket says so', async () => {
    expect((await entryOf(aFlow({ kind: 'websocket' })))._resourceType).toBe('websocket');
  });

  test('never has an _initiator, and no expiry that is no date', async () => {
    const entry = await entryOf(aFlow({}, { responseHeaders: [['Set-Cookie', 'a=b; Expires=whenever']] }));
    expect(entry).not.toHaveProperty('_initiator');
    expect(entry.response.cookies).toEqual([{ name: 'a', value: 'b' }]);
  });
});

describe('bodies', () => {
  const coded = {
    responseHeaders: [
      ['Content-Encoding', 'gzip'],
      ['Content-Type', 'text/plain'],
    ],
  } as Partial<Http>;

  test('content.size is decoded, compression what was saved', async () => {
    const { response } = await entryOf(aFlow({}, coded), { bodyOf: bodies(null, whole('x'.repeat(100))) });
    expect(response).toMatchObject({ bodySize: 9, content: { size: 100, compression: 91 } });
  });

  test('what is no text is base64, also where HAR has no word for it', async () => {
    const bytes = Buffer.from([0, 255, 1]);
    const { request, response } = await entryOf(aFlow(), { bodyOf: bodies(whole(bytes), whole(bytes)) });
    expect(request.postData).toMatchObject({ text: 'AP8B', _encoding: 'base64' });
    expect(response.content).toMatchObject({ text: 'AP8B', encoding: 'base64' });
  });

  test.each([
    ['text/plain; charset=iso-8859-1', Buffer.from('caf\u00e9', 'latin1')],
    ['application/json; charset=utf-16le', Buffer.from('caf\u00e9', 'utf16le')],
    ['text/plain', Buffer.from('caf\u00e9')],
  ])('%s is text', async (type, bytes) => {
    const flow = aFlow({}, { responseHeaders: [['content-type', type]] });
    const { content } = (await entryOf(flow, { bodyOf: bodies(null, whole(bytes)) })).response;
    expect(content).toMatchObject({ text: 'café', size: bytes.length });
    expect(content).not.toHaveProperty('encoding');
  });

  test('a truncated one is said to be, its size unknown if it was coded, its last half character dropped', async () => {
    const cut = { bytes: Buffer.from('caf\u00e9').subarray(0, 4), truncated: true, decoded: true };
    const change = { bodyOf: bodies(null, cut) };
    const { content } = (await entryOf(aFlow({}, { ...coded, responseBody: 'truncated' }), change)).response;
    expect(content).toEqual({
      size: -1,
      mimeType: 'text/plain',
      text: 'caf',
      comment: 'Only the first 4 bytes of the body are in this capture.',
    });
    const plain = (await entryOf(aFlow({}, { responseBody: 'truncated' }), change)).response.content;
    expect(plain.size).toBe(9);
  });

  test('one that could not be decoded is as it was transferred', async () => {
    const raw = { bytes: Buffer.from('abc'), truncated: false, decoded: false };
    const { content } = (await entryOf(aFlow({}, coded), { bodyOf: bodies(null, raw) })).response;
    expect(content).toMatchObject({
      size: -1,
      text: 'YWJj',
      encoding: 'base64',
      comment: expect.stringContaining('coding'),
    });
  });

  test.each(['dropped', 'evicted'] as const)('one that was %s is said to be', async (state) => {
    const { request, response } = await entryOf(aFlow({}, { requestBody: state, responseBody: state }));
    expect(request.postData).toMatchObject({ text: '', comment: expect.stringContaining(state) });
    expect(response.content).toMatchObject({ comment: expect.stringContaining(state) });
  });

  test('none is none', async () => {
    const { request, response } = await entryOf(aFlow({}, { requestBody: 'none', responseBody: 'none' }));
    expect(request).not.toHaveProperty('postData');
    expect(response.content).toEqual({ size: 0, mimeType: 'application/json; charset=utf-8' });
  });
});

test('any flow with any body gives a file that the schema and Chrome accept', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(arbitraryFlow, { maxLength: 3 }),
      arbitraryBody,
      fc.boolean(),
      async (flows, body, redacts) => {
        const log = await harOf(flows, { bodyOf: async () => body, redactor: redacts ? redactor() : null });
        const tunnels = flows.filter((flow) => flow.kind === 'tcp').length;
        expect([log.entries.length, log._spike.omitted.tcp]).toEqual([flows.length - tunnels, tunnels]);
        for (const { time, timings } of log.entries) {
          const { blocked, dns, connect, send, wait, receive } = timings;
          const sum = [blocked, dns, connect, send, wait, receive].reduce(
            (total, part) => total + Math.max(part, 0),
            0,
          );
          expect(time).toBeCloseTo(sum, 2);
        }
      },
    ),
    { numRuns: 300 },
  );
});

describe('redaction', () => {
  /** As a generator of keys would make them: nothing that occurs elsewhere. */
  const secret = fc
    .tuple(
      fc.stringMatching(/^[A-Za-z]{6}$/),
      fc.stringMatching(/^[0-9]{4}$/),
      fc.stringMatching(/^[A-Za-z0-9!/+%é ]{6,12}$/),
    )
    .map(([letters, digits, rest]) => `${letters}${digits}${rest}z`);
  const jwtOf = (text: string) =>
    `eyJhbGciOiJIUzI1NiJ9.${Buffer.from(JSON.stringify({ sub: text })).toString('base64url')}.c2lnbmF0dXJl`;

  /** A flow that has the secret in every place where one is looked for. */
  function leaking(s: string): { flow: Flow; request: Buffer; response: Buffer } {
    const part = encodeURIComponent(s);
    const url = `https://${part}:${part}@shop/a;jsessionid=${part}?api_key=${part}&u=${encodeURIComponent(`http://x/?token=${part}`)}#access_token=${part}`;
    const jwt = jwtOf(s);
    const flow = aFlow(
      {
        error: { code: 'x', cause: 'upstream-reset', message: `Broke at ${url} with ${jwt}` },
        faults: [
          {
            ruleId: 'r',
            ruleName: 'n',
            type: 'latency',
            direction: null,
            atMs: 0,
            delayedMs: null,
            bytes: null,
            status: null,
            messages: null,
            code: null,
            outcome: 'done',
            note: `held ${url}`,
          },
        ],
        rawHead: `GET / HTTP/1.1\r\nAuthorization: ${s}`,
      },
      {
        url,
        reason: `Bad ${jwt}`,
        requestHeaders: [
          ['Authorization', `Bearer ${s}`],
          ['Proxy-Authorization', `Basic ${Buffer.from(s).toString('base64')}`],
          ['Cookie', `sid=${part}; other=${part}`],
          ['X-API-Key', s],
          ['X-CSRF-Token', s],
          ['Referer', url],
          ['X-Note', `see ${url} ${jwt}`],
          ['Content-Type', 'application/json'],
          ['X-Mine', s],
        ],
        responseHeaders: [
          ['Set-Cookie', `sid=${part}; Path=/`],
          ['Location', url],
          ['WWW-Authenticate', `Bearer error="${part}"`],
          ['Content-Type', 'application/x-www-form-urlencoded'],
        ],
        trailers: [['X-Auth-Token', s]],
      },
    );
    const document = {
      a: [{ password: s, deep: { client_secret: [s] } }],
      own: s,
      note: `x ${jwt}`,
      inner: JSON.stringify({ token: s }),
      link: url,
    };
    const form = `user=ada&password=${part}&x=${encodeURIComponent(JSON.stringify({ secret: s }))}&jwt=${jwt}`;
    return { flow, request: Buffer.from(JSON.stringify(document)), response: Buffer.from(form) };
  }

  test('a secret in every place is nowhere in the file, in no customary encoding', async () => {
    await fc.assert(
      fc.asyncProperty(secret, async (s) => {
        const { flow, request, response } = leaking(s);
        const mine = createRedactor({ key: Buffer.alloc(32, 1), headers: ['x-mine'], json: ['$.own'] });
        const bodyOf = bodies(whole(request), whole(response));
        const options = { flows: [flow], bodyOf, messagesOf: none, version: '1' };
        const text = await harText({ ...options, redactor: mine });
        const open = await harText({ ...options, redactor: null });
        for (const form of [s, encodeURIComponent(s), Buffer.from(s).toString('base64'), jwtOf(s)]) {
          expect(open).toContain(JSON.stringify(form).slice(1, -1));
          expect(text).not.toContain(JSON.stringify(form).slice(1, -1));
        }
        const log = JSON.parse(text).log;
        expect(brokenChromeRules({ log })).toEqual([]);
        expect(log._spike.redaction.total).toBeGreaterThan(20);
        // Equal secrets, equal stand-ins: the same one stands for it in a header, in JSON, in a form and in a URL.
        const header = log.entries[0].request.headers[0].value.replace('Bearer ', '');
        expect(JSON.parse(log.entries[0].request.postData.text).a[0].password).toBe(header);
        expect(log.entries[0].response.content.text).toContain(`password=${header}`);
        expect(log.entries[0].request.url).toContain(`api_key=${header}`);
      }),
      { numRuns: 150 },
    );
  });

  test('leaves what is harmless as it was', async () => {
    const document =
      '{"id":"4f6f7c1e-8a1b-4c57-9d58-1f2f3f4f5f6f","order":12345678901234567890,"at":1700000000000}';
    const options = {
      flows: [aFlow({}, { requestHeaders: [], responseHeaders: [] })],
      bodyOf: bodies(whole(document), whole(document)),
      messagesOf: none,
      version: '1',
    };
    const [open, redacted] = await Promise.all([
      harText({ ...options, redactor: null }),
      harText({ ...options, redactor: redactor() }),
    ]);
    expect(redacted).toBe(open.replace('"redaction":null', '"redaction":{"total":0,"counts":[]}'));
  });

  test('sizes are those of what passed', async () => {
    const body = whole('{"password":"a"}');
    const { response } = await entryOf(aFlow(), { bodyOf: bodies(null, body), redactor: redactor() });
    expect(response.content.size).toBe(16);
    expect(response.content.text.length).toBeGreaterThan(16);
  });
});

/** The JSON schema of HAR 1.2 that several tools share (npm: har-schema). Gives null, or what is wrong. */
function harSchemaValidator(): (har: unknown) => unknown {
  const require = createRequire(import.meta.url);
  const folder = join(dirname(require.resolve('har-schema/package.json')), 'lib');
  const ajv = new Ajv({ allErrors: true });
  ajv.addMetaSchema(require('ajv/lib/refs/json-schema-draft-06.json'));
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
    ajv.addSchema(JSON.parse(readFileSync(join(folder, file), 'utf8')));
  }
  return (har) => (ajv.validate('har.json#', har) === true ? null : ajv.errors);
}

describe('messages of a WebSocket', () => {
  const message = (change: Partial<FlowMessage>): FlowMessage => ({
    index: 0,
    type: 'text',
    direction: 'request',
    atMs: 1.5,
    durationMs: null,
    sizeBytes: 3,
    text: 'hello',
    encoding: 'text',
    truncated: false,
    compressed: false,
    summary: '',
    error: null,
    ...change,
  });
  const socket = aFlow({ kind: 'websocket', messages: { count: 1, dropped: 0 } });
  const framesOf = async (messages: FlowMessage[], change: Partial<HarOptions> = {}) =>
    (await entryOf(socket, { messagesOf: async () => messages, ...change }))._webSocketMessages;

  test('are what Chrome reads: direction, seconds, opcode, data', async () => {
    const frames = await framesOf([
      message({}),
      message({ type: 'binary', direction: 'response', text: 'AQL/', encoding: 'base64', atMs: 1000 }),
      message({ type: 'ping', text: '/w==', encoding: 'base64' }),
      message({ type: 'close', text: '1000 bye', truncated: true }),
      message({ type: 'data', text: '' }),
    ]);
    const start = Date.parse('2026-03-10T14:12:40.118Z') / 1000 + 0.00025;
    expect(frames).toEqual([
      { type: 'send', time: expect.closeTo(start + 0.0015, 5), opcode: 1, data: 'hello' },
      { type: 'receive', time: expect.closeTo(start + 1, 5), opcode: 2, data: 'AQL/' },
      { type: 'send', time: expect.any(Number), opcode: 9, data: 'ÿ' },
      { type: 'send', time: expect.any(Number), opcode: 8, data: '1000 bye', _truncated: true },
    ]);
  });

  test('lose their secrets, in text and in bytes, and are counted', async () => {
    const jwt = `eyJhbGciOiJIUzI1NiJ9.${Buffer.from('{"sub":"1234567890"}').toString('base64url')}.c2lnbmF0dXJl`;
    const mine = redactor();
    const frames = await framesOf(
      [
        message({ text: '{"password":"hunter22","n":1}' }),
        message({ type: 'binary', encoding: 'base64', text: Buffer.from(`\0\x01${jwt}`).toString('base64') }),
      ],
      { redactor: mine },
    );
    expect(frames[0].data).toMatch(/^\{"password":"redacted-[0-9a-f]+","n":1\}$/);
    expect(Buffer.from(frames[1].data, 'base64').toString()).not.toContain(jwt);
    const counts = mine.summary().counts.filter(({ place }) => place === 'messages');
    expect(counts.map(({ kind }) => kind).sort()).toEqual(['field', 'jwt']);
  });

  test('are [] when there were none, and not asked for', async () => {
    const asked = () => Promise.reject(new Error('asked'));
    const entry = await entryOf(aFlow({ kind: 'websocket' }), { messagesOf: asked });
    expect(entry._webSocketMessages).toEqual([]);
    expect(await entryOf(aFlow())).not.toHaveProperty('_webSocketMessages');
  });
});

import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRedactor } from '../../../../../src-main/engine/capture/redaction.ts';
import type { RedactionSettings } from '../../../../../src-main/engine/capture/redaction.ts';

const key = Buffer.alloc(32, 7);
const STAND_IN = 'redacted-[0-9a-f]{8}';
const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJlLW9mLTMyLWJ5dGVz';
const CARD = '4111111111111111';

const redactor = (settings: Partial<RedactionSettings> = {}) => createRedactor({ key, ...settings });
const field = (name: string, value: string, settings = {}) =>
  redactor(settings).fields([[name, value]], 'request-headers')[0]?.[1];
const body = (text: string, type: string | null = 'application/json', settings = {}) =>
  redactor(settings).body(Buffer.from(text), type, 'request-body').toString();
const like = (pattern: string) => expect.stringMatching(new RegExp(`^${pattern}$`));

describe('headers', () => {
  test.each([
    ['Authorization', 'Bearer abc.def', `Bearer ${STAND_IN}`],
    ['authorization', 'Basic dXNlcjpwYXNz', `Basic ${STAND_IN}`],
    ['Authorization', 'raw secret with words', STAND_IN],
    ['Proxy-Authorization', 'Basic b3JkZXJzOng=', `Basic ${STAND_IN}`],
    ['X-API-Key', 'k-1', STAND_IN],
    ['X-Auth-Token', 't-1', STAND_IN],
    ['X-CSRF-Token', 'c-1', STAND_IN],
    ['X-XSRF-TOKEN', 'c-1', STAND_IN],
    ['X-Vault-Token', 'hvs.1', STAND_IN],
    ['WWW-Authenticate', 'Digest realm="r", nonce="n"', `Digest ${STAND_IN}`],
    ['Cookie', 'sid=s1; theme="dark"', `sid=${STAND_IN}; theme=${STAND_IN}`],
    ['Cookie', 'valueonly', STAND_IN],
    ['Set-Cookie', 'sid=s1; Path=/; HttpOnly', `sid=${STAND_IN}; Path=/; HttpOnly`],
    ['Location', '/next?token=t1&page=2', `/next\\?token=${STAND_IN}&page=2`],
    [
      'Referer',
      'https://u:p@shop/a?api_key=k',
      `https://${STAND_IN}:${STAND_IN}@shop/a\\?api_key=${STAND_IN}`,
    ],
    [
      'Link',
      '<https://shop/a?access_token=k>; rel=next',
      `<https://shop/a\\?access_token=${STAND_IN}>; rel=next`,
    ],
    ['X-Forwarded-Jwt-Assertion', JWT, STAND_IN],
    ['X-Anything', `for ${JWT} here`, `for ${STAND_IN} here`],
    ['Sec-WebSocket-Protocol', 'spike.v1, token.s3cr3t', `spike.v1, token.${STAND_IN}`],
  ])('%s: %s', (name, value, expected) => {
    expect(field(name, value)).toEqual(like(expected));
  });

  test('of the settings, in any case', () => {
    expect(field('X-Session', 'abc')).toBe('abc');
    expect(field('X-Session', 'abc', { headers: ['x-SESSION'] })).toEqual(like(STAND_IN));
  });

  test('keep their order, case and number', () => {
    const fields: [string, string][] = [
      ['b', '1'],
      ['COOKIE', 'a=b'],
      ['b', '2'],
      ['Cookie', 'a=b'],
    ];
    expect(
      redactor()
        .fields(fields, 'request-headers')
        .map(([name]) => name),
    ).toEqual(['b', 'COOKIE', 'b', 'Cookie']);
  });

  test.each([
    ['Content-Type', 'application/json; charset=utf-8'],
    ['Host', 'orders.internal:8101'],
    ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
    ['ETag', '"4111111111111112-gzip"'],
    ['Date', 'Tue, 10 Mar 2026 14:12:40 GMT'],
    ['Cache-Control', 'max-age=4111111111111'],
    ['Idempotency-Key', 'k_2291-1'],
    ['Access-Control-Allow-Headers', 'Authorization, X-API-Key'],
    ['Accept', 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8'],
    ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ])('%s: %s stays', (name, value) => {
    expect(field(name, value)).toBe(value);
  });
});

describe('URLs', () => {
  const url = (text: string) => redactor().url(text);

  test.each([
    ['https://shop/a?token=x&b=1', `https://shop/a\\?token=${STAND_IN}&b=1`],
    [
      'https://shop/a?key=AIza&X-Amz-Signature=ff',
      `https://shop/a\\?key=${STAND_IN}&X-Amz-Signature=${STAND_IN}`,
    ],
    ['http://orders:x@shop/', `http://${STAND_IN}:${STAND_IN}@shop/`],
    ['postgres://app:p%40ss@db/shop', `postgres://${STAND_IN}:${STAND_IN}@db/shop`],
    ['https://app/cb#access_token=x&state=1', `https://app/cb#access_token=${STAND_IN}&state=1`],
    ['https://app/cb?code=4%2F0A&state=1', `https://app/cb\\?code=${STAND_IN}&state=1`],
    ['https://shop/a;jsessionid=77?b=1', `https://shop/a;jsessionid=${STAND_IN}\\?b=1`],
    [`https://shop/reset/${JWT}/now`, `https://shop/reset/${STAND_IN}/now`],
    [`https://shop/cards/${CARD}`, `https://shop/cards/${STAND_IN}`],
    [
      'https://shop/a?next=https%3A%2F%2Fx%2F%3Ftoken%3Dabc',
      `https://shop/a\\?next=https%3A%2F%2Fx%2F%3Ftoken%3D${STAND_IN}`,
    ],
    ['https://shop/proxy/https://u:p@inner/x', `https://shop/proxy/https://${STAND_IN}:${STAND_IN}@inner/x`],
    ['/a?user%5Bpassword%5D=x', `/a\\?user%5Bpassword%5D=${STAND_IN}`],
    ['/a?password=%E0%A4%A', `/a\\?password=${STAND_IN}`],
  ])('%s', (text, expected) => {
    expect(url(text)).toEqual(like(expected));
  });

  test.each([
    'https://shop/v1/orders/4f6f7c1e-8a1b-4c57-9d58-1f2f3f4f5f6f?page=2&sort=-at',
    'https://shop/find?q=a+b%20c&code=DE&pageToken=abc&empty=&flag',
    'https://[::1]:8443/a/b;v=1/c?x=%zz',
    'https://shop/at/1700000000000/1700000000000000',
    'https://shop/a%2Fb/ä?ö=%C3%A4#top',
    '',
    '*',
    'shop:443',
  ])('%s stays', (text) => {
    expect(url(text)).toBe(text);
  });

  test('a chain of URLs within URLs ends', () => {
    const chain = 'https://a/?u='.repeat(20_000);
    expect(url(chain)).toBe(chain);
  });
});

describe('JSON', () => {
  test('names at any depth, and all that is in them', () => {
    const document = {
      user: { password: 'p1', name: 'Ada' },
      list: [
        { clientSecret: 's1' },
        { access_token: { value: 'v1', parts: ['a1', 7], on: true, none: null } },
      ],
    };
    const redacted = JSON.parse(body(JSON.stringify(document)));
    expect(redacted).toEqual({
      user: { password: like(STAND_IN), name: 'Ada' },
      list: [
        { clientSecret: like(STAND_IN) },
        {
          access_token: {
            value: like(STAND_IN),
            parts: [like(STAND_IN), expect.any(Number)],
            on: true,
            none: null,
          },
        },
      ],
    });
    expect(redacted.list[1].access_token.parts[1]).not.toBe(7);
  });

  test('the number of a card by its parent, its CVC, and the rest of it', () => {
    const redacted = JSON.parse(
      body('{"card":{"number":"12 34","expires":"2028-04","cvc":123},"number":"12 34"}'),
    );
    expect(redacted).toEqual({
      card: { number: like(STAND_IN), expires: '2028-04', cvc: expect.any(Number) },
      number: '12 34',
    });
    expect(redacted.card.cvc).not.toBe(123);
  });

  test('lists of names and values, as headers are often written', () => {
    const redacted = JSON.parse(
      body('[{"name":"Authorization","value":"s1"},{"name":"Accept","value":"s1"}]'),
    );
    expect(redacted).toEqual([
      { name: 'Authorization', value: like(STAND_IN) },
      { name: 'Accept', value: 's1' },
    ]);
  });

  test('JWTs, cards, URLs and JSON within strings and names', () => {
    const inner = JSON.stringify({ note: 'n', token: 's1' });
    const text = JSON.stringify({
      a: `x ${JWT}`,
      b: CARD,
      c: Number(CARD),
      d: 'http://u:p@h/',
      inner,
      [JWT]: 1,
    });
    const redacted = body(text);
    for (const secret of [JWT, CARD, 'u:p', 's1']) expect(redacted).not.toContain(secret);
    expect(JSON.parse(JSON.parse(redacted).inner)).toEqual({ note: 'n', token: like(STAND_IN) });
    expect(JSON.parse(redacted).c).toEqual(expect.any(Number));
  });

  test('what is harmless keeps its very characters', () => {
    const text =
      '{ "id" : 12345678901234567890, "at":1700000000000,\r\n "ns": 1700000000000000000, "pi":3.4111111111111111,"e":1E5, "s":"\\u00e4\\/", "max_tokens": 4096, "a":1, "a":2,"uuid":"41111111-1111-4111-8111-111111111111" }';
    expect(body(text)).toBe(text);
  });

  test('documents in a row', () => {
    expect(body('{"token":"a"}\n{"token":"b"}\n', 'application/x-ndjson')).toEqual(
      like(`{"token":"${STAND_IN}"}\n{"token":"${STAND_IN}"}\n`),
    );
  });

  test.each([
    '{"a":1,"password":"hunter2',
    '{"password":"hunter2\\',
    '{"password":"hunter2\\u00',
    '{"password":hunter2',
  ])('cut off or broken: %s', (text) => {
    expect(body(text)).not.toContain('hunter2');
  });

  test.each([
    "{password: 'hunter2'}",
    '{"a":1} password=hunter2',
    '[log] password: hunter2',
    '{"a":"\nb","password":"hunter2"}',
  ])('no JSON after all: %s', (text) => {
    expect(body(text)).not.toContain('hunter2');
  });

  test('nesting without end ends', () => {
    expect(body('['.repeat(100_000) + '"password=hunter2"')).not.toContain('hunter2');
  });

  test('any JSON stays JSON of the same shape', () => {
    const shape = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(shape)
        : value !== null && typeof value === 'object'
          ? Object.entries(value).map(([name, inner]) => [name, shape(inner)])
          : typeof value;
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        expect(shape(JSON.parse(body(text)))).toEqual(shape(JSON.parse(text)));
      }),
    );
  });
});

describe('JSON paths', () => {
  const document =
    '{"card":{"ref":"a"},"list":[{"x":"b","y":true},{"x":"c"}],"x":{"deep":[1]},"odd key":"d"}';
  test.each([
    ['$.card.ref', ['a']],
    ['$.list[*].x', ['b', 'c']],
    ['$.list[1].x', ['c']],
    ['$..x', ['b', 'c']],
    ["$['odd key']", ['d']],
    ['$["list"][0].x', ['b']],
    ['$.*.ref', ['a']],
    ['$..[0].x', ['b']],
    ['$.nothing', []],
  ])('%s', (path, gone) => {
    const redacted = body(document, 'application/json', { json: [path] });
    for (const value of ['a', 'b', 'c', 'd'])
      expect(redacted.includes(`"${value}"`)).toBe(!gone.includes(value));
    JSON.parse(redacted);
  });

  test('a container that is reached goes with all that is in it, true and false included', () => {
    const redacted = JSON.parse(body(document, 'application/json', { json: ['$.list', '$.x'] }));
    expect(redacted.list).toEqual([{ x: like(STAND_IN), y: null }, { x: like(STAND_IN) }]);
    expect(redacted.x.deep[0]).not.toBe(1);
  });

  test.each([
    ['card.number', 0],
    ['$', 1],
    ['$card', 1],
    ['$.a b', 3],
    ['$.a[1:2]', 3],
    ['$.a[?(@.b)]', 3],
    ['$...a', 1],
    ['$.', 1],
    ['$.a[-1]', 3],
  ])('%s is refused with its place', (path, position) => {
    expect(() => redactor({ json: [path] })).toThrow(
      expect.objectContaining({ code: 'invalid-input', details: { path, position } }),
    );
  });
});

describe('other bodies', () => {
  test('forms', () => {
    const redacted = body(
      'user=ada&password=p+1%21&card%5Bnumber%5D=1&note=a+b&x=%7B%22pin%22%3A%221%22%7D',
      'application/x-www-form-urlencoded',
    );
    expect(redacted).toEqual(
      like(
        `user=ada&password=${STAND_IN}&card%5Bnumber%5D=${STAND_IN}&note=a\\+b&x=%7B%22pin%22%3A%22${STAND_IN}%22%7D`,
      ),
    );
  });

  test('the code of OAuth beside its grant', () => {
    expect(body('grant_type=authorization_code&code=c1', 'application/x-www-form-urlencoded')).not.toContain(
      'c1',
    );
  });

  test('multipart: text by name and type, bytes untouched', () => {
    const bytes = Buffer.from([0, 255, 254, 13, 10, 45, 45, 120, 128]);
    const form = Buffer.concat([
      Buffer.from('--B1\r\nContent-Disposition: form-data; name="password"\r\n\r\np1\r\n'),
      Buffer.from(
        '--B1\r\nContent-Disposition: form-data; name="meta"\r\nContent-Type: application/json\r\n\r\n{"pin":"é1"}\r\n',
      ),
      Buffer.from(
        '--B1\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\nContent-Type: image/png\r\n\r\n',
      ),
      bytes,
      Buffer.from('\r\n--B1--\r\n'),
    ]);
    const redacted = redactor().body(form, 'multipart/form-data; boundary=B1', 'request-body');
    expect(redacted.toString()).toMatch(new RegExp(`name="password"\r\n\r\n${STAND_IN}\r\n--B1`));
    expect(redacted.toString()).toMatch(new RegExp(`{"pin":"${STAND_IN}"}\r\n--B1`));
    expect(redacted.includes(bytes)).toBe(true);
    expect(redacted.toString()).toMatch(/--B1--\r\n$/);
  });

  test.each([
    ['text/plain', 'login password=hunter2 done'],
    ['text/plain', 'key: password=hunter2'],
    ['text/plain', 'curl -H "Authorization: Bearer hunter2hunter2"'],
    ['text/event-stream', 'event: x\ndata: {"token":"hunter2"}\n\n'],
    ['application/xml', '<a><w:Password type="t">hunter2</w:Password></a>'],
    [null, '{"password":"hunter2"}'],
    [null, 'a=1&password=hunter2'],
    ['application/octet-stream', '{"password":"hunter2"}'],
    ['text/plain; charset=iso-8859-1', 'password=hunter2 caf\u00e9'],
  ])('%s: %s', (type, text) => {
    expect(body(text, type)).not.toContain('hunter2');
  });

  test('text in UTF-16', () => {
    const bytes = Buffer.from('{"password":"hunter2"}', 'utf16le');
    const redacted = redactor().body(bytes, 'application/json; charset=utf-16le', 'request-body');
    expect(JSON.parse(redacted.toString('utf16le'))).toEqual({ password: like(STAND_IN) });
  });

  test('bytes keep their length, and lose their JWTs alone', () => {
    const bytes = Buffer.concat([
      Buffer.from([0, 200, 10, JWT.length]),
      Buffer.from(JWT),
      Buffer.from([0, 255]),
    ]);
    const redacted = redactor().body(bytes, 'application/grpc', 'request-body');
    expect(redacted.length).toBe(bytes.length);
    expect(redacted.includes(JWT.slice(0, 20))).toBe(false);
    const image = Buffer.concat([Buffer.from([0, 137]), Buffer.from(`password=x ${CARD}`)]);
    expect(redactor().body(image, 'image/png', 'request-body')).toBe(image);
  });

  test.each([
    'The secret of basic authentication is: nothing',
    'author: Ada, keyboard: yes',
    'a 4012 lorem 8888',
  ])('prose stays: %s', (text) => {
    expect(body(text, 'text/plain')).toBe(text);
  });
});

describe('cards', () => {
  test.each([
    '4111111111111111',
    '4111 1111 1111 1111',
    '4111-1111-1111-1111',
    '378282246310005',
    '3782 822463 10005',
    '5555555555554444',
    '2223003122003222',
    '6011111111111117',
    '30569309025904',
    '3530111333300000',
    '4222222222222',
    '6212345678901232',
  ])('%s', (card) => {
    expect(redactor().text(`paid with ${card}, thanks`)).toEqual(like(`paid with ${STAND_IN}, thanks`));
  });

  test.each([
    '4111111111111112', // fails the check digit
    '1700000000000', // ms
    '1700000000000000007',
    '0.4111111111111111',
    'a4111111111111111',
    '41111111-1111-4111-8111-111111111111',
    '4111 1111-1111 1111',
    '9111111111111111',
    'ORD-2026-0000-0001',
  ])('%s is none', (text) => {
    expect(redactor().text(`id ${text}!`)).toBe(`id ${text}!`);
  });

  test('no Unix time between 2001 and 2286 is one, in s, ms, µs or ns', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_000_000_000, max: 1_999_999_999 }),
        fc.constantFrom('', '123', '123456', '123456789'),
        (s, more) => {
          expect(redactor().text(`${s}${more}`)).toBe(`${s}${more}`);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('no UUID is touched', () => {
    fc.assert(
      fc.property(fc.uuid(), (uuid) => {
        expect(redactor().text(`id=${uuid}`)).toBe(`id=${uuid}`);
      }),
    );
  });
});

describe('stand-ins', () => {
  test('equal secrets get equal ones wherever they stand, others do not', () => {
    const one = redactor();
    const [, header] = one.fields([['Authorization', `Bearer ${JWT}`]], 'request-headers')[0] as [
      string,
      string,
    ];
    const json = JSON.parse(
      one.body(Buffer.from(`{"token":"${JWT}","pin":"x"}`), 'application/json', 'request-body').toString(),
    );
    const url = one.url(`https://shop/?access_token=${JWT}`);
    const standIn = header.replace('Bearer ', '');
    expect(json.token).toBe(standIn);
    expect(url).toBe(`https://shop/?access_token=${standIn}`);
    expect(json.pin).not.toBe(standIn);
    expect(one.text('4111 1111 1111 1111')).toBe(one.text(CARD));
  });

  test('another key gives others', () => {
    const other = createRedactor({ key: randomBytes(32) });
    expect(other.text(CARD)).not.toBe(redactor().text(CARD));
  });

  test('redacting again changes nothing', () => {
    const once = body('{"token":"a","b":"http://u:p@h/?key=k"}');
    expect(body(once)).toBe(once);
  });

  test('a key too short to be random is a bug', () => {
    expect(() => createRedactor({ key: Buffer.alloc(4) })).toThrow(TypeError);
  });
});

test('the summary counts by kind, place and name', () => {
  const one = redactor({ json: ['$.x'] });
  one.fields(
    [
      ['Authorization', 'Bearer a'],
      ['Cookie', 'a=1; b=2; a=3'],
    ],
    'request-headers',
  );
  one.body(Buffer.from(`{"Password":"p","x":1,"n":"${CARD} ${JWT}"}`), 'application/json', 'response-body');
  one.url('http://u:p@h/?token=1');
  const { total, counts } = one.summary();
  expect(total).toBe(11);
  expect(counts).toHaveLength(9);
  expect(counts).toEqual(
    expect.arrayContaining([
      { kind: 'header', place: 'request-headers', name: 'authorization', count: 1 },
      { kind: 'cookie', place: 'request-headers', name: 'a', count: 2 },
      { kind: 'cookie', place: 'request-headers', name: 'b', count: 1 },
      { kind: 'field', place: 'response-body', name: 'password', count: 1 },
      { kind: 'json-path', place: 'response-body', name: '$.x', count: 1 },
      { kind: 'card', place: 'response-body', name: '', count: 1 },
      { kind: 'jwt', place: 'response-body', name: '', count: 1 },
      { kind: 'userinfo', place: 'url', name: '', count: 2 },
      { kind: 'parameter', place: 'url', name: 'token', count: 1 },
    ]),
  );
});

test('names without number do not make the summary grow without bound', () => {
  const one = redactor();
  for (let i = 0; i < 3_000; i += 1) one.url(`/?token${i}_password=x`);
  expect(one.summary().counts.length).toBeLessThanOrEqual(1_001);
  expect(one.summary().total).toBe(3_000);
});

test('megabytes of hostile text are read in linear time and without running out of stack', () => {
  const size = 1024 ** 2;
  const hostile = [
    '"',
    'eyJ',
    'token',
    'a:',
    '4',
    '<a ',
    'Bearer ',
    '\\',
    '://',
    'a-',
    '{"a":',
    'key=',
    '1 ',
  ];
  for (const piece of hostile) {
    const text = piece.repeat(Math.ceil(size / piece.length));
    redactor().body(Buffer.from(`{"a":"${text}`), 'application/json', 'request-body');
    redactor().body(Buffer.from(text), 'text/plain', 'request-body');
    redactor().url(`https://a/${text.slice(0, 100_000)}`);
  }
}, 30_000);

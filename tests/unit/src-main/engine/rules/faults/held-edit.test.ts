import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { HeldEdit } from '#shared/contract/held.ts';
import { answerInPlace, editMessage } from '../../../../../../src-main/engine/rules/faults/held-edit.ts';
import type { EditedMessage } from '../../../../../../src-main/engine/rules/faults/held-edit.ts';
import { viewOf } from '../../../../../../src-main/engine/rules/faults/held-parts.ts';
import type { HeldParts } from '../../../../../../src-main/engine/rules/faults/held-parts.ts';
import type { MessageShape } from '../../../../../../src-main/engine/rules/faults/stage.ts';

const shape: MessageShape = {
  headBytes: 100,
  bodyBytes: 3,
  httpVersion: '1.1',
  framing: 'length',
  fields: null,
};
const asked = { method: 'POST', target: '/a', fieldsText: 'Host: a\r\n' };
const none = Buffer.alloc(0);

function requestParts(change: Partial<HeldParts> = {}): HeldParts {
  const fields = ['Host', 'a', 'X-One', '1', 'Content-Length', '3', 'X-Two', '2'];
  const head = { startLine: 'POST /a HTTP/1.1', fields };
  const parts = {
    at: 'request',
    head,
    shape,
    body: Buffer.from('abc'),
    why: null,
    trailers: none,
    request: asked,
  };
  return { ...parts, ...change } as HeldParts;
}

function responseParts(change: Partial<HeldParts> = {}): HeldParts {
  const head = {
    startLine: 'HTTP/1.1 200 OK',
    fields: ['X-One', '1', 'Content-Length', '3', 'Connection', 'close'],
  };
  return requestParts({ at: 'response', head, ...change });
}

async function edited(parts: HeldParts, edit: HeldEdit): Promise<EditedMessage> {
  const made = await editMessage(parts, edit);
  if ('problems' in made) throw new Error(JSON.stringify(made.problems));
  return made;
}

const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');

describe('an edit', () => {
  it('that says what there is changes nothing', async () => {
    const parts = requestParts();
    const { headers } = (await viewOf(parts)).message;
    const edit: HeldEdit = { method: 'POST', target: '/a', headers, body: base64('abc') };
    expect(await edited(parts, edit)).toMatchObject({ head: parts.head, wire: null, changes: [] });
  });

  it('leaves fixed fields in their places, and the rest of the message alone', async () => {
    const made = await edited(requestParts(), {
      headers: [
        ['Host', 'a'],
        ['X-New', ' 1\t'],
        ['X-Two', '2'],
      ],
    });
    expect(made.head.fields).toEqual(['Host', 'a', 'X-New', '1', 'Content-Length', '3', 'X-Two', '2']);
    expect(made).toMatchObject({ wire: null, changes: ['headers (x-one, x-new)'] });
  });

  it('of the order of fields is one', async () => {
    const { changes } = await edited(requestParts(), {
      headers: [
        ['X-Two', '2'],
        ['Host', 'a'],
        ['X-One', '1'],
      ],
    });
    expect(changes).toEqual(['headers (their order)']);
  });

  it('keeps a whole URL, which a forwarding proxy is asked with', async () => {
    const head = { startLine: 'GET http://a:8080/x?y HTTP/1.1', fields: ['Host', 'a:8080'] };
    const parts = requestParts({ head });
    expect((await viewOf(parts)).message).toMatchObject({ method: 'GET', target: '/x?y' });
    const { head: after } = await edited(parts, { target: '/other' });
    expect(after.startLine).toBe('GET http://a:8080/other HTTP/1.1');
  });

  it('sets the length and the codings of a body', async () => {
    const fields = ['Host', 'a', 'Content-Encoding', 'gzip', 'Content-Length', '23'];
    const parts = requestParts({ head: { startLine: 'POST /a HTTP/1.1', fields }, body: gzipSync('abc') });
    const { head, wire, shape: after } = await edited(parts, { body: base64('abcdef') });
    expect(gunzipSync(wire ?? none).toString()).toBe('abcdef');
    expect(head.fields).toEqual([
      'Host',
      'a',
      'Content-Encoding',
      'gzip',
      'Content-Length',
      String(wire?.length),
    ]);
    expect(after).toMatchObject({ bodyBytes: wire?.length, framing: 'length' });
  });

  it('leaves a chunked body with trailers in chunks', async () => {
    const head = { startLine: 'POST /a HTTP/1.1', fields: ['Host', 'a', 'Transfer-Encoding', 'chunked'] };
    const chunked = { ...shape, framing: 'chunked', bodyBytes: null } as const;
    const trailers = Buffer.from('x: 1\r\n\r\n');
    const made = await edited(requestParts({ head, shape: chunked, trailers }), { body: base64('abcd') });
    expect(made.wire?.toString()).toBe('4\r\nabcd\r\n0\r\nx: 1\r\n\r\n');
    expect(made.shape.framing).toBe('chunked');
    const plain = await edited(requestParts({ head, shape: chunked }), { body: base64('abcd') });
    expect(plain.wire?.toString()).toBe('abcd');
    expect(plain.head.fields).toEqual(['Host', 'a', 'Content-Length', '4']);
  });

  it('writes HTTP/2 in lower case, with the host as authority', async () => {
    const head = { startLine: 'POST /a HTTP/2', fields: [':authority', 'a', 'x-one', '1'] };
    const parts = requestParts({
      head,
      shape: { ...shape, httpVersion: '2', framing: 'stream', bodyBytes: null },
    });
    expect((await viewOf(parts)).message.headers).toEqual([
      ['host', 'a'],
      ['x-one', '1'],
    ]);
    const made = await edited(parts, {
      headers: [
        ['Host', 'b'],
        ['X-Two', '2'],
      ],
      body: base64('x'),
    });
    expect(made.head.fields).toEqual([':authority', 'b', 'x-two', '2']);
    expect(made).toMatchObject({
      shape: { framing: 'stream' },
      changes: ['headers (host, x-one, x-two)', 'body (3 bytes to 1 byte)'],
    });
  });

  it.each<[string, HeldParts, HeldEdit, RegExp]>([
    ['status', requestParts(), { status: 500 }, /A request has no status/],
    ['method', requestParts(), { method: 'HEAD' }, /POST cannot become HEAD/],
    [
      'method',
      requestParts({ head: { startLine: 'HEAD / HTTP/1.1', fields: [] } }),
      { method: 'GET' },
      /HEAD cannot become GET/,
    ],
    ['headers', requestParts(), { headers: [] }, /one Host .* not 0/],
    [
      'headers',
      requestParts(),
      {
        headers: [
          ['host', 'a'],
          ['Host', 'b'],
        ],
      },
      /not 2/,
    ],
    [
      'body',
      requestParts({ body: null, why: 'it is still coming' }),
      { body: '' },
      /cannot be edited: it is still coming/,
    ],
    [
      'body',
      requestParts({ head: { startLine: 'POST / HTTP/1.1', fields: ['content-encoding', 'gzip'] } }),
      { body: '' },
      /cannot be read as gzip/,
    ],
    ['method', responseParts(), { method: 'GET' }, /has been sent already/],
    ['target', responseParts(), { target: '/' }, /has been sent already/],
    ['body', responseParts(), { status: 304, body: 'YQ==' }, /An answer with 304 has no body/],
    [
      'body',
      responseParts({ request: { ...asked, method: 'HEAD' } }),
      { body: 'YQ==' },
      /cannot be edited: an answer to HEAD has none/,
    ],
  ])('of the %s that does not fit is refused', async (path, parts, edit, message) => {
    const made = await editMessage(parts, edit);
    expect(made).toMatchObject({ problems: [{ path, message: expect.stringMatching(message) as string }] });
  });

  it('tells everything that does not fit at once', async () => {
    const made = await editMessage(requestParts({ body: null, why: 'it is still coming' }), {
      status: 1,
      headers: [],
      body: '',
    });
    expect('problems' in made && made.problems.map(({ path }) => path)).toEqual([
      'status',
      'headers',
      'body',
    ]);
  });

  it('to a status without a body takes it away, with what framed it', async () => {
    const made = await edited(responseParts(), { status: 204 });
    expect(made.head).toEqual({
      startLine: 'HTTP/1.1 204 No Content',
      fields: ['X-One', '1', 'Connection', 'close'],
    });
    expect(made).toMatchObject({
      wire: none,
      shape: { framing: 'none', bodyBytes: 0 },
      changes: ['status 200 to 204'],
    });
  });

  it('to HEAD leaves the length that the answer to GET would have', async () => {
    const made = await edited(responseParts({ request: { ...asked, method: 'HEAD' }, body: none }), {
      status: 404,
    });
    expect(made.head.fields).toContain('Content-Length');
    expect(made.wire).toBeNull();
  });
});

describe('an answer in place of one', () => {
  it('keeps what is about the connection, and nothing else', () => {
    const headers: [string, string][] = [
      ['Set-Cookie', 'a'],
      ['Set-Cookie', 'b'],
    ];
    const made = answerInPlace(responseParts(), { status: 404, headers, body: base64('gone') });
    expect(made.head).toEqual({
      startLine: 'HTTP/1.1 404 Not Found',
      fields: ['Set-Cookie', 'a', 'Set-Cookie', 'b', 'Connection', 'close', 'Content-Length', '4'],
    });
    expect(made.wire?.toString()).toBe('gone');
  });

  it('has no body to HEAD, and none with 204', () => {
    const head = answerInPlace(responseParts({ request: { ...asked, method: 'HEAD' } }), {
      status: 200,
      headers: [],
      body: base64('abcd'),
    });
    expect(head.wire).toEqual(none);
    expect(head.head.fields).toContain('4');
    const bodyless = answerInPlace(responseParts(), { status: 204, headers: [], body: '' });
    expect(bodyless.head.fields).toEqual(['Connection', 'close']);
  });
});

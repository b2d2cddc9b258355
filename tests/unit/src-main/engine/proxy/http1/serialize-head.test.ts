import { describe, expect, it } from 'vitest';
import type { RequestHead, ResponseHead } from '../../../../../../src-main/engine/proxy/http1/head.ts';
import type { SerializeRequestOptions } from '../../../../../../src-main/engine/proxy/http1/serialize-head.ts';
import {
  serializeRequestHead,
  serializeResponseHead,
} from '../../../../../../src-main/engine/proxy/http1/serialize-head.ts';
import { observe } from '../../../../../property/http1/observe.ts';

function request(fields: string, line = 'GET / HTTP/1.1'): RequestHead {
  const seen = observe(Buffer.from(`${line}\r\n${fields}\r\n`), [], { kind: 'request' });
  expect(seen.error).toBeNull();
  return seen.messages[0]?.head as RequestHead;
}

function response(fields: string): ResponseHead {
  const seen = observe(Buffer.from(`HTTP/1.1 200 OK\r\n${fields}\r\n`), [], { kind: 'response' });
  return seen.messages[0]?.head as ResponseHead;
}

/** Both ways to the same text: lines cut out of the original, and a head written field by field. */
function sent(head: RequestHead, options: SerializeRequestOptions = {}): string {
  const cut = serializeRequestHead(head, options);
  const edited = Object.create(head, { edited: { value: true } }) as RequestHead;
  expect(serializeRequestHead(edited, options)).toBe(cut);
  return cut;
}

describe('a head that is sent on', () => {
  it('is the very string that came, when nothing has to go', () => {
    const head = request('hOsT: x\r\nB: 1\r\na: 2\r\nB: 3\r\n');
    expect(serializeRequestHead(head)).toBe(head.text);
    expect(sent(head)).toBe('GET / HTTP/1.1\r\nhOsT: x\r\nB: 1\r\na: 2\r\nB: 3\r\n\r\n');
  });

  it('keeps white space as it came on the fast way', () => {
    const head = request('Host:x\r\nA:   1  \r\n');
    expect(serializeRequestHead(head)).toContain('\r\nA:   1  \r\n');
  });

  it.each([
    'Connection: keep-alive',
    'connection: close',
    'Keep-Alive: timeout=5',
    'Proxy-Connection: keep-alive',
    'PROXY-AUTHORIZATION: Basic eDp5',
    'TE: gzip',
    'Upgrade: h2c',
  ])('goes without %s', (line) => {
    expect(sent(request(`Host: x\r\nA: 1\r\n${line}\r\nB: 2\r\n`))).toBe(
      'GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\nB: 2\r\n\r\n',
    );
    expect(sent(request(`${line}\r\nHost: x\r\n${line}\r\n`))).toBe('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  });

  it('keeps what only looks like those', () => {
    const fields = 'Host: x\r\nKeep-Aliv3: 1\r\nUser-Agent: u\r\nUpgradX: 1\r\nProxy-Authenticate: 1\r\n';
    expect(sent(request(fields))).toBe(`GET / HTTP/1.1\r\n${fields}\r\n`);
  });

  it('goes without the fields that Connection nominates', () => {
    const head = request('Host: x\r\nx-secret: 1\r\nConnection: X-Secret, close\r\nA: 1\r\nX-Secret: 2\r\n');
    expect(sent(head)).toBe('GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\n\r\n');
  });

  it('keeps framing and Host even if Connection nominates them', () => {
    const head = request('Host: x\r\nConnection: Content-Length, Host, X\r\nX: 1\r\nContent-Length: 0\r\n');
    expect(sent(head)).toBe('GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    const chunked = request('Host: x\r\nConnection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n');
    expect(sent(chunked)).toBe('GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
  });

  it('passes on that trailers are understood, and no more of TE', () => {
    expect(sent(request('Host: x\r\nTE: gzip;q=0.5, Trailers\r\nA: 1\r\n'))).toBe(
      'GET / HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nA: 1\r\nConnection: TE\r\n\r\n',
    );
  });

  it('passes an upgrade on when told to', () => {
    const head = request('Host: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nA: 1\r\n');
    expect(sent(head, { upgrade: true })).toBe(
      'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nA: 1\r\nConnection: Upgrade\r\n\r\n',
    );
    expect(sent(head)).toBe('GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\n\r\n');
  });

  it('gets another target and Host, in the place of the old ones', () => {
    const line = 'GET http://target.test/a HTTP/1.1';
    const options = { target: '/a', host: 'target.test' };
    const wanted = 'GET /a HTTP/1.1\r\n';
    expect(sent(request('A: 1\r\nHost: other\r\nB: 2\r\n', line), options)).toBe(
      `${wanted}A: 1\r\nHost: target.test\r\nB: 2\r\n\r\n`,
    );
    expect(sent(request('Connection: close\r\nHost: other\r\nKeep-Alive: 1\r\n', line), options)).toBe(
      `${wanted}Host: target.test\r\n\r\n`,
    );
    expect(sent(request('Host: other\r\nConnection: close\r\n', line), options)).toBe(
      `${wanted}Host: target.test\r\n\r\n`,
    );
  });

  it('gets a Host first if it had none', () => {
    const head = request('A: 1\r\nConnection: close\r\n', 'GET http://t/ HTTP/1.0');
    expect(sent(head, { target: '/', host: 't' })).toBe('GET / HTTP/1.0\r\nHost: t\r\nA: 1\r\n\r\n');
  });

  it('says what it is told about the connection', () => {
    expect(sent(request('Host: x\r\nConnection: keep-alive\r\n'), { connection: 'close' })).toBe(
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    );
    expect(serializeResponseHead(response('A: 1\r\n'), { connection: 'keep-alive' })).toBe(
      'HTTP/1.1 200 OK\r\nA: 1\r\nConnection: keep-alive\r\n\r\n',
    );
  });

  it('is a response too', () => {
    const head = response(
      'Server: s\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nSet-Cookie: a\r\n',
    );
    expect(serializeResponseHead(head)).toBe('HTTP/1.1 200 OK\r\nServer: s\r\nSet-Cookie: a\r\n\r\n');
    const plain = response('A: 1\r\n');
    expect(serializeResponseHead(plain)).toBe(plain.text);
  });

  it('is written from the fields that replaced those that came', () => {
    const head = request('Host: x\r\nA: 1\r\n');
    head.replaceFields([...head.fields, 'New', 'n', 'Connection', 'close']);
    expect(serializeRequestHead(head)).toBe('GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\nNew: n\r\n\r\n');
  });

  it.each([
    ['X: y\r\nZ', '1'],
    ['X', 'a\r\nZ: b'],
    ['X', 'a\nb'],
    ['', 'v'],
    ['X', '\u0000'],
    ['X', '\u20ac'],
  ])('refuses to write %j: %j, a mistake of the caller', (name, value) => {
    const head = request('Host: x\r\n');
    head.replaceFields([name, value]);
    expect(() => serializeRequestHead(head)).toThrow(TypeError);
  });
});

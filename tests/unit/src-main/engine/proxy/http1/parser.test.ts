import { describe, expect, it } from 'vitest';
import type { RequestHead, ResponseHead } from '../../../../../../src-main/engine/proxy/http1/head.ts';
import type { Http1Sink } from '../../../../../../src-main/engine/proxy/http1/parser.ts';
import { RequestParser, ResponseParser } from '../../../../../../src-main/engine/proxy/http1/parser.ts';
import { observe } from '../../../../../property/http1/observe.ts';

function requestHead(text: string): RequestHead {
  const seen = observe(Buffer.from(text, 'latin1'), [], { kind: 'request' });
  expect(seen.error).toBeNull();
  return seen.messages[0]?.head as RequestHead;
}

function responseHead(text: string, method = 'GET'): ResponseHead {
  const seen = observe(Buffer.from(text, 'latin1'), [], { kind: 'response', method });
  expect(seen.error).toBeNull();
  return seen.messages[0]?.head as ResponseHead;
}

/** A sink that writes down what it is called with; tests override what they look at. */
function listingSink(log: string[], override: Partial<Http1Sink<RequestHead & ResponseHead>> = {}) {
  return {
    onHead: () => void log.push('head'),
    onData: (data: Buffer) => void log.push(`data ${data.toString('latin1')}`),
    onBody: (wire: Buffer) => void log.push(`wire ${wire.toString('latin1')}`),
    onTrailers: (fields: string[]) => void log.push(`trailers ${fields.join('=')}`),
    onComplete: () => void log.push('complete'),
    onError: () => void log.push('error'),
    ...override,
  };
}

const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const post = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n';
const chunked = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';

describe('what a request head says', () => {
  it('start line, fields in order, framing', () => {
    const head = requestHead(
      'POST /a?b=c HTTP/1.1\r\nhOsT: shop.test:81\r\nX-A:  1 \r\nx-a: 2\r\nContent-Length: 2\r\n\r\nok',
    );
    expect(head).toMatchObject({
      method: 'POST',
      target: '/a?b=c',
      httpVersion: '1.1',
      framing: 'length',
      contentLength: 2,
      keepAlive: true,
      upgrade: null,
      expectContinue: false,
      hostField: 'shop.test:81',
      connectionTokens: [],
    });
    expect(head.fields).toEqual(['hOsT', 'shop.test:81', 'X-A', '1', 'x-a', '2', 'Content-Length', '2']);
    expect(head.rawHeadBytes).toBe(head.text.length);
  });

  it.each([
    ['1.1', '', true],
    ['1.1', 'Connection: close\r\n', false],
    ['1.1', 'Connection: keep-alive, Close\r\n', false],
    ['1.1', 'Connection: foo\r\nConnection: CLOSE\r\n', false],
    ['1.0', '', false],
    ['1.0', 'Connection: Keep-Alive\r\n', true],
    ['1.0', 'Connection: keep-alive, close\r\n', false],
  ])('keep-alive in HTTP/%s with %j is %s', (version, fields, keepAlive) => {
    expect(requestHead(`GET / HTTP/${version}\r\nHost: x\r\n${fields}\r\n`).keepAlive).toBe(keepAlive);
  });

  it.each([
    ['Connection: Upgrade\r\nUpgrade: websocket\r\n', '1.1', 'websocket'],
    ['Connection: keep-alive, upgrade\r\nUpgrade: h2c\r\nUpgrade: foo/2\r\n', '1.1', 'h2c, foo/2'],
    ['Upgrade: websocket\r\n', '1.1', null],
    ['Connection: Upgrade\r\n', '1.1', null],
    // RFC 9110, section 7.8: to be ignored in HTTP/1.0.
    ['Connection: Upgrade\r\nUpgrade: websocket\r\n', '1.0', null],
  ])('upgrade of %j in HTTP/%s is %s', (fields, version, upgrade) => {
    expect(requestHead(`GET / HTTP/${version}\r\nHost: x\r\n${fields}\r\n`).upgrade).toBe(upgrade);
  });

  it('lists the nominated fields in lower case, over several lines', () => {
    const head = requestHead(
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: X-A , keep-alive,\r\nConnection: TE\r\n\r\n',
    );
    expect(head.connectionTokens).toEqual(['x-a', 'keep-alive', 'te']);
  });

  it.each([
    ['1.1', true],
    ['1.0', false],
  ])('Expect: 100-continue in HTTP/%s is heard: %s', (version, expected) => {
    expect(
      requestHead(`GET / HTTP/${version}\r\nHost: x\r\nExpect: 100-Continue\r\n\r\n`).expectContinue,
    ).toBe(expected);
  });
});

describe('how a response is framed', () => {
  it.each([
    ['GET', '200 OK', 'Content-Length: 3\r\n', 'length'],
    ['GET', '200 OK', 'Transfer-Encoding: chunked\r\n', 'chunked'],
    ['GET', '200 OK', '', 'until-close'],
    ['HEAD', '200 OK', 'Content-Length: 3\r\n', 'none'],
    ['HEAD', '200 OK', 'Transfer-Encoding: chunked\r\n', 'none'],
    ['HEAD', '200 OK', '', 'none'],
    ['GET', '204 No Content', 'Content-Length: 3\r\n', 'none'],
    ['GET', '304 Not Modified', 'Content-Length: 3\r\n', 'none'],
    ['CONNECT', '200 OK', 'Content-Length: 3\r\n', 'none'],
    ['CONNECT', '407 Proxy Authentication Required', 'Content-Length: 3\r\n', 'length'],
    ['GET', '101 Switching Protocols', '', 'none'],
  ])('%s answered with %s and %j: %s', (method, status, fields, framing) => {
    expect(responseHead(`HTTP/1.1 ${status}\r\n${fields}\r\n`, method).framing).toBe(framing);
  });

  it('keeps the length that HEAD and 304 declare', () => {
    expect(responseHead('HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n').contentLength).toBe(3);
  });

  it('cannot keep a connection whose close ends the body', () => {
    expect(responseHead('HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n').keepAlive).toBe(false);
  });

  it.each([
    ['101 Switching Protocols', 'GET', true],
    ['200 OK', 'CONNECT', true],
    ['200 OK', 'GET', false],
    ['502 Bad Gateway', 'CONNECT', false],
  ])('%s to %s ends HTTP: %s', (status, method, endsHttp) => {
    const log: string[] = [];
    const parser = new ResponseParser(listingSink(log));
    parser.expect(method);
    const head = `HTTP/1.1 ${status}\r\n\r\n`;
    const taken = parser.feed(Buffer.from(`${head}not HTTP any more`));
    expect(responseHead(head, method).endsHttp).toBe(endsHttp);
    expect(taken === head.length).toBe(endsHttp);
  });

  it('reports interim heads, then the final one, as one message', () => {
    const input = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n';
    const seen = observe(Buffer.from(input), [], { kind: 'response' });
    expect(seen.messages).toHaveLength(1);
    expect(seen.messages[0]?.interim.map((head) => head.status)).toEqual([100, 103]);
    expect(seen.messages[0]?.interim[1]?.fields).toEqual(['Link', 'x']);
    expect((seen.messages[0]?.head as ResponseHead).status).toBe(204);
  });
});

describe('feed', () => {
  it('stops after a message, and goes on with the next only after reset', () => {
    const log: string[] = [];
    const parser = new RequestParser(listingSink(log));
    const input = Buffer.from(`${post}hello${get}`);
    const end = post.length + 5;
    expect(parser.feed(input)).toBe(end);
    expect(parser.isComplete).toBe(true);
    expect(parser.feed(input, end)).toBe(end);
    parser.reset();
    expect(parser.feed(input, end)).toBe(input.length);
    expect(log).toEqual(['head', 'data hello', 'wire hello', 'complete', 'head', 'complete']);
  });

  it('stops after a message even if the sink resets in onComplete', () => {
    const parser: RequestParser = new RequestParser(listingSink([], { onComplete: () => parser.reset() }));
    expect(parser.feed(Buffer.from(get + get))).toBe(get.length);
  });

  it('passes bodies on by reference', () => {
    const slices: Buffer[] = [];
    const keep = (slice: Buffer): void => void slices.push(slice);
    const parser = new RequestParser(listingSink([], { onData: keep, onBody: keep }));
    const first = Buffer.from(`${chunked}5\r\nhe`);
    const second = Buffer.from('llo\r\n0\r\n\r\n');
    parser.feed(first);
    parser.feed(second);
    expect(slices.map(String)).toEqual(['he', '5\r\nhe', 'llo', 'llo\r\n0\r\n\r\n']);
    expect(slices.map((slice) => slice.buffer === first.buffer || slice.buffer === second.buffer)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(slices[3]).toBe(second);
  });

  it('hands the same slice to onData and onBody where there is no framing in it', () => {
    const slices: Buffer[] = [];
    const keep = (slice: Buffer): void => void slices.push(slice);
    const parser = new RequestParser(listingSink([], { onData: keep, onBody: keep }));
    parser.feed(Buffer.from(`${post}hello`));
    expect(slices).toHaveLength(2);
    expect(slices[0]).toBe(slices[1]);
  });

  it('leaves the payload out when it is not wanted', () => {
    const log: string[] = [];
    const parser = new RequestParser(listingSink(log));
    parser.wantsData = false;
    parser.feed(Buffer.from(`${chunked}5\r\nhello\r\n0\r\nX: y\r\n\r\n`));
    expect(log).toEqual(['head', 'trailers X=y', 'wire 5\r\nhello\r\n0\r\nX: y\r\n\r\n', 'complete']);
  });

  it('returns after the head when the sink pauses there, and reads on when fed the rest', () => {
    const log: string[] = [];
    const parser: RequestParser = new RequestParser(
      listingSink(log, {
        onHead: () => {
          log.push('head');
          parser.pause();
        },
      }),
    );
    const input = Buffer.from(`${post}hello`);
    expect(parser.feed(input)).toBe(post.length);
    expect(log).toEqual(['head']);
    expect(parser.feed(input, post.length)).toBe(input.length);
    expect(log).toEqual(['head', 'data hello', 'wire hello', 'complete']);
  });

  it('takes nothing after an error, and cannot be reset', () => {
    const log: string[] = [];
    const parser = new RequestParser(listingSink(log));
    parser.feed(Buffer.from('bad\n'));
    parser.reset();
    expect(parser.feed(Buffer.from(get))).toBe(0);
    expect(log).toEqual(['error']);
    expect(parser.finish()).toBe('failed');
  });

  it('does not keep memory of what it was fed: the head is its own string', () => {
    const input = Buffer.from(get);
    let head: RequestHead | null = null;
    const parser = new RequestParser(listingSink([], { onHead: (seen) => (head = seen) }));
    parser.feed(input);
    input.fill('!');
    expect((head as RequestHead | null)?.fields).toEqual(['Host', 'x']);
  });

  it('holds trailers back until they are valid, and passes nothing of bad ones on', () => {
    const log: string[] = [];
    const parser = new RequestParser(listingSink(log));
    parser.feed(Buffer.from(`${chunked}0\r\nX: y\r\n`));
    expect(log).toEqual(['head', 'wire 0\r\n']);
    parser.feed(Buffer.from('Content-Length: 5\r\n\r\n'));
    expect(log).toEqual(['head', 'wire 0\r\n', 'error']);
    expect(parser.error?.code).toBe('forbidden-trailer');
  });
});

describe('finish', () => {
  const requestEnd = (text: string) => observe(Buffer.from(text), [], { kind: 'request' }).end;
  const responseEnd = (text: string) => observe(Buffer.from(text), [], { kind: 'response' }).end;

  it.each([
    ['', 'idle'],
    ['\r\n', 'idle'],
    ['G', 'truncated'],
    [get, 'complete'],
    [`${post}hell`, 'truncated'],
    [`${post}hello`, 'complete'],
    [`${chunked}0\r\n`, 'truncated'],
    [`${get}GET`, 'truncated'],
    ['\n', 'failed'],
  ])('a request %j: %s', (text, end) => expect(requestEnd(text)).toBe(end));

  it.each([
    ['', 'idle'],
    ['HTTP/1.1 100 Continue\r\n\r\n', 'truncated'],
    ['HTTP/1.1 200 OK\r\n\r\nsome', 'complete'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsome', 'truncated'],
  ])('a response %j: %s', (text, end) => expect(responseEnd(text)).toBe(end));
});

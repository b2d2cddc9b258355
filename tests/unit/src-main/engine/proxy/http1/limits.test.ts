import { describe, expect, it } from 'vitest';
import { observe } from '../../../../../property/http1/observe.ts';

const request = (line: string, fields: string, body = ''): Buffer =>
  Buffer.from(`${line}\r\nHost: x\r\n${fields}\r\n${body}`);
const chunked = (body: string): Buffer => request('POST / HTTP/1.1', 'Transfer-Encoding: chunked\r\n', body);

/** The code for the input whole and byte by byte, which must be the same one. */
function codeOf(input: Buffer, limits: object, kind: 'request' | 'response' = 'request'): string | null {
  const whole = observe(input, [], { kind, limits }).error;
  const bytewise = observe(input, [...input.keys()], { kind, limits }).error;
  expect(bytewise?.code).toBe(whole?.code);
  expect(bytewise?.offset).toBe(whole?.offset);
  return whole?.code ?? null;
}

describe('bounds: the largest that fits, and one more', () => {
  it('of the request line', () => {
    const line = 'GET /1234567 HTTP/1.1';
    expect(codeOf(request(line, ''), { maxRequestLineBytes: line.length })).toBeNull();
    expect(codeOf(request(line, ''), { maxRequestLineBytes: line.length - 1 })).toBe('request-line-too-long');
  });

  it('of a request line without an end, refused when the bound is passed and not at the end of a head', () => {
    const input = Buffer.from(`GET /${'a'.repeat(100)}`);
    const seen = observe(input, [], { kind: 'request', limits: { maxRequestLineBytes: 50 } });
    expect(seen.error).toMatchObject({ code: 'request-line-too-long', status: 414 });
    expect(codeOf(Buffer.alloc(100, 'G'), { maxRequestLineBytes: 50 })).toBe('request-line-too-long');
  });

  it('of the head', () => {
    const input = request('GET / HTTP/1.1', 'X: 1234567890\r\n');
    expect(codeOf(input, { maxHeadBytes: input.length })).toBeNull();
    expect(codeOf(input, { maxHeadBytes: input.length - 1 })).toBe('head-too-large');
  });

  it('of a head without an end', () => {
    const input = Buffer.concat([Buffer.from('GET / HTTP/1.1\r\nX: '), Buffer.alloc(5000, 'x')]);
    const seen = observe(input, [100, 2000], { kind: 'request', limits: { maxHeadBytes: 1000 } });
    expect(seen.error).toMatchObject({ code: 'head-too-large', status: 431, offset: 1000 });
    expect(seen.error?.rawHead).toHaveLength(1000);
  });

  it('of fields in a head and in trailers', () => {
    expect(codeOf(request('GET / HTTP/1.1', 'A: 1\r\nB: 2\r\n'), { maxFields: 3 })).toBeNull();
    expect(codeOf(request('GET / HTTP/1.1', 'A: 1\r\nB: 2\r\n'), { maxFields: 2 })).toBe('too-many-fields');
    expect(codeOf(chunked('0\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n'), { maxFields: 2 })).toBe('too-many-fields');
  });

  it('of the chunk extensions of a message together', () => {
    const body = '1;ab\r\nx\r\n1;ab\r\nx\r\n0;e\r\n\r\n';
    expect(codeOf(chunked(body), { maxChunkExtensionBytes: 8 })).toBeNull();
    expect(codeOf(chunked(body), { maxChunkExtensionBytes: 7 })).toBe('chunk-extensions-too-large');
  });

  it('of chunk extensions, counted anew for each message', () => {
    const input = Buffer.concat([chunked('0;abcd\r\n\r\n'), chunked('0;abcd\r\n\r\n')]);
    expect(codeOf(input, { maxChunkExtensionBytes: 5 })).toBeNull();
  });

  it('of the trailers', () => {
    const trailers = 'X-One: 1\r\n\r\n';
    expect(codeOf(chunked(`0\r\n${trailers}`), { maxTrailerBytes: trailers.length })).toBeNull();
    expect(codeOf(chunked(`0\r\n${trailers}`), { maxTrailerBytes: trailers.length - 1 })).toBe(
      'trailer-too-large',
    );
  });

  it('of interim responses', () => {
    const input = Buffer.from(
      `${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(3)}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`,
    );
    expect(codeOf(input, { maxInterimResponses: 3 }, 'response')).toBeNull();
    expect(codeOf(input, { maxInterimResponses: 2 }, 'response')).toBe('too-many-interim-responses');
    expect(codeOf(Buffer.concat([input, input]), { maxInterimResponses: 3 }, 'response')).toBeNull();
  });
});

describe('within the default bounds', () => {
  it('takes a head of 60 KiB that comes in single bytes', () => {
    const input = request('GET / HTTP/1.1', `X-Large: ${'v'.repeat(60_000)}\r\n`);
    const seen = observe(input, [...input.keys()], { kind: 'request' });
    expect(seen.messages[0]?.head?.fields[3]).toHaveLength(60_000);
  });
});

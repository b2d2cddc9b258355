import { describe, expect, it } from 'vitest';
import {
  buildResponse,
  encodeChunk,
  lastChunk,
} from '../../../../../../src-main/engine/proxy/http1/encode.ts';
import { observe } from '../../../../../property/http1/observe.ts';

describe('chunks', () => {
  it('are read back as they were', () => {
    const data = Buffer.alloc(300, 'x');
    const parts = [...encodeChunk(data), ...encodeChunk(Buffer.from('y')), lastChunk(['X-Sum', '1'])];
    expect(parts[1]).toBe(data);
    const input = Buffer.concat([
      Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'),
      ...parts,
    ]);
    const seen = observe(input, [], { kind: 'response' });
    expect(seen.end).toBe('complete');
    expect(String(seen.messages[0]?.data)).toBe(`${'x'.repeat(300)}y`);
    expect(seen.messages[0]?.trailers).toEqual(['X-Sum', '1']);
  });

  it('cannot be empty, since that would be the last', () => {
    expect(() => encodeChunk(Buffer.alloc(0))).toThrow(TypeError);
    expect(String(lastChunk())).toBe('0\r\n\r\n');
  });
});

describe('buildResponse', () => {
  const body = Buffer.from('caf\u00e9');

  it('measures the body in bytes', () => {
    expect(String(buildResponse(502, 'Bad Gateway', ['Content-Type', 'text/plain'], body))).toBe(
      'HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\ncaf\u00e9',
    );
  });

  it('leaves the body out for HEAD, with its length', () => {
    expect(String(buildResponse(200, 'OK', [], body, 'HEAD'))).toBe(
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    );
  });

  it.each([100, 204, 304])('leaves body and length out for %s', (status) => {
    expect(String(buildResponse(status, '', [], body))).toBe(`HTTP/1.1 ${status} \r\n\r\n`);
  });

  it('leaves framing alone that the caller made', () => {
    const text = String(buildResponse(200, 'OK', ['content-length', '9'], body));
    expect(text).toBe('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ncaf\u00e9');
  });

  it.each([
    [20, 'OK', []],
    [200.5, 'OK', []],
    [200, 'O\r\nK', []],
    [200, 'OK', ['X']],
    [200, 'OK', ['X', 'a\r\nb']],
    [200, 'OK', ['X y', 'a']],
  ])('throws for %j %j %j', (status, reason, fields) => {
    expect(() => buildResponse(status, reason, fields, body)).toThrow(TypeError);
  });
});

import { describe, expect, it } from 'vitest';
import type { Http1ErrorCode } from '../../../../../../src-main/engine/proxy/http1/http1-error.ts';
import { http1ErrorCodes } from '../../../../../../src-main/engine/proxy/http1/http1-error.ts';
import {
  hostileRequests,
  hostileResponses,
  validRequests,
  validResponses,
} from '../../../../../property/http1/corpus.ts';
import { observe } from '../../../../../property/http1/observe.ts';

/** Codes of bounds, which limits.test.ts covers with small bounds. */
const limitCodes: Http1ErrorCode[] = [
  'request-line-too-long',
  'head-too-large',
  'too-many-fields',
  'chunk-extensions-too-large',
  'trailer-too-large',
  'too-many-interim-responses',
];

describe('valid messages', () => {
  it.each([...validRequests, ...validResponses])('takes $kind: $name', (entry) => {
    const seen = observe(entry.bytes, [], entry);
    expect(seen.error).toBeNull();
    expect(seen.disorder).toEqual([]);
    expect(seen.end).toBe('complete');
    expect(seen.consumed).toBe(entry.bytes.length);
    expect(seen.messages.every((message) => message.complete)).toBe(true);
  });
});

describe('hostile messages', () => {
  it.each([...hostileRequests, ...hostileResponses])('refuses $kind: $name', (entry) => {
    const seen = observe(entry.bytes, [], entry);
    expect(seen.error?.code).toBe(entry.code);
    expect(seen.errorCount).toBe(1);
    expect(seen.disorder).toEqual([]);
    expect(seen.messages.at(-1)?.complete ?? false).toBe(entry.name.includes('as second'));
    expect(entry.bytes.toString('latin1')).toContain(seen.error?.rawHead);
    expect(seen.error?.rawHead).not.toBe('');
    expect(seen.error?.message).toMatch(/^The (request|response) .+ \(byte \d+(, line \d+)?\)\.$/);
  });

  it('has an entry for every code that is not a bound', () => {
    const met = new Set([...hostileRequests, ...hostileResponses].map((entry) => entry.code));
    expect(http1ErrorCodes.filter((code) => !met.has(code))).toEqual(limitCodes);
  });

  it('answers a response that cannot be read with 502, whatever was wrong', () => {
    for (const entry of hostileResponses) {
      expect(observe(entry.bytes, [], entry).error?.status).toBe(502);
    }
  });

  it('names the octet that is at fault', () => {
    const text = 'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\n';
    const { error } = observe(Buffer.from(text), [], { kind: 'request' });
    expect(error).toMatchObject({ status: 400, offset: text.indexOf('1x') + 1, rawHead: text });
    expect(error?.message).toBe(
      `The request has a Content-Length that is not a plain decimal number (byte ${text.indexOf('1x') + 1}, line 3).`,
    );
  });

  it('counts the offset in a body from the start of its message, not of the connection', () => {
    const first = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
    const { error } = observe(Buffer.from(`${first}${head}2\r\nokX`), [], { kind: 'request' });
    expect(error).toMatchObject({ code: 'chunk-crlf-missing', offset: head.length + 5, rawHead: head });
  });
});

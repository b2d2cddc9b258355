import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { identifyFirstBytes } from '../../../../../src-main/engine/proxy/first-bytes.ts';

describe('first bytes', () => {
  it.each([
    ['GET / HTTP/1.1\r\n', 'http1'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'http2'],
    ['PROPFIND / HTTP/1.1', 'http1'],
    ['PRIX / HTTP/1.1', 'http1'],
    ['\x16\x03\x01\x02\x00', 'tls'],
    ['\x16\x02\x01', 'raw'],
    ['\x05\x01\x00', 'socks5'],
    ['\x04\x01\x00', 'socks4'],
    ['EHLO\r\n', 'raw'],
    ['*1\r\n$4\r\nPING\r\n', 'raw'],
    ['\x00\x00\x00\x08', 'raw'],
    ['A'.repeat(40), 'raw'],
    [' GET / HTTP/1.1', 'raw'],
  ])('%j are %s, however they come', (text, expected) => {
    const bytes = Buffer.from(text, 'latin1');
    expect(identifyFirstBytes(bytes)).toBe(expected);
    for (let length = 0; length < bytes.length; length++) {
      // Never wrong on the way: undecided, or the same as at the end.
      expect(['more', expected]).toContain(identifyFirstBytes(bytes.subarray(0, length)));
    }
  });

  it('are decided once and for all, whatever they are', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.string({ unit: 'grapheme-ascii', maxLength: 60 }).map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(bytes, (array) => {
        const all = Buffer.from(array);
        let decided = 'more';
        for (let length = 0; length <= all.length; length++) {
          const now = identifyFirstBytes(all.subarray(0, length));
          if (decided !== 'more') expect(now).toBe(decided);
          decided = now;
        }
        if (all.length > 33) expect(decided).not.toBe('more');
      }),
    );
  });
});

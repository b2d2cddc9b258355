import { describe, expect, it } from 'vitest';
import { isGrease, ja4 } from '../../../../../src-main/engine/tls/ja4.ts';
import type { FingerprintedHello } from '../../../../../src-main/engine/tls/ja4.ts';

const numbers = (list: string): number[] => list.split(',').map((text) => Number.parseInt(text, 16));

/** The worked example of FoxIO's description of JA4, in the client's order. */
const example: FingerprintedHello = {
  serverName: 'example.com',
  alpn: ['h2', 'http/1.1'],
  legacyVersion: 0x0303,
  supportedVersions: [0x0304, 0x0303],
  cipherSuites: numbers('1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035'),
  extensions: numbers('001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015'),
  signatureAlgorithms: numbers('0403,0804,0401,0503,0805,0501,0806,0601'),
};

describe('JA4', () => {
  it('is what FoxIO publishes for its example', () => {
    expect(ja4(example)).toBe('t13d1516h2_8daaf6152771_e5627efa2ab1');
    expect(ja4({ ...example, signatureAlgorithms: [] })).toBe('t13d1516h2_8daaf6152771_6d807ffa2a79');
    expect(ja4(example, 'q')).toBe('q13d1516h2_8daaf6152771_e5627efa2ab1');
  });

  it('does not see GREASE, wherever it stands', () => {
    const greased: FingerprintedHello = {
      ...example,
      supportedVersions: [0xfafa, ...example.supportedVersions],
      cipherSuites: [0x0a0a, ...example.cipherSuites],
      extensions: [0x1a1a, ...example.extensions, 0xeaea],
      signatureAlgorithms: [0x3a3a, ...example.signatureAlgorithms],
    };
    expect(ja4(greased)).toBe(ja4(example));
    expect([0x0a0a, 0xfafa, 0x0a1a, 0x0a0b, 0x1301].map(isGrease)).toEqual([true, true, false, false, false]);
  });

  it('is the same however the client orders ciphers and extensions, and another one for other algorithms', () => {
    const shuffled = {
      ...example,
      cipherSuites: [...example.cipherSuites].reverse(),
      extensions: [...example.extensions].reverse(),
    };
    expect(ja4(shuffled)).toBe(ja4(example));
    const algorithms = [...example.signatureAlgorithms].reverse();
    expect(ja4({ ...example, signatureAlgorithms: algorithms })).not.toBe(ja4(example));
  });

  it.each([
    ['TLS 1.2 by the old field', { supportedVersions: [], legacyVersion: 0x0303 }, '12'],
    ['the highest of those offered', { supportedVersions: [0x0302, 0x0303], legacyVersion: 0x0301 }, '12'],
    ['SSL 3', { supportedVersions: [], legacyVersion: 0x0300 }, 's3'],
    ['one that is not known', { supportedVersions: [0x7f1c] }, '00'],
  ])('says the version: %s', (_, change, code) => {
    expect(ja4({ ...example, ...change }).slice(1, 3)).toBe(code);
  });

  it('says whether a name was given, and caps its counts', () => {
    const extensions = example.extensions.filter((type) => type !== 0);
    expect(ja4({ ...example, serverName: null, extensions })).toMatch(/^t13i1515h2_/);
    const many = Array.from({ length: 150 }, (_, index) => 0x2000 + index);
    expect(ja4({ ...example, cipherSuites: many, extensions: many })).toMatch(/^t13i9999h2_/);
  });

  it('has zeros for what is empty', () => {
    const bare = { ...example, cipherSuites: [], extensions: [0, 0x10], signatureAlgorithms: [] };
    expect(ja4(bare)).toBe('t13d0002h2_000000000000_000000000000');
  });

  // The examples of the description, in its order; the last two are letters and digits at both ends.
  it.each([
    ['\xab', 'ab'],
    ['\x20', '20'],
    ['\xab\xcd', 'ad'],
    ['\x20a', '21'],
    ['0\xab', '3b'],
    ['a\x20', '60'],
    ['01\xab\xcd', '3d'],
    ['0\xab\xcd1', '01'],
    ['', '00'],
    ['x', 'xx'],
    ['http/1.1', 'h1'],
  ])('shortens the protocol %j to %s', (protocol, code) => {
    expect(ja4({ ...example, alpn: [protocol] }).slice(8, 10)).toBe(code);
  });

  it('knows no protocol when none is offered', () => {
    expect(ja4({ ...example, alpn: [] }).slice(8, 10)).toBe('00');
  });
});

import { describe, expect, it } from 'vitest';
import { clientHelloFacts } from '../../../../../src-main/engine/tls/client-hello-facts.ts';
import type { ClientHello } from '../../../../../src-main/engine/tls/client-hello.ts';

const hello: ClientHello = {
  status: 'hello',
  serverName: 'a.test',
  alpn: ['\x3a\x3a', 'h2', 'http/1.1'],
  legacyVersion: 0x0303,
  supportedVersions: [0x7a7a, 0x0304, 0x0303, 0x7f1c],
  cipherSuites: [0x0a0a, 0x1301, 0x1302],
  extensions: [0x1a1a, 0, 16, 43],
  supportedGroups: [],
  signatureAlgorithms: [],
  sizeBytes: 517,
};

describe('what a flow shows of a hello', () => {
  it('has names for versions, and no GREASE', () => {
    expect(clientHelloFacts(hello)).toMatchObject({
      alpn: ['h2', 'http/1.1'],
      versions: ['TLSv1.3', 'TLSv1.2', '0x7f1c'],
      cipherSuites: 2,
      extensions: 3,
      sizeBytes: 517,
    });
  });

  it('shows the one version of a client that knows no list of them', () => {
    expect(clientHelloFacts({ ...hello, supportedVersions: [], legacyVersion: 0x0301 }).versions).toEqual([
      'TLSv1',
    ]);
  });

  it('stays small, whatever was sent', () => {
    const alpn = Array.from({ length: 1000 }, () => 'x'.repeat(60));
    const supportedVersions = Array.from({ length: 127 }, () => 0x0304);
    const facts = clientHelloFacts({ ...hello, alpn, supportedVersions });
    expect(facts.alpn).toHaveLength(16);
    expect(facts.versions).toHaveLength(16);
  });
});

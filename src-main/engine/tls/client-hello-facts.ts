import type { ClientHelloFacts } from '#shared/flow/tls-facts.ts';
import type { ClientHello } from './client-hello.ts';
import { isGrease, ja4 } from './ja4.ts';

/** Of each list that is shown; no client offers as many, but a hello of 64 KiB has room for thousands. */
const maxListed = 16;
const versionNames: Readonly<Record<number, string>> = {
  0x0304: 'TLSv1.3',
  0x0303: 'TLSv1.2',
  0x0302: 'TLSv1.1',
  0x0301: 'TLSv1',
  0x0300: 'SSLv3',
};

/** What a flow shows of a hello: small, whatever the client sent. */
export function clientHelloFacts(hello: ClientHello): ClientHelloFacts {
  const { supportedVersions, legacyVersion, cipherSuites, extensions } = hello;
  const versions = supportedVersions.filter((version) => !isGrease(version));
  return {
    ja4: ja4(hello),
    alpn: hello.alpn.filter((protocol) => !isGreaseProtocol(protocol)).slice(0, maxListed),
    versions: (versions.length === 0 ? [legacyVersion] : versions).slice(0, maxListed).map(versionName),
    cipherSuites: countOf(cipherSuites),
    extensions: countOf(extensions),
    sizeBytes: hello.sizeBytes,
  };
}

function versionName(version: number): string {
  return versionNames[version] ?? `0x${version.toString(16).padStart(4, '0')}`;
}

function countOf(values: readonly number[]): number {
  return values.filter((value) => !isGrease(value)).length;
}

/** RFC 8701, section 2: protocols of two equal bytes, as the numbers are. */
function isGreaseProtocol(protocol: string): boolean {
  return protocol.length === 2 && isGrease((protocol.charCodeAt(0) << 8) | protocol.charCodeAt(1));
}

import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { connect, TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CertificateAuthority } from '../../../../../src-main/engine/tls/certificate-authority.ts';
import { createFaultyLeafIssuer } from '../../../../../src-main/engine/tls/faulty-certificates.ts';
import type { CertificateProblem } from '../../../../../src-main/engine/tls/faulty-certificates.ts';
import { makeCa } from './fixtures.ts';

let ca: CertificateAuthority;
beforeAll(async () => {
  ca = await makeCa(Date.now());
});

const leafKey = createPrivateKey(
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
);

/** What Node's verifier says of the certificate, to a client that trusts the CA. */
async function verdictOn(problem: CertificateProblem, name = 'orders.internal'): Promise<string> {
  const context = createFaultyLeafIssuer({ ca, leafKey, now: () => Date.now() }).contextFor(name, {
    kind: 'certificate',
    problem,
  });
  if (context === null) throw new Error('no context');
  const server = createServer((socket) => {
    const secure = new TLSSocket(socket, { isServer: true, secureContext: context });
    secure.on('error', () => undefined); // The client leaves: that is the point.
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    servername: name,
    ca: ca.certificatePem,
  });
  const code = await new Promise<string>((resolve) => {
    client.on('secureConnect', () => resolve('accepted'));
    client.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  client.destroy();
  server.close();
  return code;
}

describe('a certificate that is wrong on purpose is refused for that reason', () => {
  it.each([
    ['expired', 'CERT_HAS_EXPIRED'],
    ['not-yet-valid', 'CERT_NOT_YET_VALID'],
    ['wrong-name', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['untrusted-ca', 'SELF_SIGNED_CERT_IN_CHAIN'],
  ] as const)('%s: %s', async (problem, code) => {
    expect(await verdictOn(problem)).toBe(code);
  });

  it('also for an address', async () => {
    const issuer = createFaultyLeafIssuer({ ca, leafKey, now: () => Date.now() });
    expect(issuer.contextFor('127.0.0.1', { kind: 'certificate', problem: 'expired' })).not.toBeNull();
    expect(issuer.contextFor('not a name', { kind: 'certificate', problem: 'expired' })).toBeNull();
  });

  it('is kept for a name and a problem, and made anew in time', () => {
    let now = Date.now();
    const issuer = createFaultyLeafIssuer({ ca, leafKey, now: () => now });
    const first = issuer.contextFor('a.example', { kind: 'certificate', problem: 'not-yet-valid' });
    expect(issuer.contextFor('a.example', { kind: 'certificate', problem: 'not-yet-valid' })).toBe(first);
    expect(issuer.contextFor('a.example', { kind: 'certificate', problem: 'expired' })).not.toBe(first);
    now += 86_400_000;
    expect(issuer.contextFor('a.example', { kind: 'certificate', problem: 'not-yet-valid' })).not.toBe(first);
  });
});

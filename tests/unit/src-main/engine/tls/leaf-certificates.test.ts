import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { CertificateAuthority } from '../../../../../src-main/engine/tls/certificate-authority.ts';
import { createLeafIssuer } from '../../../../../src-main/engine/tls/leaf-certificates.ts';
import { certificateNameOf } from '../../../../../src-main/engine/tls/certificate-name.ts';
import { DAY_MS, NOW, makeCa } from './fixtures.ts';

let ca: CertificateAuthority;
beforeAll(async () => {
  ca = await makeCa();
});

const issue = (name: string, now = NOW) => {
  const leaf = createLeafIssuer({ ca, now: () => now }).issue(name);
  if (!leaf) throw new Error(`no certificate for ${name}`);
  return { leaf, certificate: new X509Certificate(leaf.der) };
};

describe('a leaf certificate', () => {
  test('is signed by the CA, for servers, and no CA itself', () => {
    const { certificate } = issue('orders.internal');
    const authority = new X509Certificate(ca.certificateDer);
    expect(certificate.verify(authority.publicKey)).toBe(true);
    expect(certificate.checkIssued(authority)).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(certificate.subject).toBe('O=Spike\nCN=orders.internal');
  });

  test.each([
    ['orders.internal', 'DNS:orders.internal'],
    ['Orders.Internal.', 'DNS:orders.internal'],
    ['my_service', 'DNS:my_service'],
    ['bücher.example', 'DNS:xn--bcher-kva.example'],
    ['127.0.0.1', 'IP Address:127.0.0.1'],
    ['::1', 'IP Address:0:0:0:0:0:0:0:1'],
    ['[2001:DB8::8:800:200c:417a]', 'IP Address:2001:DB8:0:0:8:800:200C:417A'],
    ['fe80::1%eth0', 'IP Address:FE80:0:0:0:0:0:0:1'],
    ['::ffff:10.1.2.3', 'IP Address:0:0:0:0:0:FFFF:A01:203'],
  ])('for %s has the SAN %s', (name, san) => {
    expect(issue(name).certificate.subjectAltName).toBe(san);
  });

  test('for a name beyond 64 characters has it in the SAN alone', () => {
    const name = `${'a'.repeat(60)}.${'b'.repeat(60)}.example`;
    const { certificate } = issue(name);
    expect(certificate.subject).toBe('O=Spike');
    expect(certificate.checkHost(name)).toBe(name);
  });

  test('lasts less than any client objects to, and never outlives its CA', () => {
    const { certificate } = issue('a.example');
    const lifetimeMs = certificate.validToDate.getTime() - certificate.validFromDate.getTime();
    expect(lifetimeMs).toBeLessThan(47 * DAY_MS);
    expect(certificate.validFromDate.getTime()).toBeLessThanOrEqual(NOW - DAY_MS);
    const late = issue('a.example', ca.notAfter.getTime() - DAY_MS).certificate;
    expect(late.validToDate).toEqual(ca.notAfter);
    const early = issue('a.example', ca.notBefore.getTime() + 1).certificate;
    expect(early.validFromDate).toEqual(ca.notBefore);
  });

  test('has a positive serial number of 128 bits, another one each time', () => {
    const issuer = createLeafIssuer({ ca, now: () => NOW });
    const serials = Array.from(
      { length: 200 },
      () => new X509Certificate(issuer.issue('a.example')?.der ?? ''),
    );
    const numbers = serials.map((certificate) => certificate.serialNumber);
    expect(new Set(numbers).size).toBe(200);
    for (const number of numbers) expect(number).toMatch(/^[4-7][0-9A-F]{31}$/);
  });

  test('is sent with its CA', () => {
    const { leaf } = issue('a.example');
    expect(leaf.chainPem).toBe(leaf.certificatePem + ca.certificatePem);
  });

  test('takes its serial number from the injected chance', () => {
    const random = (sizeBytes: number) => Buffer.alloc(sizeBytes, 0xff);
    const leafOnce = createLeafIssuer({ ca, now: () => NOW, random }).issue('a.example');
    expect(new X509Certificate(leafOnce?.der ?? '').serialNumber).toBe('7F'.padEnd(32, 'F'));
  });
});

describe('names from strangers', () => {
  test.each([
    ['', 'empty'],
    ['.', 'empty'],
    ['a..b', 'bad-label'],
    ['*.example.com', 'bad-label'],
    ['a b', 'bad-label'],
    ['a\0b', 'bad-label'],
    ['evil.example\nCN=bank', 'bad-label'],
    ['../../etc/passwd', 'bad-label'],
    ['bücher example', 'bad-label'],
    [`${'a'.repeat(64)}.example`, 'label-too-long'],
    [`${'a.'.repeat(127)}`, 'ok'],
    [`${'a.'.repeat(127)}b`, 'too-long'],
    ['a'.repeat(100_000), 'too-long'],
    ['a:b', 'bad-address'],
    ['[1.2.3.4.5]', 'bad-address'],
    ['1::2::3', 'bad-address'],
  ])('%j: %s', (name, expected) => {
    const result = certificateNameOf(name);
    expect(result.ok ? 'ok' : result.reason).toBe(expected);
    const issuer = createLeafIssuer({ ca, now: () => NOW });
    expect(issuer.contextFor(name) === null).toBe(!result.ok);
    expect(issuer.issue(name) === null).toBe(!result.ok);
  });

  test('any text gives a certificate that OpenSSL matches to the canonical name, or null', () => {
    const issuer = createLeafIssuer({ ca, now: () => NOW });
    const names = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.domain(),
      fc.ipV4(),
      fc.ipV6(),
      fc.stringMatching(/^[a-zA-Z0-9_.:%[\]-]{0,80}$/),
    );
    fc.assert(
      fc.property(names, (name) => {
        const leaf = issuer.issue(name);
        if (!leaf) return;
        const certificate = new X509Certificate(leaf.der);
        const result = certificateNameOf(name);
        expect(certificateNameOf(leaf.name)).toEqual(result);
        if (result.ok && result.kind === 'ip') expect(certificate.checkIP(leaf.name)).toBe(leaf.name);
        else expect(certificate.subjectAltName).toBe(`DNS:${leaf.name}`);
      }),
      { numRuns: 500 },
    );
  });

  test('every address is certified', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        expect(certificateNameOf(address)).toMatchObject({ ok: true, kind: 'ip' });
      }),
    );
  });
});

describe('the cache of contexts', () => {
  test('gives one context for all spellings of a name', () => {
    const issuer = createLeafIssuer({ ca, now: () => NOW });
    expect(issuer.contextFor('A.example.')).toBe(issuer.contextFor('a.example'));
    expect(issuer.contextFor('[::1]')).toBe(issuer.contextFor('0:0::1'));
    expect(issuer.cachedCount).toBe(2);
  });

  test('is bounded, and lets go of the least recently used', () => {
    const issuer = createLeafIssuer({ ca, now: () => NOW, maxCached: 3 });
    const [a, b] = ['a', 'b', 'c'].map((name) => issuer.contextFor(name));
    expect(issuer.contextFor('a')).toBe(a);
    issuer.contextFor('d');
    expect(issuer.cachedCount).toBe(3);
    expect(issuer.contextFor('a')).toBe(a);
    expect(issuer.contextFor('b')).not.toBe(b);
  });

  test('renews a certificate a day before it ends, and one from a clock that was ahead', () => {
    let now = NOW;
    const issuer = createLeafIssuer({ ca, now: () => now });
    const first = issuer.contextFor('a');
    const { notAfter = 0 } = issuer.issue('a') ?? {};
    now = notAfter - DAY_MS - 1;
    expect(issuer.contextFor('a')).toBe(first);
    now = notAfter - DAY_MS;
    const second = issuer.contextFor('a');
    expect(second).not.toBe(first);
    now = NOW - 5 * DAY_MS;
    expect(issuer.contextFor('a')).not.toBe(second);
  });

  test('does not renew in vain when the CA itself is about to end', () => {
    const now = ca.notAfter.getTime() - 1000;
    const issuer = createLeafIssuer({ ca, now: () => now });
    expect(issuer.contextFor('a')).toBe(issuer.contextFor('a'));
  });
});

import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { CertificateAuthority } from '../../../../../src-main/engine/tls/certificate-authority.ts';
import {
  TrustStoreError,
  buildTrustStore,
  systemRoots,
} from '../../../../../src-main/engine/tls/trust-store.ts';
import { makeCa, temporaryDirectory } from './fixtures.ts';

let first: CertificateAuthority;
let second: CertificateAuthority;
beforeAll(async () => {
  [first, second] = await Promise.all([makeCa(), makeCa()]);
});

const BROKEN = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

async function failureFor(content: string): Promise<TrustStoreError & { path: string }> {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'dev-ca.pem');
  await writeFile(path, content);
  const error: unknown = await buildTrustStore({ files: [path], roots: [] }).catch(
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TrustStoreError);
  return Object.assign(error as TrustStoreError, { path });
}

test('adds the certificates of files to the system roots', async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, 'dev-ca.pem');
  await writeFile(
    file,
    `comment\r\n${first.certificatePem.replaceAll('\n', '\r\n')}\n${second.certificatePem}`,
  );
  const store = await buildTrustStore({ files: [file] });
  expect(store.addedCount).toBe(2);
  expect(store.certificatesPem).toHaveLength(systemRoots().length + 2);
  expect(systemRoots().length).toBeGreaterThan(50);
});

test('the system roots are each there once, however their lines are broken', () => {
  const fingerprints = systemRoots().map((pem) => new X509Certificate(pem).fingerprint256);
  expect(new Set(fingerprints).size).toBe(fingerprints.length);
});

test('a root that is there twice counts once', async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, 'dev-ca.pem');
  await writeFile(file, first.certificatePem);
  const store = await buildTrustStore({ files: [file, file], roots: [] });
  expect(store.certificatesPem).toEqual([first.certificatePem]);
});

describe('a file that cannot be used is named, with its bad block', () => {
  test('missing', async () => {
    const failing = buildTrustStore({ files: ['/nowhere/dev-ca.pem'], roots: [] });
    await expect(failing).rejects.toMatchObject({ code: 'trust-unreadable', file: '/nowhere/dev-ca.pem' });
    await expect(failing).rejects.toThrow('/nowhere/dev-ca.pem cannot be read (ENOENT)');
  });

  test.each([
    ['', 'trust-empty', 0],
    ['hello', 'trust-empty', 0],
    ['-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', 'trust-empty', 0],
    [BROKEN, 'trust-corrupt', 1],
  ])('%j', async (content, code, blockIndex) => {
    const error = await failureFor(content);
    expect(error).toMatchObject({ code, blockIndex, file: error.path });
    expect(error.message).toContain('tls.trust');
  });

  test('the third of four certificates', async () => {
    const content = first.certificatePem + second.certificatePem + BROKEN + first.certificatePem;
    const error = await failureFor(content);
    expect(error).toMatchObject({ code: 'trust-corrupt', blockIndex: 3 });
    expect(error.message).toContain('corrupt in certificate 3');
  });

  test('a second certificate that is cut short', async () => {
    const error = await failureFor(first.certificatePem + second.certificatePem.slice(0, 200));
    expect(error).toMatchObject({ code: 'trust-corrupt', blockIndex: 2 });
  });
});

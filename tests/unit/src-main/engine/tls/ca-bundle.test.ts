import { readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { writeTrustBundle } from '../../../../../src-main/engine/tls/ca-bundle.ts';
import type { CertificateAuthority } from '../../../../../src-main/engine/tls/certificate-authority.ts';
import { parseCertificates } from '../../../../../src-main/engine/tls/pem.ts';
import { makeCa, temporaryDirectory } from './fixtures.ts';

let ca: CertificateAuthority;
let root: CertificateAuthority;
beforeAll(async () => {
  [ca, root] = await Promise.all([makeCa(), makeCa()]);
});

test('the bundle holds the system roots and the CA, which stands first', async () => {
  await using directory = await temporaryDirectory();
  const bundle = await writeTrustBundle({ directory: directory.path, ca });
  const parsed = parseCertificates(await readFile(bundle.bundlePath, 'utf8'));
  const certificates = parsed.ok ? parsed.certificates : [];
  expect(certificates[0]?.fingerprint256).toBe(ca.fingerprint256);
  expect(certificates).toHaveLength(bundle.certificateCount);
  expect(certificates.length).toBeGreaterThan(50);
});

test('the same content is not written again; other content, or a lost file, is', async () => {
  await using directory = await temporaryDirectory();
  const write = (roots: string[]) => writeTrustBundle({ directory: directory.path, ca, roots });
  const { bundlePath, javaTrustStorePath } = await write([]);
  const before = await stat(javaTrustStorePath);
  await write([]);
  expect((await stat(javaTrustStorePath)).ino).toBe(before.ino);
  await write([root.certificatePem, root.certificatePem]);
  expect(await readFile(bundlePath, 'utf8')).toBe(ca.certificatePem + root.certificatePem);
  await rm(javaTrustStorePath);
  await write([root.certificatePem]);
  expect((await readdir(directory.path)).sort()).toEqual(['ca-bundle.pem', 'trust-store.p12']);
});

test('a bundle that someone spoilt is mended', async () => {
  await using directory = await temporaryDirectory();
  const { bundlePath } = await writeTrustBundle({ directory: directory.path, ca, roots: [] });
  await writeFile(bundlePath, 'spoilt');
  await writeTrustBundle({ directory: directory.path, ca, roots: [] });
  expect(await readFile(bundlePath, 'utf8')).toBe(ca.certificatePem);
});

import { spawn } from 'node:child_process';
import { X509Certificate, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  certificateAuthorityFromPem,
  loadOrCreateCertificateAuthority,
  spkiSha256,
} from '../../../../../src-main/engine/tls/certificate-authority.ts';
import type { TlsLog } from '../../../../../src-main/engine/tls/certificate-authority.ts';
import { CertificateAuthorityError } from '../../../../../src-main/engine/tls/certificate-authority-error.ts';
import { createLeafIssuer } from '../../../../../src-main/engine/tls/leaf-certificates.ts';
import { DAY_MS, NOW, makeCa, silentLog, temporaryDirectory } from './fixtures.ts';

const load = (directory: string, now = NOW, log: TlsLog = silentLog) =>
  loadOrCreateCertificateAuthority({ directory, now: () => now, log, hostName: 'laptop' });

async function failureOf(directory: string, now = NOW): Promise<CertificateAuthorityError> {
  const error = await load(directory, now).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CertificateAuthorityError);
  return error as CertificateAuthorityError;
}

describe('a first start', () => {
  test('makes a P-256 root that may sign leaf certificates and nothing else', async () => {
    await using directory = await temporaryDirectory();
    const ca = await load(join(directory.path, 'new', 'home'));
    const certificate = new X509Certificate(ca.certificateDer);
    expect(certificate.ca).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' });
    expect(ca.subject).toBe('O=Spike, CN=Spike CA (laptop 2026-06-15)');
    expect(ca.fingerprint256).toBe(certificate.fingerprint256);
    expect(ca.notBefore.getTime()).toBeLessThanOrEqual(NOW - DAY_MS);
    expect(ca.notAfter.getUTCFullYear()).toBe(2036);
    expect(await readFile(ca.path, 'utf8')).toBe(ca.certificatePem);
  });

  test('keeps the key to its owner, and leaves no temporary file', async () => {
    await using directory = await temporaryDirectory();
    const home = join(directory.path, 'home');
    await load(home);
    const modeOf = async (path: string) => (await stat(path)).mode & 0o777;
    expect(await modeOf(home)).toBe(0o700);
    expect(await modeOf(join(home, 'ca-key.pem'))).toBe(0o600);
    expect(await modeOf(join(home, 'ca.pem'))).toBe(0o644);
    expect((await readdir(home)).sort()).toEqual(['ca-key.pem', 'ca.pem']);
  });

  test('is loaded, not made again, by the next', async () => {
    await using directory = await temporaryDirectory();
    const first = await load(directory.path);
    const second = await load(directory.path, NOW + 400 * DAY_MS);
    expect(second.fingerprint256).toBe(first.fingerprint256);
    expect(second.privateKey.equals(first.privateKey)).toBe(true);
  });

  test('by many at once makes one CA for all', async () => {
    await using directory = await temporaryDirectory();
    const all = await Promise.all(Array.from({ length: 12 }, () => load(directory.path)));
    expect(new Set(all.map((ca) => ca.fingerprint256)).size).toBe(1);
    expect((await readdir(directory.path)).length).toBe(2);
  });

  test('by several processes at once makes one CA for all', async () => {
    await using directory = await temporaryDirectory();
    const prints = await Promise.all(Array.from({ length: 4 }, () => fingerprintInProcess(directory.path)));
    expect(prints[0]).toMatch(/^[0-9A-F:]{95}$/);
    expect(new Set(prints).size).toBe(1);
  });

  test('with a long or foreign host name still has a common name within bounds', async () => {
    await using directory = await temporaryDirectory();
    const hostName = 'rechner-größe-'.repeat(9);
    const ca = await loadOrCreateCertificateAuthority({
      directory: directory.path,
      now: () => NOW,
      log: silentLog,
      hostName,
    });
    const commonName = /CN=(.*)/.exec(ca.subject)?.[1] ?? '';
    expect([...commonName]).toHaveLength(64);
    expect(commonName).toContain('größe');
  });

  test('past 2049 writes GeneralizedTime', async () => {
    const ca = await makeCa(Date.UTC(2045, 0, 1));
    expect(ca.notAfter.getUTCFullYear()).toBe(2054);
    expect(ca.certificateDer.includes(Buffer.from('20541230000000Z'))).toBe(true);
  });

  test('makes an RSA CA when the setting asks for it', async () => {
    const ca = await makeCa(NOW, 'rsa-2048');
    expect(ca.privateKey.asymmetricKeyType).toBe('rsa');
    const leaf = new X509Certificate(createLeafIssuer({ ca, now: () => NOW }).issue('a.example')?.der ?? '');
    expect(leaf.publicKey.asymmetricKeyType).toBe('rsa');
    expect(leaf.verify(new X509Certificate(ca.certificateDer).publicKey)).toBe(true);
  });
});

async function fingerprintInProcess(directory: string): Promise<string> {
  const module = new URL('../../../../../src-main/engine/tls/certificate-authority.ts', import.meta.url);
  const script = `import { loadOrCreateCertificateAuthority as load } from ${JSON.stringify(module.href)};
    const log = { info() {}, warn() {} };
    const ca = await load({ directory: ${JSON.stringify(directory)}, now: Date.now, log });
    process.stdout.write(ca.fingerprint256);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(child, 'close');
  return output;
}

describe('files that cannot be used are refused by name, and left alone', () => {
  type Spoil = (home: string) => Promise<void>;
  const certificate = (home: string) => join(home, 'ca.pem');
  const key = (home: string) => join(home, 'ca-key.pem');
  const foreignKey = () =>
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
  const ed25519Key = () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });

  const cases: [string, string, Spoil][] = [
    ['ca-corrupt-certificate', 'ca.pem', (home) => writeFile(certificate(home), 'hello')],
    ['ca-corrupt-certificate', 'ca.pem', (home) => writeFile(certificate(home), '')],
    ['ca-corrupt-certificate', 'ca.pem', (home) => spoilBase64(certificate(home))],
    ['ca-corrupt-certificate', 'ca.pem', (home) => cutShort(certificate(home))],
    ['ca-corrupt-key', 'ca-key.pem', (home) => writeFile(key(home), 'hello')],
    ['ca-corrupt-key', 'ca-key.pem', (home) => cutShort(key(home))],
    ['ca-unsupported-key', 'ca-key.pem', (home) => writeFile(key(home), ed25519Key())],
    ['ca-key-mismatch', 'ca.pem', (home) => writeFile(key(home), foreignKey())],
    ['ca-missing-key', 'ca-key.pem', (home) => rm(key(home))],
    ['ca-missing-certificate', 'ca.pem', (home) => rm(certificate(home))],
    ['ca-not-a-ca', 'ca.pem', replaceByLeaf],
    ['ca-unreadable', 'ca.pem', replaceByDirectory],
  ];

  test.each(cases)('%s (%s)', async (code, file, spoil) => {
    await using directory = await temporaryDirectory();
    await load(directory.path);
    await spoil(directory.path);
    const before = await contents(directory.path);
    const error = await failureOf(directory.path);
    expect(error.code).toBe(code);
    expect(error.file).toBe(join(directory.path, file));
    expect(error.message).toContain(error.file);
    expect(error.message).toMatch(/move ca\.pem|--home/);
    expect(await contents(directory.path)).toEqual(before);
  });

  test('ca-expired and ca-not-yet-valid, by the injected clock', async () => {
    await using directory = await temporaryDirectory();
    const ca = await load(directory.path);
    expect((await failureOf(directory.path, ca.notAfter.getTime())).code).toBe('ca-expired');
    expect((await failureOf(directory.path, ca.notBefore.getTime() - 1)).code).toBe('ca-not-yet-valid');
    await expect(load(directory.path, ca.notAfter.getTime() - 1)).resolves.toBeDefined();
  });

  test('ca-unwritable, when the directory cannot be made', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'file'), '');
    const error = await failureOf(join(directory.path, 'file', 'home'));
    expect(error.code).toBe('ca-unwritable');
  });

  async function contents(home: string): Promise<Record<string, string>> {
    const files = (await readdir(home, { withFileTypes: true })).filter((entry) => entry.isFile());
    const read = async ({ name }: { name: string }) =>
      [name, await readFile(join(home, name), 'utf8')] as const;
    return Object.fromEntries(await Promise.all(files.map(read)));
  }

  async function spoilBase64(file: string): Promise<void> {
    const lines = (await readFile(file, 'utf8')).split('\n');
    await writeFile(file, [lines[0], lines[2], lines[1], ...lines.slice(3)].join('\n'));
  }

  async function cutShort(file: string): Promise<void> {
    await writeFile(file, (await readFile(file, 'utf8')).slice(0, 120));
  }

  async function replaceByLeaf(home: string): Promise<void> {
    const ca = await load(home);
    const issuer = createLeafIssuer({ ca, now: () => NOW });
    await writeFile(certificate(home), issuer.issue('leaf.example')?.certificatePem ?? '');
    await writeFile(key(home), issuer.privateKeyPem);
  }

  async function replaceByDirectory(home: string): Promise<void> {
    await rm(certificate(home));
    await mkdir(certificate(home));
  }
});

describe('what is not fatal is said in the log', () => {
  function recordingLog() {
    const warnings: { details: object; message: string }[] = [];
    const log: TlsLog = { info() {}, warn: (details, message) => void warnings.push({ details, message }) };
    return { log, warnings };
  }

  test('a key that others may read is closed', async () => {
    await using directory = await temporaryDirectory();
    await load(directory.path);
    const key = join(directory.path, 'ca-key.pem');
    await chmod(key, 0o644);
    const { log, warnings } = recordingLog();
    await load(directory.path, NOW, log);
    expect((await stat(key)).mode & 0o777).toBe(0o600);
    expect(warnings).toEqual([
      { details: { path: key, mode: '0644', newMode: '0600' }, message: expect.stringContaining('CA key') },
    ]);
  });

  test('a CA in its last month, and one of another kind than asked for', async () => {
    await using directory = await temporaryDirectory();
    const ca = await load(directory.path);
    const { log, warnings } = recordingLog();
    const now = () => ca.notAfter.getTime() - 3.5 * DAY_MS;
    await loadOrCreateCertificateAuthority({ directory: directory.path, now, keyType: 'rsa-2048', log });
    expect(warnings.map(({ details }) => details)).toEqual([
      expect.objectContaining({ daysLeft: 3 }),
      expect.objectContaining({ wanted: 'rsa-2048', has: 'ec' }),
    ]);
  });
});

test('a pair that is handed over as text is the same CA', async () => {
  await using directory = await temporaryDirectory();
  const ca = await load(directory.path);
  const privateKeyPem = ca.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const { certificatePem } = ca;
  const copy = certificateAuthorityFromPem({
    certificatePem,
    privateKeyPem,
    directory: ca.directory,
    now: NOW,
  });
  expect(copy.fingerprint256).toBe(ca.fingerprint256);
  expect(spkiSha256(copy)).toMatch(/^[A-Za-z0-9+/]{43}=$/);
});

test('a CA with a comment and a copy elsewhere is read', async () => {
  await using directory = await temporaryDirectory();
  const ca = await load(directory.path);
  await writeFile(ca.path, `# our own\n${ca.certificatePem}`);
  await copyFile(ca.path, join(directory.path, 'copy.pem'));
  expect((await load(directory.path)).certificatePem).toBe(ca.certificatePem);
});

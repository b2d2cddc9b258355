import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOrCreateCertificateAuthority } from '../../../../../src-main/engine/tls/certificate-authority.ts';
import type {
  CaKeyType,
  CertificateAuthority,
  TlsLog,
} from '../../../../../src-main/engine/tls/certificate-authority.ts';

export const DAY_MS = 86_400_000;
/** What most tests take for now. */
export const NOW = Date.UTC(2026, 5, 15, 12, 30, 15);
export const silentLog: TlsLog = { info() {}, warn() {} };

/** A directory of its own that goes away with the test. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'spike-tls-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A CA in memory; its directory is gone again. */
export async function makeCa(now = NOW, keyType: CaKeyType = 'ec-p256'): Promise<CertificateAuthority> {
  await using directory = await temporaryDirectory();
  const options = { directory: directory.path, now: () => now, keyType, log: silentLog, hostName: 'test' };
  return await loadOrCreateCertificateAuthority(options);
}

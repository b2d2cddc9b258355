import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkerIdentity } from './cluster/messages.ts';
import type { CaFacts } from './engine-interface.ts';
import { generateKeys } from './tls/certificate-authority.ts';
import type { CertificateAuthority } from './tls/certificate-authority.ts';
import { TICKET_KEYS_BYTES } from './tls/tls-options.ts';

/** What may be shown of the CA. */
export async function caFactsOf(ca: CertificateAuthority): Promise<CaFacts> {
  return {
    certificatePem: ca.certificatePem,
    path: ca.path,
    subject: ca.subject,
    fingerprint256: ca.fingerprint256,
    notAfter: ca.notAfter.toISOString(),
    keyMode: await modeOf(join(ca.directory, 'ca-key.pem')),
  };
}

/** Octal, as `ls` and `chmod` have it; null on Windows, whose access lists have no such thing. */
async function modeOf(path: string): Promise<string | null> {
  if (process.platform === 'win32') return null;
  return ((await stat(path)).mode & 0o777).toString(8).padStart(4, '0');
}

/**
 * What each worker is handed: the same CA, the same leaf key and the same ticket keys, so that a client may meet any
 * worker with a certificate or a session that another one made.
 */
export async function createIdentities(
  ca: CertificateAuthority,
  agentId: string,
): Promise<(worker: number) => WorkerIdentity> {
  const pem = { type: 'pkcs8', format: 'pem' } as const;
  const leaf = await generateKeys(ca.privateKey.asymmetricKeyType === 'rsa' ? 'rsa-2048' : 'ec-p256');
  const shared = {
    agentId,
    ca: {
      certificatePem: ca.certificatePem,
      privateKeyPem: ca.privateKey.export(pem).toString(),
      directory: ca.directory,
    },
    leafKeyPem: leaf.privateKey.export(pem).toString(),
    ticketKeys: randomBytes(TICKET_KEYS_BYTES),
  };
  return (number) => ({ number, ...shared });
}

// Trust for programs that Spike starts. SSL_CERT_FILE and its like *replace* a runtime's roots, and so does Java's
// trustStore: a file with Spike's CA alone would break every call that Spike passes through. Hence both files hold the
// system's roots and the CA.
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertificateAuthority } from './certificate-authority.ts';
import { writeAtomically } from './certificate-authority-files.ts';
import { JAVA_TRUST_STORE_PASSWORD, javaTrustStoreDer } from './java-trust-store.ts';
import { uniqueCertificates } from './pem.ts';
import { systemRoots } from './trust-store.ts';

export type TrustBundle = {
  /** PEM: for SSL_CERT_FILE, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, GIT_SSL_CAINFO and their like. */
  bundlePath: string;
  /** PKCS#12: for -Djavax.net.ssl.trustStore, with -Djavax.net.ssl.trustStoreType=PKCS12 for Java 8. */
  javaTrustStorePath: string;
  /** For -Djavax.net.ssl.trustStorePassword. Not a secret: the file holds public certificates alone. */
  javaTrustStorePassword: string;
  /** Of each file, the CA included. */
  certificateCount: number;
};

export type TrustBundleOptions = {
  /** Made when absent. Holds `ca-bundle.pem` and `trust-store.p12` afterwards. */
  directory: string;
  ca: Pick<CertificateAuthority, 'certificatePem'>;
  /** As PEM, one certificate each. Default: systemRoots(). */
  roots?: readonly string[];
};

/** Writes both files anew, each at once or not at all; a file that says the same already is left alone. Throws what the file system throws. */
export async function writeTrustBundle({
  directory,
  ca,
  roots = systemRoots(),
}: TrustBundleOptions): Promise<TrustBundle> {
  // The CA first: it is what people look for when they open the file.
  const certificates = uniqueCertificates([ca.certificatePem, ...roots]);
  const bundle = certificates.join('');
  const bundlePath = join(directory, 'ca-bundle.pem');
  const javaTrustStorePath = join(directory, 'trust-store.p12');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const same = (await contentOf(bundlePath)) === bundle && (await contentOf(javaTrustStorePath)) !== null;
  if (!same) {
    // The bundle last: it is what the next start compares.
    await writeAtomically(javaTrustStorePath, javaTrustStoreDer(certificates), 0o644);
    await writeAtomically(bundlePath, bundle, 0o644);
  }
  return {
    bundlePath,
    javaTrustStorePath,
    javaTrustStorePassword: JAVA_TRUST_STORE_PASSWORD,
    certificateCount: certificates.length,
  };
}

async function contentOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

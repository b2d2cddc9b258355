// What Spike trusts when it speaks TLS to an upstream. Parsed once into one shared context: a list of roots that is parsed for
// each connection costs ten milliseconds every time.
import type { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, getCACertificates } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { certificateDerToPem, parseCertificates, uniqueCertificates } from './pem.ts';
import { upstreamContextOptions } from './tls-options.ts';

export type TrustStoreErrorCode = 'trust-unreadable' | 'trust-corrupt' | 'trust-empty';

/** A file of `tls.trust` that cannot be used; the message names it, the bad block, and the next step. */
export class TrustStoreError extends Error {
  override readonly name = 'TrustStoreError';
  readonly code: TrustStoreErrorCode;
  readonly file: string;
  /** From 1; 0 when the fault is not in one block. */
  readonly blockIndex: number;

  constructor(code: TrustStoreErrorCode, file: string, blockIndex: number, problem: string, cause?: unknown) {
    super(`${file} ${problem}. Correct it, or take it out of tls.trust in spike.yaml.`, { cause });
    this.code = code;
    this.file = file;
    this.blockIndex = blockIndex;
  }
}

export type TrustStore = {
  /** Handed to every upstream connection. */
  secureContext: SecureContext;
  /** All roots as PEM, one certificate each, without duplicates. */
  certificatesPem: readonly string[];
  /** How many of them came from `files`. */
  addedCount: number;
};

export type TrustStoreOptions = {
  /** PEM files with more roots: `tls.trust` of the workspace, paths already absolute. Default none. */
  files?: readonly string[];
  /** Roots as PEM, one certificate each. Default: systemRoots(). */
  roots?: readonly string[];
};

/**
 * Node's roots with those of NODE_EXTRA_CA_CERTS (Node reads that file itself, at start), and the operating system's, where
 * companies install their own. A system store that cannot be read leaves Node's.
 */
export function systemRoots(): string[] {
  return uniqueCertificates([...getCACertificates('default'), ...getCACertificates('system')]);
}

/** Throws TrustStoreError for the first file that cannot be used. */
export async function buildTrustStore({
  files = [],
  roots = systemRoots(),
}: TrustStoreOptions = {}): Promise<TrustStore> {
  const added = (await Promise.all(files.map(readTrustFile))).flat();
  const certificatesPem = uniqueCertificates([...roots, ...added.map(({ raw }) => certificateDerToPem(raw))]);
  return {
    secureContext: createSecureContext(upstreamContextOptions(certificatesPem)),
    certificatesPem,
    addedCount: added.length,
  };
}

async function readTrustFile(file: string): Promise<X509Certificate[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const code = String((error as NodeJS.ErrnoException).code);
    throw new TrustStoreError('trust-unreadable', file, 0, `cannot be read (${code})`, error);
  }
  const parsed = parseCertificates(text);
  if (parsed.ok) return parsed.certificates;
  const { blockIndex, reason } = parsed;
  if (blockIndex === 0) {
    throw new TrustStoreError('trust-empty', file, 0, `is not a list of certificates in PEM: ${reason}`);
  }
  const problem = `is corrupt in certificate ${blockIndex}: ${reason}`;
  throw new TrustStoreError('trust-corrupt', file, blockIndex, problem);
}

/** The roots of a worker: the system's and those that the primary has read and checked. */
export function upstreamRoots(extraRootsPem: readonly string[]): string[] {
  return [...new Set([...systemRoots(), ...extraRootsPem])];
}

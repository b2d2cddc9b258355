// The two files of the CA on disk. Several processes may start for the first time at once, so:
//
//   1. the key is claimed: created exclusively, so that exactly one process makes the pair
//   2. the certificate is renamed into place when the key is complete: a reader who sees it can read both
//
// Who finds a key without a certificate waits a moment for the process that is between 1 and 2.
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CertificateAuthorityError } from './certificate-authority-error.ts';
import type { TlsLog } from './certificate-authority.ts';

const CERTIFICATE_FILE = 'ca.pem';
const KEY_FILE = 'ca-key.pem';
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;
/** Between 1 and 2 lie two writes of a few hundred bytes. */
const WAIT_FOR_MAKER_MS = 2_000;
const WAIT_STEP_MS = 20;

export type CertificateAuthorityPair = { certificatePem: string; privateKeyPem: string };

export async function prepareDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new CertificateAuthorityError(
      'ca-unwritable',
      directory,
      `cannot be made (${codeOf(error)})`,
      error,
    );
  }
}

/** Both files, or null when there is neither. Throws when there is only one. */
export async function readPair(directory: string): Promise<CertificateAuthorityPair | null> {
  const paths = { certificate: join(directory, CERTIFICATE_FILE), key: join(directory, KEY_FILE) };
  for (let waitedMs = 0; ; waitedMs += WAIT_STEP_MS) {
    // The certificate first: once it is there the key is complete, never the other way round.
    const certificatePem = await readIfPresent(paths.certificate);
    const privateKeyPem = await readIfPresent(paths.key);
    if (certificatePem !== null && privateKeyPem !== null) return { certificatePem, privateKeyPem };
    if (privateKeyPem === null) {
      if (certificatePem === null) return null;
      throw new CertificateAuthorityError('ca-missing-key', paths.key, 'is missing, while ca.pem is there');
    }
    if (waitedMs >= WAIT_FOR_MAKER_MS) {
      const problem = 'is missing, while ca-key.pem is there';
      throw new CertificateAuthorityError('ca-missing-certificate', paths.certificate, problem);
    }
    await sleep(WAIT_STEP_MS);
  }
}

async function readIfPresent(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return null;
    throw new CertificateAuthorityError('ca-unreadable', file, `cannot be read (${code})`, error);
  }
}

/** Writes a pair that was just made; gives another process's pair instead when that one was quicker, else null. */
export async function publishPair(
  directory: string,
  pair: CertificateAuthorityPair,
): Promise<CertificateAuthorityPair | null> {
  const keyPath = join(directory, KEY_FILE);
  try {
    await writeNewFile(keyPath, pair.privateKeyPem, OWNER_ONLY);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return readPair(directory);
    throw unwritable(keyPath, error);
  }
  try {
    await writeAtomically(join(directory, CERTIFICATE_FILE), pair.certificatePem, 0o644);
  } catch (error) {
    // Without its certificate the key is of no use and would only block the next start.
    await unlink(keyPath);
    throw unwritable(join(directory, CERTIFICATE_FILE), error);
  }
  return null;
}

/** A whole file or none: written beside its place, flushed, renamed. `mode` holds whatever the umask says. */
export async function writeAtomically(path: string, content: string | Buffer, mode: number): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeNewFile(temporary, content, mode);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function writeNewFile(path: string, content: string | Buffer, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(content);
    await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A key that others may read is closed to them, and said so: it may have been read already. */
export async function tightenKey(directory: string, log: TlsLog): Promise<void> {
  // Windows has access lists instead; the user's profile is private there already.
  if (process.platform === 'win32') return;
  const path = join(directory, KEY_FILE);
  const mode = (await stat(path)).mode & 0o777;
  if ((mode & OTHERS) === 0) return;
  try {
    await chmod(path, OWNER_ONLY);
  } catch (error) {
    const problem = `is open to other users (mode ${octal(mode)}) and cannot be closed (${codeOf(error)})`;
    throw new CertificateAuthorityError('ca-unwritable', path, problem, error);
  }
  log.warn(
    { path, mode: octal(mode), newMode: octal(OWNER_ONLY) },
    'Other users could read the CA key; it is closed now. Make a new CA if anyone may have copied it',
  );
}

const octal = (mode: number): string => `0${mode.toString(8)}`;

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code ?? error);
}

function unwritable(file: string, error: unknown): CertificateAuthorityError {
  return new CertificateAuthorityError('ca-unwritable', file, `cannot be written (${codeOf(error)})`, error);
}

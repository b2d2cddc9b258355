// Spike's own certificate authority: loaded from its directory, or made there at the first start.
//
//   ca.pem      the certificate, 0644: what people add to a trust store
//   ca-key.pem  the private key, 0600: whoever reads it can pose as any site to those who trust ca.pem
//
// Nothing that exists is ever overwritten: a CA that people have told their machines to trust is not ours to replace.
import { X509Certificate, createHash, createPrivateKey, generateKeyPair } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CertificateAuthorityError } from './certificate-authority-error.ts';
import { prepareDirectory, publishPair, readPair, tightenKey } from './certificate-authority-files.ts';
import { certificateDerToPem, opensslReason, parseCertificates } from './pem.ts';
import {
  COMMON_NAME_MAX,
  basicConstraints,
  keyIdentifierOf,
  keyUsage,
  nameDer,
  publicKeyInfoDer,
  randomSerial,
  signCertificate,
  signatureAlgorithmDer,
  subjectKeyIdentifier,
  tbsCertificate,
  validityDer,
} from './x509-parts.ts';

const DAY_MS = 86_400_000;
const CA_LIFETIME_DAYS = 3_650;
/** Containers and virtual machines wake up with clocks that are behind. */
const BACKDATED_DAYS = 7;
const WARN_BEFORE_EXPIRY_DAYS = 30;

/** `rsa-2048` is for clients too old for elliptic curves; leaf certificates follow the CA's kind of key. */
export type CaKeyType = 'ec-p256' | 'rsa-2048';

/** The part of a pino logger that is used here. */
export type TlsLog = {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
};

export type CertificateAuthority = {
  certificatePem: string;
  certificateDer: Buffer;
  /** EC or RSA. */
  privateKey: KeyObject;
  /** SHA-256 of the certificate, upper-case hex with colons, as browsers show it. */
  fingerprint256: string;
  /** One line, such as `O=Spike, CN=Spike CA (laptop 2026-01-31)`. */
  subject: string;
  notBefore: Date;
  notAfter: Date;
  /** Absolute, holding both files. */
  directory: string;
  /** Of ca.pem: what `spike ca path` prints. */
  path: string;
};

export type CertificateAuthorityOptions = {
  /** Made with mode 0700 when absent. */
  directory: string;
  /** Milliseconds since 1970. */
  now: () => number;
  /** For a CA that is made now; one that exists is taken as it is. Default `ec-p256`. */
  keyType?: CaKeyType;
  log: TlsLog;
  /** Shown in the CA's name, to tell one machine's CA from another's. Default: the machine's name. */
  hostName?: string;
};

/**
 * The CA of a directory, made there if the directory has none. Safe to call from several processes at once: one makes it, the
 * others load it. Throws CertificateAuthorityError for files that are there and cannot be used.
 */
export async function loadOrCreateCertificateAuthority(
  options: CertificateAuthorityOptions,
): Promise<CertificateAuthority> {
  const { directory, now, log } = options;
  await prepareDirectory(directory);
  const existing = await readPair(directory);
  if (existing) return useExisting(existing, options);

  const keyType = options.keyType ?? 'ec-p256';
  const made = await makePair({ keyType, now: now(), hostName: options.hostName ?? hostname() });
  const published = await publishPair(directory, made);
  const pair = published ?? made;
  const authority = certificateAuthorityFromPem({ ...pair, directory, now: now() });
  if (!published) {
    const { path, fingerprint256 } = authority;
    log.info({ path, fingerprint256, keyType }, 'Made a new certificate authority');
  }
  return authority;
}

async function useExisting(
  pair: { certificatePem: string; privateKeyPem: string },
  { directory, now, keyType, log }: CertificateAuthorityOptions,
): Promise<CertificateAuthority> {
  await tightenKey(directory, log);
  const authority = certificateAuthorityFromPem({ ...pair, directory, now: now() });
  const daysLeft = Math.floor((authority.notAfter.getTime() - now()) / DAY_MS);
  if (daysLeft < WARN_BEFORE_EXPIRY_DAYS) {
    log.warn({ path: authority.path, daysLeft }, 'The certificate authority expires soon');
  }
  const wantsRsa = keyType === 'rsa-2048';
  if (keyType && wantsRsa !== (authority.privateKey.asymmetricKeyType === 'rsa')) {
    log.warn(
      { path: authority.path, wanted: keyType, has: authority.privateKey.asymmetricKeyType },
      'The certificate authority has another kind of key than the settings ask for; it stays in use. Move its two files away to have a new one made',
    );
  }
  return authority;
}

export type CertificateAuthorityMaterial = {
  certificatePem: string;
  privateKeyPem: string;
  /** Where both came from; named in errors. */
  directory: string;
  /** Milliseconds since 1970. */
  now: number;
};

/** Checks a pair that was read or handed over (a worker gets it from the primary). Throws CertificateAuthorityError. */
export function certificateAuthorityFromPem(material: CertificateAuthorityMaterial): CertificateAuthority {
  const { directory, now } = material;
  const path = join(directory, 'ca.pem');
  const certificate = readCertificate(material.certificatePem, path);
  const privateKey = readPrivateKey(material.privateKeyPem, join(directory, 'ca-key.pem'));
  checkUsable(certificate, privateKey, path, now);
  return {
    certificatePem: certificateDerToPem(certificate.raw),
    certificateDer: certificate.raw,
    privateKey,
    fingerprint256: certificate.fingerprint256,
    subject: certificate.subject.split('\n').join(', '),
    notBefore: certificate.validFromDate,
    notAfter: certificate.validToDate,
    directory,
    path,
  };
}

function readCertificate(pem: string, file: string): X509Certificate {
  const parsed = parseCertificates(pem);
  const first = parsed.ok ? parsed.certificates[0] : undefined;
  if (first) return first;
  const reason = parsed.ok ? 'it is empty' : parsed.reason;
  throw new CertificateAuthorityError(
    'ca-corrupt-certificate',
    file,
    `is not a certificate in PEM: ${reason}`,
  );
}

function readPrivateKey(pem: string, file: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    const reason = opensslReason(error);
    throw new CertificateAuthorityError(
      'ca-corrupt-key',
      file,
      `is not a private key in PEM: ${reason}`,
      error,
    );
  }
  if (key.asymmetricKeyType === 'ec' || key.asymmetricKeyType === 'rsa') return key;
  const kind = String(key.asymmetricKeyType);
  throw new CertificateAuthorityError(
    'ca-unsupported-key',
    file,
    `holds a key of type ${kind}, not EC or RSA`,
  );
}

function checkUsable(certificate: X509Certificate, privateKey: KeyObject, file: string, now: number): void {
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new CertificateAuthorityError('ca-key-mismatch', file, 'does not belong to the key in ca-key.pem');
  }
  if (!certificate.ca) {
    throw new CertificateAuthorityError(
      'ca-not-a-ca',
      file,
      'is a certificate that may not sign others (no CA:TRUE)',
    );
  }
  if (now >= certificate.validToDate.getTime()) {
    throw new CertificateAuthorityError('ca-expired', file, `expired on ${certificate.validTo}`);
  }
  if (now < certificate.validFromDate.getTime()) {
    const reason = `is not valid before ${certificate.validFrom}; is this machine's clock right?`;
    throw new CertificateAuthorityError('ca-not-yet-valid', file, reason);
  }
}

/** Base64 SHA-256 of the CA's public key, for Chromium's --ignore-certificate-errors-spki-list. */
export function spkiSha256(authority: Pick<CertificateAuthority, 'certificateDer'>): string {
  const { publicKey } = new X509Certificate(authority.certificateDer);
  return createHash('sha256').update(publicKeyInfoDer(publicKey)).digest('base64');
}

/** Asynchronous, because an RSA key may take a second and the main process must go on drawing. */
export function generateKeys(keyType: CaKeyType): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  const generate = promisify(generateKeyPair);
  return keyType === 'rsa-2048'
    ? generate('rsa', { modulusLength: 2048 })
    : generate('ec', { namedCurve: 'P-256' });
}

async function makePair(options: { keyType: CaKeyType; now: number; hostName: string }) {
  const keys = await generateKeys(options.keyType);
  return {
    certificatePem: certificateDerToPem(rootCertificate(keys, commonNameOf(options), options.now)),
    privateKeyPem: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** The certificate of a CA that signs itself, as DER. @param now Milliseconds since 1970. */
export function rootCertificate(
  { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject },
  commonName: string,
  now: number,
): Buffer {
  const subject = nameDer({ organisation: 'Spike', commonName });
  const algorithm = signatureAlgorithmDer(privateKey);
  const tbs = tbsCertificate({
    serial: randomSerial(),
    algorithm,
    issuer: subject,
    validity: validityDer(now - BACKDATED_DAYS * DAY_MS, now + CA_LIFETIME_DAYS * DAY_MS),
    subject,
    publicKeyInfo: publicKeyInfoDer(publicKey),
    extensions: [
      basicConstraints({ pathLength: 0 }),
      keyUsage('keyCertSign', 'crlSign'),
      subjectKeyIdentifier(keyIdentifierOf(publicKey)),
    ],
  });
  return signCertificate(tbs, algorithm, privateKey);
}

function commonNameOf({ hostName, now }: { hostName: string; now: number }): string {
  const made = new Date(now).toISOString().slice(0, 10);
  const frame = (host: string) => `Spike CA (${host} ${made})`;
  return frame([...hostName].slice(0, COMMON_NAME_MAX - frame('').length).join(''));
}

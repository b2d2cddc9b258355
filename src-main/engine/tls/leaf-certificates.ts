// Leaf certificates, minted per name. All but serial number, validity, subject and SAN is the same for every name, so it is
// encoded once; what is left per certificate is some concatenation and one signature.
import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import type { CertificateAuthority } from './certificate-authority.ts';
import { certificateNameOf } from './certificate-name.ts';
import type { CertificateName } from './certificate-name.ts';
import { certificateDerToPem } from './pem.ts';
import { leafContextOptions } from './tls-options.ts';
import {
  COMMON_NAME_MAX,
  authorityKeyIdentifier,
  basicConstraints,
  keyIdentifierOf,
  keyUsage,
  nameDer,
  publicKeyInfoDer,
  randomSerial,
  readIssuer,
  serverAuthUsage,
  signCertificate,
  signatureAlgorithmDer,
  subjectAltName,
  subjectKeyIdentifier,
  tbsCertificate,
  validityDer,
} from './x509-parts.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/**
 * 30 days and one of backdating. The ceiling that clients enforce today is 397, and the CA/Browser Forum lowers it in steps to
 * 47 by 2029; 31 is below all of them, and a certificate that is made in a tenth of a millisecond gains nothing by lasting.
 */
const LIFETIME_MS = 30 * DAY_MS;
/** For clients whose clock is behind. */
const BACKDATED_MS = DAY_MS;
/** A connection may be long in the making; none shall meet a certificate in its last hours. */
const RENEW_BEFORE_EXPIRY_MS = DAY_MS;
const DEFAULT_MAX_CACHED = 1_000;

export type IssuedLeaf = {
  /** As certified: canonical, see certificate-name.ts. */
  name: string;
  der: Buffer;
  certificatePem: string;
  /** The leaf, then the CA. */
  chainPem: string;
  /** Milliseconds since 1970. */
  notBefore: number;
  notAfter: number;
};

export type LeafIssuer = {
  /** A certificate for this name, made anew at every call; null when the name cannot be certified (see certificateNameOf). */
  issue(name: string): IssuedLeaf | null;
  /** The cached context for this name, made or renewed when needed; null as above. */
  contextFor(name: string): SecureContext | null;
  /** Contexts held now, at the most `maxCached`. */
  readonly cachedCount: number;
  /** PKCS#8 PEM of the key that every leaf of this issuer shares. */
  readonly privateKeyPem: string;
};

export type LeafIssuerOptions = {
  ca: Pick<
    CertificateAuthority,
    'certificatePem' | 'certificateDer' | 'privateKey' | 'notBefore' | 'notAfter'
  >;
  /** Milliseconds since 1970. */
  now: () => number;
  /** For serial numbers. Default: the system's generator. */
  random?: (sizeBytes: number) => Buffer;
  /** Contexts kept, the least recently used goes first; one takes some 45 KiB, most of it outside the heap. Default 1,000. */
  maxCached?: number;
  /** Default: a new key, RSA 2048 under an RSA CA and P-256 otherwise. */
  leafKey?: KeyObject;
  /** 48 bytes, shared by the workers, so that sessions resume on any of them. Default: sessions resume where they began. */
  ticketKeys?: Buffer;
};

export function createLeafIssuer(options: LeafIssuerOptions): LeafIssuer {
  const { ca, now, random = randomBytes, maxCached = DEFAULT_MAX_CACHED, ticketKeys } = options;
  const leafKey = options.leafKey ?? makeLeafKey(ca.privateKey);
  const privateKeyPem = leafKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const template = createLeafTemplate(ca, leafKey);
  const validityAt = createValidity(ca);
  const contexts = new Map<string, { context: SecureContext; notBefore: number; notAfter: number }>();

  function mint(subject: CertificateName & { ok: true }): IssuedLeaf {
    const validity = validityAt(now());
    const der = template(subject, validity.der, randomSerial(random));
    const certificatePem = certificateDerToPem(der);
    // A root is of no use to who trusts it already, but it lets the others say "self-signed certificate in chain" rather than
    // a bare "unknown issuer", and Chromium's SPKI list matches any certificate of the chain that was sent.
    const chainPem = certificatePem + ca.certificatePem;
    const { notBefore, notAfter } = validity;
    return { name: subject.name, der, certificatePem, chainPem, notBefore, notAfter };
  }

  function isFresh(entry: { notBefore: number; notAfter: number }): boolean {
    const at = now();
    // At the end of the CA's own life there is nothing longer to be had.
    const capped = entry.notAfter >= ca.notAfter.getTime();
    return at >= entry.notBefore && (capped || at < entry.notAfter - RENEW_BEFORE_EXPIRY_MS);
  }

  function remember(name: string, leaf: IssuedLeaf): SecureContext {
    const { chainPem, notBefore, notAfter } = leaf;
    const material = { privateKeyPem, chainPem, ...(ticketKeys && { ticketKeys }) };
    const context = createSecureContext(leafContextOptions(material));
    contexts.delete(name);
    contexts.set(name, { context, notBefore, notAfter });
    for (const oldest of contexts.keys()) {
      if (contexts.size <= maxCached) break;
      contexts.delete(oldest);
    }
    return context;
  }

  return {
    issue(name) {
      const subject = certificateNameOf(name);
      return subject.ok ? mint(subject) : null;
    },
    contextFor(name) {
      const subject = certificateNameOf(name);
      if (!subject.ok) return null;
      const cached = contexts.get(subject.name);
      if (!cached || !isFresh(cached)) return remember(subject.name, mint(subject));
      // A Map keeps the order of insertion: the front is what was used longest ago.
      contexts.delete(subject.name);
      contexts.set(subject.name, cached);
      return cached.context;
    },
    get cachedCount() {
      return contexts.size;
    },
    privateKeyPem,
  };
}

function makeLeafKey(caKey: KeyObject): KeyObject {
  // A client that needs an RSA CA has no elliptic curves at all.
  if (caKey.asymmetricKeyType === 'rsa')
    return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** Makes the DER of a leaf; all but what it is given is the same for every leaf of an issuer. */
export type LeafTemplate = (
  subject: CertificateName & { ok: true },
  validity: Buffer,
  serial: Buffer,
) => Buffer;

export function createLeafTemplate(
  ca: Pick<CertificateAuthority, 'certificateDer' | 'privateKey'>,
  leafKey: KeyObject,
): LeafTemplate {
  const publicKey = createPublicKey(leafKey);
  const caKeyIdentifier = keyIdentifierOf(createPublicKey(ca.privateKey));
  const issuer = readIssuer(ca.certificateDer);
  const algorithm = signatureAlgorithmDer(ca.privateKey);
  const publicKeyInfo = publicKeyInfoDer(publicKey);
  const rsa = leafKey.asymmetricKeyType === 'rsa';
  const constant = [
    basicConstraints(null),
    // TLS 1.2 with RSA key exchange encrypts to the certificate's key.
    rsa ? keyUsage('digitalSignature', 'keyEncipherment') : keyUsage('digitalSignature'),
    serverAuthUsage(),
    subjectKeyIdentifier(keyIdentifierOf(publicKey)),
    authorityKeyIdentifier(issuer.keyIdentifier ?? caKeyIdentifier),
  ];
  return (name, validity, serial) => {
    const tbs = tbsCertificate({
      serial,
      algorithm,
      issuer: issuer.subject,
      validity,
      subject: subjectOf(name.name),
      publicKeyInfo,
      extensions: [...constant, subjectAltName(name.kind, name.sanBytes)],
    });
    return signCertificate(tbs, algorithm, ca.privateKey);
  };
}

/** A longer name stands in the SAN alone, which is the only place where clients still look (RFC 9525 section 2). */
function subjectOf(name: string): Buffer {
  return nameDer({ organisation: 'Spike', ...(name.length <= COMMON_NAME_MAX && { commonName: name }) });
}

type Validity = { der: Buffer; notBefore: number; notAfter: number };

/** Encoded once an hour, and never reaching outside the CA's own validity, which some verifiers check as nested. */
function createValidity(ca: LeafIssuerOptions['ca']): (at: number) => Validity {
  let hour = Number.NaN;
  let current: Validity | null = null;
  return (at) => {
    const thisHour = Math.floor(at / HOUR_MS) * HOUR_MS;
    if (current && hour === thisHour) return current;
    hour = thisHour;
    const notBefore = Math.max(thisHour - BACKDATED_MS, ca.notBefore.getTime());
    const notAfter = Math.min(thisHour + LIFETIME_MS, ca.notAfter.getTime());
    current = { der: validityDer(notBefore, notAfter), notBefore, notAfter };
    return current;
  };
}

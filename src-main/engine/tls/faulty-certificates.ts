// Certificates that are wrong on purpose, for the faults of TLS: each has one thing wrong with it, and all else as it should be.
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import type { z } from 'zod';
import type { TlsCertificateFaultSchema } from '#shared/rules/faults/tls.ts';
import { rootCertificate } from './certificate-authority.ts';
import type { CertificateAuthority } from './certificate-authority.ts';
import { certificateNameOf } from './certificate-name.ts';
import type { CertificateName } from './certificate-name.ts';
import { createLeafTemplate } from './leaf-certificates.ts';
import type { LeafTemplate } from './leaf-certificates.ts';
import { certificateDerToPem } from './pem.ts';
import { leafContextOptions, retiredVersionCiphers } from './tls-options.ts';
import type { LeafContextMaterial } from './tls-options.ts';
import {
  basicConstraints,
  keyIdentifierOf,
  keyUsage,
  nameDer,
  publicKeyInfoDer,
  randomSerial,
  serverAuthUsage,
  signCertificate,
  signatureAlgorithmDer,
  subjectAltName,
  subjectKeyIdentifier,
  tbsCertificate,
  validityDer,
} from './x509-parts.ts';

export type CertificateProblem = z.infer<typeof TlsCertificateFaultSchema>['problem'];
type Subject = CertificateName & { ok: true };

const dayMs = 86_400_000;
/** Reserved for names that never resolve (RFC 6761, section 6.4): surely nobody's. */
const anotherName = 'wrong-name.invalid';
const maxCached = 200;

/** What is wrong with a context: its certificate, or the one version that it offers. */
export type FaultyContext =
  | { readonly kind: 'certificate'; readonly problem: CertificateProblem }
  | { readonly kind: 'version'; readonly only: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' };

export interface FaultyLeafIssuer {
  /** A context for this name that has just that wrong with it; null when the name cannot be certified at all. */
  contextFor(name: string, fault: FaultyContext): SecureContext | null;
}

export interface FaultyLeafOptions {
  readonly ca: Pick<CertificateAuthority, 'certificatePem' | 'certificateDer' | 'privateKey'>;
  /** The key that leaves share. */
  readonly leafKey: KeyObject;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export function createFaultyLeafIssuer(options: FaultyLeafOptions): FaultyLeafIssuer {
  const contexts = new Map<string, { context: SecureContext; madeAt: number }>();
  const makers = createMakers(options);
  const privateKeyPem = options.leafKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const make = (subject: Subject, fault: FaultyContext): SecureContext => {
    const maker = makers[fault.kind === 'certificate' ? fault.problem : 'none'];
    const material = { privateKeyPem, chainPem: maker(subject, options.now()) };
    return fault.kind === 'certificate'
      ? createSecureContext(leafContextOptions(material))
      : createOldContext({ ...material, only: fault.only });
  };
  return {
    contextFor(name, fault) {
      const subject = certificateNameOf(name);
      if (!subject.ok) return null;
      const key = `${fault.kind === 'certificate' ? fault.problem : fault.only} ${subject.name}`;
      const cached = contexts.get(key);
      // What is not valid yet would be, in time.
      if (cached !== undefined && options.now() - cached.madeAt < dayMs / 2) return cached.context;
      if (contexts.size >= maxCached) contexts.clear();
      const context = make(subject, fault);
      contexts.set(key, { context, madeAt: options.now() });
      return context;
    },
  };
}

function createOldContext(material: LeafContextMaterial): SecureContext {
  const plain = leafContextOptions(material);
  try {
    return createSecureContext({ ...plain, ciphers: retiredVersionCiphers });
  } catch {
    return createSecureContext(plain); // BoringSSL, which takes no such text.
  }
}

type Maker = (subject: Subject, now: number) => string;

/** One a problem: the chain in PEM, the leaf first. */
function createMakers({ ca, leafKey, now }: FaultyLeafOptions): Record<CertificateProblem | 'none', Maker> {
  const template = createLeafTemplate(ca, leafKey);
  const signed = (subject: Subject, from: number, to: number): string =>
    chain(template, ca.certificatePem, subject, from, to);
  let stranger: { template: LeafTemplate; pem: string } | null = null;
  return {
    none: (subject, at) => signed(subject, at - dayMs, at + 30 * dayMs),
    expired: (subject, at) => signed(subject, at - 60 * dayMs, at - dayMs),
    'not-yet-valid': (subject, at) => signed(subject, at + dayMs, at + 31 * dayMs),
    'wrong-name': (_subject, at) => signed(subjectNamed(anotherName), at - dayMs, at + 30 * dayMs),
    'self-signed': (subject, at) => certificateDerToPem(selfSigned(subject, leafKey, at)),
    'untrusted-ca': (subject, at) => {
      stranger ??= createStranger(leafKey, now());
      return chain(stranger.template, stranger.pem, subject, at - dayMs, at + 30 * dayMs);
    },
  };
}

function chain(
  template: LeafTemplate,
  issuerPem: string,
  subject: Subject,
  from: number,
  to: number,
): string {
  return certificateDerToPem(template(subject, validityDer(from, to), randomSerial())) + issuerPem;
}

/** A CA that nobody has ever been told of; its key is gone when Spike ends. */
function createStranger(leafKey: KeyObject, now: number): { template: LeafTemplate; pem: string } {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificateDer = rootCertificate(keys, 'A CA that nobody knows', now);
  return {
    template: createLeafTemplate({ certificateDer, privateKey: keys.privateKey }, leafKey),
    pem: certificateDerToPem(certificateDer),
  };
}

function selfSigned(subject: Subject, key: KeyObject, now: number): Buffer {
  const publicKey = createPublicKey(key);
  const algorithm = signatureAlgorithmDer(key);
  const name = nameDer({ organisation: 'Spike', commonName: subject.name.slice(0, 64) });
  const tbs = tbsCertificate({
    serial: randomSerial(),
    algorithm,
    issuer: name,
    validity: validityDer(now - dayMs, now + 30 * dayMs),
    subject: name,
    publicKeyInfo: publicKeyInfoDer(publicKey),
    extensions: [
      basicConstraints(null),
      keyUsage('digitalSignature'),
      serverAuthUsage(),
      subjectKeyIdentifier(keyIdentifierOf(publicKey)),
      subjectAltName(subject.kind, subject.sanBytes),
    ],
  });
  return signCertificate(tbs, algorithm, key);
}

function subjectNamed(name: string): Subject {
  const subject = certificateNameOf(name);
  if (!subject.ok) throw new TypeError(`${name} cannot be certified`);
  return subject;
}

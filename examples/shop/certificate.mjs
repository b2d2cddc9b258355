import { X509Certificate, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import forge from 'node-forge';

// The shop's own small CA and the certificate of payments, as a company's internal CA would issue it. RSA, because
// node-forge signs with nothing else; the keys come from node:crypto, whose RSA is much faster.

const names = ['payments', 'payments.internal', 'localhost'];
const addresses = ['127.0.0.1', '::1'];
const validDays = 365;
const dayMs = 86_400_000;

export const defaultCertificateDirectory = fileURLToPath(new URL('./.certificates', import.meta.url));

/**
 * Makes `ca.pem`, `payments.pem` and `payments-key.pem`, unless they are there and good for another day.
 * The CA's key signs this one certificate and is then forgotten: nothing else can ever be issued with it.
 * @param {string} [directory] made with mode 0700 if absent
 * @returns {{ caPath: string, certPath: string, keyPath: string, directory: string }}
 */
export function ensureCertificates(directory = defaultCertificateDirectory) {
  const paths = {
    directory,
    caPath: join(directory, 'ca.pem'),
    certPath: join(directory, 'payments.pem'),
    keyPath: join(directory, 'payments-key.pem'),
  };
  if (areGood(paths)) return paths;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const issued = issue();
  writeWhole(paths.keyPath, issued.key, 0o600);
  writeWhole(paths.certPath, issued.cert, 0o644);
  writeWhole(paths.caPath, issued.ca, 0o644);
  return paths;
}

function areGood({ caPath, certPath, keyPath }) {
  try {
    const ca = new X509Certificate(readFileSync(caPath));
    const leaf = new X509Certificate(readFileSync(certPath));
    readFileSync(keyPath);
    const lasts = leaf.validToDate.getTime() > Date.now() + dayMs;
    return lasts && leaf.checkIssued(ca) && leaf.verify(ca.publicKey);
  } catch {
    return false; // absent or unreadable: made anew
  }
}

function issue() {
  const ca = newKeyPair();
  const leaf = newKeyPair();
  const caName = [{ name: 'commonName', value: 'Spike example shop CA' }];
  const caCert = newCertificate(ca.publicKey, caName, caName, [
    { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    { name: 'subjectKeyIdentifier' },
  ]);
  caCert.sign(ca.privateKey, forge.md.sha256.create());
  const altNames = [
    ...names.map((value) => ({ type: 2, value })),
    ...addresses.map((ip) => ({ type: 7, ip })),
  ];
  const cert = newCertificate(leaf.publicKey, [{ name: 'commonName', value: 'payments' }], caName, [
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames },
    { name: 'subjectKeyIdentifier' },
    { name: 'authorityKeyIdentifier', keyIdentifier: caCert.generateSubjectKeyIdentifier().getBytes() },
  ]);
  cert.sign(ca.privateKey, forge.md.sha256.create());
  return { ca: forge.pki.certificateToPem(caCert), cert: forge.pki.certificateToPem(cert), key: leaf.pem };
}

function newKeyPair() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs1', format: 'pem' });
  const forgeKey = forge.pki.privateKeyFromPem(pem);
  return { pem, privateKey: forgeKey, publicKey: forge.pki.setRsaPublicKey(forgeKey.n, forgeKey.e) };
}

function newCertificate(publicKey, subject, issuer, extensions) {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = publicKey;
  certificate.serialNumber = `01${randomBytes(15).toString('hex')}`; // positive (RFC 5280, 4.1.2.2)
  certificate.validity.notBefore = new Date(Date.now() - dayMs); // clocks differ
  certificate.validity.notAfter = new Date(Date.now() + validDays * dayMs);
  certificate.setSubject(subject);
  certificate.setIssuer(issuer);
  certificate.setExtensions(extensions);
  return certificate;
}

/** Never half a file under the final name: another shop may be starting beside this one. */
export function writeWhole(path, text, mode) {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, path);
}

if (import.meta.main) console.log(ensureCertificates(process.argv[2]).caPath);

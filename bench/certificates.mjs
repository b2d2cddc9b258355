// Certificates per second: Spike's leaf issuer, node-forge's own RSA signing, and contexts for node:tls.
//   node bench/certificates.mjs [seconds a row, default 1]
import forge from 'node-forge';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOrCreateCertificateAuthority } from '../src-main/engine/tls/certificate-authority.ts';
import { createLeafIssuer } from '../src-main/engine/tls/leaf-certificates.ts';

const seconds = Number(process.argv[2] ?? 1);
const silent = { info() {}, warn() {} };

function measure(label, once) {
  for (let i = 0; i < 20; i++) once(i);
  const begin = performance.now();
  let count = 0;
  while (performance.now() - begin < seconds * 1000) once(++count);
  const perSecond = count / ((performance.now() - begin) / 1000);
  console.log(`${label.padEnd(62)} ${Math.round(perSecond).toLocaleString('en').padStart(9)} /s`);
}

async function issuerWith(keyType, directory) {
  const ca = await loadOrCreateCertificateAuthority({ directory, now: Date.now, keyType, log: silent });
  return createLeafIssuer({ ca, now: Date.now, maxCached: 100 });
}

function forgeIssuer() {
  const { pki } = forge;
  const keys = pki.rsa.generateKeyPair(2048);
  return (i) => {
    const certificate = pki.createCertificate();
    certificate.publicKey = keys.publicKey;
    certificate.serialNumber = '01';
    certificate.setSubject([{ name: 'commonName', value: `host-${i}.example` }]);
    certificate.setIssuer([{ name: 'commonName', value: 'CA' }]);
    certificate.setExtensions([
      { name: 'subjectAltName', altNames: [{ type: 2, value: `host-${i}.example` }] },
    ]);
    certificate.sign(keys.privateKey, forge.md.sha256.create());
    return pki.certificateToPem(certificate);
  };
}

const home = mkdtempSync(join(tmpdir(), 'spike-bench-'));
try {
  const ec = await issuerWith('ec-p256', join(home, 'ec'));
  const rsa = await issuerWith('rsa-2048', join(home, 'rsa'));
  measure('Spike, P-256: certificates', (i) => ec.issue(`host-${i}.example`));
  measure('Spike, P-256: certificates with their contexts', (i) => ec.contextFor(`host-${i}.example`));
  measure('Spike, P-256: cached contexts', (i) => ec.contextFor(`host-${i % 50}.cached.example`));
  measure('Spike, RSA 2048: certificates', (i) => rsa.issue(`host-${i}.example`));
  measure('node-forge, RSA 2048, one shared leaf key: certificates', forgeIssuer());
} finally {
  rmSync(home, { recursive: true, force: true });
}

// PKCS#12 is read here and not by node:tls: OpenSSL 3 refuses files as older tools make them (RC2 and 3DES, "legacy"), and
// BoringSSL, which Electron has, reads fewer forms. node-forge reads all of them, and leaves keys that it does not know as DER.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import forge from 'node-forge';

export interface Pkcs12Content {
  /** null: there is none in the file. */
  readonly privateKey: KeyObject | null;
  /** In the order of the file. */
  readonly certificates: readonly X509Certificate[];
}

/** What can be wrong with a file that could be read. */
export type Pkcs12Problem = 'not-pkcs12' | 'wrong-passphrase' | 'unsupported';

const { pki, pkcs12, asn1 } = forge;
type Bag = forge.pkcs12.Bag;

interface PasswordCiphers {
  getCipherForPBES2(oid: string, parameters: unknown, password: string): unknown;
}

// PKCS#12 takes a passphrase as UTF-16, but what PBES2 encrypts within it takes it as UTF-8 (RFC 8018, section 3). forge gives
// both the same text, of which the second reads the low bytes: right for ASCII only.
const ciphers = (pki as unknown as { pbe: PasswordCiphers }).pbe;
const cipherForPbes2 = ciphers.getCipherForPBES2;
ciphers.getCipherForPBES2 = (oid, parameters, password) =>
  cipherForPbes2(oid, parameters, Buffer.from(password, 'utf8').toString('latin1'));

const oids = pki.oids as Readonly<Record<string, string>>;

export function readPkcs12(bytes: Buffer, passphrase: string): Pkcs12Content | Pkcs12Problem {
  let outer: forge.asn1.Asn1;
  try {
    outer = asn1.fromDer(forge.util.createBuffer(bytes.toString('latin1')));
  } catch {
    return 'not-pkcs12'; // forge throws plain Errors for all that is no DER
  }
  const file = open(outer, passphrase);
  if (typeof file === 'string') return file;
  const bags = file.safeContents.flatMap((contents) => contents.safeBags);
  const key = bags.find(({ type }) => type === oids['pkcs8ShroudedKeyBag'] || type === oids['keyBag']);
  try {
    return {
      privateKey: key === undefined ? null : keyOf(key),
      certificates: bags.filter(({ type }) => type === oids['certBag']).map(certificateOf),
    };
  } catch {
    return 'not-pkcs12'; // an object in it is none that node:crypto reads
  }
}

function open(outer: forge.asn1.Asn1, passphrase: string): forge.pkcs12.Pkcs12Pfx | Pkcs12Problem {
  try {
    return pkcs12.pkcs12FromAsn1(outer, false, passphrase);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (/unsupported/i.test(message)) return 'unsupported';
    return /could not be verified|wrong password|decrypt/i.test(message) ? 'wrong-passphrase' : 'not-pkcs12';
  }
}

function keyOf({ key, asn1: der }: Bag): KeyObject {
  const tree = key ? pki.wrapRsaPrivateKey(pki.privateKeyToAsn1(key)) : (der as forge.asn1.Asn1);
  return createPrivateKey({ key: derOf(tree), format: 'der', type: 'pkcs8' });
}

function certificateOf({ cert, asn1: der }: Bag): X509Certificate {
  return new X509Certificate(derOf(cert ? pki.certificateToAsn1(cert) : (der as forge.asn1.Asn1)));
}

function derOf(tree: forge.asn1.Asn1): Buffer {
  return Buffer.from(asn1.toDer(tree).getBytes(), 'latin1');
}

// A trust store that Java reads: PKCS#12 (RFC 7292) with certificates alone. Not node-forge's own writer, since that one
// reads RSA certificates only and knows nothing of the attribute below; its ASN.1 and its key derivation are used.
import { X509Certificate, createHmac, randomBytes } from 'node:crypto';
import forge from 'node-forge';

type Asn1 = forge.asn1.Asn1;
const { asn1, pkcs12 } = forge;
const { UNIVERSAL, CONTEXT_SPECIFIC } = asn1.Class;
const { SEQUENCE, SET, INTEGER, OCTETSTRING, NULL, OID, BMPSTRING } = asn1.Type;

/** Java's own default for cacerts; it guards nothing, the MAC only shows that the file is whole. */
export const JAVA_TRUST_STORE_PASSWORD = 'changeit';

const OIDS = {
  data: '1.2.840.113549.1.7.1',
  certBag: '1.2.840.113549.1.12.10.1.3',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  /** Oracle's: without it Java reads a certificate but does not trust it (sun.security.pkcs12.PKCS12KeyStore). */
  trustedKeyUsage: '2.16.840.1.113894.746875.1.1',
  anyExtendedKeyUsage: '2.5.29.37.0',
  sha1: '1.3.14.3.2.26',
} as const;

const MAC_ITERATIONS = 2_048;
const MAC_KEY_BYTES = 20;
/** Diversifier of RFC 7292 appendix B.3 for a MAC key. */
const MAC_KEY_ID = 3;

const primitive = (type: number, bytes: string): Asn1 => asn1.create(UNIVERSAL, type, false, bytes);
const constructed = (type: number, parts: Asn1[]): Asn1 => asn1.create(UNIVERSAL, type, true, parts);
const sequence = (...parts: Asn1[]): Asn1 => constructed(SEQUENCE, parts);
const oid = (dotted: string): Asn1 => primitive(OID, asn1.oidToDer(dotted).getBytes());
const integer = (value: number): Asn1 => primitive(INTEGER, asn1.integerToDer(value).getBytes());
const explicit = (part: Asn1): Asn1 => asn1.create(CONTEXT_SPECIFIC, 0, true, [part]);
const octets = (bytes: Buffer): Asn1 => primitive(OCTETSTRING, bytes.toString('latin1'));
const toDer = (value: Asn1): Buffer => Buffer.from(asn1.toDer(value).getBytes(), 'latin1');

/** Unencrypted, since nothing in it is secret; SHA-1 in the MAC, which is what Java 8 reads as well. */
export function javaTrustStoreDer(certificatesPem: readonly string[]): Buffer {
  const bags = certificatesPem.map((pem, index) => certificateBag(new X509Certificate(pem).raw, index));
  const authenticatedSafe = toDer(sequence(dataContent(toDer(sequence(...bags)))));
  return toDer(sequence(integer(3), dataContent(authenticatedSafe), macOf(authenticatedSafe)));
}

function dataContent(content: Buffer): Asn1 {
  return sequence(oid(OIDS.data), explicit(octets(content)));
}

function certificateBag(der: Buffer, index: number): Asn1 {
  const certificate = sequence(oid(OIDS.x509Certificate), explicit(octets(der)));
  const attributes = constructed(SET, [
    attribute(OIDS.friendlyName, primitive(BMPSTRING, bmpText(`spike-${index}`))),
    attribute(OIDS.trustedKeyUsage, oid(OIDS.anyExtendedKeyUsage)),
  ]);
  return sequence(oid(OIDS.certBag), explicit(certificate), attributes);
}

function attribute(type: string, value: Asn1): Asn1 {
  return sequence(oid(type), constructed(SET, [value]));
}

/** UTF-16, big-endian. */
function bmpText(text: string): string {
  return Buffer.from(text, 'utf16le').swap16().toString('latin1');
}

function macOf(content: Buffer): Asn1 {
  const salt = randomBytes(20);
  const forgeSalt = forge.util.createBuffer(salt.toString('latin1'));
  const key = pkcs12.generateKey(
    JAVA_TRUST_STORE_PASSWORD,
    forgeSalt,
    MAC_KEY_ID,
    MAC_ITERATIONS,
    MAC_KEY_BYTES,
  );
  const mac = createHmac('sha1', Buffer.from(key.getBytes(), 'latin1')).update(content).digest();
  const algorithm = sequence(oid(OIDS.sha1), primitive(NULL, ''));
  return sequence(sequence(algorithm, octets(mac)), octets(salt), integer(MAC_ITERATIONS));
}

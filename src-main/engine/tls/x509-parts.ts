// X.509 structures (RFC 5280). node-forge builds and reads the ASN.1; node:crypto signs, because node-forge's own signing is
// RSA only and in JavaScript.
import { createHash, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import forge from 'node-forge';

type Asn1 = forge.asn1.Asn1;
const { asn1 } = forge;
const { UNIVERSAL, CONTEXT_SPECIFIC } = asn1.Class;
const { SEQUENCE, SET, INTEGER, BITSTRING, OCTETSTRING, BOOLEAN, NULL, OID, UTF8, UTCTIME, GENERALIZEDTIME } =
  asn1.Type;

const OIDS = {
  commonName: '2.5.4.3',
  organisation: '2.5.4.10',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  sha256WithRsa: '1.2.840.113549.1.1.11',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

/** Upper bound of a common name, RFC 5280 appendix A.1 (ub-common-name). */
export const COMMON_NAME_MAX = 64;
const SERIAL_BYTES = 16;

/** Bits of the KeyUsage extension, counted from the most significant one (RFC 5280 section 4.2.1.3). */
const KEY_USAGE_BITS = { digitalSignature: 0, keyEncipherment: 2, keyCertSign: 5, crlSign: 6 } as const;
export type KeyUsage = keyof typeof KEY_USAGE_BITS;

const primitive = (type: number, bytes: string): Asn1 => asn1.create(UNIVERSAL, type, false, bytes);
const constructed = (type: number, parts: Asn1[]): Asn1 => asn1.create(UNIVERSAL, type, true, parts);
const sequence = (...parts: Asn1[]): Asn1 => constructed(SEQUENCE, parts);
const oid = (dotted: string): Asn1 => primitive(OID, asn1.oidToDer(dotted).getBytes());
// node-forge keeps bytes in "binary" strings, one character a byte: latin1 on our side.
const bytesOf = (buffer: Buffer): string => buffer.toString('latin1');
const parse = (der: Buffer): Asn1 => asn1.fromDer(bytesOf(der));
const toDer = (value: Asn1): Buffer => Buffer.from(asn1.toDer(value).getBytes(), 'latin1');

function childrenOf(value: Asn1 | undefined): Asn1[] {
  return Array.isArray(value?.value) ? value.value : [];
}

/** One DER element of the given tag; the fast path for what changes with every leaf certificate. */
export function derElement(tag: number, ...parts: Buffer[]): Buffer {
  const body = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  return Buffer.concat([derHeader(tag, body.length), body]);
}

function derHeader(tag: number, length: number): Buffer {
  if (length < 0x80) return Buffer.from([tag, length]);
  if (length < 0x100) return Buffer.from([tag, 0x81, length]);
  if (length < 0x10000) return Buffer.from([tag, 0x82, length >> 8, length & 0xff]);
  throw new RangeError(`A certificate part of ${length} bytes is beyond what this encoder is for`);
}

/** `CN=…, O=…` as DER; UTF8String throughout, since PrintableString has no underscore (RFC 5280 section 4.1.2.4). */
export function nameDer(name: { organisation: string; commonName?: string }): Buffer {
  const attribute = (type: string, text: string) =>
    constructed(SET, [sequence(oid(type), primitive(UTF8, bytesOf(Buffer.from(text, 'utf8'))))]);
  const parts = [attribute(OIDS.organisation, name.organisation)];
  if (name.commonName !== undefined) parts.push(attribute(OIDS.commonName, name.commonName));
  return toDer(sequence(...parts));
}

/** UTCTime up to 2049, GeneralizedTime from 2050 on (RFC 5280 section 4.1.2.5). */
function time(ms: number): Asn1 {
  const date = new Date(ms);
  return date.getUTCFullYear() < 2050
    ? primitive(UTCTIME, asn1.dateToUtcTime(date) as string)
    : primitive(GENERALIZEDTIME, asn1.dateToGeneralizedTime(date) as string);
}

/** Times in ms since 1970; certificates know whole seconds only. */
export function validityDer(notBefore: number, notAfter: number): Buffer {
  return toDer(sequence(time(notBefore), time(notAfter)));
}

function extension(type: string, critical: boolean, value: Asn1): Asn1 {
  const parts = [oid(type)];
  // FALSE is the default and DER forbids writing a default.
  if (critical) parts.push(primitive(BOOLEAN, '\xff'));
  parts.push(primitive(OCTETSTRING, asn1.toDer(value).getBytes()));
  return sequence(...parts);
}

export function basicConstraints(ca: { pathLength: number } | null): Buffer {
  const parts = ca
    ? [primitive(BOOLEAN, '\xff'), primitive(INTEGER, asn1.integerToDer(ca.pathLength).getBytes())]
    : [];
  return toDer(extension(OIDS.basicConstraints, true, sequence(...parts)));
}

export function keyUsage(...usages: KeyUsage[]): Buffer {
  const positions = usages.map((usage) => KEY_USAGE_BITS[usage]);
  const unusedBits = 7 - Math.max(...positions);
  const bits = positions.reduce<number>((sum, position) => sum | (0x80 >> position), 0);
  const value = primitive(BITSTRING, String.fromCharCode(unusedBits, bits));
  return toDer(extension(OIDS.keyUsage, true, value));
}

export function serverAuthUsage(): Buffer {
  return toDer(extension(OIDS.extendedKeyUsage, false, sequence(oid(OIDS.serverAuth))));
}

export function subjectKeyIdentifier(keyId: Buffer): Buffer {
  return toDer(extension(OIDS.subjectKeyIdentifier, false, primitive(OCTETSTRING, bytesOf(keyId))));
}

export function authorityKeyIdentifier(keyId: Buffer): Buffer {
  const keyIdentifier = asn1.create(CONTEXT_SPECIFIC, 0, false, bytesOf(keyId));
  return toDer(extension(OIDS.authorityKeyIdentifier, false, sequence(keyIdentifier)));
}

const SAN_OID = toDer(oid(OIDS.subjectAltName));

/** Tags of a GeneralName, RFC 5280 section 4.2.1.6: dNSName and iPAddress. */
export function subjectAltName(kind: 'dns' | 'ip', value: Buffer): Buffer {
  const names = derElement(0x30, derElement(kind === 'dns' ? 0x82 : 0x87, value));
  return derElement(0x30, SAN_OID, derElement(0x04, names));
}

/** A positive serial number of exactly 16 octets (RFC 5280 section 4.1.2.2 wants it positive and at most 20). */
export function randomSerial(random: (sizeBytes: number) => Buffer = randomBytes): Buffer {
  const serial = Buffer.from(random(SERIAL_BYTES));
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

export function publicKeyInfoDer(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

/** SHA-1 of the public key's bits: method 1 of RFC 5280 section 4.2.1.2, a label and not a safeguard. */
export function keyIdentifierOf(publicKey: KeyObject): Buffer {
  const bits = childrenOf(parseKeyInfo(publicKeyInfoDer(publicKey)))[1];
  // The first octet of a BIT STRING counts its unused bits and is not hashed.
  const body = Buffer.from(String(bits?.value), 'latin1').subarray(1);
  return createHash('sha1').update(body).digest();
}

/** A BIT STRING may look like ASN.1 itself (an RSA key does): it must stay bytes. */
function parseKeyInfo(der: Buffer): Asn1 {
  return asn1.fromDer(bytesOf(der), { strict: true, decodeBitStrings: false } as never);
}

/** The signature algorithm that goes with a CA's key. Throws for a key that is neither RSA nor EC: the CA loader has refused those. */
export function signatureAlgorithmDer(key: KeyObject): Buffer {
  if (key.asymmetricKeyType === 'ec') return toDer(sequence(oid(OIDS.ecdsaWithSha256)));
  if (key.asymmetricKeyType === 'rsa') return toDer(sequence(oid(OIDS.sha256WithRsa), primitive(NULL, '')));
  throw new TypeError(`No signature algorithm for a key of type ${key.asymmetricKeyType}`);
}

/** The certificate: what is to be signed, the algorithm, the signature. */
export function signCertificate(tbs: Buffer, algorithm: Buffer, key: KeyObject): Buffer {
  const signature = sign('sha256', tbs, key);
  return derElement(0x30, tbs, algorithm, derElement(0x03, Buffer.concat([Buffer.of(0), signature])));
}

export type TbsParts = {
  serial: Buffer;
  algorithm: Buffer;
  issuer: Buffer;
  validity: Buffer;
  subject: Buffer;
  publicKeyInfo: Buffer;
  extensions: Buffer[];
};

const VERSION_3 = Buffer.from('a003020102', 'hex');

export function tbsCertificate(parts: TbsParts): Buffer {
  const extensions = derElement(0xa3, derElement(0x30, ...parts.extensions));
  const serial = derElement(0x02, parts.serial);
  const { algorithm, issuer, validity, subject, publicKeyInfo } = parts;
  return derElement(0x30, VERSION_3, serial, algorithm, issuer, validity, subject, publicKeyInfo, extensions);
}

/** What a leaf needs from its issuer's certificate: the subject byte for byte, and the key identifier, null when it has none. */
export function readIssuer(certificateDer: Buffer): { subject: Buffer; keyIdentifier: Buffer | null } {
  const tbs = childrenOf(childrenOf(parseKeyInfo(certificateDer))[0]);
  const subject = tbs[5];
  if (!subject) throw new TypeError('Not a version 3 certificate');
  return { subject: toDer(subject), keyIdentifier: findKeyIdentifier(tbs.at(-1)) };
}

function findKeyIdentifier(extensionsField: Asn1 | undefined): Buffer | null {
  const wanted = asn1.oidToDer(OIDS.subjectKeyIdentifier).getBytes();
  for (const candidate of childrenOf(childrenOf(extensionsField)[0])) {
    const [type, ...rest] = childrenOf(candidate);
    if (type?.value !== wanted) continue;
    const octets = parse(Buffer.from(String(rest.at(-1)?.value), 'latin1'));
    return Buffer.from(String(octets.value), 'latin1');
  }
  return null;
}

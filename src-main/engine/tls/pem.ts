// PEM blocks (RFC 7468), found one by one so that an error can say which block of a file is bad.
import { X509Certificate } from 'node:crypto';

const CERTIFICATE_BLOCK =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----([\s\S]*?)-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;
const LINE_CHARACTERS = /.{1,64}/g;

export function certificateDerToPem(der: Buffer): string {
  const lines = der.toString('base64').match(LINE_CHARACTERS) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** Every certificate block of a text, as written, in order. Text between blocks is commentary. */
export function certificateBlocks(text: string): string[] {
  return [...text.matchAll(CERTIFICATE_BLOCK)].map((match) => match[0]);
}

export type ParsedCertificates =
  | { ok: true; certificates: X509Certificate[] }
  /** `blockIndex` counts from 1, as people do; 0 when the text has a beginning without an end, or nothing at all. */
  | { ok: false; blockIndex: number; reason: string };

/** All certificates of a PEM text; the first bad one makes the whole text bad. */
export function parseCertificates(text: string): ParsedCertificates {
  const blocks = certificateBlocks(text);
  const begun = text.match(/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/g)?.length ?? 0;
  if (begun === 0) return { ok: false, blockIndex: 0, reason: 'it holds no "BEGIN CERTIFICATE" block' };
  const certificates: X509Certificate[] = [];
  for (const [index, block] of blocks.entries()) {
    try {
      certificates.push(new X509Certificate(block));
    } catch (error) {
      return { ok: false, blockIndex: index + 1, reason: opensslReason(error) };
    }
  }
  if (begun > blocks.length) {
    return { ok: false, blockIndex: blocks.length + 1, reason: 'its END line is missing (cut short?)' };
  }
  return { ok: true, certificates };
}

/**
 * Each certificate once, in uniform PEM. By its bytes: the same root comes with lines of 64 and of 76 characters, depending on
 * who printed it. Throws for a text that is no certificate.
 */
export function uniqueCertificates(certificatesPem: readonly string[]): string[] {
  return [...new Set(certificatesPem.map((pem) => certificateDerToPem(new X509Certificate(pem).raw)))];
}

/** OpenSSL's own words without its error number and file. */
export function opensslReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /^error:[0-9A-F]+:/i.test(message) ? (message.split(':').at(-1) ?? message).trim() : message;
}

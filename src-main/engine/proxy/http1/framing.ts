import type { FieldScanner } from './field-scanner.ts';
import type { Framing, HttpVersion } from './head.ts';
import { Refusal } from './http1-error.ts';

/**
 * How the body of a message that may have one is framed (RFC 9112, section 6.3), where the RFC leaves a choice by
 * refusing. `otherwise` is what no framing field at all means: no body for a request, until close for a response.
 */
export function frame(scan: FieldScanner, version: HttpVersion, otherwise: Framing): Framing | Refusal {
  if (!scan.hasTransferEncoding) return scan.contentLength >= 0 ? 'length' : otherwise;
  if (scan.contentLength >= 0) return new Refusal('conflicting-framing', scan.framingAt);
  // RFC 9112, section 6.1: such a message was made by someone who does not know what chunked is.
  if (version === '1.0') return new Refusal('transfer-encoding-in-http-1.0', scan.framingAt);
  if (!scan.chunkedLast) return new Refusal('transfer-encoding-not-chunked-last', scan.framingAt);
  return 'chunked';
}

/** The status to answer a client with. 502 is the only one for a response: it was the upstream that could not be read. */
export type Http1ErrorStatus = 400 | 414 | 431 | 501 | 502 | 505;

interface Reason {
  readonly status: Http1ErrorStatus;
  /** Completes "The request ..." */
  readonly text: string;
}

/** Every reason to refuse a message. The keys are the closed union of codes. */
const reasons = {
  // Framing: two parsers could disagree where the message ends.
  'conflicting-framing': { status: 400, text: 'has both Content-Length and Transfer-Encoding' },
  'connect-with-body': { status: 400, text: 'is a CONNECT that announces a body' },
  'differing-content-lengths': { status: 400, text: 'has several Content-Length fields that differ' },
  'duplicate-content-length': { status: 400, text: 'has more than one Content-Length field' },
  'invalid-content-length': { status: 400, text: 'has a Content-Length that is not a plain decimal number' },
  'content-length-overflow': { status: 400, text: 'has a Content-Length beyond 2^53' },
  'invalid-transfer-encoding': { status: 400, text: 'has a Transfer-Encoding that is not a plain list' },
  'transfer-encoding-not-chunked-last': {
    status: 400,
    text: 'has a Transfer-Encoding that does not end in chunked, once',
  },
  'unknown-transfer-coding': { status: 501, text: 'has a Transfer-Encoding with an unknown coding' },
  'transfer-encoding-in-http-1.0': { status: 400, text: 'has a Transfer-Encoding, but is HTTP/1.0' },
  'obscured-framing': { status: 400, text: 'has a framing field with "_" in place of "-"' },
  // Octets and lines of a head.
  'bare-cr': { status: 400, text: 'has a CR without LF' },
  'bare-lf': { status: 400, text: 'has a line that ends in LF without CR' },
  'nul-in-head': { status: 400, text: 'has a NUL octet' },
  'whitespace-before-colon': { status: 400, text: 'has white space between a field name and its colon' },
  'obs-fold': { status: 400, text: 'has a line that begins with white space (obsolete line folding)' },
  'invalid-field-name': { status: 400, text: 'has a field line without a valid name and colon' },
  'invalid-field-value': { status: 400, text: 'has a control character in a field value' },
  // Start lines.
  'invalid-method': { status: 400, text: 'does not begin with a method' },
  'invalid-target': { status: 400, text: 'has a target that is not valid for its method' },
  'invalid-version': { status: 400, text: 'has no valid HTTP version in its first line' },
  'unsupported-version': { status: 505, text: 'is neither HTTP/1.0 nor HTTP/1.1' },
  'invalid-status': { status: 502, text: 'has no valid status code' },
  'invalid-reason': { status: 502, text: 'has a control character in its reason phrase' },
  'missing-host': { status: 400, text: 'is HTTP/1.1 without a Host field' },
  'duplicate-host': { status: 400, text: 'has more than one Host field' },
  'invalid-host': { status: 400, text: 'has a Host that is not a name or address with an optional port' },
  // Chunked bodies and trailers.
  'chunk-size-invalid': { status: 400, text: 'has a chunk without a plain hexadecimal size' },
  'chunk-size-overflow': { status: 400, text: 'has a chunk size beyond 2^53, or of more than 16 digits' },
  'chunk-extension-invalid': {
    status: 400,
    text: 'has a chunk extension that is not a name with an optional value',
  },
  'chunk-crlf-missing': { status: 400, text: 'has a chunk that does not end in CRLF where its size says' },
  'forbidden-trailer': { status: 400, text: 'has a framing field or Host in its trailers' },
  // Bounds, see limits.ts.
  'request-line-too-long': { status: 414, text: 'has a first line beyond the limit' },
  'head-too-large': { status: 431, text: 'has a head beyond the limit' },
  'too-many-fields': { status: 431, text: 'has more fields than the limit' },
  'chunk-extensions-too-large': { status: 400, text: 'has chunk extensions beyond the limit' },
  'trailer-too-large': { status: 431, text: 'has a trailer section beyond the limit' },
  'too-many-interim-responses': { status: 502, text: 'follows too many interim (1xx) responses' },
} as const satisfies Record<string, Reason>;

export type Http1ErrorCode = keyof typeof reasons;
export const http1ErrorCodes = Object.keys(reasons) as readonly Http1ErrorCode[];

/** What a parse function returns in place of a head: why, and at which index of the bytes it was given. */
export class Refusal {
  readonly code: Http1ErrorCode;
  readonly at: number;

  constructor(code: Http1ErrorCode, at: number) {
    this.code = code;
    this.at = at;
  }
}

/** A message that was refused. Data, not an exception: bad input is what this codec is for. */
export class Http1Error {
  readonly kind: 'request' | 'response';
  readonly code: Http1ErrorCode;
  /** A sentence for a person: what, and where. */
  readonly message: string;
  /** For a request what to answer; always 502 for a response. */
  readonly status: Http1ErrorStatus;
  /** Of the refused octet, in bytes from the first octet of the start line. */
  readonly offset: number;
  /**
   * The head as it came (latin1), at most maxHeadBytes of it, so that the refused message can be shown. Whole if it was
   * refused in its body; up to the end of what had come if it was refused before its head was complete.
   */
  readonly rawHead: string;

  constructor(kind: 'request' | 'response', code: Http1ErrorCode, offset: number, rawHead: string) {
    this.kind = kind;
    this.code = code;
    this.status = kind === 'response' ? 502 : reasons[code].status;
    this.offset = offset;
    this.rawHead = rawHead;
    const line = offset < rawHead.length ? `, line ${lineNumber(rawHead, offset)}` : '';
    this.message = `The ${kind} ${reasons[code].text} (byte ${offset}${line}).`;
  }
}

function lineNumber(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** The bounds of one message. All sizes in bytes on the wire. */
export interface Http1Limits {
  /** Start line, fields and the empty line. */
  readonly maxHeadBytes: number;
  /** The request line without its CRLF. */
  readonly maxRequestLineBytes: number;
  /** Field lines of a head, and again of a trailer section. */
  readonly maxFields: number;
  /** Chunk extensions of one message together, so that many small ones are bounded too. */
  readonly maxChunkExtensionBytes: number;
  /** The trailer section with its empty line. */
  readonly maxTrailerBytes: number;
  /** Interim responses (1xx) before the final one. */
  readonly maxInterimResponses: number;
}

export const defaultHttp1Limits: Http1Limits = {
  maxHeadBytes: 64 * 1024,
  maxRequestLineBytes: 16 * 1024,
  maxFields: 256,
  maxChunkExtensionBytes: 16 * 1024,
  maxTrailerBytes: 16 * 1024,
  maxInterimResponses: 16,
};

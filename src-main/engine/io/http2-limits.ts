import type { SessionOptions } from 'node:http2';

/** The bounds of connections that speak HTTP/2. What node:http2 bounds by itself is named in the user guide. */
export interface Http2Limits {
  /** Streams that one client may have open on one connection (announced). */
  readonly maxStreamsPerConnection: number;
  /** A head, counted as RFC 9113, section 6.5.2, does: a larger one is answered with 431. */
  readonly maxHeadBytes: number;
  /** Fields of a head. */
  readonly maxFields: number;
  /** Bytes that may be under way in one stream before its receiver has taken them. */
  readonly streamWindowBytes: number;
  /** The same for a whole connection. */
  readonly connectionWindowBytes: number;
  /** Connections to one upstream, when it allows few streams on each. */
  readonly maxConnectionsPerUpstream: number;
  /** An upstream that does not send its SETTINGS within this time is taken not to speak HTTP/2. */
  readonly settingsTimeoutMs: number;
  /** A connection to an upstream without a stream is ended after this long. */
  readonly upstreamIdleTimeoutMs: number;
  /** What an upstream speaks is asked again after this long, when it did not speak HTTP/2. */
  readonly askAgainAfterMs: number;
}

export const defaultHttp2Limits: Http2Limits = {
  maxStreamsPerConnection: 256,
  maxHeadBytes: 64 * 1024,
  maxFields: 256,
  streamWindowBytes: 256 * 1024,
  connectionWindowBytes: 1024 * 1024,
  maxConnectionsPerUpstream: 16,
  settingsTimeoutMs: 5000,
  upstreamIdleTimeoutMs: 60_000,
  askAgainAfterMs: 60_000,
};

/**
 * nghttp2 resets a stream without a word to us when its head is beyond what was announced. Four times what is taken
 * leaves room to see such a head, answer it, and show it; nghttp2's own bound (nine frames) is below that.
 */
const announcedHeadFactor = 4;

/** What is said to both sides, and what node:http2 is to bound by itself. */
export function sessionOptions(limits: Http2Limits, side: 'client' | 'upstream'): SessionOptions {
  return {
    settings: {
      initialWindowSize: limits.streamWindowBytes,
      maxHeaderListSize: limits.maxHeadBytes * announcedHeadFactor,
      ...(side === 'client'
        ? { maxConcurrentStreams: limits.maxStreamsPerConnection, enableConnectProtocol: true }
        : { enablePush: false }),
    },
    maxHeaderListPairs: limits.maxFields * announcedHeadFactor,
    // A field that came twice is passed on twice: whoever cares refuses it.
    strictSingleValueFields: false,
    // In MB: what node:http2 keeps for one connection, heads of all open streams and data that waits to be sent.
    maxSessionMemory: 32,
  } as SessionOptions;
}

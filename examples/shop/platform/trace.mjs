import { randomBytes } from 'node:crypto';

// W3C Trace Context, level 1: traceparent is version-traceid-parentid-flags in lower-case hexadecimal digits.
const traceparent =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/**
 * The trace that a request belongs to; a new one at the edge, where none comes in.
 * @param {import('node:http').IncomingHttpHeaders} headers
 * @returns {{ traceId: string, flags: string, state: string | undefined }}
 */
export function traceOf(headers) {
  const [, traceId, , flags] = traceparent.exec(headers.traceparent ?? '') ?? [];
  // 3.3: an unreadable traceparent takes its tracestate with it.
  if (traceId === undefined)
    return { traceId: randomBytes(16).toString('hex'), flags: '01', state: undefined };
  return { traceId, flags, state: headers.tracestate };
}

/** The headers of one outgoing call: same trace, a span of its own. */
export function traceHeaders(trace) {
  const headers = { traceparent: `00-${trace.traceId}-${randomBytes(8).toString('hex')}-${trace.flags}` };
  return trace.state === undefined ? headers : { ...headers, tracestate: trace.state };
}

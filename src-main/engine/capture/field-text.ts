import type { Fields, Flow } from '#shared/flow/flow.ts';

/** Field lines as text, read: `Name: value\r\n` each (see `FlowRecord.requestFields`). */
export function parseFields(text: string): Fields {
  const fields: Fields = [];
  for (const line of text.split('\r\n')) {
    if (line === '') continue;
    // From the second character on: `:authority` of HTTP/2 is a name.
    const colon = line.indexOf(':', 1);
    // A line without a colon can only come from a refused head; it is shown rather than lost.
    if (colon < 0) fields.push([line, '']);
    else fields.push([line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')]);
  }
  return fields;
}

/** The value of the first field of that name (any case), or null. */
export function fieldValue(fields: Fields, name: string): string | null {
  const wanted = name.toLowerCase();
  return fields.find(([key]) => key.toLowerCase() === wanted)?.[1] ?? null;
}

// W3C Trace Context, sections 3.2.2 and 4.3: lower-case hex only; version ff and ids of zeros only are invalid; a later
// version may append fields after a dash, version 00 may not.
const traceparent =
  /(?:^|\n)traceparent:[ \t]*(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-[^\r]*)?[ \t]*(?:\r|$)/i;

/**
 * The trace of a request. `spanId` is the span that the caller named as the parent of what it asks for, since Spike adds
 * no span of its own; that span's own parent is not on the wire, hence `parentId` null.
 */
export function traceOf(requestFields: string): Flow['trace'] {
  const found = traceparent.exec(requestFields);
  if (found === null) return null;
  const [, version, traceId = '', spanId = '', more] = found;
  if (version === '00' && more !== undefined) return null;
  // The field's name is matched in any case, its value may not be.
  if (traceId !== traceId.toLowerCase() || spanId !== spanId.toLowerCase()) return null;
  return { traceId, spanId, parentId: null };
}

const grpcStatus = /(?:^|\n)grpc-status:[ \t]*(\d{1,3})[ \t]*(?:\r|$)/i;

/**
 * The status of a gRPC call: in the trailers, or among the response fields when there was no message ("Trailers-Only",
 * gRPC over HTTP/2, Responses). -1 when this is no gRPC.
 */
export function grpcStatusOf(recorded: number, responseFields: string, trailers: string): number {
  if (recorded >= 0) return recorded;
  const found =
    (trailers === '' ? null : grpcStatus.exec(trailers)) ??
    (responseFields.includes('grpc-status') ? grpcStatus.exec(responseFields) : null);
  return found === null ? -1 : Number(found[1]);
}

import type { Fields, Flow } from '#shared/flow/flow.ts';
import type { StoredTexts } from '#shared/flow/search.ts';
import { decodeBody } from './body-decoding.ts';
import { faultTexts } from './capture-row.ts';
import type { CaptureStore } from './capture-store.ts';
import { fieldValue } from './field-text.ts';

/** How much of a body is searched: of what is stored, and of what that decodes to. */
export const maxSearchedBytes = 1024 ** 2;
export const maxSearchedDecodedBytes = 8 * 1024 ** 2;

export interface LoadedTexts extends StoredTexts {
  /** Bodies that are not searched as a whole: cut, dropped, too large, or not to be decoded. */
  readonly unsearchedBodies: number;
}

/**
 * What `header:`, `body:` and `fault:` look into. Null when the flow has made room for others meanwhile.
 * @param withBodies false: no term asks for them, and they are not read.
 */
export async function loadTexts(
  store: CaptureStore,
  id: string,
  withBodies: boolean,
): Promise<LoadedTexts | null> {
  const flow = store.flowIfThere(id);
  if (flow === null) return null;
  const http = flow.http;
  const lines = [http?.requestHeaders, http?.responseHeaders, http?.trailers].flatMap((fields) =>
    linesOf(fields ?? []),
  );
  // Both are read before the first wait: afterwards the flow may be gone.
  const encoded = withBodies ? [readBody(store, flow, 'request'), readBody(store, flow, 'response')] : [];
  const messages = withBodies && flow.messages !== null ? messageTexts(store, id) : [];
  const bodies = await Promise.all(encoded.map(decode));
  return {
    headerLines: () => lines,
    bodyTexts: () => [...bodies.flatMap(({ text }) => text ?? []), ...messages],
    faultTexts: () => faultTexts(flow.faults),
    unsearchedBodies: bodies.filter(({ whole }) => !whole).length,
  };
}

/** What passed inside the flow, as far as it is text: its first MiB. */
function messageTexts(store: CaptureStore, id: string): string[] {
  let length = 0;
  let counted = 0;
  const messages = store.messages(id, -1, (sofar) => {
    for (; counted < sofar.length; counted += 1) length += sofar[counted]?.text.length ?? 0;
    return length > maxSearchedBytes;
  });
  return messages.filter(({ encoding }) => encoding === 'text').map(({ text }) => text);
}

interface EncodedBody {
  readonly bytes: Buffer;
  readonly coding: string | null;
  readonly whole: boolean;
}

function readBody(store: CaptureStore, flow: Flow, side: 'request' | 'response'): EncodedBody {
  const { bytes, state } = store.body(flow.id, side, maxSearchedBytes + 1);
  const fields = (side === 'request' ? flow.http?.requestHeaders : flow.http?.responseHeaders) ?? [];
  return {
    bytes: bytes.subarray(0, maxSearchedBytes),
    coding: fieldValue(fields, 'content-encoding'),
    whole: state === 'none' || (state === 'stored' && bytes.length <= maxSearchedBytes),
  };
}

async function decode({
  bytes,
  coding,
  whole,
}: EncodedBody): Promise<{ text: string | null; whole: boolean }> {
  if (bytes.length === 0) return { text: null, whole };
  const decoded = await decodeBody(bytes, coding, { maxBytes: maxSearchedDecodedBytes });
  if ('error' in decoded) return { text: null, whole: false };
  return { text: decoded.bytes.toString('utf8'), whole: whole && !decoded.truncated };
}

function linesOf(fields: Fields): string[] {
  return fields.map(([name, value]) => `${name}: ${value}`);
}

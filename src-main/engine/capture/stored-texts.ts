import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from 'node:zlib';
import type { Fields, Flow } from '#shared/flow/flow.ts';
import type { StoredTexts } from '#shared/flow/search.ts';
import { faultTexts } from './capture-row.ts';
import type { CaptureStore } from './capture-store.ts';
import { fieldValue } from './field-text.ts';

/** How much of a body is searched, before and after its content coding is removed. */
export const maxSearchedBytes = 1024 ** 2;
const maxDecodedBytes = 8 * 1024 ** 2;

/** What `header:`, `body:` and `fault:` look into, read from the store when it is asked for and not before. */
export class FlowTexts implements StoredTexts {
  readonly #store: CaptureStore;
  readonly #id: string;
  #flow: Flow | null = null;
  /** Bodies that were there and could not be read to their end, for their size or their coding. */
  unsearched = 0;

  constructor(store: CaptureStore, id: string) {
    this.#store = store;
    this.#id = id;
  }

  *headerLines(): Iterable<string> {
    const http = this.#read().http;
    if (http === null) return;
    for (const fields of [http.requestHeaders, http.responseHeaders, http.trailers])
      for (const [name, value] of fields) yield `${name}: ${value}`;
  }

  *bodyTexts(): Iterable<string> {
    const http = this.#read().http;
    yield* this.#bodyText('request', http?.requestHeaders ?? []);
    yield* this.#bodyText('response', http?.responseHeaders ?? []);
  }

  faultTexts(): Iterable<string> {
    return faultTexts(this.#read().faults);
  }

  *#bodyText(side: 'request' | 'response', fields: Fields): Iterable<string> {
    const { bytes, state } = this.#store.body(this.#id, side, maxSearchedBytes + 1);
    if (bytes.length === 0) return;
    const whole = bytes.length <= maxSearchedBytes && state === 'stored';
    if (!whole) this.unsearched += 1;
    const decoded = withoutCoding(
      bytes.subarray(0, maxSearchedBytes),
      fieldValue(fields, 'content-encoding'),
    );
    if (decoded === null) this.unsearched += whole ? 1 : 0;
    else yield decoded.toString('utf8');
  }

  #read(): Flow {
    return (this.#flow ??= this.#store.flow(this.#id));
  }
}

type Decoder = (bytes: Buffer) => Buffer;
const maxOutputLength = maxDecodedBytes;
/** What was cut, by our bound or by the peer, is read as far as it goes. */
const partial = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength };
const decoders: Readonly<Record<string, Decoder>> = {
  identity: (bytes) => bytes,
  gzip: (bytes) => gunzipSync(bytes, partial),
  'x-gzip': (bytes) => gunzipSync(bytes, partial),
  // RFC 9110, section 8.4.1.2: some send the raw form, without the zlib wrapper.
  deflate: (bytes) =>
    (bytes.readUInt8(0) & 15) === 8 ? inflateSync(bytes, partial) : inflateRawSync(bytes, partial),
  br: (bytes) =>
    brotliDecompressSync(bytes, { finishFlush: constants.BROTLI_OPERATION_FLUSH, maxOutputLength }),
  zstd: (bytes) => zstdDecompressSync(bytes, { finishFlush: constants.ZSTD_e_flush, maxOutputLength }),
};

/** Null when a coding is not known, the bytes are not what it says, or they become too many. */
function withoutCoding(bytes: Buffer, codings: string | null): Buffer | null {
  let decoded = bytes;
  const applied = (codings ?? '')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim());
  for (const coding of applied.reverse()) {
    if (coding === '') continue;
    const decoder = Object.hasOwn(decoders, coding) ? decoders[coding] : undefined;
    if (decoder === undefined || decoded.length === 0) return null;
    try {
      decoded = decoder(decoded);
    } catch {
      // Bytes from a stranger: that they do not decode is a fact about them, counted by the caller.
      return null;
    }
  }
  return decoded;
}

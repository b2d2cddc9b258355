// Content codings undone for reading (RFC 9110, section 8.4). What peers send is not to be trusted: the output is bounded at
// every step, so that a few kilobytes cannot become gigabytes, also not on the way (a gzip of a gzip of zeros).
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';
import type { Transform } from 'node:stream';

const MiB = 1024 ** 2;
export const DEFAULT_MAX_DECODED_BYTES = 64 * MiB;
/** As curl has it; more of them is an attack, not a transfer. */
const MAX_CODINGS = 5;

export interface DecodedBody {
  readonly bytes: Buffer;
  /** The output reached its bound, or the input ended or broke off early: `bytes` is the first part. */
  readonly truncated: boolean;
}

export interface BodyDecodingFailure {
  readonly error: {
    readonly cause: 'unknown-coding' | 'too-many-codings' | 'corrupt';
    /** The coding that could not be undone, as it was named. */
    readonly coding: string;
    /** A sentence for a person. */
    readonly message: string;
  };
}

type Decoder = (bytes: Buffer) => Transform;

const decoders: Readonly<Record<string, Decoder>> = {
  gzip: () => createGunzip(),
  'x-gzip': () => createGunzip(),
  deflate: (bytes) => (hasZlibHeader(bytes) ? createInflate() : createInflateRaw()),
  br: () => createBrotliDecompress(),
  zstd: () => createZstdDecompress(),
};

/** What undoes a coding, told its first bytes; null: it is not known here. */
export function contentDecoder(coding: string): ((first: Buffer) => Transform) | null {
  return Object.hasOwn(decoders, coding) ? (decoders[coding] as Decoder) : null;
}

/**
 * @param bytes content as transferred, chunk framing removed; also the stored first part of it.
 * @param contentEncoding the field's value, codings in the order in which they were applied; null or '' for none.
 * @param options.maxBytes bound of the output, default 64 MiB.
 * Decompression runs on the thread pool. Never rejects. `bytes` may be the very buffer that came in.
 */
export async function decodeBody(
  bytes: Buffer,
  contentEncoding: string | null,
  { maxBytes = DEFAULT_MAX_DECODED_BYTES }: { readonly maxBytes?: number } = {},
): Promise<DecodedBody | BodyDecodingFailure> {
  const codings = codingsOf(contentEncoding);
  if (codings.length > MAX_CODINGS) return failure('too-many-codings', contentEncoding ?? '');
  const unknown = codings.find((coding) => !Object.hasOwn(decoders, coding));
  if (unknown !== undefined) return failure('unknown-coding', unknown);
  let content = bounded(bytes, maxBytes, codings.length === 0);
  for (const coding of codings.reverse()) {
    // The answer to a HEAD, and a 304, name a coding and have no content.
    if (content.bytes.length === 0) break;
    const step = await undo(decoders[coding] as Decoder, content.bytes, maxBytes);
    if (step === null) return failure('corrupt', coding);
    content = { bytes: step.bytes, truncated: content.truncated || step.truncated };
  }
  return content;
}

/** The codings of a field's value, in the order in which they were applied. */
export function codingsOf(contentEncoding: string | null): string[] {
  const listed = (contentEncoding ?? '').split(',').map((coding) => coding.trim().toLowerCase());
  return listed.filter((coding) => coding !== '' && coding !== 'identity');
}

function bounded(bytes: Buffer, maxBytes: number, isOutput: boolean): DecodedBody {
  if (!isOutput || bytes.length <= maxBytes) return { bytes, truncated: false };
  return { bytes: bytes.subarray(0, maxBytes), truncated: true };
}

/** null when nothing at all could be decoded from input that is not merely cut off. */
function undo(decoder: Decoder, input: Buffer, maxBytes: number): Promise<DecodedBody | null> {
  return new Promise((resolve) => {
    const stream = decoder(input);
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    const settle = (truncated: boolean): void => {
      resolve({ bytes: Buffer.concat(chunks, Math.min(sizeBytes, maxBytes)), truncated });
      stream.destroy();
    };
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) settle(true);
    });
    stream.on('end', () => settle(false));
    stream.on('error', (error: NodeJS.ErrnoException) => {
      const cutOff = error.code === 'Z_BUF_ERROR';
      if (cutOff || sizeBytes > 0) settle(true);
      else resolve(null);
    });
    // Not in one `end(input)`: with the last write zlib is told to finish, and drops what it had when the end is missing.
    stream.write(input);
    stream.end();
  });
}

/**
 * "deflate" is the zlib format (RFC 9110, section 8.4.1.2), yet some servers send it raw. RFC 1950, section 2.2: method 8 in
 * the low bits, and the first two octets a multiple of 31, which a raw stream meets by accident only if it starts with an
 * unusual stored block.
 */
function hasZlibHeader(bytes: Buffer): boolean {
  return bytes.length < 2 || ((bytes[0] as number) % 16 === 8 && bytes.readUInt16BE(0) % 31 === 0);
}

function failure(cause: BodyDecodingFailure['error']['cause'], coding: string): BodyDecodingFailure {
  const shown = JSON.stringify(coding.slice(0, 100));
  const messages = {
    'unknown-coding': `The content coding ${shown} is not known here: the content is shown as it was transferred.`,
    'too-many-codings': `More than ${MAX_CODINGS} content codings (${shown}): the content is shown as it was transferred.`,
    corrupt: `The content is not what its coding ${shown} says: it is shown as it was transferred.`,
  };
  return { error: { cause, coding, message: messages[cause] } };
}

import { promisify } from 'node:util';
import { brotliCompress, constants, deflate, gzip, zstdCompress } from 'node:zlib';
import { codingsOf, decodeBody } from '../../capture/body-decoding.ts';
import { getAllFields } from '../../proxy/http1/fields.ts';
import { byteCount } from '../fault-mark.ts';

/** The best there is takes seconds for a few megabytes; what servers use for what they compress as they send it does. */
const brotliQuality = 4;

const encoders: Readonly<Record<string, (content: Buffer) => Promise<Buffer>>> = {
  gzip: promisify<Buffer, Buffer>(gzip),
  'x-gzip': promisify<Buffer, Buffer>(gzip),
  deflate: promisify<Buffer, Buffer>(deflate),
  br: (content) =>
    new Promise((resolve, reject) => {
      const params = { [constants.BROTLI_PARAM_QUALITY]: brotliQuality };
      brotliCompress(content, { params }, (error, coded) =>
        error === null ? resolve(coded) : reject(error),
      );
    }),
  zstd: promisify<Buffer, Buffer>(zstdCompress),
};

/** The content codings of a message in the order in which they were applied, in lower case. */
export function codingsIn(fields: readonly string[]): readonly string[] {
  return codingsOf(getAllFields(fields, 'content-encoding').join(','));
}

export function isKnownCoding(coding: string): boolean {
  return Object.hasOwn(encoders, coding);
}

/** Applies codings, known ones, in their order. */
export async function encodeContent(content: Buffer, codings: readonly string[]): Promise<Buffer> {
  let coded = content;
  for (const coding of codings) coded = (await encoders[coding]?.(coded)) ?? coded;
  return coded;
}

/** Undoes codings; a sentence about why not for what cannot be undone, or is longer than the bound. */
export async function decodeContent(
  body: Buffer,
  codings: readonly string[],
  maxBytes: number,
): Promise<Buffer | string> {
  if (codings.length === 0) return body;
  const decoded = await decodeBody(body, codings.join(','), { maxBytes });
  if ('error' in decoded) return `it cannot be read as ${codings.join(', ')}`;
  if (!decoded.truncated) return decoded.bytes;
  return decoded.bytes.length >= maxBytes
    ? `decompressed it is longer than ${byteCount(maxBytes)}`
    : `it cannot be read as ${codings.join(', ')} to its end`;
}

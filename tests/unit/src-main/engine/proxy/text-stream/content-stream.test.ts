import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import {
  ContentStream,
  decodeBacklogLimitBytes,
} from '../../../../../../src-main/engine/proxy/text-stream/content-stream.ts';

function setUp(coding: string | null) {
  const seen = { text: '', failures: [] as string[] };
  const stream = new ContentStream(
    coding,
    (bytes) => void (seen.text += bytes.toString()),
    (reason) => void seen.failures.push(reason),
  );
  return { seen, stream };
}

const compress: Readonly<Record<string, (text: Buffer) => Buffer>> = {
  gzip: gzipSync,
  'x-gzip': gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
};

test.each(Object.keys(compress))(
  '%s in pieces, and with bytes behind its end, comes to an end',
  async (coding) => {
    const bytes = compress[coding]?.(Buffer.from('one and two')) as Buffer;
    const { seen, stream } = setUp(coding.toUpperCase());
    for (const byte of bytes) stream.write(Buffer.from([byte]));
    // Until all has come out, and the decompressor knows that this was all.
    while (seen.text !== 'one and two') await new Promise((resolve) => setImmediate(resolve));
    for (let turn = 0; turn < 5; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      stream.write(Buffer.from('\0\0'));
    }
    await stream.end();
    expect(seen.text).toBe('one and two');
  },
);

test('deflate without its envelope, and one coding over another', async () => {
  const raw = setUp('deflate');
  raw.stream.write(deflateRawSync('raw'));
  await raw.stream.end();
  expect(raw.seen).toEqual({ text: 'raw', failures: [] });
  const both = setUp('gzip, br');
  both.stream.write(brotliCompressSync(gzipSync('both')));
  await both.stream.end();
  expect(both.seen).toEqual({ text: 'both', failures: [] });
});

test('a stream that breaks off gives what came, and no failure', async () => {
  const { seen, stream } = setUp('gzip');
  const bytes = gzipSync(Buffer.alloc(100_000, 'x'));
  stream.write(bytes.subarray(0, bytes.length - 12));
  await stream.end();
  expect(seen.text.length).toBeGreaterThan(10_000);
  expect(seen.failures).toEqual([]);
});

test('what is no coding, or not known, or comes too fast, fails once', async () => {
  const unknown = setUp('snappy');
  unknown.stream.write(Buffer.from('x'));
  unknown.stream.write(Buffer.from('y'));
  expect(unknown.seen.failures).toEqual(['Its content coding (snappy) is not known here.']);
  expect(unknown.stream.end()).toBeNull();
  const fast = setUp('br');
  fast.stream.write(Buffer.alloc(decodeBacklogLimitBytes));
  fast.stream.write(Buffer.alloc(1));
  expect(fast.seen.failures).toEqual(['It came faster than it could be decompressed.']);
  const broken = setUp('zstd');
  broken.stream.write(Buffer.from('not zstd at all'));
  while (broken.seen.failures.length === 0) await new Promise((resolve) => setImmediate(resolve));
  broken.stream.write(Buffer.from('more'));
  await broken.stream.end();
  expect(broken.seen.failures).toHaveLength(1);
});

test('without a coding it is passed on at once', () => {
  const { seen, stream } = setUp(null);
  stream.write(Buffer.from('now'));
  expect(seen.text).toBe('now');
  expect(stream.end()).toBeNull();
});

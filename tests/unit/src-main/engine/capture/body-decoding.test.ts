import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBody } from '../../../../../src-main/engine/capture/body-decoding.ts';

const coders = {
  gzip: gzipSync,
  'x-gzip': gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
} as const;
type Coding = keyof typeof coders;
const codings = Object.keys(coders) as Coding[];

/** Text that compresses, but not to nothing, so that a cut input has something to give. */
const text = Buffer.from(
  Array.from({ length: 40_000 }, (_, i) => `line ${(i * i * 7919) % 1_000_003}\n`).join(''),
);

async function decoded(bytes: Buffer, coding: string | null, maxBytes?: number) {
  const result = await decodeBody(bytes, coding, maxBytes === undefined ? {} : { maxBytes });
  if ('error' in result) throw new Error(result.error.message);
  return result;
}

describe('one coding', () => {
  test.each(codings)('%s is undone', async (coding) => {
    const result = await decoded(coders[coding](text), coding);
    expect(result.truncated).toBe(false);
    expect(result.bytes.equals(text)).toBe(true);
  });

  test('deflate is undone without the zlib header, too', async () => {
    expect((await decoded(deflateRawSync(text), 'deflate')).bytes.equals(text)).toBe(true);
  });

  test.each([null, '', 'identity', ' Identity ,'])('%j leaves the content as it is', async (coding) => {
    expect((await decoded(text, coding)).bytes).toBe(text);
  });

  test('names are read in any case', async () => {
    expect((await decoded(gzipSync(text), 'GZip')).bytes.equals(text)).toBe(true);
  });

  test.each(codings)('%s of an empty stored content is empty', async (coding) => {
    expect(await decoded(Buffer.alloc(0), coding)).toEqual({ bytes: Buffer.alloc(0), truncated: false });
  });

  test.each(codings)('a cut %s gives its first part', async (coding) => {
    const whole = coders[coding](text);
    const { bytes, truncated } = await decoded(whole.subarray(0, Math.floor(whole.length * 0.9)), coding);
    expect(truncated).toBe(true);
    expect(bytes.length).toBeGreaterThan(0);
    expect(bytes.equals(text.subarray(0, bytes.length))).toBe(true);
  });
});

describe('several codings', () => {
  test('are undone from the last to the first', async () => {
    const twice = brotliCompressSync(gzipSync(text));
    expect((await decoded(twice, 'gzip, br')).bytes.equals(text)).toBe(true);
    expect(await decodeBody(twice, 'br, gzip')).toMatchObject({
      error: { cause: 'corrupt', coding: 'gzip' },
    });
  });

  test('any list of up to five, on any content', async () => {
    const lists = fc.array(fc.constantFrom(...codings), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), lists, async (content, list) => {
        const coded = list.reduce<Buffer>((bytes, coding) => coders[coding](bytes), Buffer.from(content));
        expect((await decoded(coded, list.join(', '))).bytes.equals(Buffer.from(content))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('more than five are refused before anything is inflated', async () => {
    expect(await decodeBody(text, 'gzip,gzip,gzip,gzip,gzip,gzip')).toMatchObject({
      error: { cause: 'too-many-codings' },
    });
  });
});

describe('bounds and damage', () => {
  test.each(codings)('a bomb in %s ends at the bound', async (coding) => {
    const bomb = coders[coding](Buffer.alloc(8 * 1024 ** 2));
    const { bytes, truncated } = await decoded(bomb, coding, 100_000);
    expect([bytes.length, truncated]).toEqual([100_000, true]);
  });

  test('a bomb inside a bomb ends at the bound on its way, too', async () => {
    const bomb = gzipSync(gzipSync(Buffer.alloc(32 * 1024 ** 2)));
    expect((await decoded(bomb, 'gzip, gzip', 5_000)).bytes.length).toBe(5_000);
  });

  test('content of exactly the bound is whole', async () => {
    expect(await decoded(gzipSync(Buffer.alloc(5_000)), 'gzip', 5_000)).toMatchObject({ truncated: false });
    expect(await decoded(Buffer.alloc(5_000), null, 5_000)).toMatchObject({ truncated: false });
    expect(await decoded(Buffer.alloc(5_001), null, 5_000)).toMatchObject({ truncated: true });
  });

  test.each([...codings, 'deflate'])('what is no %s is said to be corrupt', async (coding) => {
    const result = await decodeBody(Buffer.from('<html>plain after all</html>'), coding);
    expect(result).toMatchObject({ error: { cause: 'corrupt', coding } });
  });

  test.each(['compress', 'constructor', 'aes128gcm', '__proto__'])('%s is unknown', async (coding) => {
    expect(await decodeBody(text, coding)).toMatchObject({ error: { cause: 'unknown-coding', coding } });
  });

  test('any bytes under any coding give a result, never a rejection, and never more than the bound', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom(...codings),
        async (junk, coding) => {
          const result = await decodeBody(Buffer.from(junk), coding, { maxBytes: 1_000 });
          if (!('error' in result)) expect(result.bytes.length).toBeLessThanOrEqual(1_000);
        },
      ),
    );
  });
});

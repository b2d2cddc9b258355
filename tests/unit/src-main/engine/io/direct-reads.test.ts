import { expect, test } from 'vitest';
import { DirectReads } from '../../../../../src-main/engine/io/direct-reads.ts';
import type { BytesFate } from '../../../../../src-main/engine/proxy/ports.ts';

/** Stands for the socket: fills the buffer that it was told to read into, as libuv does. */
function socketOver(reads: DirectReads) {
  const next = reads.onread.buffer as () => Uint8Array;
  const callback = reads.onread.callback as (bytesRead: number, target: Uint8Array) => boolean;
  let target = next();
  return (octet: string, bytes: number): void => {
    Buffer.from(target.buffer, target.byteOffset, bytes).fill(octet);
    callback(bytes, target);
    target = next();
  };
}

function setUp(fates: BytesFate[]) {
  const reads = new DirectReads();
  const got: Buffer[] = [];
  reads.deliver = (bytes) => {
    got.push(bytes);
    return fates.shift() ?? 'kept';
  };
  return { reads, got, read: socketOver(reads), text: () => got.map((bytes) => bytes.toString('latin1')) };
}

const long = 65_536;

test('short reads are for good, whoever reads next, over whichever socket', () => {
  const [one, other] = [setUp(['passed']), setUp([])];
  one.read('a', 3);
  other.read('b', 16_000);
  one.read('c', 2);
  expect(one.text()).toEqual(['aaa', 'cc']);
  expect(other.text()).toEqual(['b'.repeat(16_000)]);
});

test('long reads that are kept stay as they are', () => {
  const { read, text } = setUp(['kept', 'passing', 'kept']);
  for (const octet of ['a', 'b', 'c']) read(octet, long);
  read('d', 5);
  read('e', long);
  expect(text()).toEqual(['a', 'b', 'c', 'ddddd', 'e'].map((t) => (t.length === 1 ? t.repeat(long) : t)));
});

test('memory that has passed is read into again at once', () => {
  const { read, got } = setUp(['passed', 'passed', 'passed']);
  for (const octet of ['a', 'b', 'c']) read(octet, long);
  expect(new Set(got.map(({ buffer }) => buffer)).size).toBe(1);
});

test('what is on its way stays untouched until the next has passed', () => {
  const { read, got, text } = setUp(['passing', 'passing', 'passed', 'kept', 'kept', 'kept']);
  read('a', long);
  read('b', long);
  expect(text()).toEqual(['a'.repeat(long), 'b'.repeat(long)]);
  read('c', long);
  for (const octet of ['d', 'e', 'f']) read(octet, long);
  const [a, b, , ...later] = got.map(({ buffer }) => buffer);
  expect(later).toContain(a);
  expect(later).toContain(b);
});

test('what was on its way for one call is not let go by the next', () => {
  const { reads, read, got } = setUp(['passing', 'passed', 'kept', 'kept', 'kept']);
  read('a', long);
  reads.forget();
  for (const octet of ['b', 'c', 'd', 'e']) read(octet, long);
  expect(got[0]?.toString('latin1')).toBe('a'.repeat(long));
});

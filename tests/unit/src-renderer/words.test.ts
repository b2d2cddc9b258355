import { describe, expect, it } from 'vitest';
import * as words from '../../../src-renderer/ui/words.ts';

describe('how figures are written', () => {
  it.each([
    [0.64, '0.6 ms'],
    [8.4, '8.4 ms'],
    [9.96, '10 ms'],
    [148.4, '148 ms'],
    [999.6, '1.00 s'],
    [2187, '2.19 s'],
    [58_200, '58.2 s'],
    [150_000, '150 s'],
    [null, '–'],
  ])('a duration of %s ms is %s', (ms, text) => expect(words.formatDuration(ms)).toBe(text));

  it.each([
    [0, '0 B'],
    [612, '612 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [38_200, '38.2 kB'],
    [999_960, '1.0 MB'],
    [118_000_000, '118 MB'],
    [null, '–'],
  ])('%s bytes are %s', (bytes, text) => expect(words.formatBytes(bytes)).toBe(text));

  it('writes bounds in the units they were set in', () => {
    expect(words.formatBound(2 * 1024 ** 3)).toBe('2 GiB');
    expect(words.formatBound(10 * 1024 ** 2)).toBe('10 MiB');
    expect(words.formatBound(1536)).toBe('1.5 KiB');
  });

  it('counts in words', () => {
    expect(words.counted(1, 'call')).toBe('1 call');
    expect(words.counted(72_061, 'call')).toBe('72,061 calls');
    expect([1, 2, 3, 4, 11, 21, 22].map(words.ordinal)).toEqual([
      '1st',
      '2nd',
      '3rd',
      '4th',
      '11th',
      '21st',
      '22nd',
    ]);
    expect(words.formatElapsed(252_000)).toBe('04:12');
    expect(words.formatElapsed(3_852_000)).toBe('1:04:12');
    expect([0, 0.01, 0.26, 61.4].map(words.formatRate)).toEqual(['0/s', '< 0.1/s', '0.3/s', '61/s']);
  });
});

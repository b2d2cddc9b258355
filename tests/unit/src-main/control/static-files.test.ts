import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileWithin } from '../../../../src-main/control/static-files.ts';
import { durationMs } from '../../../../src-main/control/duration-text.ts';

const root = join('/', 'srv', 'window');

describe('fileWithin', () => {
  it('finds the page and the files below', () => {
    expect(fileWithin(root, '/')).toBe(join(root, 'index.html'));
    expect(fileWithin(root, '/assets/a.js')).toBe(join(root, 'assets', 'a.js'));
    expect(fileWithin(root, '/a%20b.svg')).toBe(join(root, 'a b.svg'));
    expect(fileWithin(root, '/assets/../a.js')).toBe(join(root, 'a.js'));
  });

  it('never leaves the folder, also for one whose name begins the same', () => {
    expect(fileWithin(root, '/../window-secrets/a')).toBeNull();
    expect(fileWithin(root, '/%2e%2e/window-secrets/a')).toBeNull();
    const piece = fc.constantFrom('..', '.', '/', '%2e', '%2f', '%5c', '\\', 'a', '%00', '%', '//', 'window');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const file = fileWithin(root, `/${pieces.join('')}`);
        expect(file === null || file.startsWith(root + '/')).toBe(true);
      }),
    );
  });
});

describe('durationMs', () => {
  it('reads every unit, and nothing else', () => {
    expect(['500ms', '60s', '5m', '2h'].map(durationMs)).toEqual([500, 60_000, 300_000, 7_200_000]);
    expect(() => durationMs('5')).toThrow(TypeError);
  });
});

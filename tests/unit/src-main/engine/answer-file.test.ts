import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readAnswerFile } from '../../../../src-main/engine/answer-file.ts';

let outside = '';
let folder = '';
beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'spike-answer-'));
  folder = join(outside, 'workspace');
  mkdirSync(join(folder, 'folder'), { recursive: true });
  mkdirSync(join(outside, 'workspace-of-others'));
  writeFileSync(join(folder, 'folder', 'good.txt'), 'good');
  writeFileSync(join(folder, 'long.bin'), Buffer.alloc(1_048_577));
  writeFileSync(join(folder, 'longest.bin'), Buffer.alloc(1_048_576));
  writeFileSync(join(outside, 'secret.txt'), 'secret');
  writeFileSync(join(outside, 'workspace-of-others', 'secret.txt'), 'secret');
  symlinkSync('../secret.txt', join(folder, 'link.txt'));
  symlinkSync('folder/good.txt', join(folder, 'inside.txt'));
});
afterEach(() => rmSync(outside, { recursive: true }));

describe('a file that a rule answers with', () => {
  it('is read from the folder of the workspace file, or below', () => {
    for (const path of ['folder/good.txt', './folder/../folder/good.txt', 'inside.txt'])
      expect(readAnswerFile(folder, path).toString()).toBe('good');
    expect(readAnswerFile(folder, 'longest.bin')).toHaveLength(1_048_576);
  });

  it.each([
    ['missing.txt', 'is not there (looked for in '],
    ['folder', 'is no file.'],
    ['.', 'is not in the folder of the workspace file'],
    ['../secret.txt', 'is not in the folder of the workspace file'],
    ['../workspace-of-others/secret.txt', 'is not in the folder of the workspace file'],
    ['/etc/hostname', 'is not in the folder of the workspace file'],
    ['link.txt', 'is not in the folder of the workspace file'],
    ['folder/good.txt/more', 'cannot be read: ENOTDIR'],
    ['a\0b', 'cannot be read: ERR_INVALID_ARG_VALUE'],
    ['long.bin', 'has 1,048,577 bytes: at most 1 MiB is answered.'],
  ])('%j is refused, with its reason', (path, why) => {
    expect(() => readAnswerFile(folder, path)).toThrow(`The file ${JSON.stringify(path)} ${why}`);
  });

  it('has no place without a workspace file', () => {
    expect(() => readAnswerFile(null, 'a.txt')).toThrow('relative to the workspace file, and there is none');
  });
});

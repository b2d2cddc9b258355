import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { maxFileBytes, readFileText, writeFileText } from '../../../../src-main/workspace/workspace-file.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spike-file-'));
  path = join(directory, 'spike.yaml');
});
afterEach(() => rmSync(directory, { recursive: true }));

async function refusal(at: string = path): Promise<string> {
  const file = await readFileText(at);
  if (file.ok) throw new Error('was read');
  return file.defect.sentence;
}

describe('a workspace file that cannot be read', () => {
  it('is not there', async () => {
    expect(await readFileText(path)).toMatchObject({ ok: false, missing: true });
  });

  it('is a directory, or no ordinary file', async () => {
    expect(await refusal(directory)).toBe('Expected a file; this is a directory.');
    execFileSync('mkfifo', [path]);
    expect(await refusal()).toBe('Expected an ordinary file.'); // and does not wait for a writer
  });

  it('is in another encoding', async () => {
    writeFileSync(path, Buffer.from([0x76, 0xff, 0xfe]));
    expect(await refusal()).toContain('not UTF-8');
    writeFileSync(path, Buffer.from('version: 1\n', 'utf16le'));
    expect((await readFileText(path)).ok).toBe(true); // valid UTF-8 with NULs: the parser refuses it
  });

  it('is too large', async () => {
    writeFileSync(path, '#'.repeat(maxFileBytes + 1));
    expect(await refusal()).toContain('too large');
    writeFileSync(path, '#'.repeat(maxFileBytes));
    expect((await readFileText(path)).ok).toBe(true);
  });

  it.skipIf(process.getuid?.() === 0)('is not for us', async () => {
    writeFileSync(path, '');
    chmodSync(path, 0o000);
    expect(await refusal()).toBe('The file cannot be read (it is not allowed).');
  });
});

describe('writing', () => {
  it('keeps the mode and leaves nothing beside the file', async () => {
    writeFileSync(path, 'before');
    chmodSync(path, 0o664);
    await writeFileText(path, 'after');
    expect(readFileSync(path, 'utf8')).toBe('after');
    expect(statSync(path).mode & 0o777).toBe(0o664);
    expect(readdirSync(directory)).toEqual(['spike.yaml']);
  });

  it('keeps a link a link', async () => {
    const target = join(directory, 'target.yaml');
    writeFileSync(target, 'before');
    symlinkSync(target, path);
    await writeFileText(path, 'after');
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, 'utf8')).toBe('after');
  });

  it('keeps a byte order mark, which reading takes away', async () => {
    writeFileSync(path, '\uFEFFversion: 1\n');
    expect(await readFileText(path)).toEqual({ ok: true, text: 'version: 1\n' });
    await writeFileText(path, 'version: 1\nrules: []\n');
    expect(readFileSync(path, 'utf8')).toBe('\uFEFFversion: 1\nrules: []\n');
  });

  it('does not make a file that has gone', async () => {
    await expect(writeFileText(path, 'x')).rejects.toThrow('ENOENT');
    expect(readdirSync(directory)).toEqual([]);
  });
});

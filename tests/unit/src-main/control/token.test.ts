import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadOrCreateToken, readToken, tokenPath } from '../../../../src-main/control/token.ts';

let home: string;
beforeEach(async () => void (home = await mkdtemp(join(tmpdir(), 'spike-home-'))));
afterEach(() => rm(home, { recursive: true }));

describe('the token file', () => {
  it('is made once, for its owner alone, and leaves nothing beside it', async () => {
    const token = await loadOrCreateToken(home);
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(await loadOrCreateToken(home)).toBe(token);
    expect((await stat(tokenPath(home))).mode & 0o777).toBe(0o600);
    expect(await readdir(home)).toEqual(['token']);
  });

  it('is one, for all who start at the same time', async () => {
    const tokens = await Promise.all(Array.from({ length: 20 }, () => loadOrCreateToken(home)));
    expect(new Set(tokens).size).toBe(1);
    expect(await readdir(home)).toEqual(['token']);
  });

  it.each(['', '\n', 'short', 'with a space '.repeat(4), 'ü'.repeat(40), 'x'.repeat(5000)])(
    'is refused when it holds %j, and stays as it is',
    async (text) => {
      await writeFile(tokenPath(home), text, { mode: 0o600 });
      await expect(loadOrCreateToken(home)).rejects.toMatchObject({
        name: 'SpikeError',
        code: 'conflict',
        message: expect.stringContaining(tokenPath(home)),
      });
      expect(await readFile(tokenPath(home), 'utf8')).toBe(text);
    },
  );

  it.skipIf(process.platform === 'win32')('is refused when others may read it', async () => {
    await loadOrCreateToken(home);
    await chmod(tokenPath(home), 0o644);
    await expect(loadOrCreateToken(home)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('chmod 600'),
    });
  });

  it('is null where there is none', async () => {
    expect(await readToken(tokenPath(home))).toBeNull();
  });
});

import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockHome } from '../../../../src-main/agent/agent-lock.ts';

describe('the lock of a home directory', () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'spike-lock-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  it('is for one; the other is told who has it', async () => {
    const lock = await lockHome(directory);
    await expect(lockHome(directory)).rejects.toMatchObject({
      code: 'conflict',
      details: { pid: process.pid },
    });
    await lock.release();
    await (await lockHome(directory)).release();
  });

  it('is the same by whatever name the directory is called', async () => {
    const other = `${directory}-link`;
    symlinkSync(directory, other);
    const lock = await lockHome(directory);
    await expect(lockHome(other)).rejects.toThrow(`(process ${process.pid})`);
    await lock.release();
    rmSync(other);
  });

  it('of two that come at once one gets it', async () => {
    const results = await Promise.allSettled([lockHome(directory), lockHome(directory), lockHome(directory)]);
    const won = results.filter((result) => result.status === 'fulfilled');
    expect(won).toHaveLength(1);
    await won[0]?.value.release();
  });
});

import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { homeDirectory, prepareHome } from '../../../../src-main/agent/home-directory.ts';

describe('the home directory', () => {
  const userDirectory = '/home/me';
  const of = (platform: NodeJS.Platform, environment: Record<string, string> = {}, given?: string) =>
    homeDirectory({ given, environment, platform, userDirectory });

  it('is what --home names, else SPIKE_HOME, else the folder of the platform', () => {
    expect(of('linux', { SPIKE_HOME: '/b' }, '/a')).toBe('/a');
    expect(of('linux', { SPIKE_HOME: '/b' })).toBe('/b');
    expect(of('linux', { SPIKE_HOME: '' })).toBe('/home/me/.local/share/spike');
    expect(of('darwin')).toBe('/home/me/Library/Application Support/Spike');
    expect(of('win32', { APPDATA: 'C:\\Users\\me\\AppData\\Roaming' })).toBe(
      'C:\\Users\\me\\AppData\\Roaming\\Spike',
    );
  });

  it('follows XDG_DATA_HOME where it is absolute, as its specification has it', () => {
    expect(of('linux', { XDG_DATA_HOME: '/data' })).toBe('/data/spike');
    expect(of('linux', { XDG_DATA_HOME: 'data' })).toBe('/home/me/.local/share/spike');
  });
});

describe('preparing it', () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'spike-home-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  it('makes it for its owner alone, and closes one that is open', async () => {
    const home = join(directory, 'a', 'b');
    await prepareHome(home);
    expect(statSync(home).mode & 0o777).toBe(0o700);
    mkdirSync(join(directory, 'open'), { mode: 0o755 });
    await prepareHome(join(directory, 'open'));
    expect(statSync(join(directory, 'open')).mode & 0o777).toBe(0o700);
  });

  it('says what is in the way', async () => {
    writeFileSync(join(directory, 'file'), '');
    await expect(prepareHome(join(directory, 'file'))).rejects.toThrow('a file is in its way');
    await expect(prepareHome(join(directory, 'file', 'below'))).rejects.toThrow('a file is in its way');
  });
});

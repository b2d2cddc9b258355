import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openChromium } from '../../../../src-main/cli/chromium-window.ts';
import { displayProblem, findElectron, runElectron } from '../../../../src-main/cli/electron.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'spike-electron-'));
  mkdirSync(join(root, 'out/main'), { recursive: true });
  writeFileSync(join(root, 'out/main/index.js'), '');
  mkdirSync(join(root, 'node_modules/electron/dist'), { recursive: true });
  writeFileSync(join(root, 'node_modules/electron/package.json'), '{"name":"electron"}');
});
afterEach(() => rmSync(root, { recursive: true }));

function program(path: string, script: string): string {
  writeFileSync(path, `#!${process.execPath}\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

function installed(): string {
  writeFileSync(join(root, 'node_modules/electron/path.txt'), 'electron');
  return program(join(root, 'node_modules/electron/dist/electron'), '');
}

const find = (
  environment: Record<string, string> = { DISPLAY: ':0' },
  download = () => Promise.resolve(false),
) => findElectron({ packageDirectory: pathToFileURL(`${root}/`), environment, platform: 'linux', download });

describe("Electron's binary", () => {
  it('is found where its package has it, without a download', async () => {
    const path = installed();
    const download = () => Promise.reject(new Error('was asked'));
    expect(await find({ DISPLAY: ':0' }, download)).toEqual({ ok: true, path });
  });

  it('is fetched once, and its absence told', async () => {
    let asked = 0;
    const download = () => {
      asked++;
      installed();
      return Promise.resolve(true);
    };
    expect(await find({ DISPLAY: ':0' }, download)).toMatchObject({ ok: true });
    rmSync(join(root, 'node_modules/electron/dist/electron'));
    expect(await find()).toEqual({ ok: false, reason: "Electron's binary cannot be had" });
    expect(asked).toBe(1);
  });

  it('is not asked for where no window could be shown', async () => {
    const download = () => Promise.reject(new Error('was asked'));
    expect(await find({}, download)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('no display') as string,
    });
    expect(await find({ DISPLAY: ':0', SPIKE_NO_ELECTRON: '1' }, download)).toMatchObject({ ok: false });
    expect(displayProblem({ WAYLAND_DISPLAY: 'wayland-0' }, 'linux')).toBeNull();
    expect(displayProblem({}, 'darwin')).toBeNull();
  });

  it('needs the built application', async () => {
    installed();
    rmSync(join(root, 'out'), { recursive: true });
    expect(await find()).toMatchObject({ ok: false, reason: expect.stringContaining('not built') as string });
  });
});

describe('running Electron', () => {
  const run = (script: string) =>
    runElectron(program(join(root, 'app'), script), pathToFileURL(`${root}/`), ['--demo']);

  it('gives its exit code', async () => {
    expect(await run('process.exit(process.argv.includes("--demo") ? 0 : 5)')).toEqual({
      started: true,
      code: 0,
    });
  });

  it('tells an end of Electron itself by its last words', async () => {
    expect(
      await run('console.error("error while loading shared libraries: libnss3.so"); process.exit(127)'),
    ).toEqual({
      started: false,
      reason: 'Electron ended with 127 ("error while loading shared libraries: libnss3.so")',
    });
  });
});

describe('a window of a browser', () => {
  it('gets the key by a page for its owner alone, not on the command line', async () => {
    const record = join(root, 'record');
    const script = `require('fs').writeFileSync(${JSON.stringify(record)}, process.argv.slice(2).join('\\n') + require('fs').readFileSync(new URL(process.argv[2].slice(6))))`;
    const window = await openChromium(
      program(join(root, 'browser'), script),
      'http://127.0.0.1:1/#token=SECRET',
      root,
    );
    await window.closed;
    const [words = '', page = ''] = readFileSync(record, 'utf8').split('<!doctype html>');
    expect(words).toContain('--app=file://');
    expect(words).not.toContain('SECRET');
    expect(page).toContain('location.replace("http://127.0.0.1:1/#token=SECRET")');
    expect(() => readFileSync(join(root, 'window/open.html'))).toThrow('ENOENT');
  });
});

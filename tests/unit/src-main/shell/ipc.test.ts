import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/message-port';
import type { AgentClient } from '#shared/contract/contract.ts';
import { channels } from '#shared/contract/bridge.ts';
import type { StandInPort } from '../../../support/electron-stand-in/message-ports.ts';
import type { StandInWindow } from '../../../support/electron-stand-in/browser-window.ts';
import { isOurs } from '../../../../src-main/shell/ipc.ts';
import { builtPage } from '../../../../src-main/shell/window-scheme.ts';
import { startShell, temporaryHome } from './shell-harness.ts';
import type { RunningShell } from './shell-harness.ts';

const home = 'spike://window/index.html';
let shell: RunningShell;
let window: StandInWindow;
let sent: { channel: string; ports: StandInPort[] }[];

beforeEach(async () => {
  shell = await startShell();
  window = shell.desktop.windows[0] as StandInWindow;
  sent = [];
  window.webContents.postMessage = (channel, _message, ports = []) => void sent.push({ channel, ports });
});
afterEach(async () => {
  shell.desktop.app.quit();
  await shell.desktop.app.ended;
});

describe('who is heard', () => {
  const asWindow = () => window as never;
  const event = (given: object = {}) => ({ ...window.messageEvent(home), ...given }) as never;

  test('our page in our window', () => {
    expect(isOurs(event(), asWindow(), builtPage)).toBe(true);
  });

  const strangers: Readonly<Record<string, () => boolean>> = {
    'no window': () => isOurs(event(), null, builtPage),
    'a frame that has gone': () => isOurs(event({ senderFrame: null }), asWindow(), builtPage),
    'another window': () => isOurs(event({ sender: {} }), asWindow(), builtPage),
    'a frame in the page': () =>
      isOurs(window.messageEvent(home, { url: home, parent: null }) as never, asWindow(), builtPage),
    'another page': () => isOurs(window.messageEvent('https://example.com/') as never, asWindow(), builtPage),
    'a host that begins like ours': () =>
      isOurs(window.messageEvent('spike://window.example/') as never, asWindow(), builtPage),
  };
  test.each(Object.keys(strangers))('not %s', (name) => {
    expect(strangers[name]?.()).toBe(false);
  });
});

describe('a port', () => {
  const ask = (url = home) => shell.desktop.ipcMain.emit(channels.requestPort, window.messageEvent(url));

  test('speaks the contract; the next one replaces it', async () => {
    ask();
    const [first] = sent[0]?.ports ?? [];
    if (first === undefined) throw new Error('no port');
    const client: AgentClient = createORPCClient(new RPCLink({ port: first as never }));
    first.start();
    expect((await client.agent.status()).version).toBe('0.0.0-test');
    const closed = new Promise((resolve) => first.once('close', resolve));
    ask();
    await closed;
    expect(sent).toHaveLength(2);
  });

  test('is not given to another page', () => {
    ask('https://example.com/');
    expect(sent).toEqual([]);
  });
});

describe('a file', () => {
  const save = (name: unknown, bytes: unknown, url = home) =>
    shell.desktop.invoke(window.messageEvent(url), channels.saveFile, [name, bytes]);
  const bytes = new TextEncoder().encode('{"log":{}}');

  test('is written where the user says, for its owner alone, and may then be shown', async () => {
    const path = join(temporaryHome(), 'spike.har');
    shell.desktop.dialogs.answerSave = () => path;
    expect(await save('spike.har', bytes)).toBe(path);
    expect(await readFile(path, 'utf8')).toBe('{"log":{}}');
    if (process.platform !== 'win32') expect((await stat(path)).mode & 0o777).toBe(0o600);
    shell.desktop.ipcMain.emit(channels.showFile, window.messageEvent(home), path);
    expect(shell.desktop.shownFiles).toEqual([path]);
  });

  test('is proposed by its name alone', async () => {
    expect(await save('../../.ssh/authorized_keys', bytes)).toBe(null);
    expect(shell.desktop.dialogs.saves[0]?.defaultPath).toMatch(/downloads.authorized_keys$/);
  });

  test('that cannot be written is told', async () => {
    const folder = temporaryHome();
    await mkdir(join(folder, 'x.har'));
    shell.desktop.dialogs.answerSave = () => join(folder, 'x.har');
    await expect(save('x.har', bytes)).rejects.toThrow('EISDIR');
  });

  test('is refused to another page, and for what is no file', async () => {
    await expect(save('x', bytes, 'https://example.com/')).rejects.toThrow('Refused');
    await expect(save('x', 'text')).rejects.toThrow('Refused');
    await expect(save(7, bytes)).rejects.toThrow('Refused');
    expect(shell.desktop.dialogs.saves).toEqual([]);
  });

  test('is shown only where Spike wrote it, or is its CA', () => {
    const show = (path: unknown, url = home) =>
      shell.desktop.ipcMain.emit(channels.showFile, window.messageEvent(url), path);
    const ca = shell.harness.engine.ca.path;
    for (const path of ['/etc/passwd', 'relative', 7, undefined]) show(path);
    show(ca, 'https://example.com/');
    expect(shell.desktop.shownFiles).toEqual([]);
    show(ca);
    expect(shell.desktop.shownFiles).toEqual([ca]);
  });
});

describe('the colours', () => {
  test('are one of two, and asked for by our page', () => {
    const set = (theme: unknown, url = home) =>
      shell.desktop.ipcMain.emit(channels.setTheme, window.messageEvent(url), theme);
    set('light');
    expect(window.backgroundColor).toBe('#f3f4f6');
    set('purple');
    set('dark', 'https://example.com/');
    expect(window.backgroundColor).toBe('#f3f4f6');
  });
});

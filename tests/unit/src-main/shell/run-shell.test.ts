import { afterEach, describe, expect, test } from 'vitest';
import type { RuleInput } from '#shared/rules/rule.ts';
import { createElectronStandIn } from '../../../support/electron-stand-in/index.ts';
import { runShell } from '../../../../src-main/shell/run-shell.ts';
import { listLog, startShell, temporaryHome } from './shell-harness.ts';
import type { RunningShell } from './shell-harness.ts';

const keys = 'CommandOrControl+Shift+X';
const slow: RuleInput = {
  name: 'slow & late',
  enabled: true,
  match: { callee: 'payments' },
  faults: [{ type: 'latency', latencyMs: 100 }],
};

const open: RunningShell[] = [];
async function started(...given: Parameters<typeof startShell>): Promise<RunningShell> {
  const shell = await startShell(...given);
  open.push(shell);
  return shell;
}
afterEach(async () => {
  for (const { desktop } of open.splice(0)) {
    desktop.app.quit();
    await desktop.app.ended;
  }
});

describe('the start', () => {
  test('one window, isolated; a page that may be seen', async () => {
    const { desktop } = await started();
    expect(desktop.windows).toHaveLength(1);
    await expect.poll(() => desktop.windows[0]?.visible).toBe(true);
    expect(desktop.windows[0]?.webContents.mainFrame.url).toBe('spike://window/index.html');
    expect(desktop.windows[0]?.options.webPreferences).toMatchObject({
      contextIsolation: true,
      sandbox: true,
    });
  });

  test('an agent that does not start is told in a box, and the application ends with 1', async () => {
    const desktop = createElectronStandIn({ browser: null });
    const { log, messages } = listLog();
    await runShell(desktop.electron, {
      preloadPath: '',
      rendererDirectory: '',
      resourcesDirectory: '',
      homeDirectory: temporaryHome(),
      developmentUrl: null,
      log,
      startAgent: () => Promise.reject(new Error('127.0.0.1:7070 is taken by node (process 1).')),
    });
    expect(await desktop.app.ended).toBe(1);
    expect(desktop.dialogs.errors).toEqual([
      { title: 'Spike could not start', content: '127.0.0.1:7070 is taken by node (process 1).' },
    ]);
    expect(messages).toEqual(['Spike could not start.']);
    expect(desktop.windows).toHaveLength(0);
  });

  test('a second one with the same home shows the window of the first, and ends', async () => {
    const homeDirectory = temporaryHome();
    const first = await started({ homeDirectory });
    const [window] = first.desktop.windows;
    if (window === undefined) throw new Error('no window');
    window.visible = false;
    window.minimized = true;
    let asked = false;
    const startAgent = (): Promise<never> => {
      asked = true;
      return Promise.reject(new Error('not to be started'));
    };
    const second = await startShell({ homeDirectory, startAgent });
    expect(await second.desktop.app.ended).toBe(0);
    await second.harness.close();
    await expect.poll(() => window.visible && !window.minimized).toBe(true);
    expect(asked).toBe(false);
    expect(second.messages).toEqual([
      'Spike is running already with this home directory; its window is shown',
    ]);
    expect(first.desktop.windows).toHaveLength(1);
  });

  test('two homes are two applications', async () => {
    const first = await started();
    const second = await started();
    expect(first.desktop.windows).toHaveLength(1);
    expect(second.desktop.windows).toHaveLength(1);
  });

  test('the development server is used, with developer tools, only when it is named', async () => {
    const plain = await started();
    expect(plain.desktop.windows[0]?.options.webPreferences?.devTools).toBe(false);
    const { desktop } = await started({ developmentUrl: 'http://localhost:5173' });
    await expect.poll(() => desktop.windows[0]?.webContents.mainFrame.url).toBe('http://localhost:5173/');
    expect(desktop.windows[0]?.options.webPreferences?.devTools).toBe(true);
    expect(desktop.applicationMenu()?.template.map(({ label }) => label)).toContain('Develop');
  });
});

describe('the window', () => {
  const away = [
    'https://example.com/',
    'spike://elsewhere/',
    'spike://window.example/',
    'file:///etc/passwd',
    'not a url',
  ];
  test.each(away)('does not go to %s', async (url) => {
    const { desktop } = await started();
    const contents = desktop.windows[0]?.webContents;
    expect(contents?.mayNavigate(url, true)).toBe(false);
    expect(contents?.mayNavigate(url, false)).toBe(false);
    let redirected = true;
    contents?.emit('will-redirect', { url, preventDefault: () => (redirected = false) });
    expect(redirected).toBe(false);
    expect(contents?.openHandler({ url }).action).toBe('deny');
  });

  test('may be loaded again', async () => {
    const { desktop } = await started();
    expect(desktop.windows[0]?.webContents.mayNavigate('spike://window/index.html', true)).toBe(true);
  });

  test('is permitted to write to the clipboard, and nothing else', async () => {
    const { permissions } = (await started()).desktop;
    expect(permissions.grants('clipboard-sanitized-write')).toBe(true);
    for (const name of ['geolocation', 'notifications', 'media', 'midi', 'clipboard-read'] as const) {
      expect(permissions.grants(name)).toBe(false);
    }
  });

  test('closed, it does not end the application; activated, there is another', async () => {
    const { desktop, ended } = await started();
    desktop.windows[0]?.close();
    expect(ended).toEqual([]);
    desktop.app.emit('activate');
    expect(desktop.windows).toHaveLength(2);
  });

  test('whose process dies is loaded once; one that dies at once again is closed', async () => {
    const { desktop, messages } = await started();
    const [window] = desktop.windows;
    window?.webContents.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 11 });
    expect(window?.isDestroyed()).toBe(false);
    window?.webContents.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 11 });
    expect(window?.isDestroyed()).toBe(true);
    expect(messages).toEqual(["The window's process ended.", "The window's process ended."]);
  });
});

describe('the tray', () => {
  const labels = ({ desktop }: RunningShell) => desktop.trays[0]?.menu?.template.map(({ label }) => label);

  test('lists the rules, stops all, opens and quits', async () => {
    const shell = await started();
    expect(labels(shell)?.slice(0, 2)).toEqual(['No faults active', 'Stop all faults']);
    expect(() => shell.desktop.trays[0]?.menu?.click('Stop all faults')).toThrow('disabled');
    const rule = shell.harness.engine.rules.create(slow);
    expect(labels(shell)).toContain('slow && late');
    expect(labels(shell)?.[0]).toBe('1 fault active');
    shell.desktop.trays[0]?.menu?.click('slow && late');
    expect(shell.harness.engine.rules.get(rule.id).enabled).toBe(false);
    expect(shell.desktop.trays[0]?.image.path).toMatch(/tray\.png$/);
    shell.desktop.windows[0]?.close();
    shell.desktop.trays[0]?.menu?.click('Open Spike');
    expect(shell.desktop.windows).toHaveLength(2);
    shell.desktop.trays[0]?.menu?.click('Quit Spike');
    expect(await shell.desktop.app.ended).toBe(0);
  });

  test('holds twelve rules, and says how many more there are', async () => {
    const shell = await started();
    for (let n = 1; n <= 14; n += 1)
      shell.harness.engine.rules.create({ ...slow, name: `rule ${n}`, enabled: false });
    expect(labels(shell)?.filter((label) => label?.startsWith('rule '))).toHaveLength(12);
    expect(labels(shell)).toContain('2 more in Spike…');
  });

  test('knows a rule from another of the same name', async () => {
    const { desktop, harness } = await started();
    const { rules } = harness.engine;
    const first = rules.create(slow);
    rules.remove(first.id);
    const second = rules.create(slow);
    desktop.trays[0]?.menu?.click('slow && late');
    expect(rules.get(second.id).enabled).toBe(false);
  });
});

describe('the keys that stop all', () => {
  test('are held while a fault is active', async () => {
    const { desktop, harness } = await started();
    expect(desktop.shortcuts.registered.has(keys)).toBe(false);
    const rule = harness.engine.rules.create(slow);
    desktop.shortcuts.press(keys);
    await expect.poll(() => harness.engine.rules.get(rule.id).enabled).toBe(false);
    expect(desktop.shortcuts.registered.has(keys)).toBe(false);
  });

  test('that another program has are told once, and tried again', async () => {
    const { desktop, harness, messages } = await started();
    desktop.shortcuts.taken.add(keys);
    harness.engine.rules.create(slow);
    harness.engine.rules.create({ ...slow, name: 'two' });
    expect(messages).toEqual(['Another program has the keys that stop all faults']);
    desktop.shortcuts.taken.delete(keys);
    harness.engine.rules.create({ ...slow, name: 'three' });
    expect(desktop.shortcuts.registered.has(keys)).toBe(true);
  });
});

describe('the end', () => {
  test('waits for the agent; tray and keys are gone at once', async () => {
    const { desktop, harness, ended } = await started();
    harness.engine.rules.create(slow);
    desktop.app.quit();
    expect(ended).toEqual(['agent']);
    expect(desktop.trays[0]?.destroyed).toBe(true);
    expect(desktop.shortcuts.registered.size).toBe(0);
    expect(await desktop.app.ended).toBe(0);
    expect(ended).toEqual(['agent', 'app']);
  });

  test('asked for twice does not wait', async () => {
    const { desktop, ended } = await started();
    desktop.app.quit();
    desktop.app.quit();
    expect(ended).toEqual(['agent', 'app']);
  });

  test('of the session is not held up, or macOS would not log out', async () => {
    const { desktop, ended } = await started();
    desktop.powerMonitor.emit('shutdown');
    expect(ended).toEqual(['agent', 'app']);
  });

  test('opens no window any more', async () => {
    const { desktop } = await started();
    desktop.windows[0]?.close();
    desktop.app.quit();
    desktop.app.emit('activate');
    expect(desktop.windows).toHaveLength(1);
  });
});

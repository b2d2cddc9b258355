import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Rule } from '#shared/rules/rule.ts';
import { expect, test as base } from './support/open-spike.ts';
import type { OpenSpike } from './support/open-spike.ts';
import type { ElectronStandIn } from '../support/electron-stand-in/index.ts';
import type { StandInWindow } from '../support/electron-stand-in/browser-window.ts';

// What only a desktop has, and what a page must not get from it: the real shell and the built preload, on the stand-in.

const test = base.extend<{ desktop: ElectronStandIn; window: StandInWindow; foreign: string }>({
  target: 'stand-in',
  desktop: async ({ spike }, use) => {
    if (spike.desktop === null) throw new Error('These tests need the desktop of the stand-in.');
    await use(spike.desktop);
  },
  window: async ({ desktop, spike }, use) => {
    await expect(spike.page.getByRole('contentinfo', { name: 'Status' })).toContainText('this machine');
    await use(desktop.windows[0] as StandInWindow);
  },
  /** The URL of a page that is not Spike's. */

  foreign: async ({}, use) => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<title>Foreign</title>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  },
});

async function brokenRule(spike: OpenSpike): Promise<Rule> {
  const rule = {
    name: 'charge & refund fail',
    enabled: true,
    match: { path: '/v1/*' },
    faults: [{ type: 'status', status: 503 }],
  };
  return spike.ask<Rule>('/rules', { method: 'POST', body: JSON.stringify(rule) });
}
const isEnabled = async (spike: OpenSpike, { id }: Rule) => (await spike.ask<Rule>(`/rules/${id}`)).enabled;

test('the window is made isolated, sandboxed, and without Node', async ({ window }) => {
  expect(window.options.webPreferences).toMatchObject({
    contextIsolation: true,
    sandbox: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    webviewTag: false,
    devTools: false,
  });
  expect(window.visible).toBe(true);
});

test('the page has four functions and its platform, and nothing of Electron', async ({
  spike,
  window: _,
}) => {
  const seen = await spike.page.evaluate(() => {
    const { spike: bridge, ...globals } = globalThis as unknown as { spike: object } & Record<
      string,
      unknown
    >;
    return {
      bridge: Object.fromEntries(Object.entries(bridge).map(([name, value]) => [name, typeof value])),
      frozen: Object.isFrozen(bridge),
      node: ['require', 'process', 'module', 'Buffer', 'ipcRenderer', 'standInSend'].filter(
        (name) => name in globals,
      ),
    };
  });
  expect(seen).toEqual({
    bridge: {
      platform: 'string',
      requestPort: 'function',
      saveFile: 'function',
      showFile: 'function',
      setTheme: 'function',
    },
    frozen: true,
    node: [],
  });
});

/** As text: this file is checked without a page's types. */
const waysOut: Readonly<Record<string, (url: string) => string>> = {
  'an assigned address': (url) => `void (location.href = '${url}')`,
  'a link': (url) => `{
    const link = Object.assign(document.createElement('a'), { href: '${url}' });
    document.body.append(link);
    link.click();
  }`,
  'a form': (url) => `{
    const form = Object.assign(document.createElement('form'), { action: '${url}' });
    document.body.append(form);
    form.submit();
  }`,
  'a frame': (url) => `{
    const frame = Object.assign(document.createElement('iframe'), { src: '${url}' });
    document.body.append(frame);
  }`,
};

for (const [way, script] of Object.entries(waysOut)) {
  test(`the page goes nowhere by ${way}`, async ({ spike, window, foreign }) => {
    const { page } = spike;
    const home = page.url();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    await page.evaluate(script(foreign));
    // By the shell, or before it by the page's policy.
    const refused = () => [
      ...window.refusedNavigations,
      ...complaints.filter((text) => text.includes('Content Security')),
    ];
    await expect.poll(() => refused().length).toBeGreaterThan(0);
    expect(page.url()).toBe(home);
    expect(page.frames().filter((frame) => frame.url() === foreign)).toEqual([]);
  });
}

test('the page opens no window', async ({ spike, window, foreign }) => {
  await spike.page.evaluate(`void open('${foreign}')`);
  await expect.poll(() => window.refusedWindows.length).toBe(1);
  await expect.poll(() => spike.page.context().pages().length).toBe(1);
});

test('the page may write to the clipboard, and is permitted nothing else', async ({ spike, window: _ }) => {
  const names = [
    'geolocation',
    'notifications',
    'camera',
    'microphone',
    'midi',
    'clipboard-read',
    'clipboard-write',
  ];
  const states: [string, string][] = await spike.page.evaluate(`Promise.all(${JSON.stringify(names)}.map(
    async (name) => [name, (await navigator.permissions.query({ name })).state],
  ))`);
  expect(states.map(([name]) => name)).toEqual(names);
  const granted = states.filter(([, state]) => state === 'granted').map(([name]) => name);
  expect(granted).toEqual(['clipboard-write']);
});

test('a foreign page in the window gets no port and writes no file', async ({
  spike,
  desktop,
  window,
  foreign,
}) => {
  const { page } = spike;
  await window.loadURL(foreign); // As if something had come past the navigation checks.
  await expect(page).toHaveTitle('Foreign');
  const gotPort = await page.evaluate(`new Promise((resolve) => {
    addEventListener('message', () => resolve(true));
    setTimeout(() => resolve(false), 500);
    spike.requestPort();
  })`);
  expect(gotPort).toBe(false);
  const refusal = await page.evaluate(
    `spike.saveFile('x.har', new Uint8Array([1])).catch((error) => error.message)`,
  );
  expect(refusal).toContain('Refused');
  expect(desktop.dialogs.saves).toEqual([]);
});

test('nothing on the page breaks the policy of its scheme', async ({ spike, window }) => {
  const complaints: string[] = [];
  spike.page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await window.loadURL('spike://window/index.html');
  await expect(spike.page.getByRole('contentinfo', { name: 'Status' })).toContainText('this machine');
  expect(complaints).toEqual([]);
});

test('the tray shows what is broken, and turns rules on and off', async ({ spike, desktop, window: _ }) => {
  const [tray] = desktop.trays;
  if (tray === undefined) throw new Error('no tray');
  expect(tray.image.isEmpty()).toBe(false);
  const rule = await brokenRule(spike);
  await expect.poll(() => tray.toolTip).toBe('Spike: 1 fault active');
  expect(tray.image.path).toContain('active');
  tray.menu?.click('charge && refund fail');
  await expect.poll(() => isEnabled(spike, rule)).toBe(false);
  await expect.poll(() => tray.toolTip).toBe('Spike');
  tray.menu?.click('charge && refund fail');
  await expect.poll(() => isEnabled(spike, rule)).toBe(true);
  await expect.poll(() => tray.toolTip).toBe('Spike: 1 fault active');
  tray.menu?.click('Stop all faults');
  await expect.poll(() => isEnabled(spike, rule)).toBe(false);
});

test('recording paused in the tray is paused in the window, and the other way', async ({
  spike,
  desktop,
  window: _,
}) => {
  const button = spike.page.getByRole('button', { name: 'Recording' });
  desktop.trays[0]?.menu?.click('Pause recording');
  await expect(button).toHaveAttribute('aria-pressed', 'false');
  await expect
    .poll(() => desktop.trays[0]?.menu?.template.map(({ label }) => label))
    .toContain('Resume recording');
  await button.click();
  await expect
    .poll(() => desktop.trays[0]?.menu?.template.map(({ label }) => label))
    .toContain('Pause recording');
});

test('the keys that stop all faults are held only while there are some', async ({
  spike,
  desktop,
  window: _,
}) => {
  const keys = 'CommandOrControl+Shift+X';
  expect([...desktop.shortcuts.registered.keys()]).toEqual([]);
  const rule = await brokenRule(spike);
  await expect.poll(() => [...desktop.shortcuts.registered.keys()]).toEqual([keys]);
  desktop.shortcuts.press(keys);
  await expect.poll(() => isEnabled(spike, rule)).toBe(false);
  await expect.poll(() => [...desktop.shortcuts.registered.keys()]).toEqual([]);
});

test('the agent goes on when the window is closed, and a second start opens it again', async ({
  spike,
  desktop,
  window,
}) => {
  await spike.call('/v1/charge/card');
  window.close();
  expect(await spike.call('/v1/charge/bank')).toBe(201);
  desktop.app.emit('second-instance');
  await expect.poll(() => desktop.windows.length).toBe(2);
  const page = await desktop.windows[1]?.page;
  await expect(page!.getByRole('grid', { name: 'Calls' }).locator('[data-id]')).toHaveCount(2);
});

test('the page that is loaded again is connected again', async ({ spike, window: _ }) => {
  for (let time = 0; time < 3; time += 1) await spike.page.reload();
  await expect(spike.page.getByRole('contentinfo', { name: 'Status' })).toContainText('this machine');
  await spike.call('/v1/charge/card');
  await expect(spike.page.getByRole('grid', { name: 'Calls' }).locator('[data-id]')).toHaveCount(1);
});

test('a cancelled save dialog writes nothing and says nothing', async ({ spike, desktop, window: _ }) => {
  const { page } = spike;
  desktop.dialogs.answerSave = () => null;
  await spike.call('/v1/charge/card');
  // The dialog counts what is kept when it opens.
  await expect(page.getByRole('grid', { name: 'Calls' }).locator('[data-id]')).toHaveCount(1);
  await page.getByRole('button', { name: 'Export' }).click();
  await page
    .getByRole('dialog', { name: 'Export capture' })
    .getByRole('button', { name: /^Export 1 call$/ })
    .click();
  await expect.poll(() => desktop.dialogs.saves.length).toBe(1);
  expect(desktop.dialogs.saves[0]?.defaultPath).toMatch(/spike-\d{4}-\d\d-\d\d-\d{4}\.har$/);
  await expect(page.getByRole('dialog', { name: 'Export capture' })).toHaveCount(0);
  await expect(page.getByText('written to')).toHaveCount(0);
});

test('a file that cannot be written is told in the window', async ({ spike, desktop, home, window: _ }) => {
  const { page } = spike;
  desktop.dialogs.answerSave = () => `${home}/no/such/folder/export.har`;
  await spike.call('/v1/charge/card');
  // The dialog counts what is kept when it opens.
  await expect(page.getByRole('grid', { name: 'Calls' }).locator('[data-id]')).toHaveCount(1);
  await page.getByRole('button', { name: 'Export' }).click();
  await page
    .getByRole('dialog', { name: 'Export capture' })
    .getByRole('button', { name: /^Export 1 call$/ })
    .click();
  await expect(page.getByText(/ENOENT/).first()).toBeVisible();
  await expect(page.getByText('remote method')).toHaveCount(0);
});

test("the system's buttons follow the colours of the page", async ({ spike, window }) => {
  test.skip(process.platform === 'darwin', 'macOS draws its own');
  await expect.poll(() => window.backgroundColor).toBe('#111214');
  await spike.page.getByRole('button', { name: 'Workspace' }).click();
  await spike.page.getByRole('menuitemradio', { name: 'Light' }).click();
  await expect.poll(() => window.backgroundColor).toBe('#f3f4f6');
  expect(window.overlay).toMatchObject({ color: '#f3f4f6', height: 40 });
});

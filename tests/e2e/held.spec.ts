// Calls that a breakpoint holds, edited in the window: a real agent, curl as the caller, an upstream that says what it got.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect, test as base } from '@playwright/test';
import type { Locator, Page } from '@playwright/test';
import type { HeldCall } from '#shared/contract/held.ts';
import type { RuleInput } from '#shared/rules/rule.ts';
import { endRealAgents, eventually, startRealAgent } from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';
import { isInstalled, runProgram } from '../support/run-program.ts';

/** What the upstream heard. */
interface Heard {
  readonly line: string;
  readonly fields: readonly string[];
  readonly body: string;
}

interface Upstream {
  readonly url: string;
  readonly heard: Heard[];
}

const json = '{"order":"o_1","amount":{"value":12950,"currency":"EUR"},"big":12345678901234567890}';

const test = base.extend<{ page: Page; upstream: Upstream }, { agent: RealAgent }>({
  agent: [
    async ({}, use) => {
      await use(await startRealAgent());
      await endRealAgents();
    },
    { scope: 'worker' },
  ],
  upstream: async ({ agent }, use) => {
    const heard: Heard[] = [];
    const server = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const body = Buffer.concat(parts).toString();
      heard.push({ line: `${request.method} ${request.url}`, fields: request.rawHeaders, body });
      response.setHeader('content-type', 'application/json');
      response.setHeader('content-encoding', 'gzip');
      response.end(gzipSync(json));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await use({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard });
    await agent.client.rules.disableAll();
    for (const { id } of await agent.client.rules.list()) await agent.client.rules.remove({ id });
    server.closeAllConnections();
    server.close();
  },
});
test.skip(!isInstalled('curl'), 'curl is not installed');

async function holdCalls(agent: RealAgent, faults: RuleInput['faults']): Promise<void> {
  await agent.client.rules.create({ name: 'hold these', enabled: true, match: { path: '/held*' }, faults });
}

/** curl, as a caller whose name is "shopper"; what it prints is the status and the body. */
function call(agent: RealAgent, upstream: Upstream, path: string, ...options: string[]) {
  const said = ['-sS', '--compressed', '--max-time', '20', '-w', '\\n%{http_code}'];
  return runProgram('curl', [...said, '-x', agent.proxyFor('shopper'), ...options, `${upstream.url}${path}`]);
}

const post = ['-H', 'content-type: application/json', '-d', json];
const panelOf = (page: Page) => page.getByRole('complementary', { name: 'Held calls' });
const rowsOf = (page: Page) => panelOf(page).getByRole('listbox', { name: 'Held calls' }).getByRole('option');

/** Opens the held calls by the banner, wherever the user is. */
async function openHeld(page: Page, count: number): Promise<Locator> {
  const words = count === 1 ? '1 call held' : `${count} calls held`;
  await page.getByRole('alert', { name: 'Active faults' }).getByRole('button', { name: words }).click();
  await expect(rowsOf(page)).toHaveCount(count);
  return panelOf(page);
}

test('a request is held, edited and released: the upstream hears what was written in the window', async ({
  page,
  agent,
  upstream,
}) => {
  await holdCalls(agent, [{ type: 'breakpoint' }]);
  await page.goto(agent.windowUrl('faults'));
  const curl = call(agent, upstream, '/held?x=1', ...post, '-H', 'x-twice: 1', '-H', 'x-twice: 2');
  const panel = await openHeld(page, 1);
  await expect(page).toHaveTitle('1 call held · Spike');
  await expect(rowsOf(page).first()).toHaveAccessibleName(/^POST \/held\?x=1, shopper to .*, request$/);
  await expect(panel.getByRole('button', { name: 'Release Ctrl' })).toBeVisible();
  // Its row in the list is Spike's doing.
  await expect(
    page.getByRole('grid', { name: 'Calls' }).getByRole('row', { name: /held\?x=1/ }),
  ).toContainText('held');
  expect(upstream.heard).toEqual([]);

  await panel.getByRole('combobox', { name: 'Method' }).fill('PUT');
  await panel.getByRole('textbox', { name: 'Target' }).fill('held?x=2');
  await expect(panel).toContainText("Expected a path that begins with '/'.");
  await expect(panel.getByRole('button', { name: 'Release edited' })).toBeDisabled();
  await panel.getByRole('textbox', { name: 'Target' }).fill('/held?x=2');
  const body = panel.getByRole('textbox', { name: 'Body' });
  await expect(body).toContainText('"value": 12950'); // indented to be read
  await body.fill('{"edited":true}');
  await expect(panel.getByRole('tab', { name: 'Body' })).toContainText('changed');
  await panel.getByRole('tab', { name: /^Headers/ }).click();
  await expect(panel).toContainText('These follow the message by themselves');
  await panel.getByRole('button', { name: 'Remove x-twice' }).first().click();
  await panel.getByRole('button', { name: 'Add a header' }).click();
  await page.keyboard.type('bad name');
  await expect(panel).toContainText('Expected a field name');
  await panel
    .getByRole('textbox', { name: /^Name of header/ })
    .last()
    .fill('X-By-Hand');
  await panel
    .getByRole('textbox', { name: /^Value of header/ })
    .last()
    .fill('yes');
  await page.keyboard.press('Control+Enter');

  expect((await curl).stdout).toBe(`${json}\n200`);
  const [got] = upstream.heard;
  expect(got?.line).toBe('PUT /held?x=2');
  expect(got?.body).toBe('{"edited":true}');
  expect(got?.fields.join('\n')).toContain('X-By-Hand\nyes');
  expect(got?.fields.filter((field) => field === 'x-twice')).toHaveLength(1);
  expect(got?.fields.join('\n').toLowerCase()).toContain('content-length\n15');
  await expect(panel).toContainText('Waiting for a call');
  await expect(page).toHaveTitle('Spike');
});

test('what is only looked at, indented or not, goes on byte for byte', async ({ page, agent, upstream }) => {
  await holdCalls(agent, [{ type: 'breakpoint' }]);
  await page.goto(agent.windowUrl());
  const curl = call(agent, upstream, '/held', ...post);
  const panel = await openHeld(page, 1);
  const indented = panel.getByRole('checkbox', { name: 'Indented' });
  await expect(indented).toBeChecked();
  await indented.uncheck();
  const body = panel.getByRole('textbox', { name: 'Body' });
  await expect(body).toHaveText(json);
  await indented.check();
  await body.press('Control+End');
  await body.press('x');
  await expect(panel).toContainText('Not valid JSON');
  await panel.getByRole('button', { name: 'Undo changes' }).click();
  await panel.getByRole('button', { name: 'Release Ctrl' }).click();
  expect((await curl).stdout).toBe(`${json}\n200`);
  expect(upstream.heard[0]?.body).toBe(json);
});

test('what the agent refuses is said at its field, and the call is still held', async ({
  page,
  agent,
  upstream,
}) => {
  await holdCalls(agent, [{ type: 'breakpoint' }]);
  await page.goto(agent.windowUrl());
  const curl = call(agent, upstream, '/held');
  const panel = await openHeld(page, 1);
  const release = panel.getByRole('button', { name: 'Release edited' });
  await panel.getByRole('combobox', { name: 'Method' }).fill('HEAD');
  await release.click();
  await expect(panel).toContainText('GET cannot become HEAD');
  await expect(release).toBeDisabled();
  await panel.getByRole('combobox', { name: 'Method' }).fill('GET');
  await page.keyboard.press('Tab'); // its list is closed
  await panel.getByRole('tab', { name: /^Headers/ }).click();
  await panel.getByRole('button', { name: 'Remove host' }).click();
  await release.click();
  await expect(panel).toContainText('A request has one Host');
  await panel.getByRole('button', { name: 'Undo changes' }).click();
  await panel.getByRole('button', { name: 'Release Ctrl' }).click();
  expect((await curl).stdout).toMatch(/200$/);
});

test('an answer is held and edited: the caller gets it, compressed as before', async ({
  page,
  agent,
  upstream,
}) => {
  await holdCalls(agent, [{ type: 'breakpoint', at: 'response' }]);
  await page.goto(agent.windowUrl());
  const curl = call(agent, upstream, '/held');
  const panel = await openHeld(page, 1);
  await expect(panel).toContainText('gzip is put on again');
  await panel.getByRole('combobox', { name: 'Status' }).fill('503');
  await panel.getByRole('textbox', { name: 'Body' }).fill('{"edited":"answer"}');
  await panel.getByRole('tab', { name: 'Request' }).click();
  await expect(panel).toContainText('GET /held');
  await panel.getByRole('button', { name: 'Release edited' }).click();
  expect((await curl).stdout).toBe('{"edited":"answer"}\n503');
  expect(upstream.heard).toHaveLength(1);
});

test('an answer that is written here comes instead of the upstream’s, which never hears of the call', async ({
  page,
  agent,
  upstream,
}) => {
  await holdCalls(agent, [{ type: 'breakpoint' }]);
  await page.goto(agent.windowUrl());
  const first = call(agent, upstream, '/held', '-i');
  const panel = await openHeld(page, 1);
  await panel.getByRole('button', { name: 'Answer…' }).click();
  const form = panel.getByRole('region', { name: 'Answer' });
  await form.getByRole('button', { name: 'Template' }).click();
  await page.getByRole('menuitem', { name: '429, retry later' }).click();
  await form.getByRole('textbox', { name: 'Value of header 2' }).fill('7');
  await panel.getByRole('button', { name: 'Send answer' }).click();
  const { stdout } = await first;
  expect(stdout).toMatch(/^HTTP\/1\.1 429 /);
  expect(stdout.toLowerCase()).toContain('retry-after: 7');
  expect(stdout).toContain('too many requests');
  // Who answers by hand answers the like again.
  const second = call(agent, upstream, '/held');
  await panel.getByRole('button', { name: 'Answer…' }).click();
  await expect(form.getByRole('combobox', { name: 'Status' })).toHaveValue('429');
  await page.keyboard.press('Control+Enter');
  expect((await second).stdout).toMatch(/429$/);
  expect(upstream.heard).toEqual([]);
});

test('several calls: the keys move in the list, drop cuts one off, Release all lets the others go', async ({
  page,
  agent,
  upstream,
}) => {
  await holdCalls(agent, [{ type: 'breakpoint' }]);
  await page.goto(agent.windowUrl('map'));
  const calls = [];
  for (const number of [1, 2, 3]) {
    calls.push(call(agent, upstream, `/held/${number}`));
    await eventually(async () => expect(await agent.client.held.list()).toHaveLength(number));
  }
  const panel = await openHeld(page, 3);
  const selected = panel.getByRole('option', { selected: true });
  await expect(selected).toHaveAccessibleName(/\/held\/1/);
  await page.keyboard.press('j');
  await expect(selected).toHaveAccessibleName(/\/held\/2/);
  await panel.getByRole('button', { name: 'Drop' }).click();
  await expect(selected).toHaveAccessibleName(/\/held\/3/);
  const dropped = await calls[1];
  expect(dropped?.exitCode).not.toBe(0);
  expect(dropped?.stdout).toMatch(/000$/);
  await page.keyboard.press('k');
  await expect(selected).toHaveAccessibleName(/\/held\/1/);
  // An edit that would be lost is asked about.
  await panel.getByRole('combobox', { name: 'Method' }).fill('PUT');
  await panel.getByRole('button', { name: 'Release all…' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Cancel' }).click();
  await panel.getByRole('button', { name: 'Undo changes' }).click();
  await panel.getByRole('button', { name: 'Release all' }).click();
  await expect(panel).toContainText('Waiting for a call');
  expect((await calls[0])?.stdout).toMatch(/200$/);
  expect((await calls[2])?.stdout).toMatch(/200$/);
  expect(upstream.heard.map(({ line }) => line).sort()).toEqual(['GET /held/1', 'GET /held/3']);
  await page.keyboard.press('Escape');
  await expect(panel).toHaveCount(0);
});

test('the caller hangs up, the time is up: both are said, and the edit stays until it is dismissed', async ({
  page,
  agent,
  upstream,
}) => {
  await holdCalls(agent, [{ type: 'breakpoint', timeoutMs: 8000 }]);
  await page.goto(agent.windowUrl());
  const inTime = call(agent, upstream, '/held/time', ...post);
  const panel = await openHeld(page, 1);
  await panel.getByRole('textbox', { name: 'Body' }).fill('too late');
  await expect(panel).toContainText('The time was up: it went on as it came. What you wrote was not sent.');
  await expect(panel.getByRole('textbox', { name: 'Body' })).toHaveText('too late');
  expect((await inTime).stdout).toMatch(/200$/);
  expect(upstream.heard[0]?.body).toBe(json);
  await expect(page.getByRole('button', { name: /calls? held/ })).toHaveCount(0);
  await panel.getByRole('button', { name: 'Dismiss' }).click();
  await expect(rowsOf(page)).toHaveCount(0);

  const impatient = call(agent, upstream, '/held/gone', '--max-time', '1');
  await expect(panel).toContainText('shopper hung up before anybody decided. Nothing was sent to');
  expect((await impatient).stdout).toMatch(/000$/);
  expect(upstream.heard).toHaveLength(1);
});

test('turning the rule off lets the call go; what was being written is still there', async ({
  page,
  agent,
  upstream,
}) => {
  await holdCalls(agent, [{ type: 'breakpoint' }]);
  await page.goto(agent.windowUrl());
  const curl = call(agent, upstream, '/held', ...post);
  const panel = await openHeld(page, 1);
  await panel.getByRole('textbox', { name: 'Body' }).fill('half an edit');
  await page.keyboard.press('Control+Shift+X');
  await expect(panel).toContainText('“hold these” was turned off or changed: it went on as it came.');
  await expect(panel.getByRole('textbox', { name: 'Body' })).toHaveText('half an edit');
  expect((await curl).stdout).toBe(`${json}\n200`);
  await panel.getByRole('button', { name: 'Dismiss' }).click();
  await expect(panel).toContainText('No call is held');
});

test('a reload, and a second window, show what is held; what one lets go, the other says', async ({
  page,
  context,
  agent,
  upstream,
}) => {
  await holdCalls(agent, [{ type: 'breakpoint' }]);
  await page.goto(agent.windowUrl());
  const curl = call(agent, upstream, '/held');
  await openHeld(page, 1);
  await page.reload();
  const panel = await openHeld(page, 1);
  const other = await context.newPage();
  await other.goto(agent.windowUrl());
  await (await openHeld(other, 1)).getByRole('button', { name: 'Release Ctrl' }).click();
  expect((await curl).stdout).toMatch(/200$/);
  await expect(panel).toContainText('It was released as it came.');
});

test('the menu of a call makes a breakpoint for calls like it', async ({ page, agent, upstream }) => {
  await page.goto(agent.windowUrl());
  await call(agent, upstream, '/held/menu');
  await page.getByRole('row', { name: /^GET \/held\/menu/ }).click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Hold at breakpoint' }).click();
  await expect(page.getByRole('alert', { name: 'Active faults' })).toContainText('GET /held/menu, held');
  const curl = call(agent, upstream, '/held/menu');
  const panel = await openHeld(page, 1);
  await panel.getByRole('button', { name: 'Answer…' }).click();
  await page.keyboard.press('Escape'); // the answer is left, then the panel
  await expect(panel.getByRole('button', { name: 'Answer…' })).toBeVisible();
  await panel.getByRole('button', { name: 'Release Ctrl' }).click();
  expect((await curl).stdout).toMatch(/200$/);
});

test('"Hold at breakpoint" on a call holds the next one like it', async ({ page, agent, upstream }) => {
  await page.goto(agent.windowUrl());
  await call(agent, upstream, '/held/like?y=1');
  await page.getByRole('row', { name: /^GET \/held\/like/ }).click();
  const detail = page.getByRole('complementary', { name: 'Flow detail' });
  await detail.getByRole('tab', { name: 'Faults' }).click();
  await detail.getByRole('button', { name: 'Hold at breakpoint' }).click();
  await expect(page.getByRole('alert', { name: 'Active faults' })).toBeVisible();
  const curl = call(agent, upstream, '/held/like?y=2');
  const panel = await openHeld(page, 1);
  const [held] = (await agent.client.held.list()) as HeldCall[];
  expect(held?.url).toBe(`${upstream.url}/held/like?y=2`);
  await panel.getByRole('button', { name: 'Release Ctrl' }).click();
  expect((await curl).stdout).toMatch(/200$/);
});

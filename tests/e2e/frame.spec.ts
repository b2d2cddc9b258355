import type { Rule } from '#shared/rules/rule.ts';
import type { Status } from '#shared/contract/status.ts';
import { expect, startFixtureAgent, test } from './fixture-agent.ts';
import type { FixtureAgent } from './fixture-agent.ts';

const slowPayments = {
  name: 'payments is slow',
  enabled: true,
  match: { caller: 'checkout', callee: 'payments' },
  faults: [{ type: 'latency', latencyMs: 2000 }],
};

const rules = (agent: FixtureAgent) => agent.ask<Rule[]>('/rules');
async function isOn(agent: FixtureAgent, name: string): Promise<boolean | undefined> {
  return (await rules(agent)).find((rule) => rule.name === name)?.enabled;
}

/** Turns every rule off, then makes one that is on. */
async function onlySlowPayments(agent: FixtureAgent): Promise<void> {
  await agent.ask('/rules/disable-all', { method: 'POST', body: '{}' });
  for (const rule of await rules(agent)) await agent.ask(`/rules/${rule.id}`, { method: 'DELETE' });
  await agent.ask('/rules', { method: 'POST', body: JSON.stringify(slowPayments) });
}

test('the token leaves the address, and a reload still has it', async ({ page, agent }) => {
  expect(agent.url).toContain('token=');
  await expect(page.getByRole('contentinfo', { name: 'Status' })).toContainText('this machine');
  expect(page.url()).not.toContain('token');
  await page.reload();
  await expect(page.getByRole('contentinfo', { name: 'Status' })).toContainText('this machine');
});

test('without a key the window says what to open', async ({ page, agent, context }) => {
  const stranger = await context.newPage();
  await stranger.goto(new URL('/', agent.url).href);
  await expect(stranger.getByRole('alert')).toContainText('no valid key');
  await expect(page.getByRole('alert').filter({ hasText: 'no valid key' })).toHaveCount(0);
});

test('views by click, by key and by the address', async ({ page, agent: _agent }) => {
  const views = page.getByRole('navigation', { name: 'Views' });
  for (const [index, name] of ['Live', 'Map', 'Faults', 'Setup'].entries()) {
    await views.getByRole('link', { name }).click();
    await expect(page.getByRole('main', { name })).toBeVisible();
    await expect(views.getByRole('link', { name })).toHaveAttribute('aria-current', 'page');
    await page.keyboard.press('1');
    await expect(page.getByRole('main', { name: 'Live' })).toBeVisible();
    await page.keyboard.press(String(index + 1));
    await expect(page.getByRole('main', { name })).toBeVisible();
  }
  await page.goBack();
  await expect(page.getByRole('main', { name: 'Live' })).toBeVisible();
});

test('recording is paused and started by its button and by its key', async ({ page, agent }) => {
  const button = page.getByRole('button', { name: 'Recording' });
  const recording = async () => (await agent.ask<Status>('/status')).capture.recording;
  await expect(button).toHaveAttribute('aria-pressed', 'true');
  await button.click();
  await expect(button).toHaveAttribute('aria-pressed', 'false');
  expect(await recording()).toBe(false);
  await page.keyboard.press('Control+Shift+R');
  await expect(button).toHaveAttribute('aria-pressed', 'true');
  expect(await recording()).toBe(true);
});

test('active faults are told on every view; Stop all stops them and can be undone', async ({
  page,
  agent,
}) => {
  await onlySlowPayments(agent);
  const banner = page.getByRole('alert', { name: 'Active faults' });
  await expect(banner).toContainText('1 fault active');
  await expect(banner).toContainText('payments is slow');
  await expect(banner).toContainText('checkout → payments');
  await page.keyboard.press('4');
  await banner.getByRole('button', { name: 'Stop all' }).click();
  await expect(banner).toHaveCount(0);
  expect(await isOn(agent, 'payments is slow')).toBe(false);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(banner).toBeVisible();
  expect(await isOn(agent, 'payments is slow')).toBe(true);
});

test('Ctrl+Shift+X stops all faults, also while typing', async ({ page, agent }) => {
  await onlySlowPayments(agent);
  await expect(page.getByRole('alert', { name: 'Active faults' })).toBeVisible();
  await page.getByRole('searchbox', { name: 'Search calls' }).click();
  await page.keyboard.press('Control+Shift+X');
  await expect(page.getByText('1 fault stopped').first()).toBeVisible();
  expect(await isOn(agent, 'payments is slow')).toBe(false);
});

test('the colours follow the system, or the choice', async ({ page, agent: _agent }) => {
  const html = page.locator('html');
  await expect(html).toHaveAttribute('data-theme', 'dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await expect(html).toHaveAttribute('data-theme', 'light');
  await page.getByRole('button', { name: 'Workspace' }).click();
  await page.getByRole('menuitemradio', { name: 'Dark' }).click();
  await expect(html).toHaveAttribute('data-theme', 'dark');
  await page.reload();
  await expect(html).toHaveAttribute('data-theme', 'dark');
});

test('an agent that goes away is told, and the window finds it again', async ({ page, agent }) => {
  const status = page.getByRole('contentinfo', { name: 'Status' });
  await expect(status).toContainText('this machine');
  const row = page.getByRole('grid', { name: 'Calls' }).getByRole('row').nth(1);
  await expect(row).toBeVisible();
  const port = Number(new URL(agent.url).port);
  await agent.stop();
  const notice = page.getByRole('alert').filter({ hasText: 'No answer from this machine' });
  await expect(notice).toContainText('Trying again, 2nd time');
  await expect(notice).toContainText('their state is unknown here');
  await expect(row).toBeVisible();
  const back = await startFixtureAgent({ rate: 20, port, token: agent.token });
  await expect(status).toContainText('this machine', { timeout: 20_000 });
  await expect(notice).toHaveCount(0);
  await back.stop();
});

test('an agent with another key is told, until its address is opened', async ({ page, agent }) => {
  const status = page.getByRole('contentinfo', { name: 'Status' });
  await expect(status).toContainText('this machine');
  await agent.stop();
  const other = await startFixtureAgent({ rate: 20, port: Number(new URL(agent.url).port) });
  try {
    await expect(page.getByRole('alert').filter({ hasText: 'no valid key' })).toBeVisible({
      timeout: 20_000,
    });
    await page.goto(other.url);
    await expect(status).toContainText('this machine');
  } finally {
    await other.stop();
  }
});

test('nothing on the page breaks its content security policy', async ({ page, agent }) => {
  const complaints: string[] = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await page.goto('about:blank');
  await page.goto(agent.url);
  await page.getByRole('grid', { name: 'Calls' }).getByRole('row').nth(1).click();
  await page.getByRole('tab', { name: 'Response' }).click();
  await page.getByRole('searchbox', { name: 'Search calls' }).click();
  await page.keyboard.type('fau');
  await expect(page.getByRole('listbox', { name: 'Completions' })).toBeVisible();
  expect(complaints).toEqual([]);
});

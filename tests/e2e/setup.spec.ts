import { readFile } from 'node:fs/promises';
import type { Route } from '#shared/routes/route.ts';
import type { Status } from '#shared/contract/status.ts';
import { expect, startFixtureAgent, test } from './fixture-agent.ts';

test.beforeEach(async ({ page, agent: _agent }) => {
  await page.getByRole('link', { name: 'Setup' }).click();
});

test('what it says of this machine is what the agent says', async ({ page, agent }) => {
  const status = await agent.ask<Status>('/status');
  const state = page.getByRole('complementary', { name: 'State' });
  await expect(state).toContainText(`Proxy on ${status.proxy.address}`);
  await expect(state).toContainText(`${status.workers.length} of ${status.workers.length}`);
  await expect(state).toContainText(status.ca.keyMode ?? 'cannot be told');
  await expect(page.getByRole('region', { name: 'Use the proxy' })).toContainText(
    `web:x@${status.proxy.address}`,
  );
  await expect(page.getByRole('region', { name: 'Trust the certificate' })).toContainText(status.ca.path);
});

test('a client that rejects the certificate is left alone until it is forgotten', async ({ page, agent }) => {
  const listed = () => agent.ask<{ client: string; name: string }[]>('/passthrough');
  const [client] = await listed();
  const alone = page.getByRole('region', { name: 'Left alone' });
  await expect(alone).toContainText(`${client!.client} to ${client!.name}`);
  await expect(alone).toContainText('It sent unknown_ca');
  await alone.getByRole('button', { name: `Forget ${client!.client} to ${client!.name}` }).click();
  await expect(alone).toContainText('No client has rejected the certificate.');
  expect(await listed()).toEqual([]);
});

test('a route is added, checked as one types, and removed with a way back', async ({ page, agent }) => {
  const form = page.getByRole('form', { name: 'Add a route' });
  await form.getByRole('textbox', { name: 'Name' }).fill('billing');
  await form.getByRole('textbox', { name: 'Listens on' }).fill('127.0.0.1');
  await form.getByRole('textbox', { name: 'Forwards to' }).fill('http://127.0.0.1:8109');
  await form.getByRole('button', { name: 'Add route' }).click();
  await expect(form).toContainText('Expected an address and a port');
  await form.getByRole('textbox', { name: 'Listens on' }).fill('127.0.0.1:9109');
  await form.getByRole('button', { name: 'Add route' }).click();
  const routes = page.getByRole('table', { name: 'Routes' });
  await expect(routes.getByRole('row', { name: /billing/ })).toContainText('127.0.0.1:9109');
  const names = async () => (await agent.ask<Route[]>('/routes')).map((route) => route.name);
  expect(await names()).toContain('billing');
  await routes.getByRole('button', { name: 'Remove route billing' }).click();
  await expect.poll(names).not.toContain('billing');
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect.poll(names).toContain('billing');
});

test('what the agent refuses stands at its field', async ({ page, agent }) => {
  const [present] = await agent.ask<Route[]>('/routes');
  const form = page.getByRole('form', { name: 'Add a route' });
  await form.getByRole('textbox', { name: 'Name' }).fill('another');
  await form.getByRole('textbox', { name: 'Listens on' }).fill(present!.listen);
  await form.getByRole('textbox', { name: 'Forwards to' }).fill('http://127.0.0.1:8109');
  await form.getByRole('button', { name: 'Add route' }).click();
  await expect(form.getByRole('alert')).toBeVisible();
  await expect(form.getByRole('textbox', { name: 'Listens on' })).toHaveAttribute('aria-invalid', 'true');
});

test('the certificate is saved as a file', async ({ page, agent }) => {
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download spike-ca.pem' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe('spike-ca.pem');
  const saved = await readFile(await file.path(), 'utf8');
  expect(saved).toMatch(/^-----BEGIN CERTIFICATE-----/);
  const headers = { authorization: `Bearer ${agent.token}` };
  const answer = await fetch(new URL('/api/v1/ca.pem', agent.url), { headers });
  expect(saved).toBe(await answer.text());
});

test('commands are copied as they stand', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const run = page.getByRole('region', { name: 'Run a command' });
  await run.getByRole('radio', { name: 'Python' }).click();
  await expect(run).toContainText('REQUESTS_CA_BUNDLE');
  await run.getByRole('button', { name: 'Copy the command' }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
    'spike run --as orders -- python app.py',
  );
});

test('it waits for the first call, and says when it has come', async ({ page }) => {
  const fresh = await startFixtureAgent({ rate: 20, history: 0, demo: true });
  try {
    await page.goto(fresh.url);
    await page.getByRole('link', { name: 'Setup' }).click();
    await expect(page.getByRole('status').filter({ hasText: 'Waiting for the first call…' })).toBeVisible();
    await page.getByRole('button', { name: 'Start the example shop' }).click();
    await expect(page.getByRole('status').filter({ hasText: 'Calls are coming in' })).toBeVisible();
    await expect(page.getByText('The example shop is running.')).toBeVisible();
  } finally {
    await fresh.stop();
  }
});

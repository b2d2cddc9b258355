import type { Flow } from '#shared/flow/flow.ts';
import type { Rule } from '#shared/rules/rule.ts';
import { electronBinary, targets } from './support/electron-target.ts';
import { expect, test } from './support/open-spike.ts';
import type { OpenSpike } from './support/open-spike.ts';
import type { Page } from '@playwright/test';

// The same window over every way to it: a browser, the Electron shell on a stand-in of Electron, and Electron itself.

const rows = (page: Page) => page.getByRole('grid', { name: 'Calls' }).locator('[data-id]');
const panel = (page: Page) => page.getByRole('complementary', { name: 'Flow detail' });
const banner = (page: Page) => page.getByRole('alert', { name: 'Active faults' });
const online = (page: Page) => page.getByRole('contentinfo', { name: 'Status' }).getByText('this machine');

/**
 * A call whose callee has its lasting name. The process that listens there is looked up while the first call passes, which
 * is recorded under the address; a rule made from that one is not about the calls after it. Where processes cannot be
 * looked up, the address is the name.
 */
async function namedCall(spike: OpenSpike): Promise<Flow> {
  for (let time = 0; ; time += 1) {
    expect(await spike.call('/v1/charge/card')).toBe(201);
    const { flows } = await spike.ask<{ flows: Flow[] }>('/flows?limit=1');
    const [flow] = flows;
    if (flow !== undefined && (flow.callee.resolvedBy === 'process' || time >= 8)) return flow;
    await spike.page.waitForTimeout(250);
  }
}

const binary = await electronBinary();
if (!binary.ok) console.log(`Not run in Electron itself: ${binary.reason}.`);

for (const target of targets) {
  test.describe(`in ${target}`, () => {
    test.use({ target });
    test.skip(target === 'electron' && !binary.ok, binary.ok ? '' : binary.reason);

    test('a call through the proxy arrives in the list, and its body opens', async ({ spike }) => {
      const { page } = spike;
      await expect(online(page)).toBeVisible();
      expect(await spike.call('/v1/charge/card')).toBe(201);
      await expect(rows(page)).toHaveCount(1);
      await expect(rows(page).first()).toHaveAccessibleName(
        /^POST \/v1\/charge\/card, checkout to .+, 201, /,
      );
      await rows(page).first().click();
      await panel(page).getByRole('tab', { name: 'Response' }).click();
      await expect(panel(page).getByLabel('Body', { exact: true })).toContainText('"captured"');
    });

    test('a click breaks the next call, Stop all mends it, Undo breaks it again', async ({ spike }) => {
      const { page } = spike;
      const flow = await namedCall(spike);
      await page.locator(`[data-id="${flow.id}"]`).click();
      await panel(page).getByRole('tab', { name: 'Faults' }).click();
      await panel(page).getByRole('button', { name: 'Reset' }).click();
      // Said once every worker has the rule: from then on it is the very next call.
      await expect(page.getByText(/: on$/).first()).toBeVisible();
      await expect(banner(page)).toContainText('1 fault active');
      expect(await spike.call('/v1/charge/card')).toBe('ECONNRESET');
      await banner(page).getByRole('button', { name: 'Stop all' }).click();
      await expect(page.getByText('1 fault stopped').first()).toBeVisible();
      await expect(banner(page)).toHaveCount(0);
      expect(await spike.call('/v1/charge/card')).toBe(201);
      await page.getByRole('button', { name: 'Undo' }).click();
      await expect(banner(page)).toBeVisible();
      await expect.poll(() => spike.call('/v1/charge/card')).toBe('ECONNRESET');
      const { flows } = await spike.ask<{ flows: Flow[] }>('/flows?limit=10');
      expect(flows.filter((flow) => flow.faults.length > 0)).not.toHaveLength(0);
    });

    test('a rule turned off by a script goes out in the window', async ({ spike }) => {
      const { page } = spike;
      const rule = {
        name: 'charge fails',
        enabled: true,
        match: { path: '/v1/*' },
        faults: [{ type: 'status', status: 503 }],
      };
      const { id } = await spike.ask<Rule>('/rules', { method: 'POST', body: JSON.stringify(rule) });
      await expect(banner(page)).toContainText('charge fails');
      await spike.ask(`/rules/${id}/disable`, { method: 'POST', body: '{}' });
      await expect(banner(page)).toHaveCount(0);
    });

    test('what is shown is exported to where the user says', async ({ spike }) => {
      const { page } = spike;
      await spike.call('/v1/charge/card');
      await spike.call('/v1/charge/bank');
      await expect(rows(page)).toHaveCount(2);
      const text = await spike.exported(async () => {
        await page.getByRole('button', { name: 'Export' }).click();
        const dialog = page.getByRole('dialog', { name: 'Export capture' });
        await dialog.getByRole('button', { name: /^Export [\d,]+ calls?$/ }).click();
      });
      const har = JSON.parse(text) as { log: { entries: { request: { url: string } }[] } };
      expect(har.log.entries.map(({ request }) => new URL(request.url).pathname).sort()).toEqual([
        '/v1/charge/bank',
        '/v1/charge/card',
      ]);
      await expect(page.getByText(/^2 calls written to /).first()).toBeVisible();
    });

    test('the colours are dark, or light by choice', async ({ spike }) => {
      const { page } = spike;
      const html = page.locator('html');
      await expect(html).toHaveAttribute('data-theme', 'dark');
      await page.getByRole('button', { name: 'Workspace' }).click();
      await page.getByRole('menuitemradio', { name: 'Light' }).click();
      await expect(html).toHaveAttribute('data-theme', 'light');
      await page.reload();
      await expect(online(page)).toBeVisible();
      await expect(html).toHaveAttribute('data-theme', 'light');
    });
  });
}

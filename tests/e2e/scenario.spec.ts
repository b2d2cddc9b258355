import { readFile } from 'node:fs/promises';
import { expect, test } from './fixture-agent.ts';

test.use({ rate: 50 });

// An agent that is asked for opens the page.
test.beforeEach(async ({ page, agent: _agent }) => {
  await page.getByRole('link', { name: 'Faults' }).click();
});

test('a scenario is run, followed, and its report saved', async ({ page }) => {
  const strip = page.getByRole('region', { name: 'Scenario' });
  await strip.getByRole('combobox', { name: 'Shown scenario' }).selectOption('quick');
  await expect(strip.getByRole('list', { name: 'Rules over time' })).toContainText('payments is gone');
  await strip.getByRole('button', { name: 'Run' }).click();
  await expect(strip.getByTestId('scenario-now')).toBeVisible();
  await expect(strip.getByRole('combobox')).toBeDisabled();
  await expect(strip.getByRole('status')).toHaveText('It ran to its end');
  await expect(strip.getByTestId('scenario-now')).toHaveCount(0);
  const download = page.waitForEvent('download');
  await strip.getByRole('button', { name: 'Report' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe('quick.html');
  expect(await readFile(await file.path(), 'utf8')).toContain('Did the fallbacks work?');
});

test('a running scenario says what comes next, and is stopped', async ({ page, agent }) => {
  const strip = page.getByRole('region', { name: 'Scenario' });
  await strip.getByRole('combobox', { name: 'Shown scenario' }).selectOption('black friday');
  await strip.getByRole('button', { name: 'Run' }).click();
  await expect(strip.getByRole('status')).toHaveText(/^\d+ s of 120 s · next: payments slow in \d+ s$/);
  await strip.getByRole('button', { name: 'Stop' }).click();
  await expect(strip.getByRole('status')).toContainText('Stopped after');
  const { run } = await agent.ask<{ run: { reason: string } }>('/scenarios/run');
  expect(run.reason).toBe('it was stopped by hand');
});

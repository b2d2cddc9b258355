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
  await expect(strip.getByRole('button', { name: 'Edit' })).toBeDisabled();
  await expect(strip.getByRole('status')).toHaveText('It ran to its end');
  await expect(strip.getByTestId('scenario-now')).toHaveCount(0);
  // For a reader of the screen each chart says the highest of each caller.
  await expect(strip.getByRole('img', { name: /^Errors of the callers: \S+ at most \d/ })).toBeVisible();
  await expect(
    strip.getByRole('img', { name: /^p95 latency of the callers: \S+ at most [\d.]+ m?s/ }),
  ).toBeVisible();
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

test('a scenario is edited: steps are added, moved and taken out, and what is wrong is told in its place', async ({
  page,
  agent,
}) => {
  const strip = page.getByRole('region', { name: 'Scenario' });
  await strip.getByRole('combobox', { name: 'Shown scenario' }).selectOption('quick');
  await strip.getByRole('button', { name: 'Edit' }).click();
  const editor = page.getByRole('dialog', { name: 'Edit scenario' });
  await editor.getByRole('textbox', { name: 'Duration' }).fill('1 minute');
  await expect(editor.getByRole('button', { name: 'Save scenario' })).toBeDisabled();
  await expect(editor.getByRole('textbox', { name: 'Duration' })).toHaveAttribute('aria-invalid', 'true');
  await editor.getByRole('textbox', { name: 'Duration' }).fill('10s');
  await editor.getByRole('button', { name: 'Add a step' }).click();
  const second = editor.getByRole('listitem', { name: 'Step 2' });
  await second.getByRole('textbox', { name: 'At' }).fill('2s');
  await second.getByRole('combobox', { name: 'Turns on' }).selectOption('redis on 3G');
  await editor.getByRole('button', { name: 'Move step 2 up' }).click();
  await editor.getByRole('button', { name: 'Save scenario' }).click();
  await expect(editor).toHaveCount(0);
  const saved = async () =>
    (await agent.ask<{ name: string }[]>('/scenarios')).find(({ name }) => name === 'quick');
  expect(await saved()).toMatchObject({
    duration: '10s',
    steps: [
      { at: '400ms', for: '500ms', enable: ['redis-on-3g'] },
      { at: '2s', name: 'payments down', rule: { name: 'payments is gone' } },
    ],
  });
  await expect(strip.getByRole('list', { name: 'Rules over time' })).toContainText('redis-on-3g');
  await strip.getByRole('button', { name: 'Edit' }).click();
  await editor.getByRole('button', { name: 'Delete' }).click();
  await expect.poll(saved).toBeUndefined();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect.poll(saved).toMatchObject({ duration: '10s' });
});

test('a rolling restart is made of the services that were seen', async ({ page, agent }) => {
  await page.getByRole('button', { name: 'New scenario' }).click();
  await page.getByRole('menuitem', { name: 'Rolling restart…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Rolling restart' });
  await dialog.getByRole('checkbox', { name: 'payments' }).uncheck();
  await dialog.getByRole('button', { name: 'Make the scenario…' }).click();
  const editor = page.getByRole('dialog', { name: 'New scenario' });
  await expect(editor.getByRole('listitem', { name: 'Step 1' })).toContainText('restarts');
  await expect(editor).not.toContainText('payments restarts');
  await editor.getByRole('button', { name: 'Save scenario' }).click();
  await expect
    .poll(async () => (await agent.ask<{ name: string }[]>('/scenarios')).map(({ name }) => name))
    .toContain('rolling restart');
});

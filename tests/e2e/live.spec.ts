import { readFile } from 'node:fs/promises';
import type { Rule } from '#shared/rules/rule.ts';
import { expect, startFixtureAgent, test } from './fixture-agent.ts';
import type { Page } from '@playwright/test';

const grid = (page: Page) => page.getByRole('grid', { name: 'Calls' });
/** The rows of calls, without the head. */
const rows = (page: Page) => grid(page).locator('[data-id]');
const panel = (page: Page) => page.getByRole('complementary', { name: 'Flow detail' });

async function search(page: Page, text: string): Promise<void> {
  await page.getByRole('searchbox', { name: 'Search calls' }).click();
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Delete');
  if (text !== '') await page.keyboard.type(text);
  await page.keyboard.press('Enter');
}

const posts = 'method:POST status:2xx -proto:grpc';

/** Searches for calls that all have a JSON body, and waits until the list shows no others. */
async function searchPosts(page: Page): Promise<void> {
  await search(page, posts);
  await letItFollow(page);
  await expect(rows(page).first()).toHaveAccessibleName(/^POST /);
}

/** Moves the pointer off the list, which would stand still below it. */
async function letItFollow(page: Page): Promise<void> {
  await page.mouse.move(700, 5);
}

test('calls arrive by themselves, named by what they are', async ({ page, agent: _agent }) => {
  await letItFollow(page);
  await expect(rows(page).first()).toBeVisible();
  await expect(grid(page)).toHaveAttribute('aria-rowcount', /[1-9]/);
  const last = await rows(page).last().getAttribute('data-id');
  await expect.poll(() => rows(page).last().getAttribute('data-id')).not.toBe(last);
  await expect(rows(page).last()).toHaveAccessibleName(/^.+, \S.* to \S.*, \S+, ([\d.,]+ (ms|s)|–)$/);
});

test('the list stands still under the pointer, counts what came, and follows again', async ({
  page,
  agent: _agent,
}) => {
  await expect(rows(page).first()).toBeVisible();
  await grid(page).hover();
  const pill = page.getByRole('button', { name: /\d+ newer calls?/ });
  await expect(pill).toBeVisible();
  const last = await rows(page).last().getAttribute('data-id');
  await expect.poll(async () => Number.parseInt((await pill.textContent()) ?? '0')).toBeGreaterThan(10);
  expect(await rows(page).last().getAttribute('data-id')).toBe(last);
  await page.keyboard.press('End');
  await expect.poll(() => rows(page).last().getAttribute('data-id')).not.toBe(last);
});

test('a search filters the list, also what streams in, and counts in the agent', async ({ page, agent }) => {
  await letItFollow(page);
  await expect(rows(page).first()).toBeVisible();
  await searchPosts(page);
  for (let look = 0; look < 3; look += 1) {
    const names = await rows(page).evaluateAll((found) => found.map((row) => row.getAttribute('aria-label')));
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => name?.startsWith('POST ') !== true)).toEqual([]);
    await page.waitForTimeout(300);
  }
  const { matching } = await agent.ask<{ matching: number }>(
    `/flow-count?filter=${encodeURIComponent(posts)}`,
  );
  expect(matching).toBeGreaterThan(0);
});

test('a search that is not understood is told in place, and the list keeps the last one', async ({
  page,
  agent: _agent,
}) => {
  await letItFollow(page);
  await searchPosts(page);
  await search(page, `${posts} status>abc`);
  await expect(page.getByRole('alert').filter({ hasText: 'The list keeps the last search.' })).toBeVisible();
  await expect(rows(page).first()).toHaveAccessibleName(/^POST /);
});

test('completion says how many calls would remain, and is accepted with Tab', async ({
  page,
  agent: _agent,
}) => {
  await expect(rows(page).first()).toBeVisible();
  await page.getByRole('searchbox', { name: 'Search calls' }).click();
  await page.keyboard.type('method:PO');
  const option = page
    .getByRole('listbox', { name: 'Completions' })
    .getByRole('option', { name: /method:POST/ });
  await expect(option).toHaveText(/method:POST.*\d/);
  await page.keyboard.press('Tab');
  await expect(page.getByRole('searchbox', { name: 'Search calls' })).toHaveText('method:POST');
});

test('no match is said with a way out', async ({ page, agent: _agent }) => {
  await expect(rows(page).first()).toBeVisible();
  await search(page, 'path:/there-is-no-such-path');
  await expect(page.getByRole('heading', { name: 'No call matches' })).toBeVisible();
  await page.getByRole('button', { name: 'Clear search' }).last().click();
  await expect(rows(page).first()).toBeVisible();
});

test('a call opens in the panel: by click, by keys, tab by tab', async ({ page, agent: _agent }) => {
  // Not any call: one with messages inside has a tab more.
  await searchPosts(page);
  await expect(rows(page).nth(5)).toBeVisible();
  await rows(page).nth(5).click();
  await expect(panel(page)).toBeVisible();
  const selected = () => grid(page).locator('[aria-selected="true"]').getAttribute('data-id');
  const first = await selected();
  await page.keyboard.press('j');
  await expect.poll(selected).not.toBe(first);
  await page.keyboard.press('k');
  await expect.poll(selected).toBe(first);
  const tabs = panel(page).getByRole('tab');
  await expect(tabs).toHaveText([/^Overview/, /^Request/, /^Response/, /^Timing/, /^Faults/]);
  for (const name of ['Request', 'Response', 'Timing', 'Faults']) {
    await page.keyboard.press(']');
    await expect(panel(page).getByRole('tab', { name })).toHaveAttribute('aria-selected', 'true');
  }
  await page.keyboard.press('Escape');
  await expect(panel(page)).toHaveCount(0);
});

test('a JSON body is decoded, indented, searched, and shown as bytes', async ({ page, agent: _agent }) => {
  await searchPosts(page);
  await rows(page).first().click();
  await panel(page).getByRole('tab', { name: 'Response' }).click();
  const body = panel(page).getByLabel('Body', { exact: true });
  await expect(body).toContainText(/\{\s*"/);
  await panel(page).getByRole('button', { name: 'Find in body' }).click();
  await expect(panel(page).getByPlaceholder('Find')).toBeFocused();
  await panel(page).getByRole('radio', { name: 'Hex' }).click();
  await expect(body).toContainText('00000000  7b');
  await expect(panel(page).getByText(/content-type/i)).toBeVisible();
});

test('calls like one are broken with a click', async ({ page, agent }) => {
  const before = (await agent.ask<Rule[]>('/rules')).map((rule) => rule.id);
  await searchPosts(page);
  await rows(page).first().click();
  await panel(page).getByRole('tab', { name: 'Faults' }).click();
  await panel(page).getByRole('button', { name: 'Slow 2 s' }).click();
  await expect(page.getByRole('alert', { name: 'Active faults' })).toBeVisible();
  const made = (await agent.ask<Rule[]>('/rules')).filter((rule) => !before.includes(rule.id));
  expect(made).toHaveLength(1);
  expect(made[0]).toMatchObject({ enabled: true, faults: [{ type: 'latency', latencyMs: 2000 }] });
  expect(made[0]?.match).toMatchObject({ method: 'POST', path: expect.stringMatching(/^\//) });
  // Once more turns on the same rule and makes no second one.
  await panel(page).getByRole('button', { name: 'Slow 2 s' }).click();
  await expect.poll(async () => (await agent.ask<Rule[]>('/rules')).length).toBe(before.length + 1);
});

test('what is shown is exported, without its secrets unless told otherwise', async ({
  page,
  agent: _agent,
}) => {
  await expect(rows(page).first()).toBeVisible();
  await search(page, 'method:POST');
  await page.getByRole('button', { name: 'Export' }).click();
  const dialog = page.getByRole('dialog', { name: 'Export capture' });
  await expect(dialog.getByRole('switch', { name: 'Replace secrets' })).toBeChecked();
  const download = page.waitForEvent('download');
  await dialog.getByRole('button', { name: /^Export [\d,]+ calls?$/ }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/^spike-\d{4}-\d\d-\d\d-\d{4}\.har$/);
  const har = JSON.parse(await readFile(await file.path(), 'utf8')) as {
    log: { version: string; entries: { request: { method: string } }[] };
  };
  expect(har.log.version).toBe('1.2');
  expect(new Set(har.log.entries.map((entry) => entry.request.method))).toEqual(new Set(['POST']));
  await page.getByRole('button', { name: 'Export' }).click();
  await dialog.getByRole('switch', { name: 'Replace secrets' }).click();
  await expect(dialog).toContainText('readable by whoever has the file');
  const whole = page.waitForEvent('download');
  await dialog.getByRole('button', { name: /^Export [\d,]+ calls?$/ }).click();
  const secret = 'Bearer service-';
  expect((await readFile(await (await whole).path(), 'utf8')).includes(secret)).toBe(true);
  expect(JSON.stringify(har).includes(secret)).toBe(false);
});

test('before the first call, the view says what to do, and starts the example shop', async ({ page }) => {
  const agent = await startFixtureAgent({ rate: 20, history: 0, demo: true });
  try {
    await page.goto(agent.url);
    await expect(page.getByRole('heading', { name: 'No calls yet' })).toBeVisible();
    await expect(page.getByRole('status').filter({ hasText: 'Waiting for the first call…' })).toBeAttached();
    await page.getByRole('button', { name: 'Open Setup' }).click();
    await expect(page.getByRole('main', { name: 'Setup' })).toBeVisible();
    await page.keyboard.press('1');
    await page.getByRole('button', { name: 'Start the example shop' }).click();
    await expect(rows(page).first()).toBeVisible();
  } finally {
    await agent.stop();
  }
});

test('clearing asks first, then forgets', async ({ page, agent }) => {
  await letItFollow(page);
  await expect(rows(page).first()).toBeVisible();
  await page.getByRole('button', { name: 'Clear calls' }).click();
  const dialog = page.getByRole('alertdialog', { name: 'Clear calls' });
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  const before = await agent.ask<{ total: number }>('/flow-count');
  await page.getByRole('button', { name: 'Clear calls' }).click();
  await dialog.getByRole('button', { name: /^Clear/ }).click();
  await expect(page.getByText(/calls? forgotten/).first()).toBeVisible();
  expect((await agent.ask<{ total: number }>('/flow-count')).total).toBeLessThan(before.total);
});

test('dragging on the strip sets the time', async ({ page, agent: _agent }) => {
  const strip = page.getByRole('img', { name: /^Calls over time/ });
  await expect(strip).toBeVisible();
  const box = (await strip.boundingBox())!;
  await page.mouse.move(box.x + box.width * 0.9, box.y + 10);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 2, box.y + 10, { steps: 4 });
  await page.mouse.up();
  await expect(page.getByRole('button', { name: /^Time: \d\d:\d\d:\d\d to \d\d:\d\d:\d\d$/ })).toBeVisible();
});

test.describe('in a small window', () => {
  test.use({ viewport: { width: 1024, height: 700 } });
  test('the rail folds, the table drops columns, the panel stays beside', async ({ page, agent: _agent }) => {
    await expect(rows(page).first()).toBeVisible();
    await rows(page).first().click();
    await expect(panel(page)).toBeVisible();
    await expect(grid(page).getByRole('columnheader')).toHaveText(
      ['Time', 'Caller → callee', 'Path', 'Status', 'Latency', ''],
      { useInnerText: true },
    );
    expect((await page.getByRole('navigation', { name: 'Views' }).boundingBox())?.width).toBe(48);
    const overflow = await page.locator('html').evaluate((html) => html.scrollWidth > html.clientWidth);
    expect(overflow).toBe(false);
  });
});

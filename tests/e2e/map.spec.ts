import type { Rule } from '#shared/rules/rule.ts';
import type { Topology } from '#shared/contract/topology.ts';
import { expect, startFixtureAgent, test } from './fixture-agent.ts';
import type { FixtureAgent } from './fixture-agent.ts';

test.use({ rate: 50 });

const rules = (agent: FixtureAgent) => agent.ask<Rule[]>('/rules');
const edgeButton = /^checkout to payments, .* calls per second/;

test.beforeEach(async ({ page, agent }) => {
  await agent.ask('/rules/disable-all', { method: 'POST', body: '{}' });
  await page.getByRole('link', { name: 'Map' }).click();
  await expect(page.getByRole('button', { name: edgeButton })).toBeVisible();
});

test('every service and every edge has a name in the order of the layers', async ({ page, agent }) => {
  const topology = await agent.ask<Topology>('/topology?window=60s');
  const cards = page.getByRole('list', { name: 'Services on the map' }).getByRole('button');
  await expect(cards).toHaveCount(topology.services.length);
  const depth = new Map(topology.services.map((service) => [service.name, service.depth]));
  const names = await cards.evaluateAll((buttons) =>
    buttons.map((button) => button.getAttribute('aria-label')!.split(',')[0]!),
  );
  const depths = names.map((name) => depth.get(name));
  expect(depths).toEqual([...depths].sort((a, b) => a! - b!));
  const edges = page.getByRole('list', { name: 'Calls between services' }).getByRole('button');
  await expect(edges).toHaveCount(topology.edges.length);
  await expect(page.getByRole('button', { name: /^payments, p95 / })).toBeVisible();
});

test('a click on an edge shows its figures, and a click on a fault breaks it', async ({ page, agent }) => {
  await page.getByRole('button', { name: edgeButton }).click();
  const panel = page.getByRole('complementary', { name: 'checkout to payments' });
  await expect(panel).toContainText('In flight');
  await expect(
    panel.getByRole('img', { name: /Latency percentiles of checkout to payments.*p95/ }),
  ).toBeVisible();
  await expect(panel.getByRole('row', { name: /POST \/v1\/charge\/card/ })).toBeVisible();

  const slow = panel.getByRole('switch', { name: 'Slow 2 s' });
  await slow.click();
  await expect(slow).toBeChecked();
  await expect
    .poll(async () => (await rules(agent)).filter((rule) => rule.enabled))
    .toMatchObject([
      {
        match: { caller: 'checkout', callee: 'payments' },
        faults: [{ type: 'latency', latencyMs: 2000 }],
      },
    ]);
  await expect(slow).toContainText(/\d+ hits?/);
  await expect(page.getByRole('button', { name: /^checkout to payments, .*, faulted$/ })).toBeVisible();
  await expect(panel).toContainText('Without your fault it would be about');

  await slow.click();
  await expect(slow).not.toBeChecked();
  await expect.poll(async () => (await rules(agent)).some((rule) => rule.enabled)).toBe(false);
  const made = (await rules(agent)).length;
  await slow.click();
  await expect.poll(async () => (await rules(agent)).some((rule) => rule.enabled)).toBe(true);
  expect((await rules(agent)).length, 'the rule that is there is used again').toBe(made);
});

test('a fault that cannot be turned on turns back', async ({ page, agent }) => {
  await page.getByRole('button', { name: edgeButton }).click();
  const slow = page.getByRole('switch', { name: 'Slow 2 s' });
  await slow.click();
  await expect(slow).toBeChecked();
  await expect.poll(async () => (await rules(agent)).some((rule) => rule.enabled)).toBe(true);
  await slow.click();
  await expect.poll(async () => (await rules(agent)).some((rule) => rule.enabled)).toBe(false);
  await agent.stop();
  await slow.click();
  await expect(page.getByRole('alert').filter({ hasText: 'No answer' })).toBeVisible({ timeout: 15_000 });
  await expect(slow).not.toBeChecked();
});

test('bytes have no status to be given', async ({ page, agent }) => {
  const { edges } = await agent.ask<Topology>('/topology?window=60s');
  const tcp = edges.find((edge) => edge.protocol === 'tcp');
  expect(tcp).toBeDefined();
  await page.getByRole('button', { name: new RegExp(`^${tcp!.caller} to ${tcp!.callee},`) }).click();
  const group = page.getByRole('group', { name: 'Faults on this edge' });
  await expect(group.getByRole('switch')).toHaveText(['Slow 2 s', 'Reset', 'Hang', 'Down']);
});

test('the keyboard does all of it', async ({ page, agent }) => {
  const edge = page.getByRole('button', { name: edgeButton });
  await edge.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('complementary', { name: 'checkout to payments' })).toBeVisible();
  await page.keyboard.press('Space');
  await expect(page.getByRole('switch', { name: 'Slow 2 s' })).toBeChecked();
  await expect.poll(async () => (await rules(agent)).some((rule) => rule.enabled)).toBe(true);
  await page.keyboard.press('Space');
  await expect.poll(async () => (await rules(agent)).some((rule) => rule.enabled)).toBe(false);
  await page.keyboard.press('ArrowDown');
  await expect(edge).not.toBeFocused();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('complementary')).toHaveCount(0);
  await page.keyboard.press('/');
  await page.keyboard.type('redis');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('complementary', { name: 'redis' })).toContainText('Called by');
});

test('the panel leads to the calls and to the rule', async ({ page }) => {
  await page.getByRole('button', { name: edgeButton }).click();
  await page.getByRole('switch', { name: 'Slow 2 s' }).click();
  await page.getByRole('button', { name: 'Edit as a rule' }).click();
  await expect(page.getByRole('main', { name: 'Faults' })).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'Name' })).toHaveValue('checkout → payments: slow 2 s');
  await page.goBack();
  await page.getByRole('complementary').getByRole('button', { name: 'Calls' }).click();
  await expect(page.getByRole('main', { name: 'Live' })).toBeVisible();
  await expect(page.getByLabel('Search calls')).toContainText('caller:checkout callee:payments');
});

test('a card stays where it was dragged to, also after a reload', async ({ page }) => {
  const card = page.getByRole('button', { name: /^payments, / });
  const box = async () => (await card.boundingBox())!;
  const other = page.getByRole('button', { name: /^redis, / });
  const otherBefore = (await other.boundingBox())!;
  const before = await box();
  await page.mouse.move(before.x + 50, before.y + 30);
  await page.mouse.down();
  await page.mouse.move(before.x + 60, before.y + 130, { steps: 5 });
  await page.mouse.up();
  await expect.poll(async () => (await box()).y - before.y).toBeGreaterThan(80);
  await expect(page.getByRole('complementary'), 'a drag is no click').toHaveCount(0);
  const gap = (await box()).y - (await other.boundingBox())!.y;
  expect((await other.boundingBox())!.y).toBe(otherBefore.y);
  await page.reload();
  await expect(card).toBeVisible();
  await expect.poll(async () => (await box()).y - (await other.boundingBox())!.y).toBeCloseTo(gap, 0);
});

test('while the agent is away, what was known stays', async ({ page, agent }) => {
  await agent.stop();
  await expect(page.getByRole('alert').filter({ hasText: 'No answer' })).toBeVisible({ timeout: 15_000 });
  await expect(page.getByRole('button', { name: edgeButton })).toBeVisible();
});

test('without a call the map says what to do', async ({ page }) => {
  const empty = await startFixtureAgent({ rate: 20, history: 0, demo: true });
  try {
    await page.goto(`${empty.url}&view=map`);
    await expect(page.getByRole('heading', { name: 'No services yet' })).toBeVisible();
    await page.getByRole('button', { name: 'Start the example shop' }).click();
    await expect(page.getByRole('button', { name: /^checkout to payments,/ })).toBeVisible();
  } finally {
    await empty.stop();
  }
});

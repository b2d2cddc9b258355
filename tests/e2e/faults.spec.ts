import type { Page } from '@playwright/test';
import type { Rule } from '#shared/rules/rule.ts';
import { expect, test } from './fixture-agent.ts';
import type { FixtureAgent } from './fixture-agent.ts';

test.use({ rate: 50 });

const rules = (agent: FixtureAgent) => agent.ask<Rule[]>('/rules');
const ruleNamed = async (agent: FixtureAgent, name: string) =>
  (await rules(agent)).find((rule) => rule.name === name);

test.beforeEach(async ({ page, agent }) => {
  for (const rule of await rules(agent)) await agent.ask(`/rules/${rule.id}`, { method: 'DELETE' });
  const body = JSON.stringify({
    name: 'payments is slow',
    match: { caller: 'checkout', callee: 'payments' },
    faults: [{ type: 'latency', latencyMs: 2000 }],
  });
  await agent.ask('/rules', { method: 'POST', body });
  await page.getByRole('link', { name: 'Faults' }).click();
});

test('a rule says what it does, is turned on by its switch, and counts', async ({ page, agent }) => {
  const list = page.getByRole('list', { name: 'Fault rules' });
  await expect(list).toContainText("All of checkout's calls to payments wait 2 s.");
  await list.getByRole('switch', { name: 'payments is slow' }).click();
  await expect.poll(async () => (await ruleNamed(agent, 'payments is slow'))?.enabled).toBe(true);
  await expect(list).toContainText(/\d+ hits?/);
  await expect(list).toContainText(/on for \d+ s/);
});

test('valid edits are saved by themselves; invalid ones say why and change nothing', async ({
  page,
  agent,
}) => {
  const editor = page.getByRole('region', { name: 'Rule editor' });
  const yaml = page.getByRole('region', { name: 'Rule as YAML' });
  await editor.getByRole('textbox', { name: 'Delay' }).fill('750');
  await expect(page.getByRole('status').filter({ hasText: 'Saved' })).toBeVisible();
  expect((await ruleNamed(agent, 'payments is slow'))?.faults).toMatchObject([{ latencyMs: 750 }]);
  await expect(yaml).toContainText('latencyMs: 750');

  await editor.getByRole('textbox', { name: 'Delay' }).fill('2 seconds');
  await expect(editor).toContainText('Expected a whole number from 0 to 3,600,000.');
  await expect(page.getByRole('status').filter({ hasText: 'Not saved' })).toBeVisible();
  await expect(yaml).toContainText('latencyMs: 750');
  await expect(yaml).toContainText('The form is not valid');
  expect((await ruleNamed(agent, 'payments is slow'))?.faults).toMatchObject([{ latencyMs: 750 }]);
});

test('a new rule, with every field of the form', async ({ page, agent }) => {
  await page.getByRole('button', { name: 'New rule' }).click();
  const editor = page.getByRole('region', { name: 'Rule editor' });
  await page.getByRole('textbox', { name: 'Name' }).fill('orders get 429');
  await editor.getByRole('combobox', { name: 'Callee' }).fill('ord');
  await page.getByRole('option', { name: 'orders' }).click();
  await expect(editor.getByRole('combobox', { name: 'Callee' })).toHaveValue('orders');
  await editor.getByRole('combobox', { name: 'Method' }).fill('POST');
  await page.keyboard.press('Escape');
  await editor.getByRole('textbox', { name: 'Path' }).fill('/v1/*');
  await editor.getByRole('radio', { name: 'Some' }).click();
  await editor.getByRole('textbox', { name: 'Share' }).fill('25');
  await editor.getByRole('textbox', { name: 'Seed' }).fill('7');
  await editor.getByRole('button', { name: 'Remove Latency' }).click();
  await expect(editor).toContainText('A rule needs a fault');
  await expect(page.getByRole('button', { name: 'Save', exact: true })).toBeDisabled();
  await editor.getByRole('button', { name: 'Add a fault' }).click();
  await page.getByRole('option', { name: 'HTTP status', exact: true }).click();
  await editor.getByRole('textbox', { name: 'Status' }).fill('429');
  await editor.getByRole('textbox', { name: 'Headers' }).fill('retry-after: 30');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect
    .poll(() => ruleNamed(agent, 'orders get 429'))
    .toMatchObject({
      enabled: false,
      match: { callee: 'orders', method: 'POST', path: '/v1/*' },
      trigger: { probability: 0.25, seed: 7 },
      faults: [{ type: 'status', status: 429, headers: { 'retry-after': '30' } }],
    });
  await expect(page.getByRole('switch', { name: 'orders get 429', exact: true })).not.toBeChecked();
});

test('what the agent refuses is said in the editor', async ({ page, agent }) => {
  await page.getByRole('button', { name: 'New rule' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('payments is slow');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const editor = page.getByRole('region', { name: 'Rule editor' });
  await expect(editor.getByRole('alert')).toContainText('payments is slow');
  expect(await rules(agent)).toHaveLength(1);
});

test('delete, and undo', async ({ page, agent }) => {
  const before = await ruleNamed(agent, 'payments is slow');
  await page.getByRole('button', { name: 'Delete rule' }).click();
  await expect.poll(async () => (await rules(agent)).length).toBe(0);
  await expect(page.getByRole('heading', { name: 'No faults yet' })).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect
    .poll(() => ruleNamed(agent, 'payments is slow'))
    .toMatchObject({
      id: before!.id,
      match: before!.match,
      faults: before!.faults,
    });
});

test('the keys', async ({ page, agent }) => {
  await expect(page.getByRole('region', { name: 'Rule editor' })).toBeVisible();
  await page.locator('body').press('Space');
  await expect.poll(async () => (await ruleNamed(agent, 'payments is slow'))?.enabled).toBe(true);
  await page.keyboard.press('e');
  await expect(page.getByRole('textbox', { name: 'Name' })).toBeFocused();
  await page.getByRole('heading', { name: 'Faults' }).click();
  await page.keyboard.press('d');
  await expect(page.getByRole('textbox', { name: 'Name' })).toHaveValue('payments is slow copy');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.keyboard.press('n');
  await expect(page.getByRole('textbox', { name: 'Name' })).toHaveValue('New rule');
});

test('a rule that is changed elsewhere is changed here', async ({ page, agent }) => {
  const rule = await ruleNamed(agent, 'payments is slow');
  const body = JSON.stringify({ faults: [{ type: 'hang' }] });
  await agent.ask(`/rules/${rule!.id}`, { method: 'PATCH', body });
  await expect(
    page.getByRole('region', { name: 'Rule editor' }).getByRole('group', { name: 'Hang' }),
  ).toBeVisible();
});

test('what a rule says beyond the four fields is in the form, and none of it is lost by an edit', async ({
  page,
  agent,
}) => {
  const match = {
    callee: 'payments',
    header: { 'x-tenant': 'acme', debug: false },
    body: { json: '$.a', equals: 5 },
  };
  const trigger = { every: 3, after: 2, schedule: { every: '60s', for: '10s' }, rate: '10/s' };
  const body = JSON.stringify({ name: 'rich', match, trigger, faults: [{ type: 'hang' }] });
  await agent.ask('/rules', { method: 'POST', body });
  await page.getByRole('list', { name: 'Fault rules' }).getByRole('button', { name: /^rich/ }).click();
  const editor = page.getByRole('region', { name: 'Rule editor' });
  await expect(
    editor.getByRole('group', { name: 'Header' }).getByRole('textbox', { name: 'Field' }),
  ).toHaveCount(2);
  await expect(editor.getByRole('radio', { name: 'Every nth' })).toBeChecked();
  await editor.getByRole('textbox', { name: 'Every', exact: true }).fill('4');
  await editor.getByRole('checkbox', { name: 'Turn off after' }).click();
  await editor.getByRole('textbox', { name: 'Time until it turns off' }).fill('3 min');
  await editor.getByRole('button', { name: 'Add a condition' }).click();
  await page.getByRole('menuitem', { name: 'Status of the response' }).click();
  await editor.getByRole('textbox', { name: 'Status' }).fill('5xx');
  await editor.getByRole('button', { name: 'Remove Beyond a quota' }).click();
  const { rate: _rate, ...kept } = trigger;
  await expect
    .poll(() => ruleNamed(agent, 'rich'))
    .toMatchObject({ match: { ...match, status: '5xx' }, trigger: { ...kept, every: 4, expires: '3m' } });
  expect((await ruleNamed(agent, 'rich'))?.trigger).not.toHaveProperty('rate');
  await editor.getByRole('textbox', { name: 'Status' }).fill('600');
  await expect(editor).toContainText('Expected a status such as 503');
  expect((await ruleNamed(agent, 'rich'))?.match).toMatchObject({ status: '5xx' });
});

test('a fault is found by typing in the menu, and added by Enter', async ({ page, agent }) => {
  await expect(page.getByRole('region', { name: 'Rule editor' })).toBeVisible();
  await page.keyboard.press('f');
  const menu = page.getByRole('dialog', { name: 'Faults' });
  for (const group of ['Connection', 'Link', 'HTTP', 'TLS'])
    await expect(menu.getByRole('group', { name: group, exact: true })).toBeVisible();
  await page.keyboard.type('cut pieces');
  await expect(menu).toContainText('No fault has these words.');
  await menu.getByRole('combobox', { name: 'Search faults' }).fill('pieces');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await expect(menu).toHaveCount(0);
  await expect(page.getByRole('group', { name: 'Slicer' })).toBeVisible();
  await expect
    .poll(async () => (await ruleNamed(agent, 'payments is slow'))?.faults)
    .toMatchObject([{ type: 'latency' }, { type: 'slicer' }]);
});

test('what the rule would have hit, and those calls', async ({ page, agent }) => {
  const editor = page.getByRole('region', { name: 'Rule editor' });
  const preview = page.getByRole('region', { name: 'Would have hit' });
  const asked = await agent.ask<{ hits: number; considered: number }>('/rules/preview', {
    method: 'POST',
    body: JSON.stringify({ rule: { match: { caller: 'checkout', callee: 'payments' } } }),
  });
  expect(asked.hits).toBeGreaterThan(0);
  await expect(preview).toContainText(/Would have hit [\d,]+ of [\d,]+ calls in the last 5 minutes/);
  await editor.getByRole('combobox', { name: 'Callee' }).fill('nobody');
  await page.keyboard.press('Tab');
  await expect(preview).toContainText('Would have hit 0 of');
  await expect(preview).toContainText('No call matches.');
  await expect(editor).toContainText('No call has been seen to a service called nobody so far.');
  await editor.getByRole('combobox', { name: 'Callee' }).fill('payments');
  await page.keyboard.press('Tab');
  await editor.getByRole('radio', { name: 'First n' }).click();
  await expect(preview).toContainText('Would have hit 3 of');
  await expect(preview).toContainText('of them are left alone');
  await preview.getByRole('button', { name: 'Show them' }).click();
  await expect(page.getByRole('searchbox', { name: 'Search calls' })).toHaveText(
    /^id:[0-9a-z]{21},[0-9a-z]{21},/,
  );
  await expect(
    page.getByRole('grid', { name: 'Calls' }).getByRole('row', { name: /checkout to payments/ }),
  ).toHaveCount(3);
  await expect(page.getByRole('row', { name: /checkout to payments/ }).first()).toBeVisible();
});

test('a preset becomes a rule for the calls that are chosen', async ({ page, agent }) => {
  await page.getByRole('button', { name: 'Presets' }).click();
  const presets = page.getByRole('dialog', { name: 'Presets' });
  await presets.getByRole('combobox', { name: 'Calls to' }).fill('orders');
  // Leaving the field closes its list; Escape would close the dialog where the list is not open yet.
  await page.keyboard.press('Tab');
  await presets.getByRole('button', { name: 'Overloaded' }).click();
  await expect(page.getByRole('textbox', { name: 'Name' })).toHaveValue('orders: overloaded');
  expect(await rules(agent)).toHaveLength(1);
  await page.getByRole('button', { name: 'Save and turn on' }).click();
  await expect
    .poll(() => ruleNamed(agent, 'orders: overloaded'))
    .toMatchObject({ enabled: true, match: { callee: 'orders' }, trigger: { rate: '10/s' } });
});

test('many rules: parts by callee, a search, and one that another leaves nothing to', async ({
  page,
  agent,
}) => {
  const make = (name: string, callee: string, faults: unknown[], enabled = false) =>
    agent.ask('/rules', {
      method: 'POST',
      body: JSON.stringify({ name, enabled, match: { callee }, faults }),
    });
  await make('orders are gone', 'orders', [{ type: 'reset', at: 'start' }], true);
  await make('orders fail', 'orders', [{ type: 'status', status: 500 }], true);
  for (const number of [1, 2, 3, 4, 5]) await make(`web hangs ${number}`, 'web', [{ type: 'hang' }]);
  const orders = page.getByRole('list', { name: 'Fault rules, orders' });
  await expect(orders.getByRole('listitem')).toHaveCount(2);
  await expect(orders.getByRole('listitem').last()).toContainText(
    'Hits nothing. “orders are gone” comes before it',
  );
  await page.locator('body').press('/');
  await page.keyboard.type('hangs 3');
  await expect(page.getByRole('listitem').filter({ has: page.getByRole('switch') })).toHaveCount(1);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('list', { name: 'Fault rules, web' }).getByRole('listitem')).toHaveCount(5);
});

const addRules = async (agent: FixtureAgent, ...names: string[]) => {
  for (const name of names) {
    const body = JSON.stringify({ name, match: { callee: 'web' }, faults: [{ type: 'hang' }] });
    await agent.ask('/rules', { method: 'POST', body });
  }
};
const order = async (agent: FixtureAgent) => (await rules(agent)).map(({ name }) => name);

test('rules are put in order by dragging and by keys, told, and back again', async ({ page, agent }) => {
  await addRules(agent, 'b', 'c');
  const item = (name: string) =>
    page.getByRole('listitem').filter({ has: page.getByRole('switch', { name, exact: true }) });
  await item('c').dragTo(item('payments is slow'), { targetPosition: { x: 100, y: 8 } });
  await expect.poll(() => order(agent)).toEqual(['c', 'payments is slow', 'b']);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect.poll(() => order(agent)).toEqual(['payments is slow', 'b', 'c']);
  await item('b').getByRole('button').first().click();
  await page.keyboard.press('Alt+ArrowUp');
  await expect.poll(() => order(agent)).toEqual(['b', 'payments is slow', 'c']);
  await expect(page.getByRole('status').filter({ hasText: 'b is now tried 1st of 3 rules.' })).toHaveCount(1);
  await page.keyboard.press('Alt+ArrowUp');
  await expect(page.getByRole('status').filter({ hasText: 'b is first already.' })).toHaveCount(1);
  const body = JSON.stringify({ ids: ['c', 'b', 'payments-is-slow'] });
  await agent.ask('/rules/order', { method: 'POST', body });
  await expect(
    page.getByRole('list', { name: 'Fault rules' }).getByRole('switch').first(),
  ).toHaveAccessibleName('c');
});

test('a rule says which calls it hit and what it did to them; each opens in Live', async ({
  page,
  agent,
}) => {
  await page.getByRole('region', { name: 'Rules' }).getByRole('switch', { name: 'payments is slow' }).click();
  await page.getByRole('tab', { name: /^Hits/ }).click();
  const hits = page.getByRole('region', { name: 'Hits' });
  const first = hits.getByRole('listitem').first();
  await expect(first).toContainText(/checkout → payments/);
  await expect(first).toContainText(/2,\d\d\d ms|2\.\d+ s|2,000/);
  await hits.getByRole('button', { name: 'Show all in Live' }).click();
  await expect(page.getByRole('searchbox', { name: 'Search calls' })).toHaveText('rule:payments-is-slow');
  const counted = await agent.ask<{ matching: number }>('/flow-count?filter=rule:payments-is-slow');
  expect(counted.matching).toBeGreaterThan(0);
  await page.getByRole('link', { name: 'Faults' }).click();
  await page.getByRole('tab', { name: /^Hits/ }).click();
  await first.getByRole('button').click();
  await expect(page.getByRole('complementary', { name: 'Flow detail' })).toBeVisible();
});

test('rules of Istio are shown as what they become, imported, exported, and all turned on', async ({
  page,
  agent,
}) => {
  await page.getByRole('button', { name: 'All rules' }).click();
  await page.getByRole('menuitem', { name: 'Import rules…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Import rules' });
  const text = dialog.getByRole('textbox', { name: 'Text to import' });
  await text.fill('kind: Pod');
  await expect(dialog.getByRole('alert')).toContainText('Document 1, line 1');
  await expect(dialog.getByRole('button', { name: 'Import', exact: true })).toBeDisabled();
  await text.fill(`apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: payments is slow }
spec:
  hosts: [ratings]
  http: [{ fault: { abort: { httpStatus: 500, percentage: { value: 20 } } } }]
`);
  const becomes = dialog.getByRole('list', { name: 'What they become' });
  await expect(becomes).toContainText('payments is slow 2');
  await expect(becomes).toContainText('1 in 5 of the /* calls to ratings get 500.');
  await dialog.getByRole('button', { name: 'Import 1 rule' }).click();
  await expect.poll(() => order(agent)).toEqual(['payments is slow', 'payments is slow 2']);
  await page.getByRole('button', { name: 'All rules' }).click();
  await page.getByRole('menuitem', { name: 'Export rules…' }).click();
  const shown = page.getByRole('dialog', { name: 'Export 2 rules' });
  await expect(shown.getByLabel('What is exported')).toContainText('name: payments is slow 2');
  await shown.getByRole('radio', { name: 'Istio' }).click();
  await expect(shown.getByLabel('What is exported')).toContainText('kind: VirtualService');
  const download = page.waitForEvent('download');
  await shown.getByRole('button', { name: 'Save…' }).click();
  expect((await download).suggestedFilename()).toBe('spike-istio.yaml');
  await shown.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'All rules' }).click();
  await page.getByRole('menuitem', { name: 'Turn all 2 on' }).click();
  await expect.poll(async () => (await rules(agent)).every(({ enabled }) => enabled)).toBe(true);
  await page.getByRole('button', { name: 'Undo' }).last().click();
  await expect.poll(async () => (await rules(agent)).some(({ enabled }) => enabled)).toBe(false);
});

test('a rule is copied as a command that makes it again', async ({ page, agent, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('button', { name: 'Copy as command' }).click();
  await page.getByRole('menuitem', { name: 'Make this rule, with curl' }).click();
  await expect(page.getByText('The command is copied').first()).toBeVisible();
  const command = await page.evaluate(() => navigator.clipboard.readText());
  expect(command).toContain('/api/v1/rules');
  const rule = JSON.parse(/-d '(.*)' /.exec(command)?.[1] ?? '') as object;
  await agent.ask('/rules', { method: 'POST', body: JSON.stringify({ ...rule, name: 'again' }) });
  expect(await ruleNamed(agent, 'again')).toMatchObject({ faults: [{ type: 'latency', latencyMs: 2000 }] });
});

test('groups are closed, and turned on as one', async ({ page, agent }) => {
  await addRules(agent, 'a', 'b', 'c', 'd', 'e', 'f', 'g');
  const web = page.getByRole('list', { name: 'Fault rules, web' });
  await expect(web.getByRole('listitem')).toHaveCount(7);
  await page.getByRole('button', { name: 'All rules of web' }).click();
  await page.getByRole('menuitem', { name: 'Turn all 7 on' }).click();
  await expect.poll(async () => (await rules(agent)).filter(({ enabled }) => enabled).length).toBe(7);
  expect((await ruleNamed(agent, 'payments is slow'))?.enabled).toBe(false);
  await page.getByRole('button', { name: 'web', exact: true }).click();
  await expect(web.getByRole('listitem')).toHaveCount(0);
});

test.describe('the rule as text, beside its form', () => {
  const textbox = (page: Page, language = 'YAML') =>
    page.getByRole('textbox', { name: `Rule as ${language}` });
  const written = (name: string, latencyMs: string | number, ...more: string[]) =>
    [`- name: ${name}`, '  faults:', '    - type: latency', `      latencyMs: ${latencyMs}`, ...more].join(
      '\n',
    );

  test('what is written as YAML is in the form, is saved, and hits calls', async ({ page, agent }) => {
    const editor = page.getByRole('region', { name: 'Rule editor' });
    const yaml = textbox(page);
    await expect(yaml).toContainText('latencyMs: 2000');
    await yaml.fill(
      written('checkout fails', 5, '    - { type: status, status: 418 }', '  match: { callee: payments }'),
    );
    await expect(page.getByRole('textbox', { name: 'Name' })).toHaveValue('checkout fails');
    await expect(editor.getByRole('textbox', { name: 'Delay' })).toHaveValue('5');
    await expect(editor.getByRole('textbox', { name: 'Status' })).toHaveValue('418');
    await expect(page.getByRole('status').filter({ hasText: 'Saved' })).toBeVisible();
    await expect
      .poll(() => ruleNamed(agent, 'checkout fails'))
      .toMatchObject({
        enabled: false,
        match: { callee: 'payments' },
        faults: [{ type: 'latency', latencyMs: 5 }, { type: 'status' }],
      });
    // Not put in order under the hands, but when it is left.
    await expect(yaml).toContainText('{ type: status, status: 418 }');
    await yaml.press('Escape');
    await expect(yaml).not.toBeFocused();
    await expect(yaml).toContainText('- type: status');
    await expect(yaml).toContainText('enabled: false');

    await yaml.fill((await yaml.innerText()).replace('enabled: false', 'enabled: true'));
    await expect.poll(async () => (await ruleNamed(agent, 'checkout fails'))?.enabled).toBe(true);
    const list = page.getByRole('list', { name: 'Fault rules' });
    await expect(list.getByRole('switch', { name: 'checkout fails' })).toBeChecked();
    await expect(list).toContainText(/\d+ hits?/);
    await list.getByRole('switch', { name: 'checkout fails' }).click();
    await expect(yaml).toContainText('enabled: false');
  });

  test('what cannot be read says its line, and leaves the form and the rule as they were', async ({
    page,
    agent,
  }) => {
    const editor = page.getByRole('region', { name: 'Rule editor' });
    const pane = page.getByRole('region', { name: 'Rule as YAML' });
    const yaml = textbox(page);
    await yaml.fill(written('payments is slow', '2 seconds'));
    await expect(pane.getByRole('alert')).toHaveText(
      'Line 4, column 18: Expected a whole number from 0 to 3,600,000.',
    );
    await expect(pane.locator('.problem-line')).toHaveText('      latencyMs: 2 seconds');
    await expect(yaml).toHaveAttribute('aria-invalid', 'true');
    await expect(editor).toContainText('The YAML is not valid in line 4.');
    await expect(editor.getByRole('textbox', { name: 'Delay' })).toHaveValue('2,000');
    await expect(page.getByRole('status').filter({ hasText: 'Not saved' })).toBeVisible();
    await yaml.press('Tab');
    await expect(yaml).not.toBeFocused();
    await expect(yaml).toContainText('2 seconds');
    await pane.getByRole('button', { name: 'Line 4, column 18' }).click();
    await expect(yaml).toBeFocused();
    await yaml.press('Tab');
    await pane.getByRole('button', { name: 'Back to the form’s' }).click();
    await expect(yaml).toContainText('latencyMs: 2000');
    await expect(pane.getByRole('alert')).toHaveCount(0);
    await expect(page.getByRole('status').filter({ hasText: 'Not saved' })).toHaveCount(0);

    await yaml.fill('lateny: [');
    await expect(pane.getByRole('alert')).toContainText('Expected valid YAML');
    await page.getByRole('button', { name: 'New rule' }).click();
    await expect(
      page.getByText('The YAML written for “payments is slow” was not taken').first(),
    ).toBeVisible();
    await expect(yaml).toContainText('New rule');
    expect(await rules(agent)).toMatchObject([{ faults: [{ latencyMs: 2000 }], version: 1 }]);
  });

  test('the form changes the text, undo in the text changes the form; keys are letters there', async ({
    page,
  }) => {
    const delay = page.getByRole('region', { name: 'Rule editor' }).getByRole('textbox', { name: 'Delay' });
    const yaml = textbox(page);
    await delay.fill('750');
    await expect(yaml).toContainText('latencyMs: 750');
    await yaml.focus();
    await page.keyboard.press('ControlOrMeta+End');
    await page.keyboard.type('0');
    await expect(delay).toHaveValue('7,500');
    await page.keyboard.press('ControlOrMeta+Z');
    await expect(delay).toHaveValue('750');
    // A line begins where the fields above do; Backspace goes one step out.
    await page.keyboard.press('Enter');
    await page.keyboard.press('Backspace');
    await page.keyboard.type('- type: slicer\naverageBytes: 7');
    const slicer = page.getByRole('group', { name: 'Slicer' });
    await expect(slicer.getByRole('textbox', { name: 'Piece' })).toHaveValue('7');
    await page.keyboard.type('\n# n d f 3');
    await expect(page.getByRole('heading', { name: 'Faults' })).toBeVisible();
    await expect(page.getByRole('textbox', { name: 'Name' })).toHaveValue('payments is slow');
    await expect(page.getByRole('region', { name: 'Rule as YAML' })).toContainText('Comments are kept');
    await delay.fill('800');
    await expect(yaml).not.toContainText('# n d f 3');
    await expect(yaml).toContainText('latencyMs: 800');
  });

  test('as JSON, which is remembered, and as a tab where there is little room', async ({ page, agent }) => {
    await page.getByRole('radio', { name: 'JSON' }).click();
    const json = textbox(page, 'JSON');
    await expect(json).toContainText('"latencyMs": 2000');
    const rule = JSON.parse(await json.innerText()) as object;
    await json.fill(JSON.stringify({ ...rule, faults: [{ type: 'hang' }] }));
    await expect(page.getByRole('group', { name: 'Hang' })).toBeVisible();
    await expect
      .poll(async () => (await ruleNamed(agent, 'payments is slow'))?.faults)
      .toMatchObject([{ type: 'hang' }]);
    await json.fill('{ "name": "a", }');
    await expect(page.getByRole('region', { name: 'Rule as YAML' }).getByRole('alert')).toHaveText(
      'Line 1, column 16: Expected valid JSON.',
    );
    await page.getByRole('radio', { name: 'YAML' }).click();
    await expect(
      page.getByText('The JSON written for “payments is slow” was not taken').first(),
    ).toBeVisible();
    await expect(textbox(page)).toContainText('- type: hang');
    await page.getByRole('radio', { name: 'JSON' }).click();
    await page.reload();
    await expect(json).toContainText('"type": "hang"');
    await page.setViewportSize({ width: 1000, height: 700 });
    await expect(json).toBeHidden();
    await page.getByRole('tab', { name: 'YAML' }).click();
    await json.fill('[]');
    await expect(page.getByRole('region', { name: 'Rule as YAML' })).toContainText('the list is empty');
  });
});

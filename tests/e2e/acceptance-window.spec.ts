// The window over a real agent and real calls of curl: what passes is seen, and a click changes the very next answer.
import { writeFileSync } from 'node:fs';
import { expect, test as base } from '@playwright/test';
import type { Page } from '@playwright/test';
import type { Edge, Topology } from '#shared/contract/topology.ts';
import { CurlLoop } from '../support/curl-loop.ts';
import { startSite } from '../support/https-site.ts';
import type { Site } from '../support/https-site.ts';
import { sendRaw } from '../support/proxy-client.ts';
import { endRealAgents, eventually, startRealAgent, temporaryDirectory } from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';
import { isInstalled, runProgram } from '../support/run-program.ts';

const rules = `rules:
  - name: everything is gone
    enabled: false # until Friday
    faults: [{ type: status, status: 410 }]
`;

const test = base.extend<{ page: Page }, { site: Site; agent: RealAgent; ca: string }>({
  site: [
    async ({}, use) => {
      await using site = await startSite(temporaryDirectory());
      await use(site);
    },
    { scope: 'worker' },
  ],
  agent: [
    async ({ site }, use) => {
      const workspace = `version: 1\ntls:\n  trust: [${site.caPath}]\n${rules}`;
      await use(await startRealAgent({ workspace }));
      await endRealAgents();
    },
    { scope: 'worker' },
  ],
  ca: [async ({ agent }, use) => use(await agent.exportedCa()), { scope: 'worker' }],
});
test.skip(!isInstalled('curl'), 'curl is not installed');

const curlArgs = (agent: RealAgent, ca: string, url: string, caller: string) => [
  '--cacert',
  ca,
  '-x',
  agent.proxyFor(caller),
  url,
];

test('a call of curl over HTTPS: its row, its detail, its body decoded and made readable', async ({
  page,
  agent,
  site,
  ca,
}) => {
  await page.goto(agent.windowUrl());
  const urls = ['gzip', 'br'].map((coding) => `${site.origin}/data.${coding}`);
  for (const url of urls) {
    const options = ['-sS', '-o', '/dev/null', '-w', '%{http_code}'];
    const { stdout } = await runProgram('curl', [...options, ...curlArgs(agent, ca, url, 'curl-beside')]);
    expect(stdout).toBe('200');
  }
  // Both, before the pointer is over the list, which stands still then.
  await expect(page.locator('[data-id]', { hasText: 'curl-beside' })).toHaveCount(2);
  for (const coding of ['gzip', 'br']) {
    const name = new RegExp(`^GET /data\\.${coding}, curl-beside to .*, 200,`);
    const row = page.getByRole('row', { name });
    await row.click();
    const panel = page.getByRole('complementary', { name: 'Flow detail' });
    await expect(panel).toContainText(`GET /data.${coding}`);
    await panel.getByRole('tab', { name: 'Response' }).click();
    const body = panel.locator('.cm-content');
    await expect(body).toContainText('"sku": "A-1"'); // with a space: the origin sends it without
    await expect(body.locator('.cm-line').nth(1)).toHaveText(/^ {2}"items": \[/);
    await expect(panel).toContainText(`, ${coding} `);
    await panel.getByRole('tab', { name: 'Overview' }).click();
    await expect(panel).toContainText(`${site.origin}/data.${coding}`);
  }
});

/** The edge of a caller whose callee has its name. */
function edgeFrom(agent: RealAgent, caller: string): Promise<Edge> {
  return eventually(async () => {
    const { edges } = (await (await agent.get('/topology')).json()) as Topology;
    const edge = edges.find((known) => known.caller === caller && !/^127\./.test(known.callee));
    if (edge === undefined) throw new Error(`no edge from ${caller}`);
    return edge;
  });
}

const activeFaults = (page: Page) => page.getByRole('alert', { name: 'Active faults' });

test('a switch on an edge of the map changes the very next answer, and back', async ({
  page,
  agent,
  site,
  ca,
}) => {
  const loop = new CurlLoop(curlArgs(agent, ca, `${site.origin}/data.json`, 'looping'));
  try {
    const { caller, callee } = await edgeFrom(agent, 'looping');
    await page.goto(agent.windowUrl('map'));
    await page.getByRole('button', { name: new RegExp(`^${caller} to ${callee}, `) }).click();
    const panel = page.getByRole('complementary', { name: `${caller} to ${callee}` });
    const slow = panel.getByRole('switch', { name: 'Slow 2 s' });
    expect((await loop.next()).status).toBe('200');

    await slow.click();
    await expect(activeFaults(page)).toContainText('looping'); // the agent has said so: from now on it holds
    const held = await loop.next();
    expect(held.status).toBe('200');
    expect(held.totalMs).toBeGreaterThanOrEqual(2000);
    await slow.click();
    await expect(activeFaults(page)).toHaveCount(0);
    expect((await loop.next()).totalMs).toBeLessThan(2000);

    const failing = panel.getByRole('switch', { name: '503, half of the calls' });
    await failing.click();
    await expect(activeFaults(page)).toBeVisible();
    const statuses: string[] = [];
    for (let call = 0; call < 16; call += 1) statuses.push((await loop.next()).status);
    expect(new Set(statuses)).toEqual(new Set(['200', '503']));
    await failing.click();
    await expect(activeFaults(page)).toHaveCount(0);
    expect((await loop.next()).status).toBe('200');
  } finally {
    await loop.stop();
  }
});

test('turning a fault off lets go at once of the call that it holds', async ({ page, agent, site, ca }) => {
  const hang = {
    name: 'nobody answers',
    enabled: true,
    match: { caller: 'held' },
    faults: [{ type: 'hang' }],
  };
  await agent.client.rules.create(hang as never);
  await page.goto(agent.windowUrl('faults'));
  await expect(activeFaults(page)).toBeVisible();
  const call = runProgram('curl', [
    ...['-sS', '-o', '/dev/null', '-w', '%{http_code}', '--max-time', '20'],
    ...curlArgs(agent, ca, `${site.origin}/data.json`, 'held'),
  ]);
  await eventually(async () => expect((await agent.flows('caller:held'))[0]?.durationMs).toBeNull());
  await activeFaults(page).getByRole('button', { name: 'Stop all' }).click();
  expect((await call).stdout).toBe('200');
  await agent.client.rules.remove({ id: 'nobody-answers' });
});

test('a switch in Faults changes the very next answer and one word of the file, and back', async ({
  page,
  agent,
  site,
  ca,
}) => {
  const before = agent.workspaceText();
  const loop = new CurlLoop(curlArgs(agent, ca, `${site.origin}/data.json`, 'patient'));
  try {
    await page.goto(agent.windowUrl('faults'));
    const list = page.getByRole('list', { name: 'Fault rules' });
    const rule = list.getByRole('switch', { name: 'everything is gone' });
    expect((await loop.next()).status).toBe('200');
    await rule.click();
    await expect(activeFaults(page)).toContainText('everything is gone');
    expect((await loop.next()).status).toBe('410');
    const on = before.replace('enabled: false # until Friday', 'enabled: true # until Friday');
    await eventually(() => expect(agent.workspaceText()).toBe(on));
    await rule.click();
    await expect(activeFaults(page)).toHaveCount(0);
    expect((await loop.next()).status).toBe('200');
    await eventually(() => expect(agent.workspaceText()).toBe(before));
  } finally {
    await loop.stop();
  }
});

test('a refused request is a row of its own, and shows what came', async ({ page, agent, site }) => {
  await page.goto(agent.windowUrl());
  const head = `POST ${site.origin}/two-ways HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n`;
  expect(await sendRaw(agent.ready.proxy, `${head}0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
  await page.getByRole('row', { name: /two parsers could read in two ways/ }).click();
  const panel = page.getByRole('complementary', { name: 'Flow detail' });
  await panel.getByRole('tab', { name: 'Overview' }).click();
  await expect(panel).toContainText('client-malformed-request');
  await expect(panel.locator('pre.raw-head')).toContainText('Transfer-Encoding: chunked');
});

test('an upstream that is not there: the row says so, the detail why', async ({ page, agent }) => {
  await page.goto(agent.windowUrl());
  const { stdout } = await runProgram('curl', [
    '-sS',
    '-x',
    agent.proxyFor('hopeful'),
    'http://no-such-name.invalid/asked',
  ]);
  expect(stdout).toContain('no-such-name.invalid');
  await page.getByRole('row', { name: /^GET \/asked, hopeful to no-such-name\.invalid/ }).click();
  const panel = page.getByRole('complementary', { name: 'Flow detail' });
  await panel.getByRole('tab', { name: 'Overview' }).click();
  await expect(panel).toContainText('upstream-dns-failed');
});

test('a broken edit of the workspace file is told with its place, and what held before still holds', async ({
  page,
  agent,
}) => {
  await page.goto(agent.windowUrl());
  const before = agent.workspaceText();
  writeFileSync(agent.workspacePath, before.replace('type: status', 'type: statis'));
  const notice = page.getByText(/spike\.yaml:7:\d+/).first();
  await expect(notice).toBeVisible();
  expect((await agent.client.agent.status()).workspace.state).toBe('invalid');
  expect((await agent.client.rules.list()).map(({ name }) => name)).toContain('everything is gone');
  writeFileSync(agent.workspacePath, before);
  await expect(page.getByText(/spike\.yaml:7:\d+/)).toHaveCount(0);
});

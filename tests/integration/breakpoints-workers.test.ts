// Held calls over a real agent with two workers, by its API and the command line: lists, kills, stops.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { AgentEvent } from '#shared/contract/events.ts';
import type { HeldCall } from '#shared/contract/held.ts';
import { startSite } from '../support/https-site.ts';
import type { Site } from '../support/https-site.ts';
import { callThrough } from '../support/proxy-client.ts';
import { endRealAgents, eventually, startRealAgent } from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';
import { spike } from '../support/spike-process.ts';

const workspace = `
version: 1
rules:
  - id: hold
    name: hold
    enabled: true
    match: { path: /held* }
    faults: [{ type: breakpoint }]
`;

let site: Site;
let agent: RealAgent;
beforeAll(async () => {
  site = await startSite(null);
  agent = await startRealAgent({ workspace });
});
afterAll(async () => {
  await endRealAgents();
  await site[Symbol.asyncDispose]();
});

/** What became of a call: its status, or how it broke off. */
function call(path: string): Promise<string> {
  return callThrough(agent.ready.proxy, `${site.origin}${path}`).then(
    ({ status }) => String(status),
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );
}

function held(count: number): Promise<readonly HeldCall[]> {
  return eventually(async () => {
    const calls = await agent.client.held.list();
    expect(calls).toHaveLength(count);
    return calls;
  });
}

const workerOf = ({ id }: HeldCall): number => Number(id.split('-')[0]);

it('calls of both workers are in one list, and are let go and dropped from the command line', async () => {
  const calls = Promise.all([1, 2, 3, 4].map((number) => call(`/held/${number}`)));
  const [first, second] = await held(4);
  expect(new Set((await held(4)).map(workerOf))).toEqual(new Set([1, 2]));
  const home = ['--home', agent.home];
  const list = await spike(['held', 'list', ...home]);
  expect(list.stdout).toMatch(/^ID +AT +CALLER +CALLEE +CALL +BYTES +THEN +RULE\n/);
  expect(list.stdout).toMatch(
    /\n\d-\d +request +.* +GET http:.*\/held\/\d +0 +release in [\d.]+ (?:s|min) +hold\n/,
  );
  expect((await spike(['held', 'release', first?.id ?? '', ...home])).stdout).toBe(
    `${first?.id} goes on as it came.\n`,
  );
  expect((await spike(['held', 'drop', second?.id ?? '', ...home])).stdout).toBe(
    `${second?.id} was dropped.\n`,
  );
  const late = await spike(['held', 'drop', second?.id ?? '', ...home]);
  expect(late).toMatchObject({ code: 1, stdout: '' });
  expect(late.stderr).toContain('It was dropped already.');
  expect((await spike(['held', 'release-all', ...home])).stdout).toBe('2 held calls let go.\n');
  expect([...(await calls)].sort()).toEqual(['200', '200', '200', 'ECONNRESET']);
  expect((await spike(['held', 'list', ...home])).stdout).toBe('No call is held.\n');
});

it('a worker that is killed takes its calls with it, and those of the other stay', async () => {
  const calls = [1, 2].map((number) => call(`/held/kill/${number}`));
  const rows = await held(2);
  expect(new Set(rows.map(workerOf)).size).toBe(2);
  const [lost, kept] = rows;
  const removed: AgentEvent[] = [];
  const events = await agent.client.agent.events();
  const { pid } = (await agent.workers()).find(({ number }) => number === workerOf(lost as HeldCall)) ?? {};
  process.kill(pid ?? 0, 'SIGKILL');
  for await (const event of events) {
    if (event.type !== 'held.removed') continue;
    removed.push(event);
    break;
  }
  expect(removed).toMatchObject([{ id: lost?.id, outcome: 'broken-off' }]);
  expect((await held(1)).map(({ id }) => id)).toEqual([kept?.id]);
  await agent.client.held.releaseAll();
  expect([...(await Promise.all(calls))].sort()).toEqual(['200', 'ECONNRESET']);
  await eventually(async () =>
    expect((await agent.workers()).every(({ state }) => state === 'ready')).toBe(true),
  );
});

it('stop all lets everything go on as it came', async () => {
  const calls = Promise.all([1, 2, 3].map((number) => call(`/held/stop/${number}`)));
  await held(3);
  expect(await agent.client.rules.disableAll()).toMatchObject({ disabled: ['hold'], released: 3 });
  expect(await calls).toEqual(['200', '200', '200']);
  await held(0);
  await agent.client.rules.enable({ id: 'hold' });
});

it('an agent that ends lets everything go on as it came', async () => {
  const calls = Promise.all([1, 2, 3].map((number) => call(`/held/end/${number}`)));
  await held(3);
  expect((await agent.stop()).code).toBe(0);
  expect(await calls).toEqual(['200', '200', '200']);
});

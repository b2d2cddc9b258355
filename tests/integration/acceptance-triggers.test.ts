// Which calls a rule hits, with two workers that share the connections.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startSite } from '../support/https-site.ts';
import type { Site } from '../support/https-site.ts';
import { callThrough, oneConnection } from '../support/proxy-client.ts';
import { endRealAgents, eventually, startRealAgent } from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';

const workspace = `version: 1
# What the team breaks on Fridays.
rules:
  - name: first three
    enabled: false   # counted over all workers
    trigger: { first: 3 }
    faults: [{ type: status, status: 503 }]
  - name: now and then
    enabled: false
    trigger: { probability: 0.5, seed: 42 }
    faults: [{ type: status, status: 418 }]
`;

let agent: RealAgent;
let site: Site;
beforeAll(async () => {
  site = await startSite(null);
  agent = await startRealAgent({ workspace });
});
afterAll(async () => {
  await endRealAgents();
  await site[Symbol.asyncDispose]();
});
beforeEach(async () => void (await agent.client.rules.disableAll()));

/** One after the other over one connection, so that one worker draws for all of them. */
async function inSequence(count: number): Promise<number[]> {
  const connection = oneConnection();
  const statuses: number[] = [];
  try {
    for (let call = 0; call < count; call += 1)
      statuses.push((await callThrough(agent.ready.proxy, `${site.origin}/`, { agent: connection })).status);
  } finally {
    connection.destroy();
  }
  return statuses;
}

const ruled = (statuses: readonly number[], status: number) => statuses.filter((s) => s === status).length;

describe('first: 3', () => {
  it('hits exactly three of the calls of 16 connections at once, over both workers, each time it is on', async () => {
    for (const round of [1, 2]) {
      await agent.client.flows.clear();
      await agent.client.rules.enable({ id: 'first-three' });
      const statuses = (await Promise.all(Array.from({ length: 16 }, () => inSequence(5)))).flat();
      expect({ round, hit: ruled(statuses, 503), fine: ruled(statuses, 200) }).toEqual({
        round,
        hit: 3,
        fine: 77,
      });
      await eventually(async () => {
        const flows = await agent.flows();
        expect(flows).toHaveLength(80);
        expect(new Set(flows.map(({ worker }) => worker)), 'both workers had calls').toEqual(new Set([1, 2]));
        expect(flows.filter(({ faults }) => faults.length > 0)).toHaveLength(3);
        expect((await agent.client.rules.get({ id: 'first-three' })).hits).toBe(3);
      });
      await agent.client.rules.disable({ id: 'first-three' });
    }
  });
});

describe('probability with a seed', () => {
  it('draws the same again for one connection, after it was off and on', async () => {
    await agent.client.rules.enable({ id: 'now-and-then' });
    const first = await inSequence(40);
    await agent.client.rules.disable({ id: 'now-and-then' });
    expect(ruled(await inSequence(3), 200)).toBe(3);
    await agent.client.rules.enable({ id: 'now-and-then' });
    expect(await inSequence(40)).toEqual(first);
    expect(ruled(first, 418)).toBeGreaterThan(8); // 40 draws of a half: fewer than once in 10,000 seeds
    expect(ruled(first, 200)).toBeGreaterThan(8);
  });
});

describe('a rule for a callee', () => {
  it('hits the very first call to it, on every worker', async () => {
    // The callee is the process that listens: this one, as another client of the same agent has seen it.
    await callThrough(agent.ready.proxy, `${site.origin}/`);
    const callee = await eventually(async () => {
      const [flow] = await agent.flows('callee:*');
      if (flow === undefined || flow.callee.resolvedBy !== 'process') {
        await callThrough(agent.ready.proxy, `${site.origin}/`);
        throw new Error('not looked up yet');
      }
      return flow.callee.name;
    });
    await using fresh = await startSite(null); // nobody has called this port yet
    const faults = [{ type: 'status' as const, status: 410, headers: {}, body: '' }];
    const rule = { name: 'gone', enabled: true, match: { callee }, trigger: {}, faults };
    const { id } = await agent.client.rules.create(rule);
    const first = await Promise.all(
      Array.from({ length: 4 }, () => callThrough(agent.ready.proxy, `${fresh.origin}/`)),
    );
    await agent.client.rules.remove({ id });
    expect(first.map(({ status }) => status)).toEqual([410, 410, 410, 410]);
    expect(fresh.requests).toEqual([]);
  });
});

describe('the workspace file, under two workers', () => {
  const statuses = () =>
    Promise.all(
      Array.from({ length: 8 }, async () => (await callThrough(agent.ready.proxy, `${site.origin}/`)).status),
    );

  it('a toggle in the API changes one word of the file; an edit of the file changes every worker', async () => {
    await agent.client.rules.enable({ id: 'first-three' });
    const on = workspace.replace('enabled: false   # counted', 'enabled: true   # counted');
    await eventually(() => expect(agent.workspaceText()).toBe(on));
    await agent.client.rules.disable({ id: 'first-three' });
    await eventually(() => expect(agent.workspaceText()).toBe(workspace));

    const { writeFileSync } = await import('node:fs');
    const edited = workspace.replace(
      /- name: now and then\n {4}enabled: false\n.*\n/,
      '- name: now and then\n    enabled: true\n',
    );
    writeFileSync(agent.workspacePath, edited);
    await eventually(async () => expect(ruled(await statuses(), 418)).toBe(8));
    writeFileSync(agent.workspacePath, workspace);
    await eventually(async () => expect(ruled(await statuses(), 200)).toBe(8));
    await sleep(300); // longer than a write takes: nothing is written back for what came from the file
    expect(agent.workspaceText()).toBe(workspace);
  });
});

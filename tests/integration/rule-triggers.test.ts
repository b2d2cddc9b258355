// Triggers that count, over four worker processes that share 64 connections: each exact, whoever carries the calls.
import { Agent, createServer, request } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Flow } from '#shared/flow/flow.ts';
import type { Trigger } from '#shared/rules/trigger.ts';
import { callThrough } from '../support/proxy-client.ts';
import { endRealAgents, eventually, startRealAgent } from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';

const connections = 64;
const callsEach = 5;
const calls = connections * callsEach;

let agent: RealAgent;
let server: Server;
let origin = '';
/** Of its own for each test: the flows of the one before may still be on their way. */
let url = '';
let tests = 0;

beforeAll(async () => {
  server = createServer((_request, response) => response.end('ok'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  agent = await startRealAgent({ workers: 4 });
});
afterAll(async () => {
  await endRealAgents();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(async () => {
  url = `${origin}/test-${(tests += 1)}`;
  for (const { id } of await agent.client.rules.list()) await agent.client.rules.remove({ id });
});

async function flowsOfTest(): Promise<Flow[]> {
  return (await agent.flows()).filter(({ http }) => http?.url === url);
}

async function turnOn(trigger: Trigger, fault: object = { type: 'status', status: 503 }): Promise<string> {
  const faults = [fault] as never;
  const { id } = await agent.client.rules.create({
    name: 'counted',
    enabled: true,
    match: {},
    trigger,
    faults,
  });
  return id;
}

/** All connections at once, each with its calls one after the other. Statuses in the order in which the calls were made. */
async function everyConnection(): Promise<number[]> {
  const lists = await Promise.all(
    Array.from({ length: connections }, async () => {
      const connection = new Agent({ keepAlive: true, maxSockets: 1 });
      const statuses: number[] = [];
      for (let call = 0; call < callsEach; call += 1)
        statuses.push((await callThrough(agent.ready.proxy, url, { agent: connection })).status);
      connection.destroy();
      return statuses;
    }),
  );
  return lists.flat();
}

const hit = (statuses: readonly number[]): number => statuses.filter((status) => status === 503).length;

async function workersOfFlows(): Promise<number> {
  return await eventually(async () => {
    const flows = await flowsOfTest();
    expect(flows).toHaveLength(calls);
    return new Set(flows.map(({ worker }) => worker)).size;
  });
}

describe('over 4 workers and 64 connections', () => {
  it.each<[string, Trigger, number]>([
    ['first 3', { first: 3 }, 3],
    ['every 5th', { every: 5 }, calls / 5],
    ['after 300', { after: 300 }, calls - 300],
    ['after 20, the first 100, every 10th', { after: 20, first: 100, every: 10 }, 10],
  ])('%s hits exactly %j', async (_name, trigger, expected) => {
    const id = await turnOn(trigger);
    expect(hit(await everyConnection())).toBe(expected);
    expect(await workersOfFlows()).toBe(4);
    await eventually(async () => expect((await agent.client.rules.get({ id })).hits).toBe(expected));
  });

  it('a quota of 10/h lets exactly 10 pass', async () => {
    await turnOn({ rate: '10/h' });
    expect(hit(await everyConnection())).toBe(calls - 10);
  });

  it('a quota of 10/s lets 10 pass in each of its seconds', async () => {
    await turnOn({ rate: '10/s' });
    expect(hit(await everyConnection())).toBe(calls - 10 * (await secondsOfQuota()));
  });

  it('a seed repeats the same draws when the calls come in the same order', async () => {
    const inOrder = async (): Promise<number[]> => {
      await turnOn({ probability: 0.3, seed: 11 });
      const statuses: number[] = [];
      // A connection each: the calls go round the workers.
      for (let call = 0; call < 40; call += 1)
        statuses.push((await callThrough(agent.ready.proxy, url)).status);
      await agent.client.rules.remove({ id: 'counted' });
      return statuses;
    };
    const first = await inOrder();
    expect(await inOrder()).toEqual(first);
    expect(hit(first)).toBeGreaterThan(3);
    expect(hit(first)).toBeLessThan(25);
  });
});

/** How many periods of the quota the calls that passed belong to: the first that passes after one has ended begins the next. */
async function secondsOfQuota(): Promise<number> {
  const flows = await eventually(async () => {
    const all = await flowsOfTest();
    expect(all).toHaveLength(calls);
    return all;
  });
  const passed = flows.filter(({ faults }) => faults.length === 0).length;
  expect(passed % 10, 'each period let exactly ten pass').toBe(0);
  const times = flows.map(({ startedAt }) => Date.parse(startedAt));
  const spanMs = Math.max(...times) - Math.min(...times);
  expect(passed / 10).toBeLessThanOrEqual(Math.floor(spanMs / 1000) + 1);
  return passed / 10;
}

describe('maxConcurrent: 2', () => {
  /** Ids of the flows that a rule holds right now. */
  const holding = async (): Promise<string[]> => {
    const flows = await flowsOfTest();
    return flows
      .filter(({ faults }) => faults.some(({ outcome }) => outcome === 'acting'))
      .map(({ id }) => id);
  };

  it('holds two of many, never three, and the next when one is over', async () => {
    const controllers = Array.from({ length: 24 }, () => new AbortController());
    await turnOn({ maxConcurrent: 2 }, { type: 'hang', direction: 'request' });
    const answers: number[] = [];
    const ended = controllers.map(async ({ signal }) => {
      const { status } = await callOnce(signal);
      answers.push(status);
    });
    const settled = Promise.allSettled(ended);
    // All but the two that are held are answered.
    await eventually(() => expect(answers).toHaveLength(22));
    await eventually(async () => expect(await holding()).toHaveLength(2));
    controllers.forEach((controller) => controller.abort());
    const outcomes = await settled;
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(2);
    // Their places are free again: two more are held, and the third passes.
    const again = Array.from({ length: 3 }, () => new AbortController());
    const more: number[] = [];
    const second = Promise.allSettled(
      again.map(async ({ signal }) => void more.push((await callOnce(signal)).status)),
    );
    await eventually(async () => {
      expect(more).toEqual([200]);
      expect(await holding()).toHaveLength(2);
    });
    again.forEach((controller) => controller.abort());
    await second;
  });

  it('gets the places back of a worker that is killed', async () => {
    await turnOn({ maxConcurrent: 2 }, { type: 'hang', direction: 'request' });
    const controllers: AbortController[] = [];
    const open: Promise<unknown>[] = [];
    const answers: number[] = [];
    const begin = (): void => {
      const controller = new AbortController();
      controllers.push(controller);
      open.push(callOnce(controller.signal).then(({ status }) => answers.push(status)));
    };
    begin();
    begin();
    const settled = (): Promise<unknown> => Promise.allSettled(open);
    const held = await eventually(async () => {
      const flows = (await flowsOfTest()).filter(({ faults }) => faults.length > 0);
      expect(flows).toHaveLength(2);
      return flows;
    });
    const numbers = new Set(held.map(({ worker }) => worker));
    for (const { number, pid } of await agent.workers()) {
      if (numbers.has(number) && pid !== null) process.kill(pid, 'SIGKILL');
    }
    await settled();
    url += '-after';
    await eventually(async () => {
      expect((await agent.workers()).every(({ state }) => state === 'ready')).toBe(true);
    });
    begin();
    begin();
    begin();
    await eventually(async () => {
      expect(await holding()).toHaveLength(2);
      expect(answers).toEqual([200]);
    });
    controllers.forEach((controller) => controller.abort());
    await settled();
  });
});

/** A call by a connection of its own that can be given up. */
function callOnce(signal: AbortSignal): Promise<{ status: number }> {
  const { hostname, port } = new URL(`http://${agent.ready.proxy}`);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path: url, agent: false, signal }, (answer) => {
      answer.resume().on('end', () => resolve({ status: answer.statusCode ?? 0 }));
      answer.on('error', reject);
    });
    sent.on('error', reject).end();
  });
}

describe('expires', () => {
  it('turns the rule off by itself, tells when, and writes it back', async () => {
    const { expiresAt, enabledAt } = await agent.client.rules.get({ id: await turnOn({ expires: '700ms' }) });
    expect(Date.parse(expiresAt ?? '') - Date.parse(enabledAt ?? '')).toBe(700);
    expect((await callThrough(agent.ready.proxy, url)).status).toBe(503);
    await eventually(async () => {
      const rule = await agent.client.rules.get({ id: 'counted' });
      expect([rule.enabled, rule.expiresAt]).toEqual([false, null]);
      expect((await callThrough(agent.ready.proxy, url)).status).toBe(200);
      expect(agent.workspaceText()).toMatch(/name: counted\n\s+enabled: false/);
    });
  });
});

describe('a preview', () => {
  it('says what a rule would have hit of the calls that were captured, by head, body and status', async () => {
    const card = (brand: string): string => JSON.stringify({ card: { brand } });
    for (const brand of ['visa', 'amex', 'visa'])
      await callThrough(agent.ready.proxy, url, { method: 'POST', body: card(brand), caller: 'checkout' });
    await eventually(async () => expect(await flowsOfTest()).toHaveLength(3));
    const match = { path: new URL(url).pathname, caller: 'checkout' };
    const visa = { ...match, body: { json: '$.card.brand', equals: 'visa' }, status: '2xx' };
    const { rules } = agent.client;
    const all = await rules.preview({ rule: { match } });
    expect(all).toMatchObject({ matching: 3, hits: 3, undecided: 0, complete: true, windowMs: 300_000 });
    expect(all.flows).toEqual((await flowsOfTest()).map(({ id }) => id));
    const first = await rules.preview({ rule: { match: visa, trigger: { first: 1 } }, window: '1m' });
    expect(first).toMatchObject({ matching: 2, hits: 1, flows: [all.flows[2]] });
    expect((await rules.preview({ rule: { match: visa }, window: '1ms' })).considered).toBe(0);
    // Nothing was turned on.
    expect(await rules.list()).toEqual([]);
    await expect(rules.preview({ rule: { match: { path: '/(/i' } } })).rejects.toMatchObject({
      code: 'invalid-input',
    });
  });
});

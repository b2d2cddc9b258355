// SIGTERM in the middle of calls: they end, what was captured is there at the next start, and no process is left.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startSite } from '../support/https-site.ts';
import type { Site } from '../support/https-site.ts';
import { callThrough } from '../support/proxy-client.ts';
import { endRealAgents, eventually, startRealAgent } from '../support/real-agent.ts';

let site: Site;
beforeAll(async () => void (site = await startSite(null)));
afterAll(async () => {
  await endRealAgents();
  await site[Symbol.asyncDispose]();
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // ESRCH: there is none
  }
}

it('open calls end, the last second is in the store at the next start, nothing is left running', async () => {
  const agent = await startRealAgent();
  const workers = (await agent.workers()).map(({ pid }) => pid ?? 0);
  const { proxy } = agent.ready;
  const open = Promise.all(
    Array.from({ length: 6 }, (_, call) => callThrough(proxy, `${site.origin}/slow?ms=1200&open=${call}`)),
  );
  await eventually(() => expect(site.requests.filter((line) => line.includes('open='))).toHaveLength(6));
  const last = await Promise.all(
    Array.from({ length: 40 }, (_, call) => callThrough(proxy, `${site.origin}/last/${call}`)),
  );
  expect(last.every(({ status }) => status === 200)).toBe(true);
  const signalledAt = Date.now();
  const end = await agent.stop(); // at once: the flows of these calls have not been written yet
  expect({ code: end.code, signal: end.signal }).toEqual({ code: 0, signal: null });
  expect(Date.now() - signalledAt).toBeLessThan(5000);
  expect((await open).map(({ status, body }) => `${status} ${body}`)).toEqual(Array(6).fill('200 fine'));
  expect(workers.filter(isAlive)).toEqual([]);

  const next = await startRealAgent({ home: agent.home });
  const urls = (await next.flows()).map(({ http }) => new URL(http?.url ?? 'http://none/').pathname);
  expect(urls.filter((path) => path.startsWith('/last/'))).toHaveLength(40);
  expect(urls.filter((path) => path === '/slow')).toHaveLength(6);
  expect((await next.stop()).code).toBe(0);
});

it('a call that takes longer than that is cut, and recorded as such', async () => {
  const agent = await startRealAgent();
  const cut = callThrough(agent.ready.proxy, `${site.origin}/slow?ms=20000`).then(
    ({ status }) => `answered ${status}`,
    (error: NodeJS.ErrnoException) => `broke off: ${error.code}`,
  );
  await eventually(() => expect(site.requests.join()).toContain('ms=20000'));
  await sleep(100); // the flow is open by now
  expect((await agent.stop()).code).toBe(0);
  expect(await cut).toMatch(/broke off|answered 50[0-9]/);
  const next = await startRealAgent({ home: agent.home });
  const [flow] = await next.flows('path:/slow*');
  expect(flow?.error?.cause).toBe('spike-stopping');
  expect((await next.stop()).code).toBe(0);
});

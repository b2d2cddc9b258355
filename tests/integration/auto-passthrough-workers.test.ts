import { afterAll, expect, it } from 'vitest';
import type { AutoPassthrough } from '#shared/contract/passthrough.ts';
import { startSite } from '../support/https-site.ts';
import { endRealAgents, eventually, startRealAgent, temporaryDirectory } from '../support/real-agent.ts';
import { runProgram } from '../support/run-program.ts';

afterAll(endRealAgents);

it('is one list for all workers, shown and forgotten over the API', async () => {
  const directory = temporaryDirectory();
  await using site = await startSite(directory);
  const agent = await startRealAgent({ workers: 2 });
  const call = (caFile: string) =>
    runProgram('curl', [
      ...['-sS', '-m', '20', '-x', agent.proxyFor('checkout'), '--cacert', caFile],
      `${site.origin}/data.json`,
    ]);
  const siteCa = site.caPath ?? '';
  expect((await call(siteCa)).exitCode).toBe(60);
  const listed = () => agent.client.passthrough.list();
  await eventually(async () => expect(await listed()).toHaveLength(1));
  const [entry] = (await listed()) as [AutoPassthrough];
  expect(entry).toMatchObject({ client: 'checkout', name: '127.0.0.1', reason: 'unknown_ca' });
  expect(Date.parse(entry.until) - Date.parse(entry.since)).toBe(3_600_000);
  // Connections are dealt in turn: four of them fall on both workers. Workers are told before the list shows it to others,
  // but have it a moment later.
  await eventually(async () => expect((await call(siteCa)).exitCode).toBe(0));
  const calls = await Promise.all([1, 2, 3, 4].map(() => call(siteCa)));
  expect(calls.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0]);
  await eventually(async () => {
    const passed = (await agent.flows()).filter((flow) => flow.tls?.note?.includes('unknown_ca') === true);
    expect(new Set(passed.map((flow) => flow.worker)).size).toBe(2);
  });
  expect(await agent.client.passthrough.forget({ id: entry.id })).toEqual({ forgotten: entry.id });
  expect(await listed()).toEqual([]);
  expect((await call(await agent.exportedCa())).exitCode).toBe(0);
  expect((await call(siteCa)).exitCode).toBe(60);
});

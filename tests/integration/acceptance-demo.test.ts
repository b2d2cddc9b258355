// What `npm start -- --demo` shows on the map, from the agent that it starts.
import { afterAll, expect, it } from 'vitest';
import type { Topology } from '#shared/contract/topology.ts';
import { endRealAgents, eventually, startRealAgent } from '../support/real-agent.ts';

afterAll(() => endRealAgents());

const expected = [
  'browser→web http',
  'web→orders http',
  'web→checkout http',
  'checkout→payments http',
  'checkout→shipping http',
  'checkout→inventory http',
  'inventory→stock-db tcp',
];

it('the shop is on the map, with callers and callees joined', async () => {
  const agent = await startRealAgent({ words: ['--demo'] });
  const edges = ({ edges: all }: Topology) =>
    all.map(({ caller, callee, protocol }) => `${caller}→${callee} ${protocol}`).sort();
  const topology = await eventually(async () => {
    const now = (await (await agent.get('/topology?window=60s')).json()) as Topology;
    expect(edges(now)).toEqual(expect.arrayContaining(expected));
    return now;
  }, 15_000);
  const address = /^[\d.:[\]a-f]+$/i;
  expect(edges(topology).filter((edge) => edge.split(/[→ ]/).some((name) => address.test(name)))).toEqual([]);
  const kinds = new Map(topology.services.map(({ name, kind }) => [name, kind]));
  expect(kinds.get('browser')).toBe('client');
  expect(kinds.get('stock-db')).toBe('database');
  const payments = await eventually(async () => {
    const [flow] = await agent.flows('callee:payments');
    if (flow === undefined) throw new Error('no call of payments yet');
    return flow;
  });
  expect(payments).toMatchObject({ caller: { name: 'checkout' }, tls: { intercepted: true } });
  expect(payments.http?.url).toMatch(/^https:/);
  expect((await agent.client.agent.status()).demo).toBe('running');
  expect((await agent.stop()).code).toBe(0);
});

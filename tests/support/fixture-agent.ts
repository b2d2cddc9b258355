import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SpikeError } from '#shared/contract/errors.ts';
import type { Status } from '#shared/contract/status.ts';
import type { RuleInput } from '#shared/rules/rule.ts';
import { createControl } from '../../src-main/control/control.ts';
import { startControlServer } from '../../src-main/control/http-server.ts';
import { createSystemClock } from '../../src-main/engine/clock.ts';
import { fixtureScenarioRunner } from './fixture/scenarios.ts';
import { FixtureEngine } from './fixture-engine.ts';

/**
 * FIXTURE: the real control API over invented traffic, to work on the window without a proxy.
 *
 *     node tests/support/fixture-agent.ts [--port 7071] [--rate 50] [--history 300] [--max-flows 50000] [--workers 4]
 *                                         [--incident-every 0] [--token TOKEN] [--dev-origin http://localhost:5173] [--demo]
 *                                         [--hold 0] [--hold-for 60]
 *
 * --rate flows/s, --history, --incident-every and --hold-for in seconds. --hold calls that a breakpoint holds. --dev-origin lets the pages of a vite server, which passes
 * /api on to this one, ask. --demo starts with no traffic until the window presses "start the example shop".
 */
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '7071' },
    rate: { type: 'string', default: '50' },
    history: { type: 'string', default: '300' },
    'max-flows': { type: 'string', default: '50000' },
    workers: { type: 'string', default: '4' },
    'incident-every': { type: 'string', default: '0' },
    services: { type: 'string', default: 'shop' },
    token: { type: 'string' },
    'dev-origin': { type: 'string', multiple: true, default: [] },
    demo: { type: 'boolean', default: false },
    hold: { type: 'string', default: '0' },
    'hold-for': { type: 'string', default: '60' },
  },
});
if (values.services !== 'shop') throw new Error('the only invented services are those of the shop');

const holdCalls: RuleInput = {
  name: 'hold calls',
  enabled: true,
  match: { caller: 'checkout', callee: 'payments' },
  faults: [{ type: 'breakpoint' }, { type: 'breakpoint', at: 'response', onTimeout: 'drop' }],
};
const rules: readonly RuleInput[] = [
  {
    name: 'payments is slow',
    match: { caller: 'checkout', callee: 'payments', method: 'POST', path: '/v1/charge/*' },
    faults: [{ type: 'latency', direction: 'response', latencyMs: 2000, jitterMs: 100 }],
  },
  {
    name: 'inventory fails half',
    match: { caller: 'checkout', callee: 'inventory' },
    trigger: { probability: 0.5 },
    faults: [{ type: 'status', status: 503, body: '{"error":"injected by Spike"}' }],
  },
  {
    name: 'redis on 3G',
    match: { callee: 'redis' },
    faults: [{ type: 'bandwidth', direction: 'response', bytesPerSecond: 20_000 }],
  },
  ...(values.hold === '0' ? [] : [holdCalls]),
];

const clock = createSystemClock();
const rate = Number(values.rate);
const engine = new FixtureEngine({
  rate: values.demo ? 0 : rate,
  workers: Number(values.workers),
  historyMs: Number(values.history) * 1000,
  maxFlows: Number(values['max-flows']),
  clock,
});
engine.rules.load(rules);
await engine.routes.load([
  { name: 'orders', listen: '127.0.0.1:9101', upstream: 'http://127.0.0.1:8101' },
  { name: 'postgres', listen: '127.0.0.1:9432', upstream: 'tcp://127.0.0.1:5432' },
  { name: 'redis', listen: '127.0.0.1:9379', upstream: 'tcp://127.0.0.1:6379' },
]);

let demo: Status['demo'] = values.demo ? 'off' : 'running';
const complain = (fields: object, message: string): void => console.error(message, fields);
const log = { debug: () => undefined, info: () => undefined, warn: complain, error: complain };
const scenarios = fixtureScenarioRunner(engine, clock, log);
const control = createControl({
  engine,
  scenarios: scenarios.runner,
  clock,
  log,
  facts: {
    version: '0.1.0-fixture',
    shell: 'headless',
    caInSystemStore: () => true,
    workspaceStatus: () => ({
      path: '/home/example/shop/spike.yaml',
      name: 'shop',
      state: 'saved',
      problem: null,
    }),
    demoState: () => demo,
    editScenarios: (change) => scenarios.edit(change),
    startDemo: async () => {
      if (demo === 'running') throw new SpikeError('conflict', 'The example shop is running already.');
      engine.rate = rate;
      return (demo = 'running');
    },
  },
});
const token = values.token ?? randomBytes(24).toString('base64url');
const server = await startControlServer({
  control,
  listen: `127.0.0.1:${values.port}`,
  token: () => token,
  version: '0.1.0-fixture',
  rendererDirectory: fileURLToPath(new URL('../../out/renderer', import.meta.url)),
  allowedOrigins: values['dev-origin'],
});
await engine.start();
const incidents = Number(values['incident-every']) * 1000;
const loseOne = (): void => {
  engine.loseWorker(1 + Math.floor(Math.random() * Number(values.workers)));
  clock.setTimer(incidents, loseOne, true);
};
if (incidents > 0) clock.setTimer(incidents, loseOne, true);
engine.holds.hold(Number(values.hold), Number(values['hold-for']) * 1000);
console.log(`${server.url}/#token=${token}`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void engine.close().then(async () => {
      control.close();
      await server.close();
    });
  });
}

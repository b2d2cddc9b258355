import { gunzipSync, brotliDecompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { contract } from '#shared/contract/contract.ts';
import type { AgentClient } from '#shared/contract/contract.ts';
import type { SpikeError } from '#shared/contract/errors.ts';
import { EventSchema } from '#shared/contract/events.ts';
import type { AgentEvent } from '#shared/contract/events.ts';
import { spikeErrorOf } from '#shared/contract/wire-error.ts';
import type { RuleInput } from '#shared/rules/rule.ts';
import { startHarness } from '../support/control-harness.ts';
import type { ControlHarness } from '../support/control-harness.ts';
import { transports } from './transports.ts';
import type { Connected } from './transports.ts';

const slowPayments: RuleInput = {
  name: 'payments is slow',
  match: { caller: 'checkout', callee: 'payments' },
  faults: [{ type: 'latency', direction: 'response', latencyMs: 2000, jitterMs: 0 }],
};

/** An answer has exactly what the contract says: nothing missing, nothing more. */
function expectConforms(procedure: { '~orpc': { outputSchema?: unknown } }, answer: unknown): void {
  const schema = procedure['~orpc'].outputSchema as z.ZodType;
  expect(schema.parse(answer)).toEqual(answer);
}

async function refusal(call: Promise<unknown>): Promise<SpikeError> {
  const error = spikeErrorOf(
    await call.then(
      () => null,
      (reason: unknown) => reason,
    ),
  );
  if (error === null) throw new Error('expected the agent to refuse, with its own error');
  return error;
}

/** Events until one passes; the reader is closed in the end. */
async function readUntil(
  client: AgentClient,
  passes: (event: AgentEvent) => boolean,
  whenReading: () => unknown,
): Promise<AgentEvent[]> {
  const events: AgentEvent[] = [];
  for await (const event of await client.agent.events()) {
    if (events.push(event) === 1) whenReading();
    if (passes(event)) break;
  }
  return events;
}

describe.each(Object.entries(transports))('the contract over %s', (_name, open) => {
  let harness: ControlHarness;
  let connected: Connected;
  let client: AgentClient;

  beforeAll(async () => {
    harness = await startHarness();
    connected = await open(harness);
    client = connected.client;
    const now = Date.now();
    // Half an hour ago, so that all calls have ended.
    harness.engine.run(now - 1_800_000, now - 1_790_000);
    harness.engine.run(now - 60_000, now - 59_999);
  });
  afterAll(async () => {
    await connected.close();
    await harness.close();
  });
  afterEach(async () => {
    for (const rule of harness.engine.rules.list()) harness.engine.rules.remove(rule.id);
    for (const route of harness.engine.routes.list()) await harness.engine.routes.remove(route.name);
  });

  describe('flows', () => {
    it('lists full flows, newest first, in pages that join without a gap', async () => {
      const first = await client.flows.list({ limit: 5 });
      expectConforms(contract.flows.list, first);
      const second = await client.flows.list({ limit: 5, after: first.next as string });
      const both = await client.flows.list({ limit: 10 });
      expect([...first.flows, ...second.flows]).toEqual(both.flows);
      const ids = both.flows.map((flow) => flow.id);
      expect(ids).toEqual([...ids].sort().reverse());
      expect(ids).toHaveLength(10);
    });

    it('lists summaries instead where asked', async () => {
      const page = await client.flows.list({ limit: 3, view: 'summary' });
      expectConforms(contract.flows.list, page);
      expect(page.flows[0]).toHaveProperty('startedAtMs');
      const rows = await client.flows.summaries({ limit: 3 });
      expectConforms(contract.flows.summaries, rows);
      expect(rows.rows).toEqual(page.flows);
    });

    it('filters with the search language, and counts what matches', async () => {
      const { rows, total } = await client.flows.summaries({ filter: 'callee:payments method:POST' });
      expect(rows.length).toBeGreaterThan(0);
      expect(rows.every((row) => row.callee === 'payments' && row.method === 'POST')).toBe(true);
      expect(total).toBe(rows.length);
      const count = await client.flows.count({ filter: 'callee:payments method:POST' });
      expect(count).toEqual({ matching: rows.length, total: harness.engine.flows.size });
    });

    it('ends with next: null', async () => {
      expect((await client.flows.summaries({ limit: 100_000 })).next).toBeNull();
    });

    it('refuses a search that is none, with the place', async () => {
      const error = await refusal(client.flows.count({ filter: 'status:(' }));
      expect(error.code).toBe('invalid-filter');
      expect(error.details).toEqual({ at: expect.any(Number), length: expect.any(Number) });
    });

    it('gives one flow, and not-found for another', async () => {
      const [row] = (await client.flows.summaries({ limit: 1 })).rows;
      const flow = await client.flows.get({ id: row?.id as string });
      expectConforms(contract.flows.get, flow);
      expect(flow.id).toBe(row?.id);
      expect((await refusal(client.flows.get({ id: 'nothing' }))).code).toBe('not-found');
    });

    it('gives a body as it passed and decoded, byte for byte', async () => {
      const [row] = (await client.flows.summaries({ filter: 'callee:payments status:201' })).rows;
      const id = row?.id as string;
      const decoded = await client.flows.body({ id, side: 'response', decoded: true });
      const raw = await client.flows.body({ id, side: 'response' });
      expect(decoded.type).toBe('application/json');
      expect(raw.type).toBe('application/octet-stream');
      const text = await decoded.text();
      expect(JSON.parse(text)).toMatchObject({ status: 'authorized' });
      expect(brotliDecompressSync(await raw.bytes()).toString()).toBe(text);
    });

    it('takes decoded as 1, 0, true and false', async () => {
      const [row] = (await client.flows.summaries({ filter: 'caller:web callee:orders path:/v1/catalog*' }))
        .rows;
      const read = async (decoded: '1' | '0' | 'true' | 'false' | boolean) =>
        (await client.flows.body({ id: row?.id as string, side: 'response', decoded })).bytes();
      const decoded = await read('1');
      expect(await read('true')).toEqual(decoded);
      expect(await read(true)).toEqual(decoded);
      const raw = await read('0');
      expect(await read('false')).toEqual(raw);
      expect(await read(false)).toEqual(raw);
      expect(new Uint8Array(gunzipSync(raw))).toEqual(decoded);
    });

    it('gives the messages inside a flow, and not-found for another', async () => {
      const [row] = (await client.flows.summaries({ limit: 1 })).rows;
      const page = await client.flows.messages({ id: row?.id as string, after: 3, limit: 10 });
      expectConforms(contract.flows.messages, page);
      expect(page).toEqual({ messages: [], next: null, total: 0, dropped: 0 });
      expect((await refusal(client.flows.messages({ id: 'nothing' }))).code).toBe('not-found');
      expect((await refusal(client.flows.messages({ id: 'nothing', after: -2 }))).code).toBe('invalid-input');
    });

    it('says why a body is not there', async () => {
      const [row] = (await client.flows.summaries({ filter: 'callee:web status:304' })).rows;
      const error = await refusal(client.flows.body({ id: row?.id as string, side: 'response' }));
      expect(error.code).toBe('body-not-stored');
    });
  });

  describe('rules', () => {
    it('creates, reads, replaces, changes, turns on and off, and removes', async () => {
      const created = await client.rules.create(slowPayments);
      expectConforms(contract.rules.create, created);
      expect(created).toMatchObject({ id: 'payments-is-slow', enabled: false, version: 1, hits: 0 });
      expect(await client.rules.get({ id: created.id })).toEqual(created);
      expect(await client.rules.list()).toEqual([created]);

      const enabled = await client.rules.enable({ id: created.id });
      expect(enabled).toMatchObject({ enabled: true, version: 2, enabledAt: expect.any(String) });
      expect((await client.agent.status()).activeFaults).toBe(1);
      const disabled = await client.rules.disable({ id: created.id });
      expect(disabled).toMatchObject({ enabled: false, enabledAt: null });

      const params = { id: created.id };
      const renamed = await client.rules.update({ params, body: { name: 'slow' } });
      expect(renamed).toMatchObject({ name: 'slow', faults: created.faults });
      const faults: RuleInput['faults'] = [{ type: 'reset', at: 'start' }];
      const replaced = await client.rules.replace({ params, body: { name: 'reset', faults } });
      expect(replaced).toMatchObject({ name: 'reset', faults, match: {} });

      expect(await client.rules.remove(params)).toEqual({ removed: created.id });
      expect(await client.rules.list()).toEqual([]);
    });

    it('names the field of a bad input, what was expected, and every other one', async () => {
      const bad = { name: '', faults: [{ type: 'latency', latencyMs: -1 }], colour: 'red' };
      const error = await refusal(client.rules.create(bad as unknown as RuleInput));
      expect(error.code).toBe('invalid-input');
      expect(error.message).toContain('`name`');
      expect(error.details).toEqual([
        { path: 'name', message: expect.any(String), expected: '>= 1' },
        { path: 'faults[0].latencyMs', message: expect.any(String), expected: '>= 0' },
        { path: 'colour', message: expect.any(String), expected: null },
      ]);
    });

    it('names fields the same way where the input comes in parts', async () => {
      const { id } = await client.rules.create(slowPayments);
      const error = await refusal(client.rules.update({ params: { id }, body: { name: '' } }));
      expect(error.details).toEqual([{ path: 'name', message: expect.any(String), expected: '>= 1' }]);
    });

    it('says what an unsaved rule would have hit, and saves nothing', async () => {
      const match = { callee: 'payments' };
      const preview = await client.rules.preview({
        rule: { match, trigger: { first: 2 } },
        window: '1h',
        limit: 1,
      });
      expectConforms(contract.rules.preview, preview);
      const rows = (await client.flows.summaries({ filter: 'callee:payments' })).rows;
      expect(preview).toMatchObject({ windowMs: 3_600_000, matching: rows.length, hits: 2, complete: true });
      expect(preview.flows).toEqual([rows.at(-2)?.id]);
      expect(await client.rules.list()).toEqual([]);
      const rule = { trigger: { window: { from: '5s', to: '2s' } }, match: { body: {} } };
      const error = await refusal(client.rules.preview({ rule }));
      expect((error.details as { path: string }[]).map(({ path }) => path)).toEqual([
        'rule.match.body',
        'rule.trigger.window.to',
      ]);
    });

    it('puts rules in order, tells other readers, and leaves all as it was where an id is wrong', async () => {
      const make = (name: string) => client.rules.create({ ...slowPayments, name });
      for (const name of ['a', 'b', 'c']) await make(name);
      const events = await readUntil(
        client,
        ({ type }) => type === 'rule.reordered',
        () => client.rules.move({ params: { id: 'c' }, body: { before: 'a' } }),
      );
      expect(events.at(-1)).toEqual({ type: 'rule.reordered', ids: ['c', 'a', 'b'] });
      const moved = await client.rules.move({ params: { id: 'c' }, body: { before: null } });
      expectConforms(contract.rules.move, moved);
      expect(moved.ids).toEqual(['a', 'b', 'c']);
      const ordered = await client.rules.order({ ids: ['b', 'c', 'a'] });
      expectConforms(contract.rules.order, ordered);
      expect((await client.rules.list()).map(({ id }) => id)).toEqual(['b', 'c', 'a']);

      const unknown = await refusal(client.rules.order({ ids: ['a', 'x', 'b', 'c'] }));
      expect(unknown).toMatchObject({ code: 'not-found', message: expect.stringContaining('"x"') });
      const missing = await refusal(client.rules.order({ ids: ['a', 'b'] }));
      expect(missing).toMatchObject({ code: 'invalid-input', message: expect.stringContaining('"c"') });
      const nowhere = client.rules.move({ params: { id: 'a' }, body: { before: 'x' } });
      expect((await refusal(nowhere)).code).toBe('not-found');
      expect((await client.rules.list()).map(({ id }) => id)).toEqual(['b', 'c', 'a']);
    });

    it('turns many on or off at once, all or none', async () => {
      for (const name of ['a', 'b', 'c']) await client.rules.create({ ...slowPayments, name });
      await client.rules.enable({ id: 'b' });
      const switched = await client.rules.switch({ ids: ['c', 'b', 'a'], enabled: true });
      expectConforms(contract.rules.switch, switched);
      expect(switched.changed).toEqual(['a', 'c']);
      const error = await refusal(client.rules.switch({ ids: ['a', 'x', 'y'], enabled: false }));
      expect(error).toMatchObject({ code: 'not-found', message: expect.stringContaining('"x", "y"') });
      expect((await client.agent.status()).activeFaults).toBe(3);
      expect((await client.rules.switch({ ids: ['a', 'b'], enabled: false })).changed).toEqual(['a', 'b']);
    });

    it('refuses the second rule of a name, and a rule that is not there', async () => {
      await client.rules.create(slowPayments);
      expect((await refusal(client.rules.create(slowPayments))).code).toBe('conflict');
      expect((await refusal(client.rules.enable({ id: 'nothing' }))).code).toBe('not-found');
      expect((await refusal(client.rules.remove({ id: 'nothing' }))).code).toBe('not-found');
    });

    it('imports rules of Istio, all or none, and exports them', async () => {
      const service = (percentage: number, name: string): string => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name} }
spec:
  hosts: [ratings]
  http: [{ fault: { abort: { httpStatus: 500, percentage: { value: ${percentage} } } } }]
`;
      const shown = await client.rules.import({ text: service(50, 'one'), apply: false });
      expectConforms(contract.rules.import, shown);
      expect(shown).toMatchObject({ rules: [{ name: 'one', trigger: { probability: 0.5 } }], added: [] });
      expect(await client.rules.list()).toEqual([]);

      const wrong = `${service(50, 'one')}---${service(101, 'two')}`;
      const error = await refusal(client.rules.import({ text: wrong }));
      expect(error).toMatchObject({ code: 'invalid-input' });
      const path = 'spec.http[0].fault.abort.percentage.value';
      expect(error.details).toMatchObject([{ document: 2, line: 14, path, expected: '<= 100' }]);
      expect(await client.rules.list()).toEqual([]);

      const { added } = await client.rules.import({ text: service(50, 'one'), enabled: true });
      expect(added).toMatchObject([{ name: 'one', enabled: true, match: { callee: 'ratings' } }]);
      expect(await client.rules.list()).toEqual(added);
      const both = `${service(1, 'two')}---${service(50, 'one')}`;
      expect((await refusal(client.rules.import({ text: both }))).code).toBe('conflict');
      expect(await client.rules.list()).toEqual(added);

      await client.rules.create({ ...slowPayments, faults: [{ type: 'hang' }] });
      const text = await (await client.rules.export({})).text();
      expect(text).toContain(`# Rule "${slowPayments.name}": left out: Istio has no fault "hang".`);
      const again = await client.rules.import({ text, apply: false });
      expect(again.rules).toMatchObject([
        { name: 'one', match: { callee: 'ratings' }, trigger: { probability: 0.5 } },
      ]);
    });

    it('stops all faults at once', async () => {
      await client.rules.create({ ...slowPayments, enabled: true });
      await client.rules.create({ ...slowPayments, name: 'off anyway' });
      const stopped = await client.rules.disableAll();
      expect(stopped).toEqual({ disabled: ['payments-is-slow'], released: 0 });
      expect((await client.rules.list()).some((rule) => rule.enabled)).toBe(false);
    });
  });

  describe('scenarios, changed', () => {
    const scenario = { name: 'made', duration: '2s', steps: [{ at: '0s', enable: ['a'] }], assert: [] };

    it('are added, written anew under another name, and removed; what does not fit is told with its place', async () => {
      await client.rules.create({ ...slowPayments, name: 'a' });
      const created = await client.scenarios.create(scenario);
      expectConforms(contract.scenarios.create, created);
      expect((await client.scenarios.list()).at(-1)).toEqual(scenario);
      const params = { name: 'made' };
      const body = { ...scenario, name: 'renamed', steps: [{ at: '1s', disable: ['a'] }] };
      expect(await client.scenarios.replace({ params, body })).toEqual(body);
      expect((await client.scenarios.list()).map(({ name }) => name)).not.toContain('made');
      const unknown = { ...body, steps: [{ at: '0s', enable: ['x'] }] };
      const error = await refusal(client.scenarios.replace({ params: { name: 'renamed' }, body: unknown }));
      expect(error.details).toMatchObject([{ path: 'steps[0].enable[0]' }]);
      expect((await refusal(client.scenarios.create(body))).message).toContain('used twice');
      expect((await refusal(client.scenarios.remove({ name: 'made' }))).code).toBe('not-found');
      expect(await client.scenarios.remove({ name: 'renamed' })).toEqual({ removed: 'renamed' });
    });

    it('the one that runs is not changed, and says what callers meet', async () => {
      const run = await client.scenarios.run({ name: 'quick' });
      expect((await refusal(client.scenarios.remove({ name: 'quick' }))).code).toBe('conflict');
      const series = await client.scenarios.series({ id: run.id });
      expectConforms(contract.scenarios.series, series);
      expect((await refusal(client.scenarios.series({ id: 'other' }))).code).toBe('not-found');
      await client.scenarios.stop();
    });
  });

  describe('routes', () => {
    const route = { name: 'orders', listen: '127.0.0.1:0', upstream: 'http://127.0.0.1:8101' };

    it('creates, lists and removes', async () => {
      const created = await client.routes.create(route);
      expectConforms(contract.routes.create, created);
      expect(created.address).toMatch(/^127\.0\.0\.1:\d+$/);
      expect(await client.routes.list()).toEqual([created]);
      expect(await client.routes.remove({ name: 'orders' })).toEqual({ removed: 'orders' });
      expect(await client.routes.list()).toEqual([]);
    });

    it('tells a taken name from a taken port', async () => {
      const { address } = await client.routes.create(route);
      expect((await refusal(client.routes.create(route))).code).toBe('conflict');
      const samePort = { ...route, name: 'other', listen: address as string };
      expect((await refusal(client.routes.create(samePort))).code).toBe('port-in-use');
      expect((await refusal(client.routes.remove({ name: 'nothing' }))).code).toBe('not-found');
    });
  });

  describe('topology', () => {
    it('gives services and edges, an edge with its chart, and the totals', async () => {
      const map = await client.topology.get({ window: '1h' });
      expectConforms(contract.topology.get, map);
      expect(map.windowMs).toBe(3_600_000);
      expect(map.services.map((service) => service.name)).toContain('payments');
      const edge = await client.topology.edge({ id: 'checkout→payments', window: '1h' });
      expectConforms(contract.topology.edge, edge);
      expect(edge.stats.calls).toBeGreaterThan(0);
      const stats = await client.topology.stats({ window: '5m' });
      expectConforms(contract.topology.stats, stats);
      expect(stats.windowMs).toBe(300_000);
    });

    it('refuses a window that is none, and an edge that was never seen', async () => {
      const error = await refusal(client.topology.get({ window: 'soon' }));
      expect(error).toMatchObject({ code: 'invalid-input', details: [{ path: 'window' }] });
      expect((await refusal(client.topology.edge({ id: 'moon→sun' }))).code).toBe('not-found');
    });
  });

  describe('captures', () => {
    it('starts and stops recording', async () => {
      expect(await client.captures.control({ action: 'stop' })).toEqual({ recording: false });
      expect((await client.agent.status()).capture.recording).toBe(false);
      expect(await client.captures.control({ action: 'start' })).toEqual({ recording: true });
    });

    it('lists the current capture and exports it, without secrets unless they are asked for', async () => {
      const list = await client.captures.list();
      expectConforms(contract.captures.list, list);
      expect(list).toMatchObject([{ id: 'current', flows: harness.engine.flows.size }]);
      const filter = 'callee:payments';
      const redacted = await client.captures.export({ id: 'current', filter });
      expect(redacted.type).toBe('application/json');
      expect((redacted as File).name).toMatch(/^spike-.*\.har$/);
      const har = JSON.parse(await redacted.text()) as { log: { version: string; entries: unknown[] } };
      expect(har.log.version).toBe('1.2');
      expect(har.log.entries).toHaveLength((await client.flows.count({ filter })).matching);
      expect(JSON.stringify(har)).not.toContain('Bearer service-checkout');
      const open = await client.captures.export({ id: 'current', filter, redact: false });
      expect(await open.text()).toContain('Bearer service-checkout');
    });

    it('knows no other capture', async () => {
      expect((await refusal(client.captures.export({ id: 'monday' }))).code).toBe('not-found');
    });
  });

  describe('agent', () => {
    it('gives its status and its CA', async () => {
      const status = await client.agent.status();
      expectConforms(contract.agent.status, status);
      expect(status).toMatchObject({ version: '0.0.0-test', control: harness.server.url, shell: 'headless' });
      const certificate = await client.agent.caCertificate();
      expect(await certificate.text()).toBe(harness.engine.ca.certificatePem);
    });

    it('shows the clients that pass through by themselves, and forgets them', async () => {
      const listed = await client.passthrough.list();
      expectConforms(contract.passthrough.list, listed);
      expect(listed).toMatchObject([{ client: 'checkout', name: 'api.bank.example', reason: 'unknown_ca' }]);
      expect(await client.passthrough.forget({ id: '1' })).toEqual({ forgotten: '1' });
      expect(await client.passthrough.list()).toEqual([]);
      expect((await refusal(client.passthrough.forget({ id: '1' }))).code).toBe('not-found');
    });

    it('starts the example shop once', async () => {
      expect(await client.agent.startDemo()).toEqual({ state: 'starting' });
      expect((await refusal(client.agent.startDemo())).code).toBe('conflict');
    });

    it('sends events: first the status, then what happens', async () => {
      const events = await readUntil(
        client,
        (event) => event.type === 'rule.removed',
        () => {
          harness.engine.rules.create({ ...slowPayments, id: 'first' });
          harness.engine.rules.remove('first');
        },
      );
      expect(events[0]).toMatchObject({ type: 'status.changed', status: { version: '0.0.0-test' } });
      const told = events.filter((event) => event.type.startsWith('rule.'));
      expect(told.map((event) => event.type)).toEqual(['rule.changed', 'rule.removed']);
      for (const event of events) expect(EventSchema.parse(event)).toEqual(event);
    });

    it('sends batches of flows that conform', async () => {
      const now = Date.now();
      const events = await readUntil(
        client,
        (event) => event.type === 'flow.batch',
        () => harness.engine.run(now - 30_000, now - 29_000),
      );
      const batch = events.at(-1);
      expect(EventSchema.parse(batch)).toEqual(batch);
    });

    it('leaves nothing behind when a reader stops', async () => {
      await readUntil(
        client,
        () => true,
        () => undefined,
      );
      await expect.poll(() => harness.control.events.readers).toBe(0);
      expect(harness.engine.listeners).toBe(0);
    });
  });

  it('hides a bug of its own behind an id, and logs it', async () => {
    const { flows } = harness.engine;
    const count = flows.count.bind(flows);
    flows.count = () => Promise.reject(new TypeError('secret of the inside'));
    const error = await refusal(client.flows.count({}));
    flows.count = count;
    const { id } = error.details as { id: string };
    expect(error.code).toBe('internal-error');
    expect(error.message).toContain(id);
    expect(JSON.stringify(error)).not.toContain('secret');
    expect(harness.logged.at(-1)?.fields).toMatchObject({
      errorId: id,
      err: expect.objectContaining({ message: 'secret of the inside' }),
    });
  });

  it('forgets all flows', async () => {
    const before = harness.engine.flows.size;
    expect(await client.flows.clear()).toEqual({ removed: before });
    expect((await client.flows.summaries({})).rows).toEqual([]);
  });
});

import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { request } from 'node:http';
import { SpikeError } from '#shared/contract/errors.ts';
import { ScenarioReportSchema } from '#shared/scenarios/report.ts';
import type { ScenarioReport, ScenarioRun } from '#shared/scenarios/report.ts';
import { endRealAgents, eventually, spike, startRealAgent } from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';

const workspace = (port: number): string => `version: 1
routes:
  - { name: payments, listen: 127.0.0.1:0, upstream: http://127.0.0.1:${port} }
rules:
  # on before, and on again after
  - name: payments is slow
    enabled: true
    match: { callee: payments, path: /slow }
    faults: [{ type: latency, direction: response, latencyMs: 1 }]
scenarios:
  # long enough for a machine that is busy
  - name: payments fail
    duration: 6s
    steps:
      - at: 2s
        for: 2s
        name: payments down
        disable: [payments-is-slow]
        rule: { name: payments is down, match: { callee: payments }, faults: [{ type: status, status: 503 }] }
  - name: long
    duration: 10m
    steps: [{ at: 0s, name: down, rule: { name: down for long, match: { callee: payments }, faults: [{ type: status, status: 503 }] } }]
  - name: short
    duration: 200ms
    steps: [{ at: 100ms, name: marked }]
    assert: [all.calls >= 0]
`;

let origin: Server;
let agent: RealAgent;
let text: string;

beforeAll(async () => {
  origin = createServer((_, response) => response.end('paid'));
  await new Promise<void>((done) => origin.listen(0, '127.0.0.1', done));
  text = workspace((origin.address() as AddressInfo).port);
  agent = await startRealAgent({ workspace: text });
});
afterAll(async () => {
  await endRealAgents();
  origin.closeAllConnections();
  await new Promise((done) => origin.close(done));
});
beforeEach(async () => {
  await eventually(async () => expect((await current())?.state ?? 'ended').toBe('ended'));
});

/** The status of one call of checkout to payments. */
function call(caller = 'checkout'): Promise<number> {
  const [host, port] = agent.ready.proxy.split(':');
  const authorization = `Basic ${Buffer.from(`${caller}:x`).toString('base64')}`;
  return new Promise((resolve, reject) => {
    const headers = { host: 'payments.internal', 'proxy-authorization': authorization };
    const path = 'http://payments.internal/pay';
    const asked = request({ host, port: Number(port), path, headers, agent: false }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    asked.once('error', reject).end();
  });
}

async function callTimes(count: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let n = 0; n < count; n += 1) statuses.push(await call());
  return statuses;
}

const current = async (): Promise<ScenarioRun | null> => (await agent.client.scenarios.current()).run;
const inPhase = (name: string) =>
  eventually(async () => {
    const run = await current();
    expect(run?.phases[run.phase]?.name).toBe(name);
  });
const rulesOn = async (): Promise<string[]> =>
  (await agent.client.rules.list()).filter(({ enabled }) => enabled).map(({ id }) => id);

async function reportOf(id: string): Promise<ScenarioReport> {
  const file = await eventually(() => agent.client.scenarios.report({ id }));
  return ScenarioReportSchema.parse(JSON.parse(await file.text()));
}

async function refusal(asked: Promise<unknown>): Promise<SpikeError> {
  const error = await asked.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SpikeError)) throw new Error(`expected a refusal, not ${String(error)}`);
  return error;
}

describe('a scenario over real calls', () => {
  it('turns rules on and off in its phases, counts exactly, and leaves everything as it was', async () => {
    const { id } = await agent.client.scenarios.run({ name: 'payments fail' });
    // The rule book is asked after the phase is entered: the workers know as soon as this is answered.
    expect(new Set(await callTimes(11))).toEqual(new Set([200]));
    await inPhase('payments down');
    await eventually(async () => expect(await rulesOn()).toEqual(['payments-is-down']));
    await eventually(async () => expect(await call('probe')).toBe(503));
    expect(new Set(await callTimes(13))).toEqual(new Set([503]));
    expect(agent.workspaceText()).toBe(text);
    await inPhase('recovered');
    await eventually(async () => expect(await call('probe')).toBe(200));
    expect(new Set(await callTimes(12))).toEqual(new Set([200]));

    const report = await reportOf(id);
    const checkout = report.callers.find(({ name }) => name === 'checkout');
    expect(report.phases.map(({ name, rules }) => [name, rules])).toEqual([
      ['before', []],
      ['payments down', ['payments is down']],
      ['recovered', []],
    ]);
    expect(
      checkout?.phases.map(({ calls, errors, hits, statuses }) => ({ calls, errors, hits, statuses })),
    ).toEqual([
      { calls: 11, errors: 0, hits: 0, statuses: { 200: 11 } },
      { calls: 13, errors: 13, hits: 13, statuses: { 503: 13 } },
      { calls: 12, errors: 0, hits: 0, statuses: { 200: 12 } },
    ]);
    expect(checkout).toMatchObject({ verdict: 'failed', answered: null });
    expect(report.outcome).toBe('finished');
    expect(await rulesOn()).toEqual(['payments-is-slow']);
    expect(agent.workspaceText()).toBe(text);
  });

  it('is one at a time, and is stopped by hand, with a report of what was', async () => {
    const { id } = await agent.client.scenarios.run({ name: 'long' });
    expect(await call()).toBe(503);
    expect((await refusal(agent.client.scenarios.run({ name: 'short' }))).message).toContain(
      '"long" is running',
    );
    expect((await refusal(agent.client.scenarios.report({ id }))).code).toBe('not-available');
    await agent.client.scenarios.stop();
    expect(await call()).toBe(200);
    expect((await refusal(agent.client.scenarios.stop())).code).toBe('conflict');
    expect(await reportOf(id)).toMatchObject({
      outcome: 'stopped',
      reason: 'it was stopped by hand',
      passed: false,
    });
  });

  it('is stopped by stopping all faults', async () => {
    const { id } = await agent.client.scenarios.run({ name: 'long' });
    await agent.client.rules.disableAll();
    expect(await call()).toBe(200);
    expect(await reportOf(id)).toMatchObject({ reason: 'all faults were stopped' });
    expect((await agent.client.rules.list()).map(({ id: rule }) => rule)).toEqual(['payments-is-slow']);
    await agent.client.rules.enable({ id: 'payments-is-slow' });
  });

  it('is stopped when it is changed in the file, and needs its rules', async () => {
    const { id } = await agent.client.scenarios.run({ name: 'long' });
    writeFileSync(agent.workspacePath, text.replace('duration: 10m', 'duration: 11m'));
    expect(await reportOf(id)).toMatchObject({ reason: '"long" was changed in the workspace file' });
    writeFileSync(agent.workspacePath, text);
    await eventually(async () => expect((await agent.client.scenarios.list())[1]?.duration).toBe('10m'));
    const error = await refusal(agent.client.rules.remove({ id: 'payments-is-slow' }));
    expect(error.message).toContain('"payments fail" needs the rule');
  });

  it('leaves a rule to whoever turns it meanwhile', async () => {
    const { id } = await agent.client.scenarios.run({ name: 'payments fail' });
    await inPhase('payments down');
    await eventually(async () => expect(await rulesOn()).toEqual(['payments-is-down']));
    await agent.client.rules.enable({ id: 'payments-is-slow' });
    await agent.client.scenarios.stop();
    expect((await reportOf(id)).notes.join()).toContain('Somebody else turned the rule "payments-is-slow"');
    expect(await rulesOn()).toEqual(['payments-is-slow']);
  });

  it('over REST: pages and data, refusals with their status', async () => {
    const { id } = await agent.client.scenarios.run({ name: 'short' });
    await reportOf(id);
    const page = await agent.get(`/scenarios/reports/${id}?format=html`);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.headers.get('content-disposition')).toContain('attachment');
    expect(await page.text()).toContain('<!doctype html>');
    expect(((await (await agent.get('/scenarios/reports')).json()) as { id: string }[])[0]?.id).toBe(id);
    expect((await agent.get('/scenarios/reports/nothing')).status).toBe(404);
    const post = (path: string, body: object) =>
      fetch(`${agent.ready.control}/api/v1${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${agent.ready.token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect((await post('/scenarios/nothing/run', {})).status).toBe(404);
    const bad = await post('/scenarios/short/run', { assert: ['phase("x") a.p95 < 1s'] });
    expect(bad.status).toBe(400);
    expect(await bad.text()).toContain('There is no phase');
    await agent.client.captures.control({ action: 'stop' });
    expect((await post('/scenarios/short/run', {})).status).toBe(409);
    await agent.client.captures.control({ action: 'start' });
  });
});

describe('spike scenario', () => {
  const words = (...more: string[]) => spike(['scenario', ...more, '--home', agent.home]);

  it('lists, runs, and ends with 0, 1 or 2', async () => {
    expect((await words('list')).stdout).toMatch(/payments fail\s+6s\s+before, payments down, recovered/);
    const file = join(mkdtempSync(join(tmpdir(), 'spike-scenario-')), 'report.html');
    const fine = await words('run', 'short', '--report', file);
    expect(fine.code).toBe(0);
    expect(fine.stdout).toContain('100 ms  marked');
    expect(fine.stdout).toContain('holds  all.calls >= 0');
    expect(readFileSync(file, 'utf8')).toContain('<!doctype html>');
    const failed = await words('run', 'short', '--assert', 'nobody.errorRate < 1%', '--json');
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('nobody.errorRate < 1% does not hold.');
    expect(ScenarioReportSchema.parse(JSON.parse(failed.stdout)).passed).toBe(false);
    const bad = await words('run', 'short', '--assert', 'checkout.errorrate < 1%');
    expect(bad.code).toBe(2);
    expect(bad.stderr).toContain('  checkout.errorrate < 1%\n           ^');
    expect((await words('run', 'short', '--assert', 'phase("x") all.p95 < 1s')).code).toBe(2);
    expect((await words('run', 'nothing')).code).toBe(1);
  });

  it('is told when somebody stops it', async () => {
    const running = words('run', 'long');
    await eventually(async () =>
      expect(await current()).toMatchObject({ scenario: 'long', state: 'running' }),
    );
    expect((await words('stop')).stdout).toMatch(/^long was stopped after /);
    const { code, stderr } = await running;
    expect([code, stderr]).toEqual([1, 'spike: The scenario was stopped: it was stopped by hand.\n']);
  });
});

describe('an agent that ends in the middle', () => {
  it('ends at once, and its file is as it was', async () => {
    const other = await startRealAgent({ workspace: text, workers: 1 });
    await other.client.scenarios.run({ name: 'long' });
    expect((await other.stop()).code).toBe(0);
    expect(other.workspaceText()).toBe(text);
  });

  it('refuses a scenario that does not fit together, with its place', async () => {
    const wrong = text.replace('disable: [payments-is-slow]', 'disable: [payments-is-slwo]');
    await expect(startRealAgent({ workspace: wrong })).rejects.toThrow(
      /spike\.yaml:18:19: There is no rule "payments-is-slwo"\. There are payments-is-slow\./,
    );
  });
});

import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SpikeError } from '#shared/contract/errors.ts';
import { ScenarioSchema } from '#shared/scenarios/scenario.ts';
import { createSystemClock } from '../../../../src-main/engine/clock.ts';
import { silentLog } from '../../../../src-main/engine/log.ts';
import { openWorkspace } from '../../../../src-main/workspace/workspace-sync.ts';
import type { OpenWorkspace } from '../../../../src-main/workspace/workspace-sync.ts';
import { FixtureEngine } from '../../../support/fixture-engine.ts';

const text = 'version: 1\nrules:\n  - name: slow # mine\n    enabled: false\n    faults: [{ type: hang }]\n';

let directory: string;
let path: string;
let engine: FixtureEngine;
let workspace: OpenWorkspace | null;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spike-sync-'));
  path = join(directory, 'spike.yaml');
  writeFileSync(path, text);
  engine = new FixtureEngine({ rate: 0, workers: 1, historyMs: 0, clock: createSystemClock() });
  workspace = null;
});
afterEach(async () => {
  await workspace?.close();
  await engine.close();
  rmSync(directory, { recursive: true });
});

async function open(): Promise<OpenWorkspace> {
  const clock = createSystemClock();
  workspace = await openWorkspace({
    path,
    target: engine,
    environment: {},
    clock,
    log: silentLog,
    settleMs: 20,
  });
  return workspace;
}

/** Replaces the file as editors do: a reader never sees half of it. */
function edit(content: string): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 4000, interval: 20 });
const file = (): string => readFileSync(path, 'utf8');

describe('a workspace and its engine', () => {
  it('what the engine had before is kept, and written', async () => {
    engine.rules.create({ name: 'from before', faults: [{ type: 'reset' }] });
    await open();
    await until(() => expect(file()).toContain('from before'));
    expect(engine.rules.list().map(({ id }) => id)).toEqual(['slow', 'from-before']);
  });

  it('an edit that the engine refuses is a defect; what was applied of it is taken back', async () => {
    const it = await open();
    const load = engine.rules.load.bind(engine.rules);
    let refuse = true;
    engine.rules.load = (definitions) => {
      if (refuse && definitions.some(({ name }) => name === 'new'))
        throw new SpikeError('conflict', 'Not this one.');
      load(definitions);
    };
    const edited = `${text.replace('slow', 'new')}routes:\n  - { name: a, listen: 127.0.0.1:0, upstream: "tcp://127.0.0.1:1" }\n`;
    edit(edited);
    await until(() => expect(it.status().state).toBe('invalid'));
    expect(it.status().problem).toMatchObject({
      line: 3,
      message: expect.stringContaining('Not this one.') as string,
    });
    expect(engine.routes.list()).toEqual([]);
    expect(engine.rules.list().map(({ name }) => name)).toEqual(['slow']);
    expect(file()).toBe(edited);
    refuse = false;
    edit(`${edited}# again\n`);
    await until(() => expect(it.status().state).toBe('saved'));
    expect(engine.routes.list()).toHaveLength(1);
  });

  it('tells of every change of its state', async () => {
    const states: string[] = [];
    const it = await open();
    it.onChange(() => states.push(it.status().state));
    edit('version: [');
    await until(() => expect(states).toEqual(['invalid']));
    edit(text);
    await until(() => expect(states).toEqual(['invalid', 'saved']));
  });

  it('a rule that is gone from the file takes a change of it along', async () => {
    await open();
    edit('version: 1\nrules: []\n');
    engine.rules.update('slow', { enabled: true });
    await until(() => expect(engine.rules.list()).toEqual([]));
    expect(file()).toBe('version: 1\nrules: []\n');
  });

  it('its own writing is no edit: the file comes to rest', async () => {
    const it = await open();
    engine.rules.update('slow', { enabled: true });
    await until(() => expect(file()).toBe(text.replace('false', 'true')));
    const loads: unknown[] = [];
    engine.rules.load = (definitions) => void loads.push(definitions);
    await new Promise((done) => setTimeout(done, 300)); // several times what settling takes
    expect(loads).toEqual([]);
    expect(it.status()).toMatchObject({ state: 'saved', path });
  });

  it('an order is kept in the file, and taken from it', async () => {
    const it = await open();
    engine.rules.create({ name: 'second', faults: [{ type: 'hang' }] });
    await until(() => expect(file()).toContain('second'));
    engine.rules.move('second', 'slow');
    await until(() => expect(file()).toMatch(/name: second[^]*name: slow # mine/));
    await until(() => expect(it.status().state).toBe('saved'));
    expect(engine.rules.list().map(({ id }) => id)).toEqual(['second', 'slow']);
    edit(`${text}  - { name: second, faults: [{ type: hang }] }\n`);
    await until(() => expect(engine.rules.list().map(({ id }) => id)).toEqual(['slow', 'second']));
  });

  it('a scenario is written, with the rule that it needs and that is not written yet; a broken file is left alone', async () => {
    const it = await open();
    let told = 0;
    it.onChange(() => (told += 1));
    engine.rules.create({ name: 'needed', faults: [{ type: 'hang' }] });
    const scenario = ScenarioSchema.parse({
      name: 'made',
      duration: '2s',
      steps: [{ at: '0s', enable: ['needed'] }],
    });
    await it.editScenarios({ before: null, scenario });
    expect(it.scenarios()).toEqual([scenario]);
    expect(file()).toMatch(/# mine[^]*name: needed[^]*scenarios:\n {2}- name: made/);
    expect(told).toBeGreaterThan(0);
    await it.editScenarios({ before: 'made', scenario: { ...scenario, name: 'renamed' } });
    expect(it.scenarios().map(({ name }) => name)).toEqual(['renamed']);
    const broken = `${file()}broken: [`;
    edit(broken);
    await expect(it.editScenarios({ before: 'renamed', scenario: null })).rejects.toMatchObject({
      code: 'workspace-invalid',
    });
    expect(file()).toBe(broken);
    expect(it.scenarios().map(({ name }) => name)).toEqual(['renamed']);
  });

  it('closing writes what is not written yet', async () => {
    const it = await open();
    engine.rules.update('slow', { enabled: true });
    await it.close();
    expect(file()).toBe(text.replace('false', 'true'));
    engine.rules.update('slow', { enabled: false });
    expect(file()).toBe(text.replace('false', 'true'));
  });
});

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SpikeError } from '#shared/contract/errors.ts';
import type { Status } from '#shared/contract/status.ts';
import { createControl } from '../../src-main/control/control.ts';
import type { Control, ControlOptions } from '../../src-main/control/control.ts';
import { startControlServer } from '../../src-main/control/http-server.ts';
import type { ControlServer, HttpServerOptions } from '../../src-main/control/http-server.ts';
import { createSystemClock } from '../../src-main/engine/clock.ts';
import { fixtureScenarioRunner } from './fixture/scenarios.ts';
import { FixtureEngine } from './fixture-engine.ts';

export const testToken = 'test-token-with-enough-characters-1234';

/** The real control API around a fixture engine, for one test file. */
export interface ControlHarness {
  readonly engine: FixtureEngine;
  readonly control: Control;
  readonly server: ControlServer;
  readonly logged: { fields: object; message: string }[];
  /** An empty folder that is the built window. */
  readonly rendererDirectory: string;
  close(): Promise<void>;
}

export interface HarnessOptions {
  readonly http?: Partial<HttpServerOptions>;
  readonly eventLimits?: ControlOptions['eventLimits'];
}

export async function startHarness(options: HarnessOptions = {}): Promise<ControlHarness> {
  const engine = new FixtureEngine({ rate: 100, seed: 7 });
  const logged: ControlHarness['logged'] = [];
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: (fields: object, message: string) => void logged.push({ fields, message }),
    error: (fields: object, message: string) => void logged.push({ fields, message }),
  };
  const clock = createSystemClock();
  const { runner: scenarios, edit } = fixtureScenarioRunner(engine, clock, log);
  const control = createControl({
    engine,
    scenarios,
    clock,
    log,
    facts: { ...fixtureFacts(), editScenarios: edit },
    ...(options.eventLimits === undefined ? {} : { eventLimits: options.eventLimits }),
  });
  const directory = await mkdtemp(join(tmpdir(), 'spike-control-'));
  const rendererDirectory = join(directory, 'window');
  await mkdir(rendererDirectory);
  const server = await startControlServer({
    control,
    listen: '127.0.0.1:0',
    token: () => testToken,
    version: '0.0.0-test',
    rendererDirectory,
    ...options.http,
  });
  return {
    engine,
    control,
    server,
    logged,
    rendererDirectory,
    async close() {
      control.close();
      await scenarios.close();
      await server.close();
      await engine.close();
      await rm(directory, { recursive: true });
    },
  };
}

function fixtureFacts(): Omit<ControlOptions['facts'], 'editScenarios'> {
  let demo: Status['demo'] = 'off';
  return {
    version: '0.0.0-test',
    shell: 'headless',
    caInSystemStore: () => null,
    workspaceStatus: () => ({ path: null, name: 'test', state: 'none', problem: null }),
    demoState: () => demo,
    startDemo: async () => {
      if (demo !== 'off') throw new SpikeError('conflict', 'The example shop is running already.');
      return (demo = 'starting');
    },
  };
}

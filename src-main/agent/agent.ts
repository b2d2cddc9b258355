import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SpikeError } from '#shared/contract/errors.ts';
import type { Status } from '#shared/contract/status.ts';
import type { Scenario } from '#shared/scenarios/scenario.ts';
import { writeAgentFile } from '../control/agent-file.ts';
import { createControl } from '../control/control.ts';
import type { Control } from '../control/control.ts';
import { startControlServer } from '../control/http-server.ts';
import type { ControlServer } from '../control/http-server.ts';
import { startToxiproxyServer } from '../control/toxiproxy/http-api.ts';
import type { ToxiproxyServer } from '../control/toxiproxy/http-api.ts';
import { loadOrCreateToken, tokenPath } from '../control/token.ts';
import { createSystemClock } from '../engine/clock.ts';
import type { Clock } from '../engine/clock.ts';
import type { Engine, EngineOptions } from '../engine/engine-interface.ts';
import type { Log } from '../engine/log.ts';
import { ScenarioRunner } from '../engine/scenarios/scenario-runner.ts';
import type { Environment } from '../workspace/environment.ts';
import type { ScenarioChange } from '../workspace/scenario-edit.ts';
import { memoryWorkspace, openWorkspace, readWorkspace } from '../workspace/workspace-sync.ts';
import type { OpenWorkspace } from '../workspace/workspace-sync.ts';
import { lockHome } from './agent-lock.ts';
import { createDemo, installedShop } from './demo.ts';
import type { Demo } from './demo.ts';
import { prepareHome } from './home-directory.ts';
import { createSystemTrustProbe } from './system-trust-probe.ts';

export interface AgentOptions {
  readonly homeDirectory: string;
  /** host:port; port 0 takes a free one. */
  readonly proxyListen: string;
  readonly controlListen: string;
  /** Where Toxiproxy's API is answered as well; absent: nowhere. */
  readonly toxiproxyListen?: string;
  /** At least 1. */
  readonly workers: number;
  /** The workspace file; null keeps settings in memory. */
  readonly workspacePath: string | null;
  /** Starts the example shop, with its own workspace in place of `workspacePath`. */
  readonly demo: boolean;
  readonly shell: Status['shell'];
  readonly version: string;
  readonly log: Log;
  /** For placeholders of the workspace file. */
  readonly environment: Environment;
  /** Where package.json is, with a slash at its end: examples and the built window are found from there. */
  readonly packageDirectory: URL;
  readonly entries: EngineOptions['entries'];
  readonly workerExec?: EngineOptions['workerExec'];
  readonly caKeyType?: EngineOptions['caKeyType'];
  readonly createEngine: (options: EngineOptions) => Engine | Promise<Engine>;
}

/** What a program needs to use a running agent. Addresses are host:port as they are bound. */
export interface AgentAddresses {
  readonly proxy: string;
  readonly control: string;
  readonly token: string;
  readonly caPath: string;
  readonly routes: Readonly<Record<string, string>>;
  /** Toxiproxy's API; absent where it is not answered. */
  readonly toxiproxy?: string;
}

export interface Agent {
  readonly engine: Engine;
  readonly control: Control;
  addresses(): AgentAddresses;
  /** The window's URL with the key in its fragment; secret as the token is. */
  windowUrl(view?: 'live' | 'map' | 'faults' | 'setup'): string;
  /** Drains and ends everything; idempotent. */
  close(): Promise<void>;
}

/**
 * Starts an agent; it is ready when this resolves. Rejects with WorkspaceFileError, CertificateAuthorityError or SpikeError
 * for what its user can mend, and nothing is left running then.
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const opened: (() => Promise<void> | void)[] = [];
  const undo = async (): Promise<void> => {
    for (const close of opened.splice(0).reverse()) await close();
  };
  try {
    return await composeAgent(options, opened, undo);
  } catch (error) {
    await undo();
    throw error;
  }
}

type Opened = (() => Promise<void> | void)[];

async function composeAgent(
  options: AgentOptions,
  opened: Opened,
  close: () => Promise<void>,
): Promise<Agent> {
  const { homeDirectory, log } = options;
  const clock = createSystemClock();
  await prepareHome(homeDirectory);
  const demo = createDemo({ shop: installedShop(options.packageDirectory), homeDirectory, log });
  // A file that is wrong is told before anything is started, or made, on its behalf.
  if (options.workspacePath !== null && !options.demo)
    await readWorkspace(options.workspacePath, options.environment);
  const lock = await lockHome(homeDirectory);
  opened.push(() => lock.release());

  const apis: { address: string }[] = [];
  const engine = await startEngine(options, clock, opened, () => apis.map(({ address }) => address));
  const slot: { workspace?: WorkspaceSlot } = {};
  const scenarios = new ScenarioRunner({
    engine,
    clock,
    log,
    scenarios: () => slot.workspace?.scenarios() ?? [],
  });
  const workspace = await WorkspaceSlot.open(options, { engine, demo, clock, scenarios });
  slot.workspace = workspace;
  opened.push(() => workspace.close());
  opened.push(() => scenarios.close()); // its rules are as they were when the file is written last
  const control = openControl(options, { engine, workspace, clock, scenarios });
  opened.push(() => control.close());
  const token = await loadOrCreateToken(homeDirectory);
  const server = await serve(options, control, token);
  apis.push(server);
  const { url, close: closeServer } = server;
  opened.push(closeServer);
  const toxiproxy = await serveToxiproxy(options, engine, opened);
  if (toxiproxy !== null) apis.push(toxiproxy);
  await engine.forbiddenUpstreamsChanged(); // the APIs are some from now on

  const addresses = (): AgentAddresses => ({
    ...addressesOf(engine, url, token),
    ...(toxiproxy === null ? {} : { toxiproxy: toxiproxy.address }),
  });
  const facts = { control: url, proxy: engine.status().proxy.address, startedAt: engine.status().startedAt };
  opened.push(
    await writeAgentFile(homeDirectory, { pid: process.pid, tokenPath: tokenPath(homeDirectory), ...facts }),
  );
  opened.push(() => demo.stop()); // first to go: its calls pass through what ends after it
  if (options.demo) await workspace.startDemo();
  await engine.settled(); // ready means that the rules of the file hold for the very first call
  return {
    engine,
    control,
    addresses,
    windowUrl: (view) => `${url}/#token=${token}${view === undefined ? '' : `&view=${view}`}`,
    close,
  };
}

async function startEngine(
  options: AgentOptions,
  clock: Clock,
  opened: Opened,
  ownAddresses: () => readonly string[],
): Promise<Engine> {
  const { homeDirectory, proxyListen, workers, log, entries, workerExec, caKeyType } = options;
  const engine = await options.createEngine({
    homeDirectory,
    version: options.version,
    proxyListen,
    workers,
    clock,
    random: Math.random,
    log,
    entries,
    forbiddenUpstreams: ownAddresses,
    ...(workerExec === undefined ? {} : { workerExec }),
    ...(caKeyType === undefined ? {} : { caKeyType }),
  });
  opened.push(() => engine.close());
  await engine.start();
  return engine;
}

function openControl(
  options: AgentOptions,
  { engine, workspace, clock, scenarios }: Omit<SlotParts, 'demo'> & { workspace: WorkspaceSlot },
): Control {
  const { version, shell, log } = options;
  const control = createControl({
    engine,
    scenarios,
    clock,
    log,
    facts: {
      version,
      shell,
      workspaceStatus: () => workspace.status(),
      caInSystemStore: createSystemTrustProbe(engine.ca, clock, log),
      demoState: () => workspace.demoState(),
      startDemo: () => workspace.startDemo(),
      editScenarios: (change) => workspace.editScenarios(change),
    },
  });
  workspace.onChange(() => {
    scenarios.definitionsChanged();
    control.events.statusChanged();
  });
  return control;
}

function serve(options: AgentOptions, control: Control, token: string): Promise<ControlServer> {
  return startControlServer({
    control,
    listen: options.controlListen,
    token: () => token,
    version: options.version,
    rendererDirectory: fileURLToPath(new URL('out/renderer', options.packageDirectory)),
  });
}

async function serveToxiproxy(
  { toxiproxyListen, log }: AgentOptions,
  engine: Engine,
  opened: Opened,
): Promise<ToxiproxyServer | null> {
  if (toxiproxyListen === undefined) return null;
  const server = await startToxiproxyServer({ engine, listen: toxiproxyListen, log });
  opened.push(() => server.close());
  return server;
}

function addressesOf(engine: Engine, control: string, token: string): AgentAddresses {
  const bound = engine.routes
    .list()
    .flatMap(({ name, address }) => (address === null ? [] : [[name, address]]));
  return {
    proxy: engine.status().proxy.address ?? '',
    control,
    token,
    caPath: engine.ca.path,
    routes: Object.fromEntries(bound) as Record<string, string>,
  };
}

interface SlotParts {
  readonly engine: Engine;
  readonly demo: Demo;
  readonly clock: Clock;
  readonly scenarios: ScenarioRunner;
}

/** The workspace in force: the user's file, none, or (from then on) the demo's. */
class WorkspaceSlot {
  readonly #options: AgentOptions;
  readonly #parts: SlotParts;
  readonly #listeners = new Set<() => void>();
  #current: OpenWorkspace;
  #starting: Promise<Status['demo']> | null = null;

  private constructor(options: AgentOptions, parts: SlotParts) {
    this.#options = options;
    this.#parts = parts;
    this.#current = memoryWorkspace(basename(process.cwd()));
    this.#current.onChange(() => this.#changed());
  }

  static async open(options: AgentOptions, parts: SlotParts): Promise<WorkspaceSlot> {
    const slot = new WorkspaceSlot(options, parts);
    const path = options.demo ? await parts.demo.prepare() : options.workspacePath;
    if (path !== null) await slot.#follow(path);
    return slot;
  }

  status(): Status['workspace'] {
    return this.#current.status();
  }

  scenarios(): readonly Scenario[] {
    return this.#current.scenarios();
  }

  editScenarios(change: ScenarioChange): Promise<void> {
    return this.#current.editScenarios(change);
  }

  demoState(): Status['demo'] {
    return this.#parts.demo.state();
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Starts the shop once. Its rules and routes are a workspace of their own, which takes the place of none. */
  startDemo(): Promise<Status['demo']> {
    this.#starting ??= this.#startDemo().finally(() => {
      if (this.demoState() !== 'running') this.#starting = null; // it may be tried again
    });
    return this.#starting;
  }

  async #startDemo(): Promise<Status['demo']> {
    const { demo, engine } = this.#parts;
    const { path, state } = this.status();
    if (state === 'none') await this.#follow(await demo.prepare());
    else if (!this.#options.demo) {
      throw new SpikeError(
        'not-available',
        `The demo has a workspace of its own and would change ${path}. Start Spike with --demo, or without a workspace file.`,
      );
    }
    const { proxy, caPath, routes } = addressesOf(engine, '', '');
    await demo.start({ proxy, caPath, routes });
    this.#changed();
    return demo.state();
  }

  async #follow(path: string): Promise<void> {
    const { engine, clock, scenarios } = this.#parts;
    const { environment, log } = this.#options;
    const { routes, settings } = engine;
    const subscribe: Engine['subscribe'] = (listener) => engine.subscribe(listener);
    const target = { routes, settings, subscribe, rules: scenarios.forWorkspace() };
    this.#current = await openWorkspace({ path, target, environment, clock, log });
    this.#current.onChange(() => this.#changed());
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  close(): Promise<void> {
    return this.#current.close();
  }
}

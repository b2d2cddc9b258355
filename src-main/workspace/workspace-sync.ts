import { basename, dirname, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { SpikeError } from '#shared/contract/errors.ts';
import type { AgentEvent } from '#shared/contract/events.ts';
import type { WorkspaceStatus } from '#shared/contract/status.ts';
import type { Scenario } from '#shared/scenarios/scenario.ts';
import type { Workspace } from '#shared/workspace/workspace.ts';
import type { Clock, Timer } from '../engine/clock.ts';
import type { Engine } from '../engine/engine-interface.ts';
import type { Log } from '../engine/log.ts';
import { SettingError } from '../engine/setting-error.ts';
import { defectAt, problemOf, wholeFileDefect, WorkspaceFileError } from './defect.ts';
import type { Defect } from './defect.ts';
import { changesBetween, definitionsOf, sameDefinitions, withChanges } from './definition-changes.ts';
import type { Environment } from './environment.ts';
import { watchFile } from './file-watch.ts';
import type { FileWatch } from './file-watch.ts';
import { valueOffset } from './node-place.ts';
import { parseWorkspace } from './parse-workspace.ts';
import type { Definitions, ParsedWorkspace } from './parse-workspace.ts';
import { changedScenarios, scenarioEdit } from './scenario-edit.ts';
import type { ScenarioChange } from './scenario-edit.ts';
import { upstreamProxiesOf } from './upstream-proxies.ts';
import { readFileText, writeFileText } from './workspace-file.ts';
import { writeBack } from './write-back.ts';

/** The parts of the engine that a workspace file sets. */
export type WorkspaceTarget = Pick<Engine, 'routes' | 'settings' | 'subscribe'> & {
  readonly rules: Pick<Engine['rules'], 'list' | 'load'>;
};

export interface WorkspaceSyncOptions {
  readonly path: string;
  readonly target: WorkspaceTarget;
  readonly environment: Environment;
  readonly clock: Clock;
  readonly log: Log;
  /** How long after the last edit or change the two are brought together; default 100. */
  readonly settleMs?: number;
}

/** What the rest of the agent sees of a workspace. */
export interface OpenWorkspace {
  status(): WorkspaceStatus;
  /** As the file has them that is in force. */
  scenarios(): readonly Scenario[];
  /** Changes the scenarios, in the file first. Rejects with `workspace-invalid` or `conflict`, and nothing is changed then. */
  editScenarios(change: ScenarioChange): Promise<void>;
  /** Tells of every change of the status and of the scenarios; returns what ends it. */
  onChange(listener: () => void): () => void;
  /** Writes what is not written yet, and follows no longer. */
  close(): Promise<void>;
}

const concerns: ReadonlySet<AgentEvent['type']> = new Set([
  'rule.changed',
  'rule.removed',
  'rule.reordered',
  'route.changed',
  'route.removed',
]);

/** Reads and checks a file before there is an engine to give it to. Throws WorkspaceFileError. */
export async function readWorkspace(path: string, environment: Environment): Promise<ParsedWorkspace> {
  const file = await readFileText(path);
  if (!file.ok) throw new WorkspaceFileError(path, file.defect);
  const result = parseWorkspace(file.text, environment);
  if (!result.ok) throw new WorkspaceFileError(path, result.defect);
  return result.parsed;
}

/** Gives the file to a started engine and keeps both the same from then on. Throws WorkspaceFileError. */
export async function openWorkspace(options: WorkspaceSyncOptions): Promise<OpenWorkspace> {
  const sync = new WorkspaceSync(options);
  await sync.open();
  return sync;
}

/** No file: what is set lives as long as the agent. `name` is shown in its place. */
export function memoryWorkspace(name: string): OpenWorkspace {
  let scenarios: readonly Scenario[] = [];
  const listeners = new Set<() => void>();
  return {
    status: () => ({ path: null, name, state: 'none', problem: null }),
    scenarios: () => scenarios,
    editScenarios: (change) => {
      scenarios = changedScenarios(scenarios, change);
      for (const listener of listeners) listener();
      return Promise.resolve();
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => Promise.resolve(),
  };
}

class WorkspaceSync implements OpenWorkspace {
  readonly #options: WorkspaceSyncOptions;
  readonly #path: string;
  readonly #listeners = new Set<() => void>();
  /** What file and engine agreed on last. */
  #base: Definitions = { rules: [], routes: [] };
  /** The file as it was applied last; null before the first time. */
  #applied: ParsedWorkspace | null = null;
  #state: Pick<WorkspaceStatus, 'state' | 'problem'> = { state: 'saved', problem: null };
  #timer: Timer | null = null;
  #running: Promise<void> = Promise.resolve();
  #watch: FileWatch | null = null;
  #unsubscribe: () => void = () => undefined;
  #closed = false;

  constructor(options: WorkspaceSyncOptions) {
    this.#options = options;
    this.#path = resolve(options.path);
  }

  async open(): Promise<void> {
    const { target, environment } = this.#options;
    const parsed = await readWorkspace(this.#path, environment);
    const defect = await this.#apply(parsed);
    if (defect !== null) throw new WorkspaceFileError(this.#path, defect);
    this.#unsubscribe = target.subscribe((event) => {
      if (concerns.has(event.type)) this.#soon();
    });
    const { clock, log } = this.#options;
    this.#watch = await watchFile(this.#path, clock, log, () => this.#soon());
    this.#soon(); // what happened between the first reading and now
  }

  status(): WorkspaceStatus {
    return { path: this.#path, name: basename(dirname(this.#path)), ...this.#state };
  }

  scenarios(): readonly Scenario[] {
    return this.#applied?.workspace.scenarios ?? [];
  }

  editScenarios(change: ScenarioChange): Promise<void> {
    const done = this.#running.then(() => this.#editScenarios(change));
    this.#running = done.catch(() => undefined); // told to whoever asked
    return done;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    if (this.#closed) return this.#running;
    this.#closed = true;
    this.#unsubscribe();
    this.#timer?.cancel();
    await this.#watch?.close();
    await this.#sync(); // a change of the last moment
  }

  #soon(): void {
    if (this.#closed) return;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(this.#options.settleMs ?? 100, () => void this.#sync());
  }

  /** One after the other; each reads everything anew, so that none is ever late. */
  #sync(): Promise<void> {
    this.#running = this.#running
      .then(() => this.#syncOnce())
      .catch((error: unknown) => {
        this.#options.log.error({ error, path: this.#path }, 'The workspace file was not brought up to date');
      });
    return this.#running;
  }

  async #syncOnce(): Promise<void> {
    const file = await readFileText(this.#path);
    if (!file.ok) return this.#refuse(file.missing ? removed : file.defect);
    const result = this.#parsed(file.text);
    if (!result.ok) return this.#refuse(result.defect);
    const defect = await this.#apply(result.parsed);
    if (defect !== null) return this.#refuse(defect);
    await this.#save(result.parsed);
  }

  async #editScenarios(change: ScenarioChange): Promise<void> {
    await this.#syncOnce(); // rules that it needs may not be written yet
    const parsed = this.#applied;
    if (parsed === null || this.#state.state !== 'saved') {
      const why = this.#state.problem?.message ?? 'It is not saved.';
      throw new SpikeError('workspace-invalid', `The scenario was not written. ${why}`);
    }
    const text = scenarioEdit(parsed, change, this.#options.environment);
    const name = basename(this.#path);
    if (text === null)
      throw new SpikeError(
        'conflict',
        `${name} cannot be changed so without touching other places. Edit it by hand.`,
      );
    const again = await readFileText(this.#path);
    if (!again.ok || again.text !== parsed.text)
      throw new SpikeError(
        'conflict',
        `${name} was edited in this very moment. Nothing was changed; try again.`,
      );
    const failure = await this.#write(text);
    if (failure !== null) throw new SpikeError('conflict', `${failure} Nothing was changed.`);
    await this.#syncOnce();
  }

  /** The text that is in force is not parsed again. */
  #parsed(text: string): ReturnType<typeof parseWorkspace> {
    if (this.#applied?.text === text) return { ok: true, parsed: this.#applied };
    return parseWorkspace(text, this.#options.environment);
  }

  #inForce(): Definitions {
    const { rules, routes } = this.#options.target;
    return definitionsOf(rules.list(), routes.list());
  }

  /** The file with the engine's own changes since the base on top. */
  #wanted(parsed: Definitions): Definitions {
    return withChanges(parsed, changesBetween(this.#base, this.#inForce()));
  }

  /** Gives the engine what it does not have yet: all of it, or a defect and nothing. */
  async #apply(parsed: ParsedWorkspace): Promise<Defect | null> {
    const { target } = this.#options;
    const before = this.#inForce();
    const steps: [string, () => unknown, () => unknown][] = [
      ['tls', () => this.#applySettings(parsed), () => this.#applySettings(this.#applied)],
      ['routes', () => this.#loadRoutes(this.#wanted(parsed)), () => target.routes.load(before.routes)],
      ['rules', () => this.#loadRules(this.#wanted(parsed)), () => target.rules.load(before.rules)],
    ];
    for (const [index, [part, apply]] of steps.entries()) {
      try {
        await apply();
      } catch (error) {
        for (const [, , undo] of steps.slice(0, index).reverse()) await undo();
        return this.#defectOf(parsed, part, error);
      }
    }
    const scenariosBefore = this.scenarios();
    this.#applied = parsed;
    this.#base = parsed; // what the engine has besides is a change of its own
    if (!isDeepStrictEqual(scenariosBefore, this.scenarios())) this.#tell();
    return null;
  }

  async #applySettings(parsed: ParsedWorkspace | null): Promise<void> {
    if (
      parsed === null ||
      parsed === this.#applied ||
      sameSettings(parsed.workspace, this.#applied?.workspace)
    )
      return;
    const { capture, tls, http, redact, limits, upstreamProxy } = parsed.workspace;
    await this.#options.target.settings.apply({
      capture,
      tls,
      http,
      redact,
      limits,
      upstreamProxies: upstreamProxiesOf(upstreamProxy, this.#options.environment),
      baseDirectory: dirname(this.#path),
    });
  }

  async #loadRoutes({ routes }: Definitions): Promise<void> {
    const inForce = this.#inForce();
    if (!sameDefinitions({ rules: [], routes }, { rules: [], routes: inForce.routes })) {
      await this.#options.target.routes.load(routes);
    }
  }

  #loadRules({ rules }: Definitions): void {
    const inForce = this.#inForce();
    if (!isDeepStrictEqual(rules, inForce.rules)) this.#options.target.rules.load(rules);
  }

  #defectOf(parsed: ParsedWorkspace, part: string, error: unknown): Defect {
    // Rules and trust files that the engine refuses name their reason; anything else is a bug and is told as one.
    const isSetting = error instanceof SettingError;
    if (!(error instanceof SpikeError) && !isSetting && !isFileError(error)) throw error;
    const path = isSetting ? error.path : part === 'tls' ? ['tls', 'trust'] : [part];
    return defectAt(parsed.text, valueOffset(parsed.document, path), (error as Error).message);
  }

  /** Writes the engine's changes into the file that was just applied. */
  async #save(parsed: ParsedWorkspace): Promise<void> {
    const wanted = this.#wanted(parsed);
    if (!sameDefinitions(parsed, wanted)) {
      const text = writeBack(parsed, wanted, this.#options.environment);
      if (text === null)
        return this.#keepUnsaved('The change cannot be written without touching other places of the file.');
      const again = await readFileText(this.#path);
      if (!again.ok || again.text !== parsed.text) return this.#soon(); // edited in this very moment: from the top
      const failure = await this.#write(text);
      if (failure !== null) return this.#keepUnsaved(failure);
      const written = parseWorkspace(text, this.#options.environment);
      if (written.ok) this.#applied = written.parsed;
    }
    this.#base = wanted;
    this.#become({ state: 'saved', problem: null });
  }

  async #write(text: string): Promise<string | null> {
    try {
      await writeFileText(this.#path, text);
      return null;
    } catch (error) {
      return `The file cannot be written (${String((error as NodeJS.ErrnoException).code ?? error)}).`;
    }
  }

  #keepUnsaved(sentence: string): void {
    const message = `${basename(this.#path)} was not saved. ${sentence} The change holds until Spike stops.`;
    this.#options.log.warn({ path: this.#path }, message);
    this.#become({ state: 'unsaved', problem: { line: 0, column: 0, message, excerpt: [] } });
  }

  #refuse(defect: Defect): void {
    const problem = problemOf(this.#path, defect);
    this.#options.log.warn({ path: this.#path, line: problem.line, column: problem.column }, problem.message);
    this.#become({ state: 'invalid', problem });
  }

  #become(state: Pick<WorkspaceStatus, 'state' | 'problem'>): void {
    if (isDeepStrictEqual(state, this.#state)) return;
    this.#state = state;
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

const removed = wholeFileDefect('The file is gone.');

function sameSettings(a: Workspace, b: Workspace | undefined): boolean {
  if (b === undefined) return false;
  const settings = ({ capture, tls, http, redact, limits, upstreamProxy }: Workspace): unknown => [
    capture,
    tls,
    http,
    redact,
    limits,
    upstreamProxy,
  ];
  return isDeepStrictEqual(settings(a), settings(b));
}

/** TrustStoreError and its like: an error that names the file that it is about. */
function isFileError(error: unknown): boolean {
  return error instanceof Error && 'file' in error;
}

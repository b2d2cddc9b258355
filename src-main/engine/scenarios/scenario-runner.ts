import { isDeepStrictEqual } from 'node:util';
import { SpikeError } from '#shared/contract/errors.ts';
import type { AgentEvent } from '#shared/contract/events.ts';
import { assertionProblem } from '#shared/scenarios/assertion.ts';
import type { RunSeries, ScenarioReport, ScenarioRun } from '#shared/scenarios/report.ts';
import type { Scenario } from '#shared/scenarios/scenario.ts';
import { timelineOf } from '#shared/scenarios/timeline.ts';
import type { Rule, RuleInput } from '#shared/rules/rule.ts';
import type { Clock } from '../clock.ts';
import type { Engine } from '../engine-interface.ts';
import type { Log } from '../log.ts';
import { ScenarioPlay } from './scenario-play.ts';

export interface ScenarioRunnerOptions {
  readonly engine: Pick<Engine, 'rules' | 'flows' | 'settled' | 'subscribe' | 'status'>;
  readonly clock: Clock;
  readonly log: Log;
  /** The scenarios of the workspace as it is in force. */
  readonly scenarios: () => readonly Scenario[];
}

/** What the control API asks. */
export interface Scenarios {
  list(): readonly Scenario[];
  /** Resolves once the first phase holds. Rejects with `not-found`, `invalid-input` for an assertion, `conflict`. */
  run(name: string, assertions: readonly string[]): Promise<ScenarioRun>;
  /** Resolves when the rules are as they were, on every worker. Rejects with `conflict` when none runs. */
  stop(reason: string): Promise<ScenarioRun>;
  /** The run that lasts, else the last one; null when there was none. */
  current(): ScenarioRun | null;
  /** What callers met in the run that lasts, or in the last one. Rejects with `not-found` for another run. */
  series(id: string): Promise<RunSeries>;
  /** Of the last runs, the latest first. */
  reports(): readonly ScenarioReport[];
  /** Throws `not-found`, or `not-available` while its run lasts. */
  report(id: string): ScenarioReport;
  /** Scenarios that need a rule, by name: it cannot be removed. */
  usersOf(ruleId: string): string[];
  /** Tells of each change of `current`; returns what ends it. */
  onChange(listener: (run: ScenarioRun) => void): () => void;
}

/** Reports that are kept, in memory: the oldest makes room. */
export const mostReports = 20;

/** One scenario at a time, its end, and the reports of those that were. */
export class ScenarioRunner implements Scenarios {
  readonly #options: ScenarioRunnerOptions;
  readonly #listeners = new Set<(run: ScenarioRun) => void>();
  /** The engine's events matter while one runs. */
  #unsubscribe: () => void = () => undefined;
  #reports: ScenarioReport[] = [];
  #play: ScenarioPlay | null = null;
  #closed = false;

  constructor(options: ScenarioRunnerOptions) {
    this.#options = options;
  }

  list(): readonly Scenario[] {
    return this.#options.scenarios();
  }

  async run(name: string, assertions: readonly string[]): Promise<ScenarioRun> {
    const scenario = this.#named(name);
    const { timeline } = timelineOf(scenario);
    const phases = timeline.phases.map((phase) => phase.name);
    for (const text of assertions) {
      const problem = assertionProblem(text, phases);
      if (problem !== null) throw new SpikeError('invalid-input', problem, { assertion: text });
    }
    this.#refuseWhileBusy();
    const play = new ScenarioPlay({
      ...this.#options,
      scenario,
      timeline,
      assertions: [...scenario.assert, ...assertions],
      changed: () => this.#tell(play),
      reported: (report) => this.#keep(report),
    });
    play.prepare();
    this.#play = play;
    this.#unsubscribe = this.#options.engine.subscribe((event) => this.#happened(event));
    await play.start();
    return play.state();
  }

  async stop(reason: string): Promise<ScenarioRun> {
    const play = this.#play;
    if (play?.state().state !== 'running') {
      throw new SpikeError('conflict', 'No scenario is running.');
    }
    await play.stop(reason);
    return play.state();
  }

  current(): ScenarioRun | null {
    return this.#play?.state() ?? null;
  }

  async series(id: string): Promise<RunSeries> {
    const play = this.#play;
    if (play?.state().id !== id) throw new SpikeError('not-found', `The run ${id} is not the last one.`);
    return play.series();
  }

  reports(): readonly ScenarioReport[] {
    return this.#reports;
  }

  report(id: string): ScenarioReport {
    const report = this.#reports.find((one) => one.id === id);
    if (report !== undefined) return report;
    const run = this.current();
    if (run?.id === id && run.state !== 'ended') {
      throw new SpikeError('not-available', `"${run.scenario}" is not over; its report is made at its end.`);
    }
    throw new SpikeError('not-found', `There is no report ${id}. The last ${mostReports} are kept.`);
  }

  usersOf(ruleId: string): string[] {
    const uses = ({ steps }: Scenario): boolean =>
      steps.some(({ enable = [], disable = [] }) => enable.includes(ruleId) || disable.includes(ruleId));
    return this.list()
      .filter(uses)
      .map(({ name }) => name);
  }

  onChange(listener: (run: ScenarioRun) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The workspace file has been applied: a scenario that is no longer what it was does not go on. */
  definitionsChanged(): void {
    const running = this.#running();
    if (running === null) return;
    const now = this.list().find(({ name }) => name === running.scenario.name);
    if (isDeepStrictEqual(now, running.scenario)) return;
    const what = now === undefined ? 'is no longer in' : 'was changed in';
    this.#stopBecause(`"${running.scenario.name}" ${what} the workspace file`);
  }

  /** The rules for the workspace file: what a scenario has turned is not written into it, nor undone by it. */
  forWorkspace(): Pick<Engine['rules'], 'list' | 'load'> {
    const { rules } = this.#options.engine;
    return {
      list: () => rules.list().map((rule): Rule => this.#play?.rules.asOfUser(rule) ?? rule),
      load: (definitions) => {
        const asNow = (input: RuleInput): RuleInput =>
          input.id === undefined ? input : (this.#play?.rules.asNow(input.id, input) ?? input);
        rules.load(definitions.map(asNow));
      },
    };
  }

  /** Stops what runs, and puts its rules back. No report is made of it. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    await this.#play?.close();
    this.#listeners.clear();
  }

  #named(name: string): Scenario {
    const scenarios = this.list();
    const found = scenarios.find((scenario) => scenario.name === name);
    if (found !== undefined) return found;
    const known = scenarios.map((scenario) => `"${scenario.name}"`).join(', ');
    const there = known === '' ? 'The workspace file has none, under "scenarios".' : `There are ${known}.`;
    throw new SpikeError('not-found', `There is no scenario "${name}". ${there}`);
  }

  #refuseWhileBusy(): void {
    const run = this.current();
    if (this.#closed) throw new SpikeError('not-available', 'The agent is stopping.');
    if (run !== null && run.state !== 'ended') {
      const state =
        run.state === 'running' ? 'is running; stop it first' : 'has just ended; its report is being made';
      throw new SpikeError('conflict', `"${run.scenario}" ${state}. One scenario runs at a time.`);
    }
    if (!this.#options.engine.status().capture.recording) {
      throw new SpikeError(
        'conflict',
        'Recording is off, and the report is made from recorded calls. Start recording first.',
      );
    }
  }

  #running(): ScenarioPlay | null {
    return this.#play?.state().state === 'running' ? this.#play : null;
  }

  #happened(event: AgentEvent): void {
    const running = this.#running();
    if (running === null) return;
    if (event.type === 'rule.all-stopped') this.#stopBecause('all faults were stopped');
    else if (event.type === 'flow.cleared')
      running.note('The captured calls were cleared meanwhile: what came before is not counted.');
    else if (event.type === 'worker.lost') running.note(`Worker ${event.worker} was lost, and replaced.`);
    else if (event.type === 'rule.removed' && running.rules.has(event.id)) {
      this.#stopBecause(`the rule "${event.id}" was removed`);
    }
  }

  #stopBecause(reason: string): void {
    this.stop(reason).catch((error: unknown) => {
      this.#options.log.error({ reason: String(error) }, 'A scenario could not be stopped.');
    });
  }

  #keep(report: ScenarioReport): void {
    this.#reports = [report, ...this.#reports].slice(0, mostReports);
  }

  #tell(play: ScenarioPlay): void {
    if (play.state().state !== 'running') this.#unsubscribe();
    for (const listener of this.#listeners) listener(play.state());
  }
}

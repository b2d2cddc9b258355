import { randomUUID } from 'node:crypto';
import { SpikeError } from '#shared/contract/errors.ts';
import type { RunSeries, ScenarioReport, ScenarioRun } from '#shared/scenarios/report.ts';
import type { Scenario } from '#shared/scenarios/scenario.ts';
import type { Timeline } from '#shared/scenarios/timeline.ts';
import type { Timer } from '../clock.ts';
import type { CallTallies } from './call-tally.ts';
import { ScenarioPlayer } from './player.ts';
import { buildReport } from './report.ts';
import type { PlayedSpan } from './report.ts';
import { seriesOf } from './run-series.ts';
import type { ScenarioRunnerOptions } from './scenario-runner.ts';
import { SwitchedRules } from './switched-rules.ts';

export interface ScenarioPlayOptions extends Omit<ScenarioRunnerOptions, 'scenarios'> {
  readonly scenario: Scenario;
  readonly timeline: Timeline;
  readonly assertions: readonly string[];
  /** The state is another: a phase, the end. */
  changed(): void;
  reported(report: ScenarioReport): void;
}

/**
 * Calls that are open for 300 ms are recorded as such, and batches come 50 ms later: after this long every call of the run is
 * known, ended or open.
 */
const collectMs = 750;
/** How long open calls are waited for beyond that; those that last longer are told as open. */
const openForMs = 3000;
const askEveryMs = 500;
/** Points of the charts. */
const sliceStepsMs = [50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 300_000, 900_000];
const mostSlices = 240;
/** Of the charts that are drawn while it runs. */
const mostPoints = 60;
const mostNotes = 50;

/** One run of one scenario: plays it, ends it once, and makes its report. */
export class ScenarioPlay {
  readonly rules: SwitchedRules;
  readonly scenario: Scenario;
  readonly #options: ScenarioPlayOptions;
  readonly #id = randomUUID();
  readonly #player: ScenarioPlayer;
  readonly #spans: PlayedSpan[] = [];
  readonly #notes: string[] = [];
  #state: ScenarioRun['state'] = 'running';
  #startMs = 0;
  #elapsedMs = 0;
  #reason: string | null = null;
  #droppedBefore = 0;
  /** What is under way, one after the other. */
  #last: Promise<void> = Promise.resolve();
  #waiting: { readonly timer: Timer; readonly resolve: () => void } | null = null;
  #closed = false;

  constructor(options: ScenarioPlayOptions) {
    this.#options = options;
    this.scenario = options.scenario;
    this.rules = new SwitchedRules(options.engine.rules);
    this.#player = new ScenarioPlayer(options.timeline, options.clock, {
      entered: (phase) => this.#enter(phase),
      ended: () => void this.#end(null),
    });
  }

  /** Makes what the scenario brings along. Throws what the rule book refuses, and has left nothing behind then. */
  prepare(): void {
    this.rules.prepare(this.scenario);
  }

  /** Resolves when the first phase holds on every worker. */
  async start(): Promise<void> {
    const { engine, clock } = this.#options;
    await engine.settled();
    this.#droppedBefore = engine.status().dropped.flows;
    this.#startMs = clock.now();
    this.#player.start();
    await this.#last;
    if (this.#reason !== null)
      throw new SpikeError('conflict', `The scenario could not begin: ${this.#reason}.`);
  }

  /** Resolves when the rules are as they were, on every worker; the report follows. */
  stop(reason: string): Promise<void> {
    return this.#end(reason);
  }

  /** As `stop`, without a report. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#player.stop();
    this.#wake();
    this.rules.restore();
    await this.#last;
    this.#state = 'ended';
  }

  note(text: string): void {
    if (this.#notes.length < mostNotes && !this.#notes.includes(text)) this.#notes.push(text);
  }

  /** What callers met until now, or until the end. */
  async series(): Promise<RunSeries> {
    const { engine, timeline } = this.#options;
    const elapsedMs = this.state().elapsedMs;
    const sliceMs = sliceFor(timeline.durationMs, mostPoints);
    const bounds = { boundsMs: [this.#startMs, this.#startMs + elapsedMs], sliceMs };
    // Before the first moment there is nothing to count.
    const tallies =
      elapsedMs > 0 ? await engine.flows.tally(bounds) : { edges: [], beyond: 0, complete: true };
    return { id: this.#id, elapsedMs, ...seriesOf(tallies, { sliceMs, elapsedMs }) };
  }

  state(): ScenarioRun {
    const { timeline } = this.#options;
    const running = this.#state === 'running';
    const elapsedMs = running && this.#startMs > 0 ? this.#player.elapsedMs : this.#elapsedMs;
    const phase = Math.max(0, this.#player.phase);
    const next = timeline.phases[phase + 1];
    return {
      id: this.#id,
      scenario: this.scenario.name,
      state: this.#state,
      startedAt: new Date(this.#startMs).toISOString(),
      elapsedMs,
      durationMs: timeline.durationMs,
      phase,
      phases: timeline.phases.map(({ name, fromMs, toMs, on }) => ({ name, fromMs, toMs, on: [...on] })),
      next:
        running && next !== undefined
          ? { name: next.name, inMs: Math.max(0, next.fromMs - elapsedMs) }
          : null,
      reason: this.#reason,
    };
  }

  #enter(index: number): void {
    const { timeline } = this.#options;
    const phase = timeline.phases[index];
    if (phase === undefined) throw new RangeError(`no phase ${index}`);
    try {
      this.rules.enter(phase, timeline.phases[index - 1] ?? null);
    } catch (error) {
      if (!(error instanceof SpikeError)) throw error;
      void this.#end(error.message.replace(/\.$/, ''));
      return;
    }
    const names = phase.on.map((id) => this.#options.engine.rules.get(id).name);
    this.#after(async () => {
      await this.#options.engine.settled();
      // From here on the very next call meets the rules of the phase.
      this.#spans.push({ name: phase.name, fromMs: this.#options.clock.now(), rules: names });
    });
    if (index > 0) this.#options.changed();
    else this.#after(() => this.#options.changed());
  }

  async #end(reason: string | null): Promise<void> {
    if (this.#state !== 'running') return this.#last;
    this.#player.stop();
    this.#elapsedMs = this.#startMs === 0 ? 0 : this.#player.elapsedMs;
    this.#state = 'reporting';
    this.#reason = reason;
    const endMs = this.#options.clock.now();
    for (const id of this.rules.restore()) {
      this.note(`Somebody else turned the rule "${id}" on or off meanwhile; it was left so at the end.`);
    }
    this.#after(async () => {
      await this.#options.engine.settled();
      this.#options.changed();
    });
    const restored = this.#last;
    this.#after(() => this.#report(endMs));
    await restored;
  }

  async #report(endMs: number): Promise<void> {
    // A phase whose rules were not in force before the end has had no call.
    const spans = this.#spans.filter(({ fromMs }) => fromMs < endMs);
    if (spans.length > 0) {
      const boundsMs = [...spans.map(({ fromMs }) => fromMs), endMs];
      const sliceMs = sliceFor(endMs - (boundsMs[0] as number));
      const tallies = await this.#collect({ boundsMs, sliceMs });
      if (tallies !== null) this.#options.reported(this.#build(spans, tallies, boundsMs, sliceMs));
    }
    this.#state = 'ended';
    if (!this.#closed) this.#options.changed();
  }

  /** Counts once all calls are known, and again while some are open, for a while. Null: the agent stops. */
  async #collect(query: { boundsMs: readonly number[]; sliceMs: number }): Promise<CallTallies | null> {
    const { clock, engine } = this.#options;
    await this.#wait(collectMs);
    const untilMs = clock.now() + openForMs;
    for (;;) {
      if (this.#closed) return null;
      const tallies = await engine.flows.tally(query);
      const open = tallies.edges.some(({ phases }) => phases.some((phase) => phase.open > 0));
      if (!open || clock.now() >= untilMs) return tallies;
      await this.#wait(askEveryMs);
    }
  }

  #build(
    spans: readonly PlayedSpan[],
    tallies: CallTallies,
    boundsMs: readonly number[],
    sliceMs: number,
  ): ScenarioReport {
    const { engine } = this.#options;
    const dropped = engine.status().dropped.flows - this.#droppedBefore;
    if (dropped > 0)
      this.note(`${dropped} calls came faster than they could be recorded and are not counted.`);
    const { capture } = engine.status();
    if (!capture.recording)
      this.note('Recording was turned off meanwhile: calls from then on are not counted.');
    return buildReport({
      id: this.#id,
      scenario: this.scenario.name,
      startMs: this.#startMs,
      boundsMs,
      reason: this.#reason,
      spans,
      tallies,
      sliceMs,
      assertions: this.#options.assertions,
      notes: this.#notes,
    });
  }

  #wait(delayMs: number): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting = { resolve, timer: this.#options.clock.setTimer(delayMs, resolve) };
    });
  }

  #wake(): void {
    this.#waiting?.timer.cancel();
    this.#waiting?.resolve();
    this.#waiting = null;
  }

  #after(work: () => Promise<void> | void): void {
    this.#last = this.#last.then(work).catch((error: unknown) => {
      this.#options.log.error({ reason: String(error), scenario: this.scenario.name }, 'A scenario failed.');
      this.#reason ??= 'Spike failed; the log tells more';
      this.#state = 'ended';
      this.#player.stop();
      this.rules.restore();
      this.#options.changed();
    });
  }
}

function sliceFor(durationMs: number, most = mostSlices): number {
  const fits = (stepMs: number): boolean => durationMs / stepMs <= most;
  return sliceStepsMs.find(fits) ?? Math.ceil(durationMs / most);
}

import { durationMs, printDuration } from '../rules/duration.ts';
import type { ScenarioIssue, ScenarioStep } from './scenario.ts';
import { ruleIdFromName } from '../rules/rule.ts';

/** The time between two moments at which something changes. */
export interface Phase {
  readonly name: string;
  /** From the start of the scenario. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Rules that the scenario has turned on by then. */
  readonly on: readonly string[];
  /** Rules that it has turned off, though they may have been on before. */
  readonly off: readonly string[];
}

/** One rule being on, for drawing. */
export interface Span {
  readonly rule: string;
  readonly label: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Timeline {
  readonly durationMs: number;
  /** Without gaps, from 0 to the duration; at least one. */
  readonly phases: readonly Phase[];
  readonly spans: readonly Span[];
}

interface Steps {
  readonly duration: string;
  readonly steps: readonly ScenarioStep[];
}

interface On {
  readonly step: number;
  readonly fromMs: number;
  /** Infinity: until it is turned off, or the end. */
  readonly untilMs: number;
  readonly label: string;
}

/**
 * What is on when. Contradictions are issues, and the timeline is then that of the steps before each of them; its durations
 * must be such (`parseDuration`).
 */
export function timelineOf(scenario: Steps): { timeline: Timeline; issues: ScenarioIssue[] } {
  const reader = new StepReader(durationMs(scenario.duration));
  scenario.steps.forEach((step, index) => reader.take(step, index));
  return { timeline: reader.timeline(scenario.steps), issues: reader.issues };
}

class StepReader {
  readonly issues: ScenarioIssue[] = [];
  readonly #endMs: number;
  readonly #on = new Map<string, On>();
  readonly #spans: Span[] = [];
  readonly #offs: { readonly rule: string; readonly atMs: number }[] = [];
  readonly #momentsMs = new Set<number>([0]);
  #atMs = 0;
  /** What was done at this very moment, by which step. */
  #now = new Map<string, { readonly step: number; readonly on: boolean }>();
  readonly #names = new Set<string>();

  constructor(endMs: number) {
    this.#endMs = endMs;
  }

  take(step: ScenarioStep, index: number): void {
    this.#goTo(durationMs(step.at));
    const { name, rule } = step;
    if (name !== undefined && this.#names.has(name)) {
      const message = `"${name}" is used twice; every phase has a name of its own.`;
      this.issues.push({ path: ['steps', index, 'name'], message });
    }
    if (name !== undefined) this.#names.add(name);
    step.disable?.forEach((id, place) => this.#turnOff(id, index, ['steps', index, 'disable', place]));
    const untilMs = step.for === undefined ? Infinity : this.#atMs + durationMs(step.for);
    const turnOn = (id: string, label: string, path: (string | number)[]): void =>
      this.#turnOn(id, { step: index, fromMs: this.#atMs, untilMs, label }, path);
    step.enable?.forEach((id, place) => turnOn(id, name ?? id, ['steps', index, 'enable', place]));
    if (rule !== undefined) {
      turnOn(rule.id ?? ruleIdFromName(rule.name), rule.name, ['steps', index, 'rule', 'name']);
    }
  }

  timeline(steps: readonly ScenarioStep[]): Timeline {
    this.#goTo(this.#endMs);
    for (const [rule, on] of this.#on) this.#close(rule, on, this.#endMs);
    const starts = [...this.#momentsMs].filter((atMs) => atMs < this.#endMs).sort((a, b) => a - b);
    const spans = this.#spans.toSorted((a, b) => a.fromMs - b.fromMs);
    const named = new Map<number, string>();
    for (const step of steps) {
      const atMs = durationMs(step.at);
      if (step.name !== undefined && !named.has(atMs)) named.set(atMs, step.name);
    }
    const taken = new Set(named.values());
    const phases = starts.map((fromMs, index): Phase => {
      const on = spans.filter((span) => span.fromMs <= fromMs && span.toMs > fromMs);
      const ids = on.map(({ rule }) => rule);
      const offs = this.#offs.filter(({ rule, atMs }) => atMs <= fromMs && !ids.includes(rule));
      const name = named.get(fromMs) ?? freeName(derivedName(on, index), taken);
      taken.add(name);
      const toMs = starts[index + 1] ?? this.#endMs;
      return { name, fromMs, toMs, on: ids, off: [...new Set(offs.map(({ rule }) => rule))] };
    });
    return { durationMs: this.#endMs, phases, spans };
  }

  #goTo(atMs: number): void {
    for (const [rule, on] of this.#on) {
      if (on.untilMs > atMs) continue;
      this.#close(rule, on, on.untilMs);
      this.#momentsMs.add(on.untilMs);
      this.#offs.push({ rule, atMs: on.untilMs });
      this.#on.delete(rule);
    }
    if (atMs !== this.#atMs) this.#now = new Map();
    this.#atMs = atMs;
    this.#momentsMs.add(atMs);
  }

  #turnOff(rule: string, step: number, path: (string | number)[]): void {
    const on = this.#on.get(rule);
    if (this.#now.get(rule)?.on === true) return this.#contradicts(rule, path, 'turned on');
    if (on !== undefined && on.untilMs !== Infinity) {
      const message = `"${rule}" is on until ${printDuration(on.untilMs)} already, as step ${on.step + 1} says with "for".`;
      this.issues.push({ path, message });
      return;
    }
    if (on !== undefined) this.#close(rule, on, this.#atMs);
    this.#on.delete(rule);
    this.#offs.push({ rule, atMs: this.#atMs });
    this.#now.set(rule, { step, on: false });
  }

  #turnOn(rule: string, on: On, path: (string | number)[]): void {
    const known = this.#on.get(rule);
    if (this.#now.get(rule)?.on === false) return this.#contradicts(rule, path, 'turned off');
    if (known !== undefined) {
      const message = `"${rule}" is on already at ${printDuration(this.#atMs)}, since step ${known.step + 1}.`;
      this.issues.push({ path, message });
      return;
    }
    this.#on.set(rule, on);
    this.#now.set(rule, { step: on.step, on: true });
  }

  #contradicts(rule: string, path: (string | number)[], what: string): void {
    const message = `"${rule}" is ${what} at the same moment, ${printDuration(this.#atMs)}: one of the two has to go.`;
    this.issues.push({ path, message });
  }

  #close(rule: string, { fromMs, label }: On, toMs: number): void {
    if (toMs > fromMs) this.#spans.push({ rule, label, fromMs, toMs });
  }
}

function derivedName(on: readonly Span[], index: number): string {
  if (on.length > 0) return [...new Set(on.map(({ label }) => label))].join(', ').slice(0, 100);
  return index === 0 ? 'before' : 'recovered';
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  let free = name;
  for (let number = 2; taken.has(free); number += 1) free = `${name} ${number}`;
  return free;
}

/** The phase at a time of the scenario; the last one from its end on. */
export function phaseAt({ phases }: Timeline, elapsedMs: number): number {
  const index = phases.findLastIndex(({ fromMs }) => fromMs <= elapsedMs);
  return Math.max(0, index);
}

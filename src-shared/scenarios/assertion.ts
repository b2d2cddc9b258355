import { parseDuration, printDuration } from '../rules/duration.ts';

/**
 * What has to hold at the end of a scenario, as a text:
 *
 *     assertion = [ "phase" "(" text ")" ] subject "." metric operator value
 *     subject   = name | text | "all" | "to" "(" name | text ")" | "edge" "(" name | text "->" name | text ")"
 *     metric    = "errorRate" | "errors" | "calls" | "hits" | "perSecond" | "p50" | "p95" | "p99" | "max" | "recovery"
 *     operator  = "<" | "<=" | ">" | ">=" | "==" | "!="
 *     value     = per cent for errorRate, a duration for p50 to recovery, a number for the others
 *     text      = '"' characters '"'
 *
 * A bare name is a caller: all calls that it makes. `to(name)` are the calls that it answers, whoever makes them.
 */
export interface Assertion {
  readonly text: string;
  /** null: the whole scenario. */
  readonly phase: string | null;
  readonly subject: Subject;
  readonly metric: Metric;
  readonly operator: Operator;
  /** A share from 0 to 1, ms, or a number, as the metric has it. */
  readonly value: number;
}

export type Subject =
  | { readonly kind: 'all' }
  | { readonly kind: 'caller'; readonly name: string }
  | { readonly kind: 'callee'; readonly name: string }
  | { readonly kind: 'edge'; readonly caller: string; readonly callee: string };

const metrics = {
  errorRate: 'share',
  errors: 'count',
  calls: 'count',
  hits: 'count',
  perSecond: 'count',
  p50: 'time',
  p95: 'time',
  p99: 'time',
  max: 'time',
  recovery: 'time',
} as const;
export type Metric = keyof typeof metrics;
export type MetricKind = (typeof metrics)[Metric];

const operators = ['<=', '>=', '==', '!=', '<', '>'] as const;
export type Operator = (typeof operators)[number];

/** The text is no assertion. `at` is the place in it, from 0. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

export function kindOf(metric: Metric): MetricKind {
  return metrics[metric];
}

/** Reads an assertion. Throws AssertionError, and nothing else, for a text that is none. */
export function parseAssertion(text: string): Assertion {
  return new AssertionReader(text).read();
}

/** Why a text cannot be asked about these phases, with the place; null when it can. */
export function assertionProblem(text: string, phases: readonly string[]): string | null {
  try {
    const { phase } = parseAssertion(text);
    if (phase === null || phases.includes(phase)) return null;
    const known = phases.map((name) => `"${name}"`).join(', ');
    return `There is no phase "${phase}" in this scenario (character ${text.indexOf('"') + 1}). There are ${known}.`;
  } catch (error) {
    if (error instanceof AssertionError) return `${error.message} (character ${error.at + 1} of "${text}").`;
    throw error;
  }
}

export function holds(left: number, operator: Operator, right: number): boolean {
  switch (operator) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
    case '==':
      return left === right;
    case '!=':
      return left !== right;
  }
}

/** A value of a metric for a person: `1.5 %`, `212 ms`, `18`. */
export function metricText(metric: Metric, value: number): string {
  const kind = kindOf(metric);
  if (kind === 'share') return `${rounded(value * 100)} %`;
  if (kind === 'count') return String(rounded(value));
  return value < 1000 ? `${rounded(value)} ms` : printDuration(Math.round(value / 10) * 10);
}

/** As many digits as tell it from a threshold: 0.04 % is not 0 %. */
function rounded(value: number): number {
  return Number(value.toPrecision(Math.abs(value) < 1000 ? 3 : 6));
}

/** Without white space, what stands for structure, and dots only where they are followed by more of the name. */
const nameCharacter = /[^\s()"<>=!,]/;

class AssertionReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Assertion {
    const phase = this.#phase();
    const { subject, metric } = this.#measured();
    const operator = this.#operator();
    const value = this.#value(metric);
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#fail(`Expected the end, got "${this.#rest()}"`);
    if (metric === 'recovery' && phase !== null) {
      throw new AssertionError('recovery is about the whole scenario, so it takes no phase', 0);
    }
    return { text: this.#text, phase, subject, metric, operator, value };
  }

  #phase(): string | null {
    if (!this.#takeCall('phase')) return null;
    const name = this.#quoted();
    if (name === null) this.#fail('Expected the name of a phase in quotes, such as phase("payments down")');
    this.#expect(')');
    return name;
  }

  #measured(): { subject: Subject; metric: Metric } {
    if (this.#takeCall('edge')) {
      const caller = this.#name();
      this.#expect('->');
      const callee = this.#name();
      this.#expect(')');
      return { subject: { kind: 'edge', caller, callee }, metric: this.#dottedMetric() };
    }
    if (this.#takeCall('to')) {
      const name = this.#name();
      this.#expect(')');
      return { subject: { kind: 'callee', name }, metric: this.#dottedMetric() };
    }
    this.#skipSpace();
    const quoted = this.#quoted();
    if (quoted !== null) return { subject: { kind: 'caller', name: quoted }, metric: this.#dottedMetric() };
    return this.#bare();
  }

  /** `checkout.p95`, `carrier.example.p95`: the metric is what follows the last dot. */
  #bare(): { subject: Subject; metric: Metric } {
    const from = this.#at;
    const word = this.#word();
    if (word === '') this.#fail('Expected a caller and a metric, such as checkout.errorRate');
    const dot = word.lastIndexOf('.');
    if (dot <= 0) this.#fail(`Expected a metric after "${word}", such as ${word}.errorRate`);
    const name = word.slice(0, dot);
    const metric = this.#metricNamed(word.slice(dot + 1), from + dot + 1);
    return { subject: name === 'all' ? { kind: 'all' } : { kind: 'caller', name }, metric };
  }

  #dottedMetric(): Metric {
    if (this.#text[this.#at] !== '.') this.#fail('Expected a dot and a metric, such as .errorRate');
    this.#at += 1;
    const from = this.#at;
    return this.#metricNamed(this.#word(), from);
  }

  #metricNamed(word: string, at: number): Metric {
    if (Object.hasOwn(metrics, word)) return word as Metric;
    const known = Object.keys(metrics).join(', ');
    throw new AssertionError(`Expected one of ${known}; got "${word}"`, at);
  }

  #operator(): Operator {
    this.#skipSpace();
    const found = operators.find((operator) => this.#text.startsWith(operator, this.#at));
    if (found === undefined) this.#fail('Expected <, <=, >, >=, == or !=');
    this.#at += found.length;
    return found;
  }

  #value(metric: Metric): number {
    this.#skipSpace();
    const kind = kindOf(metric);
    const rest = this.#text.slice(this.#at);
    const [whole, value] = kind === 'time' ? timeOf(rest) : numberOf(rest, kind);
    if (whole === null) this.#fail(`Expected ${wantedValues[kind]} for ${metric}`);
    this.#at += whole.length;
    return value;
  }

  #name(): string {
    this.#skipSpace();
    const quoted = this.#quoted();
    if (quoted !== null) return quoted;
    const word = this.#word();
    return word === '' ? this.#fail('Expected the name of a service') : word;
  }

  /** `->` ends a name, though both of its characters may be part of one. */
  #word(): string {
    const from = this.#at;
    while (this.#at < this.#text.length) {
      const next = this.#text[this.#at] as string;
      if (!nameCharacter.test(next) || this.#text.startsWith('->', this.#at)) break;
      this.#at += 1;
    }
    return this.#text.slice(from, this.#at);
  }

  #quoted(): string | null {
    this.#skipSpace();
    if (this.#text[this.#at] !== '"') return null;
    const end = this.#text.indexOf('"', this.#at + 1);
    if (end < 0) this.#fail('Expected a closing quote to this one');
    const quoted = this.#text.slice(this.#at + 1, end);
    if (quoted === '') this.#fail('Expected a name between the quotes');
    this.#at = end + 1;
    return quoted;
  }

  /** `edge(`; a service may be called edge, and is followed by a dot then. */
  #takeCall(word: string): boolean {
    this.#skipSpace();
    const found = new RegExp(`^${word}\\s*\\(`).exec(this.#text.slice(this.#at));
    if (found === null) return false;
    this.#at += found[0].length;
    return true;
  }

  #expect(mark: string): void {
    this.#skipSpace();
    if (!this.#text.startsWith(mark, this.#at)) this.#fail(`Expected "${mark}"`);
    this.#at += mark.length;
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  #rest(): string {
    return this.#text.slice(this.#at, this.#at + 40);
  }

  #fail(message: string): never {
    throw new AssertionError(message, this.#at);
  }
}

const wantedValues: Readonly<Record<MetricKind, string>> = {
  share: 'a share in per cent, such as 1%',
  time: 'a duration such as 500ms or 1.5s',
  count: 'a number, such as 10',
};

function timeOf(rest: string): readonly [string, number] | readonly [null, null] {
  const text = /^[0-9a-z.]+/.exec(rest)?.[0] ?? '';
  const ms = parseDuration(text);
  return ms === null ? [null, null] : [text, ms];
}

function numberOf(rest: string, kind: 'share' | 'count'): readonly [string, number] | readonly [null, null] {
  const unit = kind === 'share' ? '\\s*%' : '';
  const found = new RegExp(`^(\\d{1,12}(?:\\.\\d{1,6})?)${unit}(?![\\w.%])`).exec(rest);
  if (found === null) return [null, null];
  const value = Number(found[1]);
  return [found[0], kind === 'share' ? value / 100 : value];
}

import { holds, metricText, parseAssertion } from '#shared/scenarios/assertion.ts';
import type { Assertion, Subject } from '#shared/scenarios/assertion.ts';
import type {
  AssertionResult,
  CallerOutcome,
  Figures,
  PlayedPhase,
  Recovery,
} from '#shared/scenarios/report.ts';

export interface Judged {
  readonly phases: readonly PlayedPhase[];
  readonly all: Measured;
  readonly callers: readonly CallerOutcome[];
  readonly callees: readonly ({ readonly name: string } & Measured)[];
}

interface Measured {
  readonly total: Figures;
  readonly phases: readonly Figures[];
  readonly recovery?: Recovery;
}

/**
 * Whether an assertion holds. What was not measured does not hold: a test that nobody called anything in must not pass.
 * The text has been checked (`assertionProblem`).
 */
export function judge(text: string, judged: Judged): AssertionResult {
  const assertion = parseAssertion(text);
  const failed = (reason: string): AssertionResult => ({ text, passed: false, value: null, reason });
  const measured = measuredOf(assertion.subject, judged);
  if (typeof measured === 'string') return failed(measured);
  if (assertion.metric === 'recovery') {
    const { recovery } = measured;
    if (recovery === undefined) return failed('Recovery is known of callers and edges only.');
    return recovery.ms === null ? failed(recovery.note) : compared(assertion, recovery.ms);
  }
  const phase = judged.phases.findIndex(({ name }) => name === assertion.phase);
  if (assertion.phase !== null && phase < 0) {
    return failed(`The phase "${assertion.phase}" was not reached.`);
  }
  const figures = phase < 0 ? measured.total : (measured.phases[phase] as Figures);
  const value = figures[assertion.metric];
  return value === null ? failed(noValue(assertion, figures)) : compared(assertion, value);
}

function compared({ text, metric, operator, value: wanted }: Assertion, value: number): AssertionResult {
  const passed = holds(value, operator, wanted);
  const reason = passed
    ? `It was ${metricText(metric, value)}.`
    : `It was ${metricText(metric, value)}; ${operator} ${metricText(metric, wanted)} was asserted.`;
  return { text, passed, value, reason };
}

function noValue({ phase }: Assertion, { calls }: Figures): string {
  const when = phase === null ? '' : ` in "${phase}"`;
  return calls === 0 ? `There were no calls${when}, so nothing is known.` : `No call was answered${when}.`;
}

/** What the subject is about, or why there is nothing. */
function measuredOf(subject: Subject, { all, callers, callees }: Judged): Measured | string {
  if (subject.kind === 'all') return all;
  if (subject.kind === 'callee') {
    const called = callees.find((one) => one.name === subject.name);
    return called ?? `"${subject.name}" was not called through Spike.`;
  }
  const name = subject.kind === 'caller' ? subject.name : subject.caller;
  const caller = callers.find((one) => one.name === name);
  const known =
    callers.length === 0 ? 'Nobody did.' : `Callers were ${callers.map((one) => one.name).join(', ')}.`;
  if (caller === undefined) return `"${name}" made no calls through Spike. ${known}`;
  if (subject.kind === 'caller') return caller;
  const edge = caller.edges.find(({ callee }) => callee === subject.callee);
  if (edge !== undefined) return edge;
  const called = caller.edges.map(({ callee }) => callee).join(', ');
  return `"${name}" did not call "${subject.callee}". It called ${called}.`;
}

import type { CallerOutcome, EdgeOutcome, Figures, PlayedPhase, Recovery } from '#shared/scenarios/report.ts';
import { seconds } from './recovery.ts';

export interface CallerFacts {
  readonly name: string;
  readonly phases: readonly PlayedPhase[];
  readonly measured: { readonly phases: readonly Figures[] };
  readonly answered: { readonly phases: readonly Figures[] } | null;
  readonly edges: readonly EdgeOutcome[];
  readonly recovery: Recovery;
}

/** An error rate that much (of 1) above the one before counts as errors … */
const errorRateSlack = 0.01;
/** … and a p95 of more than twice the one before, by more than this, as slower. */
const slowerTimes = 2;
const slowerByMs = 50;

/**
 * "Did our fallback work?" in a sentence: what a caller's own calls met where faults acted on them, and what became of the
 * calls that it answered itself meanwhile.
 */
export function outcomeOfCaller(facts: CallerFacts): Pick<CallerOutcome, 'verdict' | 'sentence'> {
  const worst = worstPhase(facts);
  if (worst < 0) return { verdict: 'untouched', sentence: untouched(facts) };
  const seen = facts.answered ?? facts.measured;
  const now = seen.phases[worst] as Figures;
  const before = facts.phases[0]?.rules.length === 0 && worst > 0 ? (seen.phases[0] ?? null) : null;
  const verdict = verdictOf(now, before);
  const met = metText(facts, worst);
  if (facts.answered === null) {
    const back = facts.recovery.ms === null ? '' : ` ${facts.recovery.note}`;
    return { verdict, sentence: `${met} ${feltText(now, before)}.${back}` };
  }
  return { verdict, sentence: `${headline[verdict]}${met} ${answeredText(facts.name, now, before)}` };
}

const headline = {
  held: 'It held. ',
  degraded: 'It held, but slower. ',
  failed: 'It passed the failure on. ',
  untouched: '',
} as const;

/** Where most of its calls were hit and failed; -1 when none was hit. */
function worstPhase({ measured }: CallerFacts): number {
  let worst = -1;
  measured.phases.forEach((figures, index) => {
    if (figures.hits === 0) return;
    const known = measured.phases[worst];
    if (known === undefined || weight(figures) > weight(known)) worst = index;
  });
  return worst;
}

function weight({ hits, calls, errorRate }: Figures): number {
  return (errorRate ?? 0) * 2 + hits / Math.max(1, calls);
}

function verdictOf(now: Figures, before: Figures | null): CallerOutcome['verdict'] {
  if ((now.errorRate ?? 0) > (before?.errorRate ?? 0) + errorRateSlack) return 'failed';
  const beforeMs = before?.p95 ?? null;
  if (now.p95 === null || beforeMs === null) return 'held';
  const slower = now.p95 > beforeMs * slowerTimes && now.p95 > beforeMs + slowerByMs;
  return slower ? 'degraded' : 'held';
}

function untouched({ name, measured }: CallerFacts): string {
  const calls = measured.phases.reduce((sum, figures) => sum + figures.calls, 0);
  const errors = measured.phases.reduce((sum, figures) => sum + figures.errors, 0);
  return `No fault acted on the ${plural(calls, 'call')} of ${name}; ${errors === 0 ? 'none' : errors} failed.`;
}

/** What its calls met in a phase: `In "payments down" 118 of its 118 calls to payments were hit, and 118 failed.` */
function metText({ phases, edges }: CallerFacts, phase: number): string {
  const hit = edges.filter((edge) => (edge.phases[phase]?.hits ?? 0) > 0);
  const parts = hit.map(({ callee, phases: figures }) => {
    const { hits = 0, calls = 0, errors = 0 } = figures[phase] ?? {};
    const failed = errors === 0 ? 'none failed' : `${errors} failed`;
    return `${hits} of ${plural(calls, 'call')} to ${callee} ${hits === 1 ? 'was' : 'were'} hit and ${failed}`;
  });
  return `In "${phases[phase]?.name ?? ''}" ${parts.join('; ')}.`;
}

function answeredText(name: string, now: Figures, before: Figures | null): string {
  const of = `Of the ${plural(now.calls, 'call')} that ${name} answered meanwhile`;
  if (now.calls === 0) return `${name} itself was not called meanwhile.`;
  const failed =
    now.errors === 0 ? 'none failed' : `${now.errors} failed (${share(now)}${beforeShare(before)})`;
  return `${of} ${failed}${slowness(now, before)}.`;
}

function feltText(now: Figures, before: Figures | null): string {
  return `Its error rate was ${share(now)}${beforeShare(before)}${slowness(now, before)}`;
}

function slowness({ p95 }: Figures, before: Figures | null): string {
  const beforeMs = before?.p95 ?? null;
  if (p95 === null) return '';
  return `, p95 ${seconds(p95)}${beforeMs === null ? '' : `, ${seconds(beforeMs)} before`}`;
}

function share({ errorRate }: Figures): string {
  return `${Number(((errorRate ?? 0) * 100).toPrecision(3))} %`;
}

function beforeShare(before: Figures | null): string {
  return before === null || before.errorRate === null ? '' : `, ${share(before)} before`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

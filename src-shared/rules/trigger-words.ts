import { durationMs } from './duration.ts';
import { duration } from './fault-effects.ts';
import { parseRate } from './trigger.ts';
import type { Trigger } from './trigger.ts';

/** How many of the calls, for the head of a sentence. */
export interface HowMany {
  /** "Half of the first 3", "Every 5th"; null: all of them. */
  readonly text: string | null;
  /** Whether the verb that follows is about several. */
  readonly many: boolean;
  /** Whether the noun can follow at once ("the first 3 calls"), not as "of the calls". */
  readonly direct: boolean;
}

export function howMany({ probability = 1, first, after, every }: Trigger): HowMany {
  const share = probability === 1 ? null : shareOf(probability);
  const nth = every === undefined || every === 1 ? null : `every ${ordinal(every)}`;
  const place = placeOf(first, after);
  const parts = [share, nth, place].filter((part) => part !== null);
  if (parts.length === 0) return { text: null, many: true, direct: true };
  const text = parts.join(' of ');
  const isOne = share === null && (nth !== null || first === 1);
  const direct = parts.length === 1 && (nth !== null || (place !== null && after === undefined));
  return { text: text[0]?.toUpperCase() + text.slice(1), many: !isOne, direct };
}

/** What bounds them: " beyond 10 a second", after the calls. */
export function quotaWords({ rate }: Trigger): string {
  const quota = rate === undefined ? null : parseRate(rate);
  if (quota === null) return '';
  const period = { 1000: 'second', 60_000: 'minute', 3_600_000: 'hour' }[quota.periodMs] ?? '';
  return ` beyond ${grouped(quota.calls)} ${period === 'hour' ? 'an' : 'a'} ${period}`;
}

/** When, and how many at once: what stands behind the effect. */
export function boundWords({ maxConcurrent, window, schedule, expires }: Trigger): string {
  const clauses: string[] = [];
  if (maxConcurrent !== undefined) clauses.push(`at most ${grouped(maxConcurrent)} at once`);
  if (window !== undefined) clauses.push(windowWords(window));
  if (schedule !== undefined)
    clauses.push(`for ${inWords(schedule.for)} of every ${inWords(schedule.every)}`);
  const bounds = clauses.map((clause) => `, ${clause}`).join('');
  return expires === undefined ? bounds : `${bounds}; the rule turns itself off after ${inWords(expires)}`;
}

function windowWords({ from, to }: NonNullable<Trigger['window']>): string {
  const since = 'after it is turned on';
  if (from === undefined) return `for ${inWords(to ?? '0s')} ${since}`;
  return to === undefined
    ? `from ${inWords(from)} ${since}`
    : `from ${inWords(from)} to ${inWords(to)} ${since}`;
}

function placeOf(first: number | undefined, after: number | undefined): string | null {
  const start = first === undefined ? null : first === 1 ? 'the first' : `the first ${grouped(first)}`;
  if (after === undefined) return start;
  const spared = after === 1 ? 'the first' : `the first ${grouped(after)}`;
  if (first === undefined) return `all but ${spared}`;
  return first === 1 ? `the one after ${spared}` : `the next ${grouped(first)} after ${spared}`;
}

function shareOf(probability: number): string {
  if (probability === 0) return 'none';
  if (probability === 0.5) return 'half';
  const oneIn = 1 / probability;
  if (Number.isInteger(oneIn) && oneIn <= 1000) return `1 in ${grouped(oneIn)}`;
  return `${Number((probability * 100).toPrecision(3))} %`;
}

function ordinal(count: number): string {
  const ends = { one: 'st', two: 'nd', few: 'rd', other: 'th' } as Readonly<Record<string, string>>;
  return `${grouped(count)}${ends[ordinals.select(count)] ?? 'th'}`;
}

const ordinals = new Intl.PluralRules('en-US', { type: 'ordinal' });

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

function inWords(text: string): string {
  return duration(durationMs(text));
}

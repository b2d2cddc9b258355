import { TriggerSchema } from '#shared/rules/trigger.ts';
import type { Trigger } from '#shared/rules/trigger.ts';
import { expectedNumber, readNumber } from './fault-fields.ts';

/** How often, as it stands in the form. One of the parts is the main one, which the segments choose; others may go with it. */
export interface TriggerDraft {
  readonly often: Often;
  /** What is given besides the main one. */
  readonly parts: readonly TriggerPart[];
  readonly texts: Readonly<Record<TriggerKey, string>>;
  readonly expiring: boolean;
  /** What the form has no field for: kept as it is. */
  readonly beyond: Trigger;
}

/** `some`: a share; `first`: the first n; `nth`: every nth; `window`: from, to. */
export type Often = 'every' | Main;
type Main = 'some' | 'first' | 'nth' | 'window';

/** In the order in which the form offers them. */
export const triggerParts = [
  'after',
  'rate',
  'maxConcurrent',
  'schedule',
  'seed',
  'some',
  'first',
  'nth',
  'window',
] as const;
export type TriggerPart = (typeof triggerParts)[number];

export const triggerKeys = [
  'percent',
  'first',
  'every',
  'window.from',
  'window.to',
  'after',
  'rate',
  'maxConcurrent',
  'schedule.every',
  'schedule.for',
  'seed',
  'expires',
] as const;
export type TriggerKey = (typeof triggerKeys)[number];

const initialTexts: Readonly<Record<TriggerKey, string>> = {
  percent: '50',
  first: '3',
  every: '5',
  'window.from': '10s',
  'window.to': '40s',
  after: '10',
  rate: '10/s',
  maxConcurrent: '10',
  'schedule.every': '60s',
  'schedule.for': '10s',
  seed: '',
  expires: '5m',
};

export const emptyTrigger: TriggerDraft = {
  often: 'every',
  parts: [],
  texts: initialTexts,
  expiring: false,
  beyond: {},
};

export function triggerDraftOf(trigger: Trigger): TriggerDraft {
  const {
    probability,
    first,
    after,
    every,
    window,
    schedule,
    maxConcurrent,
    rate,
    expires,
    seed,
    ...beyond
  } = trigger;
  const texts = { ...initialTexts };
  const given: TriggerPart[] = [];
  const take = (part: TriggerPart, values: Partial<Record<TriggerKey, string | number | undefined>>) => {
    given.push(part);
    for (const [key, value] of Object.entries(values)) texts[key as TriggerKey] = String(value ?? '');
  };
  if (first !== undefined) take('first', { first });
  if (every !== undefined) take('nth', { every });
  if (window !== undefined) take('window', { 'window.from': window.from, 'window.to': window.to });
  if (probability !== undefined) take('some', { percent: percentOf(probability) });
  if (after !== undefined) take('after', { after });
  if (rate !== undefined) take('rate', { rate });
  if (maxConcurrent !== undefined) take('maxConcurrent', { maxConcurrent });
  if (schedule !== undefined)
    take('schedule', { 'schedule.every': schedule.every, 'schedule.for': schedule.for });
  // A seed stands beside its share; without one it is shown by itself.
  if (seed !== undefined) texts.seed = String(seed);
  if (seed !== undefined && probability === undefined) given.push('seed');
  if (expires !== undefined) texts.expires = expires;
  const often: Often = given.find(isMain) ?? 'every';
  const parts = given.filter((part) => part !== often);
  return { often, parts, texts, expiring: expires !== undefined, beyond };
}

function isMain(part: TriggerPart): part is Main {
  return part === 'some' || part === 'first' || part === 'nth' || part === 'window';
}

function percentOf(probability: number): string {
  return String(timesTenTo(2, String(probability)));
}

/** The point is moved in the text: 0.07 times 100 is 7, and a third comes back as it was. */
function timesTenTo(places: number, text: string): number {
  const [digits, exponent = '0'] = text.split('e');
  return Number(`${digits}e${Number(exponent) + places}`);
}

/** Whether a share is drawn, which a seed can make repeat. */
export function drawsShare({ often, parts }: TriggerDraft): boolean {
  return often === 'some' || parts.includes('some');
}

/** What the menu still offers. */
export function offeredParts(draft: TriggerDraft): TriggerPart[] {
  return triggerParts.filter((part) => {
    if (part === draft.often || draft.parts.includes(part)) return false;
    return part === 'seed' ? false : !isMain(part) || draft.often !== 'every';
  });
}

/** Another main part; what goes with it stays. */
export function chooseOften(draft: TriggerDraft, often: Often): TriggerDraft {
  return { ...draft, often, parts: draft.parts.filter((part) => part !== often) };
}

/** The trigger that the form says, and what is wrong with it by its keys. */
export function readTriggerDraft(draft: TriggerDraft): {
  trigger: Trigger;
  problems: Record<string, string>;
} {
  const input = { ...draft.beyond, ...inputOf(draft) };
  const read = TriggerSchema.safeParse(input);
  if (read.success) return { trigger: read.data, problems: {} };
  const problems: Record<string, string> = {};
  for (const { path, message } of read.error.issues) {
    const key = keyOfPath[path.join('.')] ?? path.join('.');
    problems[key] ??= expectations[key] ?? message;
  }
  return { trigger: {}, problems };
}

const mostCalls = 1_000_000_000;
const numbersFrom = (minimum: number, maximum: number): string => expectedNumber({ minimum, maximum });
/** Where the schema's own words speak of another unit, or of none. */
const expectations: Readonly<Record<string, string>> = {
  percent: 'Expected 0 to 100 %.',
  first: numbersFrom(1, mostCalls),
  every: numbersFrom(1, mostCalls),
  after: numbersFrom(1, mostCalls),
  maxConcurrent: numbersFrom(1, 1_000_000),
  seed: numbersFrom(0, 4_294_967_295),
};
const keyOfPath: Readonly<Record<string, TriggerKey>> = { probability: 'percent', window: 'window.from' };

function inputOf(draft: TriggerDraft): Record<string, unknown> {
  const { texts, expiring } = draft;
  const isGiven = (part: TriggerPart): boolean => draft.often === part || draft.parts.includes(part);
  const input: Record<string, unknown> = {};
  if (isGiven('some')) input['probability'] = readShare(texts.percent);
  if (isGiven('first')) input['first'] = number(texts.first);
  if (isGiven('nth')) input['every'] = number(texts.every);
  if (isGiven('after')) input['after'] = number(texts.after);
  if (isGiven('window')) input['window'] = windowOf(texts['window.from'], texts['window.to']);
  if (isGiven('schedule')) {
    input['schedule'] = { every: span(texts['schedule.every']), for: span(texts['schedule.for']) };
  }
  if (isGiven('maxConcurrent')) input['maxConcurrent'] = number(texts.maxConcurrent);
  if (isGiven('rate')) input['rate'] = texts.rate.replace(/[\s,]/g, '');
  if (texts.seed.trim() !== '' && (drawsShare(draft) || isGiven('seed'))) input['seed'] = number(texts.seed);
  if (expiring) input['expires'] = span(texts.expires);
  return input;
}

/** What is no number is given on as one that no schema takes. */
function number(text: string): number {
  return readNumber(text) ?? NaN;
}

function readShare(text: string): number {
  const percent = readNumber(text.replace('%', ''));
  return percent === undefined || Number.isNaN(percent) ? NaN : timesTenTo(-2, String(percent));
}

function windowOf(from: string, to: string): object {
  return {
    ...(from.trim() === '' ? {} : { from: span(from) }),
    ...(to.trim() === '' ? {} : { to: span(to) }),
  };
}

/** `5 min`, `1 h 30 min` and `10 sec` as the file writes them: `5m`, `1h30m`, `10s`. */
export function span(text: string): string {
  return text
    .replace(/\s+/g, '')
    .replace(/hours?|hrs?/g, 'h')
    .replace(/minutes?|mins?/g, 'm')
    .replace(/seconds?|secs?/g, 's');
}

import { durationMs } from '#shared/rules/duration.ts';
import { parseRate } from '#shared/rules/trigger.ts';
import type { Trigger, TriggerField } from '#shared/rules/trigger.ts';

/** A trigger, its texts read once. */
export interface CompiledTrigger {
  /** Whether only the primary can decide: it counts, or its draws repeat, over the calls of all workers. */
  readonly counted: boolean;
  readonly probability: number;
  readonly seed: number | null;
  /** So many calls a period pass untouched; null: no quota. */
  readonly quota: { readonly calls: number; readonly periodMs: number } | null;
  /** Infinity without a bound. */
  readonly maxConcurrent: number;
  /** Whether the rule acts at all, so long after it was turned on. */
  isAwake(elapsedMs: number): boolean;
  /** Whether a call is one to hit by its place among those that matched while the rule was awake, from 0. */
  takesPlace(index: number): boolean;
}

/**
 * What each part of a trigger needs to be decided. `counts`: the calls of all workers. `repeats`: counts as well, if there is
 * something to draw. A new part does not compile until it is said here.
 */
const parts: Readonly<Record<TriggerField, 'time' | 'chance' | 'counts' | 'repeats' | 'rule-book'>> = {
  window: 'time',
  schedule: 'time',
  after: 'counts',
  first: 'counts',
  every: 'counts',
  probability: 'chance',
  seed: 'repeats',
  rate: 'counts',
  maxConcurrent: 'counts',
  expires: 'rule-book',
};

/** Whether only the primary can decide. */
export function isCounted(trigger: Trigger): boolean {
  return (Object.keys(parts) as TriggerField[]).some((part) => {
    if (trigger[part] === undefined) return false;
    return parts[part] === 'counts' || (parts[part] === 'repeats' && trigger.probability !== undefined);
  });
}

export function compileTrigger(trigger: Trigger): CompiledTrigger {
  const { after = 0, first = Infinity, every = 1, rate } = trigger;
  return {
    counted: isCounted(trigger),
    probability: trigger.probability ?? 1,
    seed: trigger.seed ?? null,
    quota: rate === undefined ? null : parseRate(rate),
    maxConcurrent: trigger.maxConcurrent ?? Infinity,
    isAwake: awakeTest(trigger),
    takesPlace: (index) => index >= after && index - after < first && (index - after) % every === every - 1,
  };
}

function awakeTest({ window, schedule }: Trigger): CompiledTrigger['isAwake'] {
  if (window === undefined && schedule === undefined) return () => true;
  const fromMs = durationMs(window?.from ?? '0s');
  const toMs = window?.to === undefined ? Infinity : durationMs(window.to);
  const everyMs = schedule === undefined ? Infinity : durationMs(schedule.every);
  const forMs = schedule === undefined ? Infinity : durationMs(schedule.for);
  return (elapsedMs) => {
    if (elapsedMs < fromMs || elapsedMs >= toMs) return false;
    return everyMs === Infinity || elapsedMs % everyMs < forMs;
  };
}

/** Whether a draw hits; chance is asked only where there is something to draw. */
export function drawHits(
  { probability, seed }: CompiledTrigger,
  index: number,
  random: () => number,
): boolean {
  if (probability >= 1) return true;
  return (seed === null ? random() : seededDraw(seed, index)) < probability;
}

/**
 * The draw number `index` of a seed, uniform in [0, 1): the same on every machine and in every version of Spike, since
 * a run that somebody wants to repeat may be months old.
 *
 * The hash is SplitMix32: the state after `index + 1` steps of the golden-ratio counter (0x9E3779B9), through
 * the two-round mixer with 0x21F0AAAD and 0x735A2D97 (the "lowbias32" family, Wellons 2018, bias 0.11). A counter
 * based generator, not a running one, so that a draw needs nothing but its place. The seed goes through the mixer
 * first: else seed s + 0x9E3779B9 would be seed s, one call later.
 */
export function seededDraw(seed: number, index: number): number {
  const state = (mix32(seed >>> 0) + Math.imul(index + 1, 0x9e3779b9)) >>> 0;
  return mix32(state) / 4_294_967_296;
}

function mix32(value: number): number {
  let z = value | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}

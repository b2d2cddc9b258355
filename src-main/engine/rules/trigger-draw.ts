import type { Trigger } from '#shared/rules/rule.ts';

/**
 * Whether a trigger lets a call through, given its place among the calls that matched. Pure: the place is counted by
 * whoever counts for all workers (cluster/decision-desk.ts), chance comes in as a function.
 */
export interface MatchingCall {
  /** How many calls matched before this one since the rule was turned on; from 0. */
  readonly index: number;
  /** Uniform in [0, 1); asked at most once a call, and only where the trigger draws. */
  readonly draw: () => number;
}

type TriggerParts = {
  readonly [Part in keyof Trigger]-?: (setting: NonNullable<Trigger[Part]>, call: MatchingCall) => boolean;
};

/** One part of a trigger a line: a new part of the schema does not compile until it has its line here. */
const parts: TriggerParts = {
  first: (count, call) => call.index < count,
  probability: (probability, call) => call.draw() < probability,
  // Says where draws come from (see `drawOf`), never whether a call is hit.
  seed: () => true,
};

/** Everything that the trigger gives must agree; an empty trigger takes every call. */
export function triggerHits(trigger: Trigger, index: number, random: () => number): boolean {
  const call: MatchingCall = { index, draw: () => drawOf(trigger, index, random) };
  return (
    agrees('first', trigger, call) && agrees('probability', trigger, call) && agrees('seed', trigger, call)
  );
}

function agrees<Part extends keyof Trigger>(part: Part, trigger: Trigger, call: MatchingCall): boolean {
  const setting = trigger[part];
  if (setting === undefined) return true;
  return parts[part](setting as NonNullable<Trigger[Part]>, call);
}

function drawOf(trigger: Trigger, index: number, random: () => number): number {
  return trigger.seed === undefined ? random() : seededDraw(trigger.seed, index);
}

/** Whether only the primary can decide: the trigger counts, or its draws repeat, over the calls of all workers. */
export function isCounted(trigger: Trigger): boolean {
  return trigger.first !== undefined || (trigger.seed !== undefined && trigger.probability !== undefined);
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

import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Seeded random numbers (mulberry32): the same seed gives the same shop, run after run.
 * @param {string} seed any text
 * @returns {() => number} numbers from 0 up to, not including, 1
 */
export function seededRandom(seed) {
  let state = hashOf(seed);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** FNV-1a. */
function hashOf(text) {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193);
  return hash >>> 0;
}

/**
 * Work that takes a while: log-normal around the median, so most calls are quick and a few are not, as in life.
 * @param {() => number} random
 * @returns {(medianMs: number) => Promise<void>}
 */
export function workload(random) {
  return (medianMs) => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return sleep(medianMs * Math.exp(0.35 * normal));
  };
}

export const pick = (random, list) => list[Math.floor(random() * list.length)];

import { describe, expect, it } from 'vitest';
import { fuzzOne, saveDefect } from './fuzz.ts';
import { fuzzTargets } from './targets.ts';

/**
 * A minute each in CI for those that read what any peer may send; what the user writes, and shorter grammars, have ten
 * seconds. SPIKE_FUZZ_SECONDS sets others, and `npm run fuzz -- --minutes 10 [parser]` goes on for long.
 */
const minuteEach = new Set([
  'http1-request',
  'http1-response',
  'websocket',
  'socks5',
  'client-hello',
  'postgresql',
  'redis',
]);
const seed = Number(process.env['SPIKE_FUZZ_SEED'] ?? 20_260_401);

function secondsFor(name: string): number {
  const wanted = process.env['SPIKE_FUZZ_SECONDS'];
  if (wanted !== undefined) return Number(wanted);
  if (process.env['CI'] === undefined) return 1;
  return minuteEach.has(name) ? 60 : 10;
}

describe.concurrent('reads or refuses what is made of its corpus', () => {
  it.each(fuzzTargets.map(({ name }) => ({ name, seconds: secondsFor(name) })))(
    '$name, for $seconds s',
    // Only to end what never comes back: the seconds are the processor's, which everything else may have before.
    { timeout: 1_800_000 },
    async ({ name, seconds }) => {
      const result = await fuzzOne(name, seconds, seed);
      expect(saveDefect(result)).toBe('');
      // The mutations must reach beyond the first refusal.
      expect(result.kinds).toBeGreaterThan(2);
    },
  );
});

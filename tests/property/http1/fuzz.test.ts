import { describe, expect, it } from 'vitest';
import type { CorpusEntry } from './corpus.ts';
import type { Random } from './mutations.ts';
import { http1ErrorCodes } from '../../../src-main/engine/proxy/http1/http1-error.ts';
import { wholeCorpus } from './corpus.ts';
import { createRandom, mutate } from './mutations.ts';
import { comparable, observe } from './observe.ts';

/**
 * The corpus, mutated. What comes out may be anything declared: messages, a refusal with one of its codes, or less
 * than a message; never an exception, never more bytes than went in. SPIKE_FUZZ_SECONDS=600 goes on for that long,
 * SPIKE_FUZZ_SEED=n from another start.
 */
const seconds = Number(process.env['SPIKE_FUZZ_SECONDS'] ?? 0);
const seed = Number(process.env['SPIKE_FUZZ_SEED'] ?? 20_260_101);
const iterations = 15_000;

function check(entry: CorpusEntry, input: Buffer, random: Random): void {
  const cuts = Array.from({ length: random(6) }, () => random(input.length + 1));
  const whole = observe(input, [], entry);
  const split = observe(input, cuts, entry);
  const problems = [
    ...whole.disorder,
    JSON.stringify(comparable(whole)) === JSON.stringify(comparable(split)) ? null : 'split differs',
    whole.consumed <= input.length ? null : 'consumed too much',
    whole.error === null || http1ErrorCodes.includes(whole.error.code) ? null : 'undeclared code',
    whole.errorCount === (whole.error === null ? 0 : 1) ? null : 'error told more than once',
    // Whatever was not refused was read: a parser that waits for ever for bytes it has would show here.
    whole.error !== null || whole.consumed === input.length || whole.end === 'complete' ? null : 'stuck',
  ].filter((problem) => problem !== null);
  if (problems.length > 0) {
    expect.fail(
      `${problems.join(', ')}: ${entry.kind} ${JSON.stringify(input.toString('latin1'))} cut at ${cuts.join()}`,
    );
  }
}

describe('mutated messages', () => {
  it(
    'are read or refused, with a declared error and the same one however split',
    () => {
      const random = createRandom(seed);
      const until = seconds > 0 ? performance.now() + seconds * 1000 : 0;
      const seen = new Set<string | undefined>();
      for (let i = 0; i < iterations || performance.now() < until; i++) {
        const { entry, input } = mutate(wholeCorpus, random);
        check(entry, input, random);
        seen.add(observe(input, [], entry).error?.code);
      }
      // The mutations must reach deep: nearly every reason to refuse, and messages that are still valid.
      expect(seen.has(undefined)).toBe(true);
      expect(seen.size).toBeGreaterThan(30);
    },
    60_000 + seconds * 1000,
  );
});

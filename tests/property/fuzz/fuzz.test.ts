import { describe, expect, it } from 'vitest';
import { fuzz, saveDefect } from './fuzz.ts';
import { corpusOf, defectIn } from './target.ts';
import { fuzzTargets } from './targets.ts';

/**
 * Seconds for each parser: CI has 20, so that the dozen of them takes two minutes on two cores. SPIKE_FUZZ_SECONDS sets
 * others, and `npm run fuzz -- --minutes 10 [parser]` goes on for long.
 */
const seconds = Number(process.env['SPIKE_FUZZ_SECONDS'] ?? (process.env['CI'] === undefined ? 1 : 20));
const seed = Number(process.env['SPIKE_FUZZ_SEED'] ?? 20_260_401);

describe.each(fuzzTargets)('the corpus of $name', (target) => {
  it.each([...corpusOf(target.name)])('%s is read, and the same wherever it is cut', (_, input) => {
    // Long ones at a hundred places.
    const step = Math.max(1, Math.ceil(input.length / 100));
    for (let cut = 0; cut <= input.length; cut += step) expect(defectIn(target, input, [cut])).toBeNull();
    expect(defectIn(target, input, [...input.keys()])).toBeNull();
  });
});

it(
  `every parser reads or refuses what is made of its corpus, for ${seconds} s`,
  async () => {
    const results = await fuzz(
      fuzzTargets.map(({ name }) => name),
      seconds,
      seed,
    );
    const defects = results.filter(({ defect }) => defect !== null);
    expect(defects.map(saveDefect).join('\n\n')).toBe('');
    for (const { name, kinds } of results) {
      // The mutations must reach beyond the first refusal.
      expect(kinds, name).toBeGreaterThan(2);
    }
  },
  60_000 + seconds * 1000 * fuzzTargets.length,
);

import { describe, expect, it } from 'vitest';
import { corpusOf, defectIn } from './target.ts';
import { fuzzTargets } from './targets.ts';

describe.each(fuzzTargets)('the corpus of $name', (target) => {
  it.each([...corpusOf(target.name)])('%s is read, and the same wherever it is cut', (_, input) => {
    // Long ones at a hundred places.
    const step = Math.max(1, Math.ceil(input.length / 100));
    for (let cut = 0; cut <= input.length; cut += step) expect(defectIn(target, input, [cut])).toBeNull();
    expect(defectIn(target, input, [...input.keys()])).toBeNull();
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, pipeline } from './arbitraries.ts';
import { wholeCorpus } from './corpus.ts';
import { comparable, observe } from './observe.ts';

const everyIndex = (input: Buffer): number[] => [...input.keys()];

describe('however the input is split, the same is seen', () => {
  it.each(wholeCorpus)('$kind: $name, at every single point and at all of them', (entry) => {
    const whole = comparable(observe(entry.bytes, [], entry));
    expect(comparable(observe(entry.bytes, everyIndex(entry.bytes), entry))).toEqual(whole);
    for (const cut of everyIndex(entry.bytes)) {
      expect(comparable(observe(entry.bytes, [cut], entry))).toEqual(whole);
    }
  });

  it('of generated messages, cut anywhere any number of times', () => {
    fc.assert(
      fc.property(pipeline, fc.array(fc.nat(600), { maxLength: 12 }), (messages, cuts) => {
        const input = bytesOf(messages);
        const options = { kind: messages[0]?.kind ?? 'request' };
        const whole = comparable(observe(input, [], options));
        expect(comparable(observe(input, cuts, options))).toEqual(whole);
        expect(comparable(observe(input, everyIndex(input), options))).toEqual(whole);
      }),
      { numRuns: 300 },
    );
  });

  it('of a corpus entry with one octet changed, cut anywhere: also the same error at the same octet', () => {
    const entry = fc.constantFrom(...wholeCorpus);
    fc.assert(
      fc.property(
        entry,
        fc.nat(),
        fc.nat(255),
        fc.array(fc.nat(200), { maxLength: 4 }),
        (base, at, octet, cuts) => {
          const input = Buffer.from(base.bytes);
          input[at % input.length] = octet;
          const whole = comparable(observe(input, [], base));
          expect(comparable(observe(input, cuts, base))).toEqual(whole);
          expect(comparable(observe(input, everyIndex(input), base))).toEqual(whole);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('with bounds so small that they are hit in the middle of things', () => {
    const entry = fc.constantFrom(...wholeCorpus);
    const limits = fc.record({
      maxHeadBytes: fc.integer({ min: 1, max: 120 }),
      maxRequestLineBytes: fc.integer({ min: 10, max: 40 }),
      maxFields: fc.nat(3),
      maxChunkExtensionBytes: fc.nat(6),
      maxTrailerBytes: fc.integer({ min: 1, max: 30 }),
    });
    fc.assert(
      fc.property(entry, limits, fc.array(fc.nat(200), { maxLength: 4 }), (base, bounds, cuts) => {
        const options = { ...base, limits: bounds };
        const whole = comparable(observe(base.bytes, [], options));
        expect(comparable(observe(base.bytes, cuts, options))).toEqual(whole);
        expect(comparable(observe(base.bytes, everyIndex(base.bytes), options))).toEqual(whole);
      }),
      { numRuns: 1500 },
    );
  });
});

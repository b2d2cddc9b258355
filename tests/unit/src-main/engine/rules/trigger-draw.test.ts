import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCounted, seededDraw, triggerHits } from '../../../../../src-main/engine/rules/trigger-draw.ts';

const never = (): number => {
  throw new Error('no draw was due');
};

describe('triggerHits', () => {
  it('takes every call when nothing is asked', () => {
    expect(triggerHits({}, 0, never)).toBe(true);
    expect(triggerHits({ seed: 7 }, 1_000_000, never)).toBe(true);
  });

  it('takes the first n', () => {
    const hits = [0, 1, 2, 3, 4].map((index) => triggerHits({ first: 3 }, index, never));
    expect(hits).toEqual([true, true, true, false, false]);
  });

  it('draws against the probability, at its edges too', () => {
    expect(triggerHits({ probability: 0.5 }, 0, () => 0.49)).toBe(true);
    expect(triggerHits({ probability: 0.5 }, 0, () => 0.5)).toBe(false);
    expect(triggerHits({ probability: 0 }, 0, () => 0)).toBe(false);
    expect(triggerHits({ probability: 1 }, 0, () => 0.999999)).toBe(true);
  });

  it('wants all parts to agree, and does not draw after the count', () => {
    expect(triggerHits({ first: 1, probability: 0.5 }, 0, () => 0.9)).toBe(false);
    expect(triggerHits({ first: 1, probability: 0.5 }, 1, never)).toBe(false);
  });

  it('never asks for chance where there is a seed', () => {
    expect(() => triggerHits({ probability: 0.5, seed: 1 }, 0, never)).not.toThrow();
  });

  it('says which triggers only the primary can decide', () => {
    expect(isCounted({ first: 1 })).toBe(true);
    expect(isCounted({ probability: 0.5, seed: 1 })).toBe(true);
    expect(isCounted({ probability: 0.5 })).toBe(false);
    expect(isCounted({ seed: 1 })).toBe(false);
    expect(isCounted({})).toBe(false);
  });
});

describe('seededDraw', () => {
  it('is fixed for good: runs that somebody wrote down must repeat', () => {
    const draws = [0, 1, 2].map((index) => seededDraw(42, index));
    expect(draws).toEqual([0.9857737098354846, 0.8454364330973476, 0.7789328652434051]);
    expect(seededDraw(4_294_967_295, 1_000_000)).toBe(0.32810123008675873);
  });

  it('is in [0, 1) and depends on nothing but seed and place', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), fc.nat(1_000_000_000), (seed, index) => {
        const draw = seededDraw(seed, index);
        return draw >= 0 && draw < 1 && draw === seededDraw(seed, index);
      }),
    );
  });

  it('is uniform: 20,000 draws of several seeds fill 20 bins alike (chi squared, p = 0.001)', () => {
    for (const seed of [0, 1, 2, 42, 0x9e3779b9, 0xffffffff]) {
      const bins = new Array<number>(20).fill(0);
      for (let index = 0; index < 20_000; index += 1)
        (bins[Math.floor(seededDraw(seed, index) * 20)] as number) += 1;
      const chi = bins.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
      expect(chi, `seed ${seed}`).toBeLessThan(43.82);
    }
  });

  it('gives neighbouring seeds, and seeds a golden ratio apart, other sequences', () => {
    const first = (seed: number): number[] => [0, 1, 2, 3].map((index) => seededDraw(seed, index));
    expect(first(1)).not.toEqual(first(2));
    expect(seededDraw(0x9e3779b9, 0)).not.toBe(seededDraw(0, 1));
  });
});

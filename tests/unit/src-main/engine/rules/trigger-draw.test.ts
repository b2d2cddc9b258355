import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TriggerCounter } from '../../../../../src-main/engine/rules/trigger-counter.ts';
import { compileTrigger, isCounted, seededDraw } from '../../../../../src-main/engine/rules/trigger-draw.ts';
import { TriggerSchema } from '../../../../../src-shared/rules/trigger.ts';
import type { Trigger } from '../../../../../src-shared/rules/trigger.ts';

const never = (): number => {
  throw new Error('no draw was due');
};
const counterOf = (trigger: Trigger): TriggerCounter =>
  new TriggerCounter(compileTrigger(TriggerSchema.parse(trigger)), 0);

/** The places, from 1, of the calls that were hit; one call each `stepMs`. */
function hitsOf(trigger: Trigger, calls: number, stepMs = 0, random = never): number[] {
  const counter = counterOf(trigger);
  const hits: number[] = [];
  for (let call = 0; call < calls; call += 1)
    if (counter.decide(call * stepMs, random).hit) hits.push(call + 1);
  return hits;
}

describe('a trigger', () => {
  it.each<[Trigger, number, number, number[]]>([
    [{}, 3, 0, [1, 2, 3]],
    [{ seed: 7 }, 2, 0, [1, 2]],
    [{ first: 3 }, 6, 0, [1, 2, 3]],
    [{ after: 4 }, 6, 0, [5, 6]],
    [{ every: 3 }, 10, 0, [3, 6, 9]],
    [{ after: 2, first: 3 }, 10, 0, [3, 4, 5]],
    [{ after: 2, every: 3 }, 12, 0, [5, 8, 11]],
    [{ first: 6, every: 3 }, 12, 0, [3, 6]],
    [{ first: 2, every: 3 }, 12, 0, []],
    [{ window: { from: '2s', to: '4s' } }, 6, 1000, [3, 4]],
    [{ window: { to: '2s' } }, 6, 1000, [1, 2]],
    // What came while it slept is not counted.
    [{ window: { from: '2s' }, first: 2 }, 6, 1000, [3, 4]],
    [{ schedule: { every: '3s', for: '1s' } }, 7, 1000, [1, 4, 7]],
    [{ schedule: { every: '3s', for: '1s' }, every: 2 }, 10, 1000, [4, 10]],
    [{ window: { from: '4s' }, schedule: { every: '3s', for: '2s' } }, 9, 1000, [5, 7, 8]],
    [{ rate: '2/s' }, 5, 0, [3, 4, 5]],
    [{ rate: '2/s' }, 9, 250, [3, 4, 7, 8]],
    [{ rate: '1/m', after: 1 }, 4, 0, [3, 4]],
  ])('%j of %i calls, one each %i ms, hits %j', (trigger, calls, stepMs, hits) => {
    expect(hitsOf(trigger, calls, stepMs)).toEqual(hits);
  });

  it('draws against the probability, at its edges too, and only for calls that are left', () => {
    const drawn = (draw: number): number[] => hitsOf({ probability: 0.5 }, 1, 0, () => draw);
    expect(drawn(0.49)).toEqual([1]);
    expect(drawn(0.5)).toEqual([]);
    expect(hitsOf({ probability: 0 }, 1, 0, () => 0)).toEqual([]);
    expect(hitsOf({ probability: 1 }, 1)).toEqual([1]);
    expect(hitsOf({ first: 1, probability: 0.5 }, 2, 0, () => 0.9)).toEqual([]);
    expect(() => hitsOf({ after: 5, probability: 0.5 }, 5)).not.toThrow();
  });

  it('never asks for chance where there is a seed, and repeats', () => {
    const trigger = { probability: 0.5, seed: 1 };
    expect(hitsOf(trigger, 100)).toEqual(hitsOf(trigger, 100));
    expect(hitsOf(trigger, 100).length).toBeGreaterThan(30);
  });

  it('says of a call over the quota when calls pass again', () => {
    const counter = counterOf({ rate: '1/s' });
    expect(counter.decide(100, never)).toMatchObject({ hit: false, retryAfterMs: null });
    expect(counter.decide(400, never)).toMatchObject({ hit: true, retryAfterMs: 700 });
    expect(counter.decide(1100, never).hit).toBe(false);
  });

  it('holds no more at once than it may, and counts those that it lets pass', () => {
    const counter = counterOf({ maxConcurrent: 2, first: 5 });
    const decide = (): boolean => counter.decide(0, never).hit;
    expect([decide(), decide(), decide()]).toEqual([true, true, false]);
    counter.release();
    expect([decide(), decide(), decide()]).toEqual([true, false, false]);
    counter.release(2);
    expect(decide()).toBe(false); // the seventh
  });

  it('says which triggers only the primary can decide', () => {
    const counted: Trigger[] = [
      { first: 1 },
      { after: 1 },
      { every: 2 },
      { rate: '1/s' },
      { maxConcurrent: 1 },
    ];
    for (const trigger of counted) expect(isCounted(trigger)).toBe(true);
    expect(isCounted({ probability: 0.5, seed: 1 })).toBe(true);
    expect(isCounted({ probability: 0.5 })).toBe(false);
    expect(isCounted({ seed: 1 })).toBe(false);
    expect(isCounted({ window: { from: '1s' }, schedule: { every: '2s', for: '1s' }, expires: '5m' })).toBe(
      false,
    );
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

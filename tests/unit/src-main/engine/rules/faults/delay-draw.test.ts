import { describe, expect, it } from 'vitest';
import { LatencyFaultSchema } from '#shared/rules/faults/link.ts';
import { delayDraw } from '../../../../../../src-main/engine/rules/faults/delay-draw.ts';

/** mulberry32: small, seeded, good enough for moments. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function sample(
  input: object,
  count = 20_000,
): { mean: number; deviation: number; at(share: number): number } {
  const fault = LatencyFaultSchema.parse({ type: 'latency', ...input });
  const draw = delayDraw(fault, seeded(7));
  const drawn = Array.from({ length: count }, () => draw()).sort((a, b) => a - b);
  const mean = drawn.reduce((sum, value) => sum + value, 0) / count;
  const deviation = Math.sqrt(drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count);
  return { mean, deviation, at: (share) => drawn[Math.min(count - 1, Math.floor(share * count))] ?? NaN };
}

describe('a delay is drawn', () => {
  it('always the same without a spread', () => {
    for (const distribution of ['uniform', 'normal', 'lognormal'])
      expect(sample({ latencyMs: 300, distribution }, 50).deviation).toBe(0);
  });

  it('uniform: between the bounds, evenly', () => {
    const drawn = sample({ latencyMs: 1000, jitterMs: 200 });
    expect(drawn.at(0)).toBeGreaterThanOrEqual(800);
    expect(drawn.at(1)).toBeLessThan(1200);
    expect(drawn.mean).toBeCloseTo(1000, -1);
    expect(drawn.deviation).toBeCloseTo(400 / Math.sqrt(12), -1);
  });

  it('normal: the mean and the standard deviation that were asked for', () => {
    const drawn = sample({ latencyMs: 1000, jitterMs: 100, distribution: 'normal' });
    expect(drawn.mean).toBeCloseTo(1000, -1);
    expect(drawn.deviation).toBeCloseTo(100, -1);
    expect(drawn.at(0.975)).toBeCloseTo(1196, -2);
  });

  it('lognormal: the delay is the median, the spread the standard deviation, the tail on one side', () => {
    const drawn = sample({ latencyMs: 1000, jitterMs: 500, distribution: 'lognormal' }, 100_000);
    expect(Math.abs(drawn.at(0.5) - 1000)).toBeLessThan(20);
    expect(Math.abs(drawn.deviation - 500)).toBeLessThan(25);
    expect(drawn.at(0.99) - 1000).toBeGreaterThan(1000 - drawn.at(0.01));
  });

  it('never negative', () => {
    for (const distribution of ['uniform', 'normal', 'lognormal'])
      for (const latencyMs of [0, 10]) {
        const drawn = sample({ latencyMs, jitterMs: 500, distribution }, 2000);
        expect(drawn.at(0)).toBeGreaterThanOrEqual(0);
        expect(drawn.deviation).toBeGreaterThan(0);
      }
  });

  it('from recorded percentiles, straight between them', () => {
    const drawn = sample({
      latencyMs: 0,
      distribution: 'percentiles',
      percentiles: { p0: 10, p50: 100, p99: 900, p100: 2000 },
    });
    expect(drawn.at(0.25)).toBeCloseTo(55, -1);
    expect(drawn.at(0.5)).toBeCloseTo(100, -1);
    expect(Math.abs(drawn.at(0.99) - 900)).toBeLessThan(60);
    expect(drawn.at(1)).toBeLessThanOrEqual(2000);
  });

  it('from percentiles that leave the ends open: the nearest holds', () => {
    const drawn = sample({ latencyMs: 5, distribution: 'percentiles', percentiles: { p50: 100 } }, 500);
    expect([drawn.at(0), drawn.at(1)]).toEqual([100, 100]);
    expect(sample({ latencyMs: 5, distribution: 'percentiles' }, 50).mean).toBe(5);
  });
});

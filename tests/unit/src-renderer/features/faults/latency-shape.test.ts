import { describe, expect, it } from 'vitest';
import { LatencyFaultSchema } from '#shared/rules/faults/link.ts';
import { latencyShape } from '../../../../../src-renderer/features/faults/latency-shape.ts';

const shape = (fields: object) =>
  latencyShape(LatencyFaultSchema.parse({ type: 'latency', latencyMs: 2000, ...fields }));
/** The delay at which a shape is highest. */
const peakMs = ({ heights, endMs }: ReturnType<typeof shape>) =>
  (heights.indexOf(1) / (heights.length - 1)) * endMs;

describe('latencyShape', () => {
  it('is a line where nothing is spread', () => {
    expect(shape({})).toMatchObject({ heights: [], middleMs: 2000, lowMs: 2000, highMs: 2000 });
    for (const distribution of ['normal', 'lognormal']) expect(shape({ distribution }).heights).toEqual([]);
  });

  it('is flat between the bounds of a uniform spread, and never before 0', () => {
    const uniform = shape({ jitterMs: 500 });
    expect(uniform).toMatchObject({ lowMs: 1500, highMs: 2500, endMs: 3000 });
    expect(new Set(uniform.heights)).toEqual(new Set([0, 1]));
    expect(shape({ jitterMs: 3000 }).lowMs).toBe(0);
  });

  it('is highest at the delay where it is normal, before it where it is lognormal', () => {
    expect(Math.abs(peakMs(shape({ jitterMs: 500, distribution: 'normal' })) - 2000)).toBeLessThan(60);
    const lognormal = shape({ jitterMs: 1000, distribution: 'lognormal' });
    expect(peakMs(lognormal)).toBeLessThan(2000);
    expect(lognormal.highMs - 2000).toBeGreaterThan(2000 - lognormal.lowMs); // the tail is on the slow side
  });

  it('is as dense between two percentiles as their share of the calls', () => {
    const recorded = shape({ distribution: 'percentiles', percentiles: { p0: 0, p50: 100, p100: 1100 } });
    expect(recorded).toMatchObject({ middleMs: 100, lowMs: 0, highMs: 1100, endMs: 1500 });
    const at = (ms: number) => recorded.heights[Math.round((ms / 1500) * (recorded.heights.length - 1))];
    expect(at(60)).toBe(1);
    expect(at(600)).toBeCloseTo(0.1);
    expect(at(1300)).toBe(0);
  });

  it('is what the delay says while there is no percentile', () => {
    expect(shape({ distribution: 'percentiles' })).toMatchObject({ heights: [], middleMs: 2000 });
    expect(shape({ distribution: 'percentiles', percentiles: { p50: 7 } })).toMatchObject({
      heights: [],
      middleMs: 7,
    });
  });

  it('has only numbers to draw, whatever is given', () => {
    for (const distribution of ['uniform', 'normal', 'lognormal']) {
      for (const latencyMs of [0, 1, 3_600_000]) {
        for (const jitterMs of [0, 1, 3_600_000]) {
          const { heights, ...rest } = shape({ latencyMs, jitterMs, distribution });
          expect([...heights, ...Object.values(rest)].every(Number.isFinite)).toBe(true);
        }
      }
    }
  });
});

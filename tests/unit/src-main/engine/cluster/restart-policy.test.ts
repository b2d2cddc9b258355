import { describe, expect, it } from 'vitest';
import { RestartPolicy, restartSettings } from '../../../../../src-main/engine/cluster/restart-policy.ts';

describe('RestartPolicy', () => {
  it('replaces at once while deaths are rare', () => {
    const policy = new RestartPolicy();
    expect([0, 11_000, 22_000, 33_000].map((at) => policy.died(at, 11_000))).toEqual([0, 0, 0, 0]);
  });

  it('waits from the third death in ten seconds on, doubling up to the cap', () => {
    const policy = new RestartPolicy();
    const delays: number[] = [];
    let nowMs = 0;
    for (let death = 0; death < 12; death += 1) {
      const delay = policy.died(nowMs, 100);
      delays.push(delay);
      nowMs += delay + 100;
    }
    expect(delays).toEqual([0, 0, 250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('is at once again after a quiet life', () => {
    const policy = new RestartPolicy();
    for (const at of [0, 10, 20]) policy.died(at, 10);
    expect(policy.died(100, 80)).toBe(500);
    expect(policy.died(100_000, restartSettings.quietMs)).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import type { EdgeStats } from '../../../../../src-shared/contract/topology.ts';
import { edgeHealth, healthThresholds, worstOf } from '../../../../../src-main/engine/topology/health.ts';
import type { EdgeEvidence } from '../../../../../src-main/engine/topology/health.ts';

const quiet: EdgeStats = {
  calls: 100,
  perSecond: 10,
  failed: 0,
  clientErrors: 0,
  injected: 0,
  injectedFailed: 0,
  p50: 20,
  p90: 30,
  p95: 40,
  p99: 50,
  max: 60,
  p95WithoutFaults: 40,
  requestBytesPerSecond: 0,
  responseBytesPerSecond: 0,
  inFlight: 0,
};

function health(stats: Partial<EdgeStats>, evidence: Partial<EdgeEvidence> = {}): string {
  const whole = {
    stats: { ...quiet, ...stats },
    protocol: 'http',
    ruled: false,
    baselineP95: null,
    ...evidence,
  };
  return edgeHealth(whole, healthThresholds);
}

describe('edgeHealth', () => {
  it('is fine, or idle without a call', () => {
    expect(health({})).toBe('fine');
    expect(health({ calls: 0, p95: null })).toBe('idle');
    expect(health({ calls: 0, p95: null, inFlight: 1 })).toBe('fine');
  });

  it('is failing above 10 % failed, degraded with any failed', () => {
    expect(health({ failed: 11 })).toBe('failing');
    expect(health({ failed: 10 })).toBe('slow');
    expect(health({ failed: 1 })).toBe('slow');
  });

  it('judges client errors at 10 and 20 %', () => {
    expect(health({ clientErrors: 10 })).toBe('fine');
    expect(health({ clientErrors: 11 })).toBe('slow');
    expect(health({ clientErrors: 21 })).toBe('failing');
  });

  it('is slow from 1 s on, or at three times what it was', () => {
    expect(health({ p95: 999 })).toBe('fine');
    expect(health({ p95: 1000 })).toBe('slow');
    expect(health({ p95: 150 }, { baselineP95: 50 })).toBe('slow');
    expect(health({ p95: 149 }, { baselineP95: 50 })).toBe('fine');
    expect(health({ p95: 49 }, { baselineP95: 1 })).toBe('fine');
  });

  it('does not call a long connection slow', () => {
    expect(health({ p95: 60_000 }, { protocol: 'tcp' })).toBe('fine');
    expect(health({ p95: 60_000 }, { protocol: 'websocket' })).toBe('fine');
  });

  it('is faulted while a rule that is on has acted, whatever else fails', () => {
    expect(health({ injected: 1 }, { ruled: true })).toBe('faulted');
    expect(health({ injected: 1, failed: 90 }, { ruled: true })).toBe('faulted');
    expect(health({}, { ruled: true })).toBe('fine');
  });

  it('judges by its own calls once the rule is off', () => {
    const after = { injected: 80, injectedFailed: 80, p95: 2300, p95WithoutFaults: 40 };
    expect(health(after)).toBe('fine');
    expect(health({ ...after, p95WithoutFaults: 1200 })).toBe('slow');
    expect(health({ ...after, failed: 3 })).toBe('failing');
    expect(health({ ...after, p95WithoutFaults: null })).toBe('fine');
  });
});

describe('worstOf', () => {
  it('puts ours before theirs, and anything before idle', () => {
    expect(worstOf(['fine', 'failing', 'faulted'])).toBe('faulted');
    expect(worstOf(['fine', 'slow', 'failing'])).toBe('failing');
    expect(worstOf(['idle', 'fine'])).toBe('fine');
    expect(worstOf([])).toBe('idle');
  });
});

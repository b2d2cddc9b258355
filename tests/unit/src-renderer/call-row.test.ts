import { describe, expect, it } from 'vitest';
import { barShares, CallRow } from '../../../src-renderer/stores/call-row.ts';
import { flowSummary } from './flow-summary-fixture.ts';

const display = (given: Parameters<typeof flowSummary>[0]) => new CallRow(flowSummary(given)).display;

describe('a row of the list', () => {
  it('has the name that tests and screen readers use', () => {
    expect(display({ durationMs: 2187 }).label).toBe(
      'POST /v1/charge/card, checkout to payments, 201, 2.19 s',
    );
  });

  it('shows an injected 503 as ours and a real one as theirs', () => {
    expect(display({ status: 503, faultedStatus: true, faults: ['r'] }).tone).toBe('fault');
    expect(display({ status: 503 }).tone).toBe('error');
    expect(display({ status: 404 }).tone).toBe('warn');
    expect(display({ status: 200 }).tone).toBe('quiet');
  });

  it('names what became of a call without a status', () => {
    expect(display({ status: null, cause: 'upstream-reset' })).toMatchObject({
      status: 'reset',
      tone: 'error',
    });
    expect(display({ status: null, cause: 'fault-reset' })).toMatchObject({ status: 'reset', tone: 'fault' });
    expect(display({ status: null, durationMs: null })).toMatchObject({ status: 'open', latency: '–' });
    expect(display({ protocol: 'grpc', grpcStatus: 14 })).toMatchObject({
      status: 'UNAVAILABLE',
      tone: 'error',
    });
  });

  it('draws the latency as a logarithm and the injected part of it as a share of the time', () => {
    expect(barShares({ durationMs: 100, injectedMs: 0 })).toEqual({ barOwn: 0.5, barInjected: 0 });
    const slowed = barShares({ durationMs: 10_000, injectedMs: 7_500 });
    expect(slowed.barOwn).toBeCloseTo(0.25);
    expect(slowed.barInjected).toBeCloseTo(0.75);
    expect(barShares({ durationMs: 60_000, injectedMs: 0 }).barOwn).toBe(1);
    expect(barShares({ durationMs: null, injectedMs: 0 })).toEqual({ barOwn: 0, barInjected: 0 });
  });
});

import { describe, expect, it } from 'vitest';
import {
  edgeLabel,
  edgeName,
  edgeWidth,
  formatShare,
  serviceName,
} from '../../../../../src-renderer/features/map/edge-words.ts';
import { edgeOf } from './edge-fixture.ts';

describe('edgeLabel', () => {
  it('says the rate and the p95', () => {
    expect(edgeLabel(edgeOf(), 'latency')).toEqual({ rate: '12/s', figure: '96 ms', tone: 'quiet' });
  });

  it('says failures before latency once they are many, in the colour of who made them', () => {
    const injected = edgeOf({ injected: 300, injectedFailed: 306 }, { health: 'faulted' });
    expect(edgeLabel(injected, 'latency')).toMatchObject({ figure: '51 % failed', tone: 'fault' });
    const real = edgeOf({ failed: 600 }, { health: 'failing' });
    expect(edgeLabel(real, 'latency')).toMatchObject({ figure: '100 % failed', tone: 'error' });
  });

  it('shows errors or bytes where those are asked for', () => {
    expect(edgeLabel(edgeOf({ failed: 3 }), 'errors').figure).toBe('0.5 % failed');
    expect(edgeLabel(edgeOf(), 'bytes').figure).toBe('24.0 kB/s');
  });

  it('knows no p95 without a call', () => {
    expect(edgeLabel(edgeOf({ calls: 0, perSecond: 0, p95: null }), 'latency').figure).toBe('–');
  });
});

describe('names', () => {
  it('name an edge and a service as they are heard', () => {
    expect(edgeName(edgeOf({}, { health: 'faulted' }))).toBe(
      'checkout to payments, 12 calls per second, faulted',
    );
    expect(edgeName(edgeOf({ perSecond: 0.01 }))).toContain('less than 0.1 calls per second');
    expect(serviceName({ name: 'payments', note: 'p95 2.31 s' })).toBe('payments, p95 2.31 s');
    expect(serviceName({ name: 'browser', note: '' })).toBe('browser');
  });
});

describe('figures', () => {
  it('write shares with what matters', () => {
    expect([0, 0.0004, 0.004, 0.51, 1, null].map(formatShare)).toEqual([
      '0 %',
      '< 0.1 %',
      '0.4 %',
      '51 %',
      '100 %',
      '–',
    ]);
  });

  it('grow the line by the logarithm of the rate, within bounds', () => {
    expect(edgeWidth(0)).toBeCloseTo(1.2);
    expect(edgeWidth(100)).toBeGreaterThan(edgeWidth(10));
    expect(edgeWidth(1e9)).toBe(4);
  });
});

import { describe, expect, it } from 'vitest';
import { briefFault } from '../../../../src-shared/rules/brief-fault.ts';
import { FaultSchema } from '../../../../src-shared/rules/fault.ts';
import { faultEffect } from '../../../../src-shared/rules/fault-effects.ts';

describe('a breakpoint in words', () => {
  it.each([
    ['are held by hand at the request for up to 1 min', { type: 'breakpoint' }],
    [
      'are held by hand at the answer for up to 5 s, then are dropped',
      { type: 'breakpoint', at: 'response', timeoutMs: 5000, onTimeout: 'drop' },
    ],
  ])('%s', (words, fault) => {
    expect(faultEffect(FaultSchema.parse(fault), true)).toBe(words);
  });

  it('is written without what is as by default', () => {
    expect(briefFault(FaultSchema.parse({ type: 'breakpoint' }))).toEqual({ type: 'breakpoint' });
    const other = { type: 'breakpoint', at: 'response', onTimeout: 'drop' };
    expect(briefFault(FaultSchema.parse(other))).toEqual(other);
  });

  it.each([
    { at: 'both' },
    { timeoutMs: 999 },
    { timeoutMs: 3_600_001 },
    { timeoutMs: 1000.5 },
    { timeoutMs: '60s' },
    { onTimeout: 'answer' },
    { direction: 'request' },
  ])('with %j is refused', (fields) => {
    expect(FaultSchema.safeParse({ type: 'breakpoint', ...fields }).success).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import {
  addHits,
  barMs,
  historyAt,
  historyBars,
  hitsSince,
} from '../../../../src-renderer/stores/hit-history.ts';

const start = 1_700_000_000_000;

describe('the hits of a rule over time', () => {
  it('adds up within a bar, and moves on with time', () => {
    const first = addHits(addHits(undefined, 2, start), 3, start + 1);
    expect(first.counts).toHaveLength(historyBars);
    expect(first.counts.at(-1)).toBe(5);
    const later = addHits(first, 1, start + 2 * barMs);
    expect(later.counts.slice(-3)).toEqual([5, 0, 1]);
    expect(first.counts.at(-1)).toBe(5);
  });

  it('forgets what is older than its bars', () => {
    const known = addHits(undefined, 2, start);
    expect(historyAt(known, start + historyBars * barMs).counts.every((count) => count === 0)).toBe(true);
    expect(historyAt(known, start + 1e12).counts).toHaveLength(historyBars);
    expect(historyAt(known, start + (historyBars - 1) * barMs).counts[0]).toBe(2);
  });

  it('keeps what it has when the clock is set back', () => {
    const known = addHits(undefined, 2, start);
    expect(addHits(known, 1, start - 1e6).counts.at(-1)).toBe(3);
  });

  it('counts anew after a rule was turned on again', () => {
    expect(hitsSince(5, 9)).toBe(4);
    expect(hitsSince(9, 2)).toBe(2);
  });
});

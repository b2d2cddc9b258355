import { describe, expect, it } from 'vitest';
import {
  rowsOf,
  ticksOf,
  timeText,
} from '../../../../../src-renderer/features/faults/scenario/timeline-rows.ts';

describe('the timeline of a scenario', () => {
  it('has round times with room for each', () => {
    expect(ticksOf(120_000)).toEqual([0, 15, 30, 45, 60, 75, 90, 105, 120].map((at) => at * 1000));
    expect(ticksOf(3000)).toEqual([0, 500, 1000, 1500, 2000, 2500, 3000]);
    for (const ms of [100, 777, 45_000, 3_600_000, 2_592_000_000])
      expect(ticksOf(ms).length).toBeLessThan(10);
  });

  it('has a row a rule, with all the times that it is on', () => {
    const span = (rule: string, fromMs: number) => ({ rule, label: rule, fromMs, toMs: fromMs + 1 });
    const rows = rowsOf({ spans: [span('a', 0), span('b', 5), span('a', 9)] });
    expect(rows.map(({ rule, spans }) => [rule, spans.map(({ fromMs }) => fromMs)])).toEqual([
      ['a', [0, 9]],
      ['b', [5]],
    ]);
  });

  it('says times without zeros', () => {
    expect([0, 500, 1500, 90_000, 600_000].map(timeText)).toEqual([
      '0 s',
      '500 ms',
      '1.5 s',
      '90 s',
      '10 min',
    ]);
  });
});

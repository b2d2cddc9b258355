import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlowLog } from '../../../src-renderer/stores/flow-log.ts';
import { flowSummary, numbered } from './flow-summary-fixture.ts';

const starts = (log: FlowLog) =>
  Array.from({ length: log.length }, (_, index) => log.at(index)?.flow.startedAtMs);

function logOf(bound: number, ...numbers: number[]): FlowLog {
  const log = new FlowLog(bound);
  for (const flow of numbered(...numbers)) log.put(flow);
  return log;
}

describe('FlowLog', () => {
  it('is ordered by start, whatever the order of arrival', () => {
    expect(starts(logOf(10, 3, 1, 2))).toEqual([1, 2, 3]);
  });

  it('replaces what is known of a call, by a new row', () => {
    const log = logOf(10, 1, 2);
    const before = log.at(0);
    expect(log.replace({ ...numbered(1)[0]!, status: 503 })).toBe(true);
    expect(log.at(0)).not.toBe(before);
    expect(log.at(0)?.flow.status).toBe(503);
    expect(log.length).toBe(2);
    expect(log.replace(flowSummary({ id: 'not there' }))).toBe(false);
  });

  it('keeps the newest, ignores what is older than a full list, and never holds more than its bound', () => {
    const log = logOf(3, 10, 11, 12, 13);
    expect(starts(log)).toEqual([11, 12, 13]);
    log.put(numbered(5)[0]!);
    expect(starts(log)).toEqual([11, 12, 13]);
    expect(log.at(3)).toBeUndefined();
    expect(log.at(-1)).toBeUndefined();
  });

  it('finds calls by id and by time after the oldest have left', () => {
    const log = logOf(3, 10, 11, 12, 13, 14);
    expect(log.indexOf(numbered(13)[0]!.id)).toBe(1);
    expect(log.indexOf(numbered(10)[0]!.id)).toBe(-1);
    expect(log.firstSince(13)).toBe(1);
    expect(log.firstSince(0)).toBe(0);
    expect(log.firstSince(99)).toBe(3);
  });

  it('takes older calls before the present ones, the newest of them where there is not room for all', () => {
    const log = logOf(4, 10, 11);
    expect(log.prepend(numbered(9, 8, 7, 10))).toBe(2);
    expect(starts(log)).toEqual([8, 9, 10, 11]);
    expect(log.prepend(numbered(1))).toBe(0);
  });

  it('is what sorting and cutting would give, for any order of arrival', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(500), { maxLength: 400 }),
        fc.integer({ min: 1, max: 40 }),
        (arrivals, bound) => {
          const log = logOf(bound, ...arrivals);
          const kept = starts(log);
          expect(kept).toEqual([...new Set(kept)].sort((a, b) => a! - b!));
          expect(kept.length).toBe(Math.min(bound, new Set(arrivals).size));
          expect(kept.at(-1)).toBe(arrivals.length === 0 ? undefined : Math.max(...arrivals));
          kept.forEach((number, index) => expect(log.indexOf(numbered(number!)[0]!.id)).toBe(index));
        },
      ),
    );
  });
});

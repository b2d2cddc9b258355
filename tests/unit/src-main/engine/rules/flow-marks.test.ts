import { describe, expect, it } from 'vitest';
import { FaultMark } from '../../../../../src-main/engine/rules/fault-mark.ts';
import { FlowMarks, marksPerFlowLimit } from '../../../../../src-main/engine/rules/flow-marks.ts';

function mark(ruleId: string, atMs: number, outcome: FaultMark['outcome'] = 'done'): FaultMark {
  const made = new FaultMark(ruleId, ruleId, 'latency', 'response', atMs);
  made.outcome = outcome;
  made.describe = () => `held ${atMs}`;
  return made;
}

describe('the marks of one flow', () => {
  it('are kept up to a bound: the first and the latest; the rest is counted on the latest of the same rule', () => {
    const marks = new FlowMarks();
    for (let at = 0; at < 10_000; at++) marks.add(mark('a', at));
    const applied = marks.applied();
    expect(applied).toHaveLength(marksPerFlowLimit);
    expect(marks.all).toHaveLength(marksPerFlowLimit);
    expect(applied.map(({ atMs }) => atMs).slice(48, 52)).toEqual([48, 49, 9_950, 9_951]);
    expect(applied.at(-1)?.note).toBe('held 9999 (and 9,900 times more before)');
    expect(applied[0]?.note).toBe('held 0');
  });

  it('that still act are never let go of, and all rules are counted', () => {
    const marks = new FlowMarks();
    const acting = mark('long', 0, 'acting');
    for (let at = 1; at < 60; at++) marks.add(mark('a', at));
    marks.add(acting);
    for (let at = 100; at < 400; at++) marks.add(mark(at % 2 === 0 ? 'b' : 'c', at));
    expect(marks.all).toContain(acting);
    const counted = marks.applied().map(({ note }) => /and ([\d,]+) time/.exec(note)?.[1] ?? '0');
    expect(counted.reduce((sum, count) => sum + Number(count), 0)).toBe(360 - marksPerFlowLimit);
  });

  it('of thousands of rules: those that are not listed are counted', () => {
    const marks = new FlowMarks();
    for (let rule = 0; rule < 3_000; rule++) marks.add(mark(`r${rule}`, rule, 'acting'));
    expect(marks.applied()).toHaveLength(marksPerFlowLimit);
    expect(marks.applied().at(-1)?.note).toBe(
      'held 99 (and 2,900 faults of other rules that are not listed)',
    );
    for (const one of marks.all) one.outcome = 'done';
    for (let rule = 3_000; rule < 6_000; rule++) marks.add(mark(`r${rule}`, rule));
    expect(marks.applied().at(-1)?.note).toMatch(/and 5,[89]\d\d faults of other rules/);
    for (let rule = 0; rule < 3_000; rule++) marks.add(mark(`s${rule}`, rule));
    expect(marks.all).toHaveLength(marksPerFlowLimit);
  });
});

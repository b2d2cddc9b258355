import { describe, expect, it } from 'vitest';
import { DecisionDesk } from '../../../../../src-main/engine/cluster/decision-desk.ts';
import type { ActiveRule } from '../../../../../src-main/engine/cluster/messages.ts';

function rule(id: string, epoch: number, trigger: ActiveRule['trigger']): ActiveRule {
  return { id, epoch, trigger, name: id, match: {}, faults: [] };
}

describe('DecisionDesk', () => {
  it('counts the first n over whoever asks', () => {
    const desk = new DecisionDesk(Math.random);
    desk.configure([rule('a', 1, { first: 2 }), rule('b', 1, { first: 1 })]);
    const answers = ['a', 'b', 'a', 'b', 'a'].map((id) => desk.decide(id, 1));
    expect(answers).toEqual([true, true, true, false, false]);
  });

  it('repeats a seeded run exactly, also from the middle of a reconfiguration', () => {
    const run = (reconfigureAt: number): boolean[] => {
      const desk = new DecisionDesk(() => 0);
      const rules = [rule('a', 1, { probability: 0.5, seed: 99 })];
      desk.configure(rules);
      return Array.from({ length: 200 }, (_, index) => {
        if (index === reconfigureAt) desk.configure([...rules, rule('other', 1, {})]);
        return desk.decide('a', 1);
      });
    };
    const answers = run(-1);
    expect(run(100)).toEqual(answers);
    expect(answers.filter(Boolean).length).toBeGreaterThan(70);
    expect(answers.filter(Boolean).length).toBeLessThan(130);
  });

  it('starts again with a new epoch, and when a rule was off in between', () => {
    const desk = new DecisionDesk(Math.random);
    desk.configure([rule('a', 1, { first: 1 })]);
    expect([desk.decide('a', 1), desk.decide('a', 1)]).toEqual([true, false]);
    desk.configure([rule('a', 2, { first: 1 })]);
    expect([desk.decide('a', 2), desk.decide('a', 2)]).toEqual([true, false]);
    desk.configure([]);
    desk.configure([rule('a', 2, { first: 1 })]);
    expect(desk.decide('a', 2)).toBe(true);
  });

  it('hits and counts nothing for an epoch that is over, or a rule that is off', () => {
    const desk = new DecisionDesk(Math.random);
    desk.configure([rule('a', 2, { first: 1 })]);
    expect(desk.decide('a', 1)).toBe(false);
    expect(desk.decide('gone', 1)).toBe(false);
    expect(desk.decide('a', 2)).toBe(true);
  });

  it('uses the injected chance where a rule has a count and no seed', () => {
    const draws = [0.1, 0.9];
    const desk = new DecisionDesk(() => draws.shift() as number);
    desk.configure([rule('a', 1, { first: 10, probability: 0.5 })]);
    expect([desk.decide('a', 1), desk.decide('a', 1)]).toEqual([true, false]);
  });
});

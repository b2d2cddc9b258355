import { describe, expect, it } from 'vitest';
import { DecisionDesk } from '../../../../../src-main/engine/cluster/decision-desk.ts';
import type { ActiveRule } from '../../../../../src-main/engine/cluster/messages.ts';
import { ManualClock } from '../../../../support/manual-clock.ts';

function rule(id: string, epoch: number, trigger: ActiveRule['trigger']): ActiveRule {
  return { id, epoch, sinceMs: 0, trigger, name: id, match: {}, faults: [] };
}

const clock = new ManualClock(0);

describe('DecisionDesk', () => {
  it('counts the first n over whoever asks', () => {
    const desk = new DecisionDesk(Math.random, clock);
    desk.configure([rule('a', 1, { first: 2 }), rule('b', 1, { first: 1 })]);
    const answers = ['a', 'b', 'a', 'b', 'a'].map((id) => desk.decide(1, id, 1).hit);
    expect(answers).toEqual([true, true, true, false, false]);
  });

  it('repeats a seeded run exactly, also from the middle of a reconfiguration', () => {
    const run = (reconfigureAt: number): boolean[] => {
      const desk = new DecisionDesk(() => 0, clock);
      const rules = [rule('a', 1, { probability: 0.5, seed: 99 })];
      desk.configure(rules);
      return Array.from({ length: 200 }, (_, index) => {
        if (index === reconfigureAt) desk.configure([...rules, rule('other', 1, {})]);
        return desk.decide(1, 'a', 1).hit;
      });
    };
    const answers = run(-1);
    expect(run(100)).toEqual(answers);
    expect(answers.filter(Boolean).length).toBeGreaterThan(70);
    expect(answers.filter(Boolean).length).toBeLessThan(130);
  });

  it('starts again with a new epoch, and when a rule was off in between', () => {
    const desk = new DecisionDesk(Math.random, clock);
    desk.configure([rule('a', 1, { first: 1 })]);
    expect([desk.decide(1, 'a', 1).hit, desk.decide(1, 'a', 1).hit]).toEqual([true, false]);
    desk.configure([rule('a', 2, { first: 1 })]);
    expect([desk.decide(1, 'a', 2).hit, desk.decide(1, 'a', 2).hit]).toEqual([true, false]);
    desk.configure([]);
    desk.configure([rule('a', 2, { first: 1 })]);
    expect(desk.decide(1, 'a', 2).hit).toBe(true);
  });

  it('hits and counts nothing for an epoch that is over, or a rule that is off', () => {
    const desk = new DecisionDesk(Math.random, clock);
    desk.configure([rule('a', 2, { first: 1 })]);
    expect(desk.decide(1, 'a', 1).hit).toBe(false);
    expect(desk.decide(1, 'gone', 1).hit).toBe(false);
    expect(desk.decide(1, 'a', 2).hit).toBe(true);
  });

  it('uses the injected chance where a rule has a count and no seed', () => {
    const draws = [0.1, 0.9];
    const desk = new DecisionDesk(() => draws.shift() as number, clock);
    desk.configure([rule('a', 1, { first: 10, probability: 0.5 })]);
    expect([desk.decide(1, 'a', 1).hit, desk.decide(1, 'a', 1).hit]).toEqual([true, false]);
  });

  it('gives places to no more calls at once than the rule may hold, over all workers', () => {
    const desk = new DecisionDesk(Math.random, clock);
    desk.configure([rule('a', 1, { maxConcurrent: 2 })]);
    const ask = (worker: number): boolean => desk.decide(worker, 'a', 1).hit;
    expect([ask(1), ask(2), ask(3)]).toEqual([true, true, false]);
    desk.release(3, 'a', 1); // holds none
    expect(ask(3)).toBe(false);
    desk.release(2, 'a', 1);
    expect([ask(3), ask(1)]).toEqual([true, false]);
  });

  it('takes back what a lost worker held, and only that', () => {
    const desk = new DecisionDesk(Math.random, clock);
    desk.configure([rule('a', 1, { maxConcurrent: 3 })]);
    const ask = (worker: number): boolean => desk.decide(worker, 'a', 1).hit;
    expect([ask(1), ask(1), ask(2), ask(2)]).toEqual([true, true, true, false]);
    desk.workerLost(1);
    desk.workerLost(1);
    expect([ask(2), ask(2), ask(2)]).toEqual([true, true, false]);
  });

  it('forgets what an epoch held that is over', () => {
    const desk = new DecisionDesk(Math.random, clock);
    desk.configure([rule('a', 1, { maxConcurrent: 1 })]);
    expect(desk.decide(1, 'a', 1).hit).toBe(true);
    desk.configure([rule('a', 2, { maxConcurrent: 1 })]);
    desk.release(1, 'a', 1); // of the epoch before: frees nothing of this one
    expect(desk.decide(2, 'a', 2).hit).toBe(true);
    desk.release(1, 'a', 1);
    expect(desk.decide(2, 'a', 2).hit).toBe(false);
  });

  it('tells the time of a quota by its clock', () => {
    const now = new ManualClock(5000);
    const desk = new DecisionDesk(Math.random, now);
    desk.configure([rule('a', 1, { rate: '10/s' })]);
    const hits = (): number =>
      Array.from({ length: 15 }, () => desk.decide(1, 'a', 1)).filter(({ hit }) => hit).length;
    expect(hits()).toBe(5);
    now.advance(999);
    expect(desk.decide(1, 'a', 1)).toMatchObject({ hit: true, retryAfterMs: 1 });
    now.advance(1);
    expect(hits()).toBe(5);
  });
});

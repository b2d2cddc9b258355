import { CompiledRules } from '../../../../../src-main/engine/rules/compiled-rules.ts';
import { FaultPlan } from '../../../../../src-main/engine/rules/fault-plan.ts';
import type { MessageShape } from '../../../../../src-main/engine/rules/faults/stage.ts';
import { HoldBudget } from '../../../../../src-main/engine/rules/hold-budget.ts';
import type { Link } from '../../../../../src-main/engine/rules/link.ts';
import { FaultSchema } from '../../../../../src-shared/rules/fault.ts';
import type { FaultInput } from '../../../../../src-shared/rules/fault.ts';
import { ManualClock } from '../../../../support/manual-clock.ts';

function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 4_294_967_296;
}

/** A rule for each fault, which hits everything. */
export function ruleEach(faults: readonly FaultInput[]) {
  return new CompiledRules(
    faults.map((fault, index) => ({
      id: `r${index}`,
      name: `r${index}`,
      epoch: 1,
      sinceMs: 0,
      match: {},
      trigger: {},
      faults: [FaultSchema.parse(fault)],
    })),
  ).list;
}

/** A response link with one rule a fault; what comes out is noted with its time. */
export function linkWith(...faults: FaultInput[]) {
  return linkIn(new HoldBudget(), ...faults);
}

/** The same, beside others: rules hold so much together. */
export function linkIn(budget: HoldBudget, ...faults: FaultInput[]) {
  const clock = new ManualClock(0);
  const rules = ruleEach(faults);
  const hits = rules.map((rule) => ({ rule, retryAfterMs: null, holds: false }));
  const plan = new FaultPlan(hits, clock, seeded(3), 0, budget);
  const out: { at: number; text: string }[] = [];
  const events: string[] = [];
  const output = {
    write: (chunk: Buffer) => void out.push({ at: clock.now(), text: chunk.toString('latin1') }),
    end: () => void out.push({ at: clock.now(), text: 'END' }),
    reset: () => void out.push({ at: clock.now(), text: 'RST' }),
    close: () => void out.push({ at: clock.now(), text: 'FIN' }),
  };
  const source = { pause: () => void events.push('pause'), resume: () => void events.push('resume') };
  const link = plan.createLink('response', output, source) as Link;
  const text = (): string => out.map((one) => one.text).join('');
  return {
    clock,
    plan,
    rules,
    link,
    out,
    events,
    text,
    /** Says what the message is like that is pushed next. */
    shape: (shape: Partial<MessageShape>) => {
      plan.responseShape = { ...plan.responseShape, ...shape };
    },
    push: (piece: string) => link.push(Buffer.from(piece)),
  };
}

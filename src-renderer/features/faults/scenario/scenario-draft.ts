import { ScenarioSchema, scenarioIssues } from '#shared/scenarios/scenario.ts';
import type { Scenario, ScenarioStep } from '#shared/scenarios/scenario.ts';

/** A scenario as it stands in the form: texts, whether they are valid or not. */
export interface ScenarioDraft {
  readonly name: string;
  readonly duration: string;
  readonly steps: readonly StepDraft[];
  /** One assertion a line. */
  readonly assert: string;
}

export interface StepDraft {
  /** Keeps its form as steps come, go and move. */
  readonly key: number;
  readonly at: string;
  readonly for: string;
  readonly name: string;
  readonly enable: readonly string[];
  readonly disable: readonly string[];
  /** One that the step brings along; it is not changed here. */
  readonly rule: ScenarioStep['rule'];
}

let lastKey = 0;

export function newStep(step: Partial<Omit<StepDraft, 'key'>> = {}): StepDraft {
  lastKey += 1;
  return { at: '0s', for: '', name: '', enable: [], disable: [], rule: undefined, ...step, key: lastKey };
}

export function draftOfScenario({ name, duration, steps, assert }: Scenario): ScenarioDraft {
  return {
    name,
    duration,
    assert: assert.join('\n'),
    steps: steps.map((step) =>
      newStep({
        at: step.at,
        for: step.for ?? '',
        name: step.name ?? '',
        enable: step.enable ?? [],
        disable: step.disable ?? [],
        rule: step.rule,
      }),
    ),
  };
}

/** Rules one after the other, half a minute each. */
export function draftOfRules(name: string, ruleIds: readonly string[]): ScenarioDraft {
  const ids = ruleIds.slice(0, 20);
  const steps = ids.map((id, index) => newStep({ at: `${10 + index * 30}s`, for: '20s', enable: [id] }));
  return {
    name,
    duration: `${Math.max(1, ids.length) * 30 + 10}s`,
    steps: steps.length > 0 ? steps : [newStep({ at: '10s', for: '20s' })],
    assert: '',
  };
}

/** What is wrong by place: `name`, `duration`, `steps`, `steps.3.at` (by the step's key), `assert`. */
export type ScenarioProblems = Readonly<Record<string, string>>;

export interface ScenarioReading {
  /** null: something is wrong. */
  readonly scenario: Scenario | null;
  readonly problems: ScenarioProblems;
}

interface Known {
  readonly rules: readonly { readonly id: string; readonly name: string }[];
  /** The other scenarios of the workspace. */
  readonly others: readonly Scenario[];
}

/** The scenario that the form says, or what is wrong with it and where: what the agent would say. */
export function readScenarioDraft(draft: ScenarioDraft, { rules, others }: Known): ScenarioReading {
  const problems: Record<string, string> = {};
  const tell = (path: readonly PropertyKey[], message: string): void => {
    problems[placeOf(path, draft)] ??= message;
  };
  const read = ScenarioSchema.safeParse(written(draft));
  if (!read.success) {
    for (const { path, message } of read.error.issues) tell(path, message);
    return { scenario: null, problems };
  }
  for (const { path, message } of scenarioIssues([...others, read.data], rules)) tell(path.slice(2), message);
  return { scenario: Object.keys(problems).length === 0 ? read.data : null, problems };
}

function written({ name, duration, steps, assert }: ScenarioDraft): unknown {
  return {
    name,
    duration: duration.trim(),
    steps: steps.map((step) => ({
      at: step.at.trim(),
      ...(step.for.trim() !== '' && { for: step.for.trim() }),
      ...(step.name.trim() !== '' && { name: step.name }),
      ...(step.enable.length > 0 && { enable: step.enable }),
      ...(step.disable.length > 0 && { disable: step.disable }),
      ...(step.rule !== undefined && { rule: step.rule }),
    })),
    assert: assert.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()])),
  };
}

function placeOf([first, index, field]: readonly PropertyKey[], { steps }: ScenarioDraft): string {
  if (first !== 'steps' || typeof index !== 'number') return String(first ?? 'name');
  const key = steps[index]?.key ?? 0;
  return `steps.${key}.${field === undefined || field === 'rule' ? 'step' : String(field)}`;
}

/** With the step moved by one; the same where it is at the end already. */
export function movedStep(steps: readonly StepDraft[], key: number, by: -1 | 1): readonly StepDraft[] {
  const at = steps.findIndex((step) => step.key === key);
  const [one, other] = [steps[at], steps[at + by]];
  if (one === undefined || other === undefined) return steps;
  // Steps stand in the order of their times: what moves is what happens, not when.
  const swap = (from: StepDraft, when: StepDraft): StepDraft => ({ ...from, at: when.at, for: when.for });
  return steps.map((step, index) =>
    index === at ? swap(other, one) : index === at + by ? swap(one, other) : step,
  );
}

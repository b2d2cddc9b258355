import { describe, expect, it } from 'vitest';
import { rollingRestart } from '#shared/scenarios/rolling-restart.ts';
import { ScenarioSchema } from '#shared/scenarios/scenario.ts';
import {
  draftOfRules,
  draftOfScenario,
  movedStep,
  newStep,
  readScenarioDraft,
} from '../../../../../src-renderer/features/faults/scenario/scenario-draft.ts';

const rules = [
  { id: 'slow', name: 'payments is slow' },
  { id: 'down', name: 'payments is down' },
];
const known = { rules, others: [] };
const scenario = ScenarioSchema.parse({
  name: 'one',
  duration: '1m',
  steps: [
    { at: '5s', for: '10s', name: 'first', enable: ['slow'] },
    { at: '30s', rule: { name: 'own', faults: [{ type: 'hang' }] } },
    { at: '40s', disable: ['down'] },
  ],
  assert: ['checkout.errorRate < 1%'],
});

describe('a scenario in the form', () => {
  it('comes back as it went in', () => {
    expect(readScenarioDraft(draftOfScenario(scenario), known)).toEqual({ scenario, problems: {} });
  });

  it('what is wrong is told in its place', () => {
    const draft = draftOfScenario(scenario);
    const [first, second, third] = draft.steps;
    const wrong = {
      ...draft,
      duration: 'soon',
      steps: [{ ...first!, at: '5 s' }, second!, newStep({ at: '50s' })],
    };
    const { problems } = readScenarioDraft(wrong, known);
    expect(Object.keys(problems)).toEqual(
      expect.arrayContaining(['duration', `steps.${first!.key}.at`, `steps.${wrong.steps[2]!.key}.step`]),
    );
    const unknown = { ...draft, steps: [{ ...first!, enable: ['gone'] }, second!, third!] };
    expect(readScenarioDraft(unknown, known).problems).toEqual({
      [`steps.${first!.key}.enable`]: expect.stringContaining('There is no rule "gone"') as string,
    });
    expect(readScenarioDraft({ ...draft, assert: 'x' }, known).problems['assert']).toBeDefined();
    expect(readScenarioDraft(draft, { rules, others: [scenario] }).problems['name']).toContain('used twice');
  });

  it('what happens at two moments is exchanged; the moments stay in their order', () => {
    const draft = draftOfScenario(scenario);
    const moved = movedStep(draft.steps, draft.steps[0]!.key, 1);
    expect(moved.map(({ at, name, rule }) => [at, name, rule?.name])).toEqual([
      ['5s', '', 'own'],
      ['30s', 'first', undefined],
      ['40s', '', undefined],
    ]);
    expect(movedStep(draft.steps, draft.steps[0]!.key, -1)).toBe(draft.steps);
  });

  it('rules become one, one after the other', () => {
    const { scenario: made, problems } = readScenarioDraft(draftOfRules('made', ['slow', 'down']), known);
    expect(problems).toEqual({});
    expect(made).toMatchObject({ duration: '70s', steps: [{ at: '10s', enable: ['slow'] }, { at: '40s' }] });
  });
});

describe('a rolling restart', () => {
  it('takes one service away after the other', () => {
    const made = rollingRestart('restart', { services: ['a', 'b*'], awayMs: 2000, betweenMs: 3000 });
    expect(made).toMatchObject({
      duration: '13s',
      steps: [
        {
          at: '3s',
          for: '2s',
          rule: { name: 'a restarts', match: { callee: 'a' }, faults: [{ type: 'refuse' }] },
        },
        { at: '8s', for: '2s', rule: { match: { callee: expect.not.stringMatching(/^b\*$/) as string } } },
      ],
    });
    expect(readScenarioDraft(draftOfScenario(made), known).problems).toEqual({});
  });
});

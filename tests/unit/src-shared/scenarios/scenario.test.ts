import { describe, expect, it } from 'vitest';
import { ScenarioSchema, scenarioIssues } from '#shared/scenarios/scenario.ts';
import { phaseAt, timelineOf } from '#shared/scenarios/timeline.ts';

const rule = (name: string) => ({ name, faults: [{ type: 'status', status: 503 }] });
const read = (steps: readonly object[], more: object = {}) =>
  ScenarioSchema.safeParse({ name: 's', duration: '2m', steps, ...more });
const issuesOf = (steps: readonly object[], more?: object) => {
  const result = read(steps, more);
  return result.success
    ? []
    : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
};
const phasesOf = (steps: readonly object[], more?: object) => {
  const { timeline } = timelineOf(ScenarioSchema.parse({ name: 's', duration: '2m', steps, ...more }));
  return timeline.phases.map(({ name, fromMs, toMs, on }) => [
    name,
    fromMs / 1000,
    toMs / 1000,
    on.join(' '),
  ]);
};

describe('the phases of a scenario', () => {
  it('lie between its steps, and are named after them', () => {
    const steps = [
      { at: '30s', name: 'payments slow', enable: ['slow'] },
      { at: '60s', name: 'payments down', disable: ['slow'], enable: ['down'] },
      { at: '90s', disable: ['down'] },
    ];
    expect(phasesOf(steps)).toEqual([
      ['before', 0, 30, ''],
      ['payments slow', 30, 60, 'slow'],
      ['payments down', 60, 90, 'down'],
      ['recovered', 90, 120, ''],
    ]);
  });

  it('begin where something ends by itself as well, and have a name each', () => {
    const steps = [
      { at: '0s', for: '10s', enable: ['a'] },
      { at: '5s', for: '10s', rule: rule('Half of inventory') },
      { at: '40s', for: '10s', enable: ['a'] },
    ];
    expect(phasesOf(steps)).toEqual([
      ['a', 0, 5, 'a'],
      ['a, Half of inventory', 5, 10, 'a half-of-inventory'],
      ['Half of inventory', 10, 15, 'half-of-inventory'],
      ['recovered', 15, 40, ''],
      ['a 2', 40, 50, 'a'],
      ['recovered 2', 50, 120, ''],
    ]);
  });

  it('go over into one another without a gap where a rule ends and begins at one moment', () => {
    const steps = [
      { at: '10s', for: '10s', enable: ['a'] },
      { at: '20s', for: '10s', name: 'still', enable: ['a'] },
    ];
    expect(phasesOf(steps)[2]).toEqual(['still', 20, 30, 'a']);
  });

  it('are found by time', () => {
    const { timeline } = timelineOf(
      ScenarioSchema.parse({ name: 's', duration: '10s', steps: [{ at: '4s', name: 'b' }] }),
    );
    expect([0, 3999, 4000, 99_000].map((ms) => phaseAt(timeline, ms))).toEqual([0, 0, 1, 1]);
  });
});

describe('a scenario is refused', () => {
  const cases: readonly (readonly [string, readonly object[], RegExp, object?])[] = [
    ['beyond its end', [{ at: '2m', enable: ['a'] }], /^steps\.0\.at: .*before the end .* 2m/],
    ['over its end', [{ at: '1m', for: '61s', enable: ['a'] }], /^steps\.0\.for: .*at most 1m\./],
    [
      'out of order',
      [
        { at: '9s', name: 'x' },
        { at: '8s', name: 'y' },
      ],
      /^steps\.1\.at: .*order/,
    ],
    [
      'on and off at once',
      [{ at: '1s', enable: ['a'], disable: ['a'] }],
      /^steps\.0\.enable\.0: .*same moment/,
    ],
    [
      'in two steps at once',
      [
        { at: '1s', enable: ['a'] },
        { at: '1s', disable: ['a'] },
      ],
      /^steps\.1\.disable\.0: .*same moment/,
    ],
    [
      'on twice',
      [
        { at: '1s', enable: ['a'] },
        { at: '2s', enable: ['a'] },
      ],
      /^steps\.1\.enable\.0: .*on already at 2s, since step 1/,
    ],
    [
      'off before its time',
      [
        { at: '1s', for: '5s', enable: ['a'] },
        { at: '2s', disable: ['a'] },
      ],
      /^steps\.1\.disable\.0: .*until 6s/,
    ],
    ['without a change', [{ at: '1s' }], /^steps\.0: .*nothing happens/],
    ['for nothing', [{ at: '1s', for: '1s', disable: ['a'] }], /^steps\.0\.for: /],
    [
      'two phases, one name',
      [
        { at: '1s', name: 'x' },
        { at: '2s', name: 'x' },
      ],
      /^steps\.1\.name: .*twice/,
    ],
    ['no duration', [{ at: 'soon', name: 'x' }], /^steps\.0\.at: Expected a duration/],
    ['a bad assertion', [{ at: '1s', name: 'x' }], /^assert\.0: .*character 3/, { assert: ['a.b < 1'] }],
    [
      'an unknown phase',
      [{ at: '1s', name: 'x' }],
      /^assert\.0: .*no phase "y"/,
      { assert: ['phase("y") a.p95 < 1s'] },
    ],
  ];
  it.each(cases.map(([name, ...rest]) => ({ name, rest })))('$name', ({ rest: [steps, expected, more] }) => {
    const issues = issuesOf(steps, more);
    expect(issues).toHaveLength(1);
    expect(issues[0]).toMatch(expected);
  });

  it('with rules that there are not, names that are taken, and names that are used twice', () => {
    const rules = [{ id: 'slow', name: 'payments is slow' }];
    const steps = [
      { at: '1s', enable: ['slwo', 'payments is slow'] },
      { at: '2s', rule: rule('payments is slow') },
      { at: '3s', rule: rule('slow') },
    ];
    const scenario = ScenarioSchema.parse({ name: 's', duration: '2m', steps });
    expect(
      scenarioIssues([scenario, scenario], rules).map(({ path, message }) => `${path.join('.')} ${message}`),
    ).toEqual(
      expect.arrayContaining([
        'scenarios.0.steps.0.enable.0 There is no rule "slwo". There are slow.',
        'scenarios.0.steps.0.enable.1 Expected the id of a rule: the one called "payments is slow" has "slow".',
        'scenarios.0.steps.1.rule.name There is a rule called "payments is slow" already. Names are unique.',
        'scenarios.0.steps.2.rule.name There is a rule with the id "slow" already.',
        'scenarios.1.name "s" is used twice; every name is unique.',
      ]),
    );
  });
});

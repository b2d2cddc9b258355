import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ScenarioSchema } from '#shared/scenarios/scenario.ts';
import type { Scenario } from '#shared/scenarios/scenario.ts';
import { parseWorkspace } from '../../../../src-main/workspace/parse-workspace.ts';
import { changedScenarios, scenarioEdit } from '../../../../src-main/workspace/scenario-edit.ts';
import type { ScenarioChange } from '../../../../src-main/workspace/scenario-edit.ts';

const shop = readFileSync('examples/shop/spike.yaml', 'utf8');

function read(text: string) {
  const result = parseWorkspace(text, { AT: '5s' });
  if (!result.ok) throw new Error(JSON.stringify(result.defect));
  return result.parsed;
}

function edited(text: string, change: ScenarioChange): string {
  const parsed = read(text);
  const result = scenarioEdit(parsed, change, { AT: '5s' });
  if (result === null) throw new Error('was not written');
  expect(read(result).workspace.scenarios).toEqual(changedScenarios(parsed.workspace.scenarios, change));
  return result;
}

const named = (text: string, name: string): Scenario =>
  read(text).workspace.scenarios.find((scenario) => scenario.name === name)!;

const text = `version: 1
rules:
  - { name: slow, faults: [{ type: hang }] }
  - { name: down, faults: [{ type: hang }] }
scenarios:
  # the first
  - name: one # of two
    duration: 1m
    steps:
      # wait for it
      - { at: "\${AT}", for: 10s, enable: [slow] } # slow
      # then
      - at: 20s # later
        for: 10s
        enable: [down]
      # at last
      - { at: 40s, name: over }

  # the second
  - name: two
    duration: 30s
    steps: [{ at: 1s, enable: [slow] }]
# the end
`;

describe('a scenario, in the file', () => {
  it('a time is one word; comments and placeholders stay', () => {
    const one = named(text, 'one');
    const steps = one.steps.map((step, index) => (index === 1 ? { ...step, for: '15s' } : step));
    const after = edited(text, { before: 'one', scenario: { ...one, steps } });
    expect(after).toBe(text.replace('        for: 10s\n', '        for: 15s\n'));
  });

  it('steps that are taken out, put in and moved take their comments along', () => {
    const one = named(text, 'one');
    const [first, second, last] = one.steps;
    const steps = [
      { at: '2s', name: 'begins' },
      { ...second!, at: '20s' },
      { ...last!, at: '40s' },
    ];
    const after = edited(text, { before: 'one', scenario: { ...one, steps } });
    for (const kept of [
      '# the first',
      '# of two',
      '# then',
      '# later',
      '# at last',
      '# the second',
      '# the end',
    ])
      expect(after).toContain(kept);
    expect(first?.at).toBe('5s');
  });

  it('another name, and assertions that come and go', () => {
    const one = named(text, 'one');
    const renamed = edited(text, {
      before: 'one',
      scenario: { ...one, name: 'uno: ${X}', assert: ['all.calls > 0'] },
    });
    expect(renamed).toContain('# of two');
    const back = edited(renamed, { before: 'uno: ${X}', scenario: one });
    for (const comment of ['# of two', '# wait for it', '# slow', '# later']) expect(back).toContain(comment);
  });

  it('one is added behind the others, and removed with its comments', () => {
    const scenario = ScenarioSchema.parse({
      name: 'three',
      duration: '1m',
      steps: [
        { at: '1s', enable: ['slow'] },
        { at: '2s', rule: { name: 'own', match: { callee: 'a' }, faults: [{ type: 'hang' }] } },
      ],
    });
    const after = edited(text, { before: null, scenario });
    expect(after).toContain('# the end');
    expect(after.startsWith(text.slice(0, text.indexOf('# the end')).trimEnd())).toBe(true);
    const without = edited(after, { before: 'one', scenario: null });
    expect(without).not.toContain('# the first');
    expect(without).toContain('# the second');
    const alone = edited(edited(without, { before: 'three', scenario: null }), {
      before: 'two',
      scenario: null,
    });
    expect(read(alone).workspace.scenarios).toEqual([]);
    expect(edited(alone, { before: null, scenario })).toContain('name: three');
  });

  it('the first of a file; line ends as they were', () => {
    const bare = text.slice(0, text.indexOf('scenarios:')).replaceAll('\n', '\r\n');
    const scenario = named(text, 'two');
    const after = edited(bare, { before: null, scenario });
    expect(after.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    expect(after.startsWith(bare)).toBe(true);
  });

  it('whatever is written reads as it was meant, and the rest of the file stays', () => {
    const step = fc.record(
      {
        name: fc.string({ minLength: 1, maxLength: 8 }).filter((name) => name.trim() !== ''),
        enable: fc.constantFrom(['payments-is-slow'], ['payments-is-slow', 'stock-db-hangs']),
      },
      { requiredKeys: ['enable'] },
    );
    const scenarios = fc
      .record({
        name: fc.constantFrom('payments fail', 'a: b', '# c'),
        steps: fc.array(step, { minLength: 1, maxLength: 4 }),
      })
      .map(({ name, steps }) => ({
        name,
        duration: '1h',
        steps: steps.map((one, index) => ({ ...one, at: `${index * 10}s`, for: '5s' })),
      }))
      .map((scenario) => ScenarioSchema.safeParse(scenario))
      .filter(({ success }) => success);
    fc.assert(
      fc.property(fc.array(scenarios, { minLength: 1, maxLength: 3 }), (steps) => {
        let now = shop;
        let before = 'payments fail';
        for (const { data } of steps) {
          now = edited(now, { before, scenario: data! });
          before = data!.name;
        }
        expect(now.slice(0, now.indexOf('scenarios:'))).toBe(shop.slice(0, shop.indexOf('scenarios:')));
        expect(now).toContain('# One service after the other');
      }),
      { numRuns: 40 },
    );
  });
});

import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { RuleDefinitionSchema } from '#shared/rules/rule.ts';
import type { RuleInput } from '#shared/rules/rule.ts';
import { onForWords } from '../../../../../src-renderer/features/faults/on-for.ts';
import { ruleYaml, yamlTokens } from '../../../../../src-renderer/features/faults/rule-yaml.ts';

const definition = (input: RuleInput) => RuleDefinitionSchema.parse(input);

describe('ruleYaml', () => {
  it('leaves out what is as by default, and keeps the direction', () => {
    const rule = definition({ name: 'slow', faults: [{ type: 'latency', latencyMs: 2000 }] });
    expect(ruleYaml(rule)).toBe(
      [
        '- name: slow',
        '  enabled: false',
        '  faults:',
        '    - type: latency',
        '      direction: response',
        '      latencyMs: 2000',
      ].join('\n'),
    );
  });

  it.each([
    {
      name: 'yes',
      faults: [{ type: 'status', status: 200, body: '# no comment\n- "x"\n', headers: { a: '1' } }],
    },
    {
      name: ': odd "name" #1',
      match: { path: '*' },
      trigger: { probability: 0.5 },
      faults: [{ type: 'reset' }],
    },
  ] satisfies RuleInput[])('is read back as the same rule: $name', (input) => {
    const rule = definition(input);
    const [read] = parse(ruleYaml(rule)) as RuleInput[];
    expect(definition(read!)).toEqual(rule);
  });
});

describe('yamlTokens', () => {
  it('never loses a letter', () => {
    const lines = [
      '- name: slow',
      '    - type: latency',
      '  body: |',
      '    any: text here',
      '',
      '  path: "/a b"',
      'x y z',
      '# a comment',
      '  - - a: b # c',
      '  - { type: hang } # "c',
      'it\'s: "open',
      '\t- a:b: c ',
    ];
    for (const line of lines)
      expect(
        yamlTokens(line)
          .map((token) => token.text)
          .join(''),
      ).toBe(line);
  });

  it('tells keys, texts, numbers and words apart', () => {
    expect(yamlTokens('  latencyMs: 2000').map((token) => token.look)).toEqual(['cp', 'ck', 'cp', 'cn']);
    expect(yamlTokens('  enabled: true').at(-1)?.look).toBe('ca');
    expect(yamlTokens('  caller: web').at(-1)?.look).toBe('cs');
    expect(yamlTokens('  caller: "a # b" # why').at(-1)).toEqual({ text: '# why', look: 'cc' });
    expect(yamlTokens('  path: /a#b').at(-1)?.look).toBe('cs');
    expect(yamlTokens('    - 5').map((token) => token.look)).toEqual(['cp', 'cn']);
  });
});

describe('onForWords', () => {
  it('counts from seconds to hours', () => {
    expect([28_000, 148_000, 3_900_000].map(onForWords)).toEqual([
      'on for 28 s',
      'on for 2 min 28 s',
      'on for 1 h 05 min',
    ]);
  });
});

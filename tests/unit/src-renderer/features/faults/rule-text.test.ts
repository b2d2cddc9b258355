import { describe, expect, it } from 'vitest';
import { RuleDefinitionSchema } from '#shared/rules/rule.ts';
import type { RuleInput } from '#shared/rules/rule.ts';
import {
  faultTypes,
  newFaultFields,
  readFault,
} from '../../../../../src-renderer/features/faults/fault-fields.ts';
import { draftOf, readDraft, withKeysOf } from '../../../../../src-renderer/features/faults/rule-draft.ts';
import { readRuleText } from '../../../../../src-renderer/features/faults/rule-text.ts';
import { textLanguages, writeRule } from '../../../../../src-renderer/features/faults/rule-yaml.ts';
import type { TextLanguage } from '../../../../../src-renderer/features/faults/rule-yaml.ts';

const read = (text: string, language: TextLanguage = 'yaml', ruleId: string | null = 'slow') =>
  readRuleText(text, { language, ruleId });
const problemOf = (...of: Parameters<typeof read>) => {
  const { problem } = read(...of);
  return problem === null ? null : `${problem.line}:${problem.column} ${problem.sentence}`;
};
const lines = (...texts: string[]) => texts.join('\n');

const rich: RuleInput = {
  name: ': odd "name" #1',
  enabled: true,
  match: {
    callee: 'payments',
    query: { a: 'b', debug: false, 'with: colon': true },
    body: { json: '$.a', equals: '5' },
    status: '500-504, 429',
  },
  trigger: { probability: 0.07, window: { from: '10s' }, schedule: { every: '60s', for: '10s' }, seed: 7 },
  faults: [
    { type: 'status', status: 200, body: '# no comment\n- "x"\n', headers: { a: '1' } },
    { type: 'latency', latencyMs: 5 },
  ],
};

describe.each(textLanguages)('a rule as %s', (language) => {
  it.each(faultTypes)('comes back from its text into the form: %s', (type) => {
    // What the form begins with is not always a rule yet: a path or an address is to be given.
    const given = { ...newFaultFields(type), ...needed[type] };
    const { fault, problems } = readFault(type, given);
    expect(problems).toBeNull();
    const rule = RuleDefinitionSchema.parse({ name: type, faults: [fault] });
    const back = read(writeRule(rule, language), language);
    expect(back.problem).toBeNull();
    expect(back.rule).toEqual(rule);
    expect(readDraft(back.rule === null ? draftOf(rule) : back.draft).rule?.faults).toEqual(rule.faults);
  });

  it('keeps all that a rule can say', () => {
    const rule = RuleDefinitionSchema.parse(rich);
    const back = read(writeRule(rule, language), language);
    expect(back.rule).toEqual(rule);
    if (back.rule === null) return;
    const { enabled: _switch, ...edited } = rule;
    expect(readDraft(back.draft).rule).toEqual(edited);
    expect(back.commented).toBe(false);
  });

  it('may be one of a list, or by itself', () => {
    const rule = { name: 'a', faults: [{ type: 'hang' }] };
    expect(read(JSON.stringify(rule), language).problem).toBeNull();
    expect(read(JSON.stringify([rule]), language).problem).toBeNull();
    expect(problemOf(JSON.stringify([rule, rule]), language)).toMatch(
      /^1:42 Expected one rule; these are 2\./,
    );
    expect(problemOf('[]', language)).toBe('1:1 Expected a rule; the list is empty.');
    expect(problemOf('', language)).toBe('1:1 Expected a rule; there is nothing.');
    expect(problemOf(' 5', language)).toBe('1:2 Expected a mapping of keys to values.');
  });
});

/** What has to be given before a new fault of the type is one. */
const needed: Partial<Record<(typeof faultTypes)[number], Record<string, string>>> = {
  headers: { set: 'x-a: 1' },
  'redirect-upstream': { to: 'http://127.0.0.1:1' },
  'file-answer': { path: 'a.json' },
};

describe('a text that is no rule', () => {
  const rule = (...more: string[]) => lines('- name: slow', ...more);
  const faults = ['  faults:', '    - type: latency', '      latencyMs: 5'];

  it.each([
    [
      'a key that is not known',
      rule('  macht: {}', ...faults),
      /^2:3 “macht” is not known here\. Expected one of name, enabled, match, trigger, faults\.$/,
    ],
    [
      'one of a fault',
      rule(...faults, '      lateny: 5'),
      /^5:7 “lateny” is not known here\. Expected one of type, .*latencyMs/,
    ],
    [
      'one deep inside',
      rule('  match:', '    body: { contains: x, fisrt: 1 }', ...faults),
      /^3:26 “fisrt” is not known here\.$/,
    ],
    ['a key that is missing', rule('  match: {}'), '1:3 Expected “faults” here. It is missing.'],
    ['a list without faults', rule('  faults: []'), '2:11 Expected at least 1 in the list.'],
    [
      'a number out of its bounds',
      rule('  faults:', '    - type: latency', '      latencyMs: -1'),
      '4:18 Expected a whole number from 0 to 3,600,000.',
    ],
    [
      'a text for a number',
      rule('  faults:', '    - type: latency', '      latencyMs: 2 seconds'),
      '4:18 Expected a whole number from 0 to 3,600,000.',
    ],
    [
      'a fault that there is none',
      rule('  faults:', '    - type: lag'),
      /^3:13 There is no fault “lag”\. Expected one of latency, bandwidth, .* and \d+ more\.$/,
    ],
    [
      'a fault without its type',
      rule('  faults:', '    - latencyMs: 5'),
      '3:7 Expected “type” here. It is missing.',
    ],
    ['a word for a choice', rule('  enabled: maybe', ...faults), '2:12 Expected true or false.'],
    ['the first of two', rule('  enabled: 1', '  x: 1', ...faults), /^2:12 /],
    [
      'a share beyond one',
      rule('  trigger: { probability: 2 }', ...faults),
      /^2:27 Expected a number of at most 1\.$/,
    ],
    [
      'a header that is nothing',
      rule('  match:', '    header:', '      x-a: ""', ...faults),
      '4:12 Expected a text that is not empty.',
    ],
    [
      'a path that the form takes for none',
      rule('  match: { path: "  " }', ...faults),
      '2:18 The form has no field for this.',
    ],
    [
      'another id',
      rule('  id: other', ...faults),
      '2:7 The id of a rule does not change: expected slow, or none.',
    ],
    ['no YAML', rule('  match: {', ...faults), /^\d:\d+ Expected valid YAML: /],
    ['a bracket that stays open', rule('  match: [a'), /^2:12 Expected valid YAML: /],
    ['a key twice', rule('  name: b', ...faults), '2:3 Expected every key once; this one was given before.'],
    ['a tab', rule('\tenabled: true'), /^2:\d Expected /],
    [
      'a second document',
      rule(...faults, '---', 'a: 1'),
      '5:1 Expected one rule; a second document begins here.',
    ],
    ['an alias of nothing', rule('  faults: *a'), /^\d:\d+ Expected valid YAML: Unresolved alias/],
  ])('says where and why: %s', (_name, text, problem) => {
    const said = problemOf(text);
    if (typeof problem === 'string') expect(said).toBe(problem);
    else expect(said).toMatch(problem);
  });

  it.each([
    ['a comma too many', '{\n  "name": "a",\n}', '3:1 Expected valid JSON.'],
    ['no quotes', '{\n  name: "a"\n}', '2:3 Expected valid JSON.'],
    ['no end', '{\n  "name": "a"', '2:14 Expected valid JSON.'],
    ['YAML', 'name: a\nfaults: []', /^1:1 Expected valid JSON\.$/],
    [
      'a number',
      '{\n  "name": "a",\n  "faults": [\n    { "type": "latency", "latencyMs": "5" }\n  ]\n}',
      '4:39 Expected a whole number from 0 to 3,600,000.',
    ],
    ['tabs', '{\n\t"name": "a",\n\t"faults": [],\n\t"x": 1\n}', /^3:12 /],
    [
      'a key twice',
      '{\n  "name": "a",\n  "name": "b"\n}',
      '3:3 Expected every key once; this one was given before.',
    ],
  ])('says where and why in JSON: %s', (_name, text, problem) => {
    const said = problemOf(text, 'json');
    if (typeof problem === 'string') expect(said).toBe(problem);
    else expect(said).toMatch(problem);
  });

  it('is refused, not run into the ground', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 0; level < 6; level++) {
      const [from, to] = ['abcdefg'[level], 'abcdefg'[level + 1]];
      bomb.push(`${to}: &${to} [${Array(10).fill(`*${from}`).join(', ')}]`);
    }
    expect(problemOf(bomb.join('\n'))).toMatch(/^1:1 Expected valid YAML: Excessive alias count/);
    expect(problemOf('['.repeat(100_000))).not.toBeNull();
    expect(problemOf('['.repeat(100_000), 'json')).toMatch(/Expected valid JSON|nested too deeply/);
  });

  it('does not turn a new rule on, nor give it an id', () => {
    const text = (more: string) => lines('name: a', more, 'faults: [{ type: hang }]');
    expect(problemOf(text('enabled: true'), 'yaml', null)).toMatch(/^2:10 A new rule is off/);
    expect(problemOf(text('id: a'), 'yaml', null)).toMatch(/^2:5 The id is made from the name/);
    expect(problemOf(text('enabled: false'), 'yaml', null)).toBeNull();
    expect(problemOf(text('id: slow'))).toBeNull();
  });
});

describe('comments', () => {
  it('are noticed, but not in a text', () => {
    const commented = (text: string) => {
      const reading = read(text);
      return reading.problem === null && reading.commented;
    };
    expect(commented('name: a # why\nfaults: [{ type: hang }]')).toBe(true);
    expect(commented('name: "a # b"\nfaults: [{ type: hang }]')).toBe(false);
    expect(commented('name: a#b\nfaults:\n  - type: status\n    body: |\n      # x\n')).toBe(false);
  });
});

describe('withKeysOf', () => {
  it('keeps the forms of what stays in its place', () => {
    const draft = (...types: string[]) =>
      draftOf(RuleDefinitionSchema.parse({ name: 'a', faults: types.map((type) => ({ type })) }));
    const before = draft('hang', 'reset');
    const after = withKeysOf(before, draft('hang', 'refuse', 'reset'));
    expect(after.faults[0]?.key).toBe(before.faults[0]?.key);
    expect(before.faults.map(({ key }) => key)).not.toContain(after.faults[1]?.key);
    expect(new Set(after.faults.map(({ key }) => key)).size).toBe(3);
  });
});

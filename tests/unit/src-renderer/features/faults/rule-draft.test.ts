import { describe, expect, it } from 'vitest';
import { RuleDefinitionSchema } from '#shared/rules/rule.ts';
import type { RuleInput } from '#shared/rules/rule.ts';
import {
  faultForms,
  faultTypes,
  newFaultFields,
  readFault,
} from '../../../../../src-renderer/features/faults/fault-fields.ts';
import { draftOf, emptyDraft, readDraft } from '../../../../../src-renderer/features/faults/rule-draft.ts';

const definition = (input: RuleInput) => RuleDefinitionSchema.parse(input);
const status = {
  type: 'status',
  status: 429,
  headers: { 'retry-after': '30', 'x-a': 'b: c' },
  body: 'slow\ndown',
} as const;

describe('a rule through the form and back', () => {
  const rules: RuleInput[] = [
    { name: 'all', faults: [{ type: 'latency', latencyMs: 2000, jitterMs: 500 }] },
    {
      name: 'some',
      match: { caller: 'checkout', callee: 'payments', method: 'POST', path: '/v1/*', host: '*.example' },
      trigger: { probability: 0.05, seed: 7 },
      faults: [status, { type: 'bandwidth', bytesPerSecond: 1 }],
    },
    { name: 'first', trigger: { first: 3 }, faults: [{ type: 'reset', at: 'mid-body' }] },
    {
      name: 'both',
      trigger: { first: 10, probability: 0.125 },
      faults: [{ type: 'hang', direction: 'request' }],
    },
    { name: 'never', trigger: { probability: 0 }, faults: [{ type: 'hang' }] },
  ];
  it.each(rules)('loses nothing of $name', (input) => {
    const { name, match, trigger, faults } = definition(input);
    expect(readDraft(draftOf({ name, match, trigger, faults }))).toEqual({
      rule: { name, match, trigger, faults },
      problems: null,
    });
  });
});

describe('what the form has no field for', () => {
  it('stays in the rule when the rest is edited', () => {
    const rule = RuleDefinitionSchema.parse({
      name: 'r',
      match: { callee: 'a', header: { 'x-tenant': 'acme' }, status: '5xx' },
      trigger: { first: 3, window: { from: '10s' }, maxConcurrent: 2 },
      faults: [{ type: 'hang' }],
    });
    const { rule: read } = readDraft({ ...draftOf(rule), first: '7' });
    expect(read).toMatchObject({ match: rule.match, trigger: { ...rule.trigger, first: 7 } });
  });
});

describe('readDraft', () => {
  const valid = emptyDraft('New rule');

  it('finds an empty draft valid', () => {
    expect(readDraft(valid).problems).toBeNull();
  });

  it('names each field that is wrong', () => {
    const [fault] = valid.faults;
    const wrong = {
      ...valid,
      name: ' ',
      often: 'first' as const,
      first: '0',
      percent: '101',
      seed: '-1',
      faults: [{ ...fault!, fields: { ...fault!.fields, latencyMs: '2 seconds' } }],
    };
    expect(Object.keys(readDraft(wrong).problems ?? {}).sort()).toEqual([
      `faults.${fault!.key}.latencyMs`,
      'first',
      'name',
      'percent',
      'seed',
    ]);
  });

  it('wants a fault', () => {
    expect(readDraft({ ...valid, faults: [] }).problems).toHaveProperty('faults');
  });

  it('reads a share with its sign and thousands with their commas', () => {
    const [fault] = valid.faults;
    const draft = {
      ...valid,
      often: 'some' as const,
      percent: '12.5 %',
      faults: [{ ...fault!, fields: { ...fault!.fields, latencyMs: '2,500' } }],
    };
    expect(readDraft(draft).rule).toMatchObject({
      trigger: { probability: 0.125 },
      faults: [{ latencyMs: 2500 }],
    });
  });

  it('has no seed where nothing is drawn', () => {
    expect(readDraft({ ...valid, seed: '7' }).rule?.trigger).toEqual({});
  });
});

describe('forms made from the schemas', () => {
  it.each(faultTypes)('a new %s is valid, and each of its fields has a title', (type) => {
    expect(faultForms[type].title).not.toBe('');
    for (const field of faultForms[type].fields) expect(field.title).not.toBe(field.key);
    expect(readFault(type, newFaultFields(type)).problems).toBeNull();
  });

  it('takes unit, bounds and choices from the schema', () => {
    const latency = faultForms.latency.fields;
    expect(latency.find((field) => field.key === 'latencyMs')).toMatchObject({
      title: 'Delay',
      unit: 'ms',
      kind: 'number',
      maximum: 3_600_000,
      initial: '2000',
    });
    expect(latency.find((field) => field.key === 'direction')).toMatchObject({
      kind: 'choice',
      choices: ['request', 'response'],
    });
    expect(faultForms.status.fields.find((field) => field.key === 'headers')?.kind).toBe('lines');
  });

  it('says what is expected', () => {
    const problems = (text: string) =>
      readFault('latency', { ...newFaultFields('latency'), latencyMs: text }).problems;
    const expected = { latencyMs: 'Expected a whole number from 0 to 3,600,000.' };
    for (const text of ['', 'x', '-1', '1.5', '3600001']) expect(problems(text)).toEqual(expected);
    expect(problems('0')).toBeNull();
  });

  it('refuses a header name that is none', () => {
    const fields = { ...newFaultFields('status'), headers: 'bad name: x' };
    expect(readFault('status', fields).problems).toHaveProperty('headers');
  });
});

import { describe, expect, it } from 'vitest';
import { MatchSchema, RuleDefinitionSchema, TriggerSchema } from '#shared/rules/rule.ts';
import type { RuleInput } from '#shared/rules/rule.ts';
import {
  faultForms,
  faultTypes,
  newFaultFields,
  readFault,
  writeFault,
} from '../../../../../src-renderer/features/faults/fault-fields.ts';
import {
  closeCondition,
  matchDraftOf,
  newTest,
  readMatchDraft,
} from '../../../../../src-renderer/features/faults/match-draft.ts';
import { draftOf, emptyDraft, readDraft } from '../../../../../src-renderer/features/faults/rule-draft.ts';
import {
  chooseOften,
  emptyTrigger,
  readTriggerDraft,
  triggerDraftOf,
} from '../../../../../src-renderer/features/faults/trigger-draft.ts';
import type { TriggerDraft, TriggerKey } from '../../../../../src-renderer/features/faults/trigger-draft.ts';

const definition = (input: RuleInput) => RuleDefinitionSchema.parse(input);
const status = {
  type: 'status',
  status: 429,
  headers: { 'retry-after': '30', 'x-a': 'b: c' },
  body: 'slow\ndown',
} as const;

describe('a rule through the form and back', () => {
  const everyMatch: RuleInput['match'] = {
    caller: 'checkout',
    callee: 'payments',
    route: 'payments',
    listener: 'proxy',
    protocol: 'http',
    method: 'POST',
    host: '*.example',
    path: '/v1/*',
    query: { currency: 'EUR', 'with: colon': true, debug: false },
    header: { 'x-tenant': 'acme', '!odd': ' spaces ', authorization: true },
    traceId: '4bf92f35*',
    body: { json: '$.card.brand', equals: 'visa', firstBytes: 1000 },
    status: '500-504, 429',
  };
  const everyTrigger: RuleInput['trigger'] = {
    probability: 0.125,
    first: 10,
    after: 4,
    every: 3,
    window: { from: '10s', to: '1h30m' },
    schedule: { every: '60s', for: '1500ms' },
    maxConcurrent: 2,
    rate: '100/m',
    expires: '5m',
    seed: 7,
  };
  const faults: RuleInput['faults'] = [{ type: 'hang', direction: 'request' }];
  const rules: RuleInput[] = [
    { name: 'all', faults: [{ type: 'latency', latencyMs: 2000, jitterMs: 500 }] },
    { name: 'every field', match: everyMatch, trigger: everyTrigger, faults },
    {
      name: 'some',
      trigger: { probability: 0.05, seed: 7 },
      faults: [status, { type: 'bandwidth', bytesPerSecond: 1 }],
    },
    { name: 'a third', trigger: { probability: 1 / 3 }, faults },
    { name: 'first', trigger: { first: 3 }, faults: [{ type: 'reset', at: 'mid-body' }] },
    { name: 'never', trigger: { probability: 0 }, faults },
    { name: 'seed alone', trigger: { seed: 0 }, faults },
    { name: 'from', trigger: { window: { from: '10s' } }, faults },
    { name: 'any gRPC', match: { grpc: {} }, faults },
    { name: 'a gRPC method', match: { grpc: { method: 'Charge' } }, faults },
    { name: 'a text that looks like a number', match: { body: { json: '$.a', equals: '5' } }, faults },
    { name: 'a number', match: { body: { json: '$.a', equals: 5 } }, faults },
    { name: 'null', match: { body: { json: '$.a', equals: null } }, faults },
    { name: 'a text in quotes', match: { body: { json: '$.a', equals: '"x"' } }, faults },
    { name: 'there', match: { body: { json: '$.a' } }, faults },
    { name: 'there, spelled out', match: { body: { json: '$.a', exists: true } }, faults },
    { name: 'not there', match: { body: { json: '$.a', exists: false } }, faults },
    { name: 'spaces', match: { body: { contains: ' a ' }, status: 503 }, faults },
    { name: 'expression', match: { body: { matches: '(?i)visa' } }, faults },
    {
      name: 'recorded',
      faults: [
        { type: 'latency', latencyMs: 1, distribution: 'percentiles', percentiles: { p50: 1.5, 'p99.9': 7 } },
      ],
    },
    {
      name: 'odd headers',
      faults: [{ type: 'status', status: 200, headers: { a: '', b: '  two before', c: 'one after ' } }],
    },
  ];
  it.each(rules)('loses nothing of $name', (input) => {
    const { name, match, trigger, faults } = definition(input);
    expect(readDraft(draftOf({ name, match, trigger, faults }))).toEqual({
      rule: { name, match, trigger, faults },
      problems: null,
    });
  });

  it.each(faultTypes)('loses nothing of a new %s', (type) => {
    const { fault } = readFault(type, newFaultFields(type));
    if (fault === null) return; // it has a field that nothing can be assumed for
    expect(readFault(type, writeFault(fault)).fault).toEqual(fault);
  });

  it('shows every field of the schemas, or keeps it', () => {
    const { rule } = readDraft(draftOf(definition(rules[1]!)));
    expect(Object.keys(rule!.match).sort()).toEqual(
      Object.keys(MatchSchema.shape)
        .filter((key) => key !== 'grpc') // it excludes the protocol http
        .sort(),
    );
    expect(Object.keys(rule!.trigger).sort()).toEqual(Object.keys(TriggerSchema.shape).sort());
    const { match, trigger } = draftOf(definition(rules[1]!));
    expect([match.beyond, trigger.beyond]).toEqual([{}, {}]);
  });
});

describe('what the form has no field for', () => {
  it('stays in the rule when the rest is edited', () => {
    const draft = draftOf(definition({ name: 'r', trigger: { first: 3 }, faults: [{ type: 'hang' }] }));
    const beyond = { ...draft.trigger, beyond: { maxConcurrent: 2 } };
    const { rule } = readDraft({ ...draft, trigger: withText(beyond, 'first', '7') });
    expect(rule?.trigger).toEqual({ first: 7, maxConcurrent: 2 });
  });
});

describe('readDraft', () => {
  const valid = emptyDraft('New rule');

  it('finds an empty draft valid', () => {
    expect(readDraft(valid).problems).toBeNull();
  });

  it('names each field that is wrong', () => {
    const [fault] = valid.faults;
    const tests = [newTest('header'), newTest('query')];
    const trigger: TriggerDraft = {
      ...emptyTrigger,
      often: 'first',
      parts: ['some', 'nth', 'after', 'rate', 'maxConcurrent', 'schedule', 'window'],
      expiring: true,
      texts: {
        percent: '101',
        first: '0',
        every: 'x',
        after: '',
        rate: 'many',
        maxConcurrent: '1.5',
        seed: '-1',
        expires: 'soon',
        'schedule.every': '5s',
        'schedule.for': '10s',
        'window.from': '10',
        'window.to': '5s',
      },
    };
    const wrong = {
      ...valid,
      name: ' ',
      match: {
        ...valid.match,
        open: ['body' as const],
        texts: { ...valid.match.texts, path: '/(/i', status: '99', traceId: 'X' },
        tests,
      },
      trigger,
      faults: [{ ...fault!, fields: { ...fault!.fields, latencyMs: '2 seconds' } }],
    };
    const { problems } = readDraft(wrong);
    expect(Object.keys(problems ?? {}).sort()).toEqual(
      [
        ...['after', 'every', 'expires', 'first', 'maxConcurrent', 'percent', 'rate', 'schedule.for', 'seed'],
        ...['window.from', 'name', 'match.body.contains', 'match.path', 'match.status', 'match.traceId'],
        ...tests.map(({ key }) => `match.tests.${key}`),
        `faults.${fault!.key}.latencyMs`,
      ].sort(),
    );
    expect(problems).toMatchObject({
      percent: 'Expected 0 to 100 %.',
      first: 'Expected a whole number from 1 to 1,000,000,000.',
      rate: 'Expected calls in a period, such as 10/s, 100/m or 5000/h.',
      'match.body.contains': 'Expected a text.',
    });
  });

  it('wants a fault', () => {
    expect(readDraft({ ...valid, faults: [] }).problems).toHaveProperty('faults');
  });

  it('wants each name once', () => {
    const tests = ['a', 'a'].map((name) => ({ ...newTest('header'), name, value: '1' }));
    const { problems } = readDraft({ ...valid, match: { ...valid.match, tests } });
    expect(problems).toEqual({ [`match.tests.${tests[1]!.key}`]: 'This name is there already.' });
  });

  it('reads a share with its sign, thousands with their commas, times as people write them', () => {
    const [fault] = valid.faults;
    let trigger: TriggerDraft = { ...valid.trigger, often: 'some', expiring: true };
    trigger = withText(withText(trigger, 'percent', '12.5 %'), 'expires', '1 h 30 min');
    const faults = [{ ...fault!, fields: { ...fault!.fields, latencyMs: '2,500' } }];
    expect(readDraft({ ...valid, trigger, faults }).rule).toMatchObject({
      trigger: { probability: 0.125, expires: '1h30m' },
      faults: [{ latencyMs: 2500 }],
    });
  });

  it('has no seed where nothing is drawn', () => {
    const trigger = withText(valid.trigger, 'seed', '7');
    expect(readDraft({ ...valid, trigger }).rule?.trigger).toEqual({});
  });

  it('forgets a condition that is taken away', () => {
    const match = {
      host: 'a',
      header: { b: 'c' },
      query: { d: true },
      grpc: {},
      body: { contains: 'e' },
      status: 503,
    };
    let draft = matchDraftOf(match);
    for (const kind of draft.open) draft = closeCondition(draft, kind);
    expect(readMatchDraft(draft)).toEqual({});
  });

  it('keeps what goes with a main part when another one is chosen', () => {
    const draft = chooseOften(
      triggerDraftOf({ first: 3, probability: 0.5, rate: '10/s', expires: '5m' }),
      'nth',
    );
    expect(readTriggerDraft(draft).trigger).toEqual({
      every: 5,
      probability: 0.5,
      rate: '10/s',
      expires: '5m',
    });
  });
});

function withText(trigger: TriggerDraft, key: TriggerKey, text: string): TriggerDraft {
  return { ...trigger, texts: { ...trigger.texts, [key]: text } };
}

describe('forms made from the schemas', () => {
  it.each(faultTypes)('a new %s is valid, or says at a field what it lacks', (type) => {
    const { title, fields } = faultForms[type];
    expect(title).not.toBe('');
    for (const field of fields) expect(field.title).not.toBe(field.key);
    for (const [key, problem] of Object.entries(readFault(type, newFaultFields(type)).problems ?? {})) {
      expect(fields.find((field) => field.key === key)?.initial).toBe('');
      expect(problem).toMatch(/^Expected .*\.$/);
    }
  });

  it('has a kind of field for everything in them', () => {
    const fields = faultTypes.flatMap((type) => faultForms[type].fields.map((field) => ({ type, ...field })));
    expect(fields.filter((field) => field.kind === 'json')).toEqual([]);
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
    expect(faultForms.status.fields.find((field) => field.key === 'headers')?.kind).toBe('record');
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

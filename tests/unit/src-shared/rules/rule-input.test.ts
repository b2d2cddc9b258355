import { describe, expect, it } from 'vitest';
import { RuleDefinitionSchema } from '../../../../src-shared/rules/rule.ts';
import { MatchSchema } from '../../../../src-shared/rules/match.ts';
import { TriggerSchema } from '../../../../src-shared/rules/trigger.ts';

/** Where each problem is, as in `match.body.equals`. */
function problemsOf(match: unknown, trigger: unknown = {}): string[] {
  const read = RuleDefinitionSchema.safeParse({ name: 'r', match, trigger, faults: [{ type: 'hang' }] });
  return read.success ? [] : read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}
const long = 'x'.repeat(2049);
const expression = /is not a regular expression of RE2: /;

describe('a match is refused with its place, and what was expected', () => {
  it.each<[unknown, string | RegExp]>([
    [{ colour: 'red' }, /match: Unrecognized key: "colour"/],
    ...(['caller', 'callee', 'route', 'listener', 'method', 'host', 'path'] as const).flatMap(
      (field): [unknown, RegExp][] => [
        [{ [field]: '' }, new RegExp(`^match\\.${field}: `)],
        [{ [field]: long }, new RegExp(`^match\\.${field}: `)],
        [{ [field]: 7 }, new RegExp(`^match\\.${field}: `)],
        [{ [field]: '/(/' }, new RegExp(`^match\\.${field}: /\\(/ is not a regular expression of RE2`)],
      ],
    ),
    [{ path: '/(a)\\1/' }, expression],
    [{ path: '/(?=a)b/' }, expression],
    [{ protocol: 'ftp' }, /^match\.protocol: .*"http"\|"grpc"\|"websocket"\|"tcp"/],
    [{ query: { a: 1 } }, /^match\.query\.a: Expected a text, a glob/],
    [{ query: { '': 'x' } }, /^match\.query\./],
    [{ query: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [n, 'x'])) }, /at most 32 names/],
    [{ header: { 'a b': 'x' } }, /^match\.header/],
    [{ header: { a: '/[/i' } }, /^match\.header\.a: /],
    [{ header: 'a' }, /^match\.header: /],
    [{ grpc: { rpc: 'x' } }, /^match\.grpc: Unrecognized key/],
    [{ grpc: { service: '' } }, /^match\.grpc\.service: /],
    [{ traceId: 'xyz' }, /^match\.traceId: Expected a trace id/],
    [{ traceId: '4BF92F3577B34DA6A3CE929D0E0E4736' }, /^match\.traceId: /],
    [{ status: 700 }, /^match\.status: Expected a status such as 503, 5xx/],
    [{ status: '6xx' }, /^match\.status: /],
    [{ status: '504-500' }, /^match\.status: /],
    [{ status: '' }, /^match\.status: /],
    [{ body: {} }, 'match.body: Expected one of contains, matches and json.'],
    [{ body: { contains: 'a', json: '$.a' } }, 'match.body: Expected one of contains, matches and json.'],
    [{ body: { contains: 'a', equals: 1 } }, 'match.body.equals: equals goes with json.'],
    [{ body: { matches: '(' } }, /^match\.body\.matches: \/\(\/ is not a regular/],
    [{ body: { json: 'card.brand' } }, /^match\.body\.json: Expected a JSON path/],
    [{ body: { json: '$.a[?(@.b)]' } }, /^match\.body\.json: /],
    [{ body: { json: '$.a', equals: {} } }, /^match\.body\.equals: /],
    [{ body: { json: '$.a', equals: 1, exists: true } }, /^match\.body\.exists: /],
    [{ body: { contains: 'a', firstBytes: 0 } }, /^match\.body\.firstBytes: /],
    [{ body: { contains: 'a', firstBytes: 2_000_000 } }, /^match\.body\.firstBytes: /],
  ])('%j', (match, problem) => {
    const problems = problemsOf(match);
    expect(problems).toHaveLength(1);
    if (typeof problem === 'string') expect(problems[0]).toBe(problem);
    else expect(problems[0]).toMatch(problem);
  });
});

describe('a trigger is refused with its place, and what was expected', () => {
  it.each<[unknown, RegExp]>([
    [{ often: 3 }, /^trigger: Unrecognized key: "often"/],
    [{ probability: -0.1 }, /^trigger\.probability: /],
    [{ probability: 1.1 }, /^trigger\.probability: /],
    ...(['first', 'after', 'every'] as const).flatMap((field): [unknown, RegExp][] => [
      [{ [field]: 0 }, new RegExp(`^trigger\\.${field}: `)],
      [{ [field]: 1.5 }, new RegExp(`^trigger\\.${field}: `)],
      [{ [field]: 1_000_000_001 }, new RegExp(`^trigger\\.${field}: `)],
      [{ [field]: '3' }, new RegExp(`^trigger\\.${field}: `)],
    ]),
    [{ seed: -1 }, /^trigger\.seed: /],
    [{ maxConcurrent: 0 }, /^trigger\.maxConcurrent: /],
    [{ rate: '10' }, /^trigger\.rate: Expected calls in a period, such as 10\/s/],
    [{ rate: '0/s' }, /^trigger\.rate: /],
    [{ rate: '10/d' }, /^trigger\.rate: /],
    [{ window: {} }, /^trigger\.window: Expected from, to or both\./],
    [{ window: { from: 10 } }, /^trigger\.window\.from: /],
    [{ window: { from: 'soon' } }, /^trigger\.window\.from: Expected a duration such as 500ms/],
    [{ window: { from: '40s', to: '10s' } }, /^trigger\.window\.to: Expected a time after from\./],
    [{ window: { from: '1s', until: '2s' } }, /^trigger\.window: Unrecognized key: "until"/],
    [{ schedule: { every: '60s' } }, /^trigger\.schedule\.for: /],
    [
      { schedule: { every: '10s', for: '10s' } },
      /^trigger\.schedule\.for: Expected a shorter time than every\./,
    ],
    [
      { schedule: { every: '10ms', for: '1ms' } },
      /^trigger\.schedule\.every: Expected a duration from 100ms to 30d\./,
    ],
    [{ expires: '5 minutes' }, /^trigger\.expires: Expected a duration/],
    [{ expires: '30m1h' }, /^trigger\.expires: /],
    [{ expires: '400d' }, /^trigger\.expires: Expected a duration from 100ms to 30d\./],
    [{ expires: 300 }, /^trigger\.expires: /],
  ])('%j', (trigger, problem) => {
    const problems = problemsOf({}, trigger);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });
});

describe('texts of a rule', () => {
  it('stay as they were written, so that a file that is written back does', () => {
    const trigger = { window: { from: '90s', to: '1h30m' }, expires: '1.5m', rate: '10/s' };
    expect(TriggerSchema.parse(trigger)).toEqual(trigger);
    const match = { status: '5xx', header: { 'X-Tenant': true }, path: '/A' };
    expect(MatchSchema.parse(match)).toEqual(match);
  });
});

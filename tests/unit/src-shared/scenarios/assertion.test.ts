import { describe, expect, it } from 'vitest';
import { AssertionError, assertionProblem, holds, parseAssertion } from '#shared/scenarios/assertion.ts';
import { seededRandom } from '../../../support/fixture/random.ts';

const sound: readonly (readonly [string, object])[] = [
  [
    'checkout.errorRate < 1%',
    { subject: { kind: 'caller', name: 'checkout' }, metric: 'errorRate', value: 0.01 },
  ],
  [
    'carrier.example.p95<=1.5s',
    { subject: { kind: 'caller', name: 'carrier.example' }, metric: 'p95', value: 1500 },
  ],
  ['"my app".max > 2m', { subject: { kind: 'caller', name: 'my app' }, metric: 'max', value: 120_000 }],
  ['all.calls >= 100', { subject: { kind: 'all' }, metric: 'calls', value: 100 }],
  ['to(checkout).errors == 0', { subject: { kind: 'callee', name: 'checkout' }, metric: 'errors', value: 0 }],
  ['to ( "a b" ).p50 != 3ms', { subject: { kind: 'callee', name: 'a b' }, operator: '!=', value: 3 }],
  [
    'edge(checkout->payments).p99 < 2s',
    { subject: { kind: 'edge', caller: 'checkout', callee: 'payments' } },
  ],
  [
    'edge(stock-db -> 10.0.0.1:80).hits > 0',
    { subject: { kind: 'edge', caller: 'stock-db', callee: '10.0.0.1:80' } },
  ],
  ['phase("payments down") web.perSecond > 2.5', { phase: 'payments down', metric: 'perSecond', value: 2.5 }],
  ['checkout.recovery < 1s', { phase: null, metric: 'recovery' }],
  ['edge.calls > 1', { subject: { kind: 'caller', name: 'edge' } }],
];

const unsound: readonly (readonly [string, number, RegExp])[] = [
  ['', 0, /caller and a metric/],
  ['checkout', 8, /metric after "checkout"/],
  ['checkout.errorrate < 1%', 9, /one of errorRate/],
  ['checkout.errorRate', 18, /Expected <, <=/],
  ['checkout.errorRate < 1', 21, /per cent/],
  ['checkout.errorRate < 1%%', 21, /per cent/],
  ['checkout.p95 < 100', 15, /duration/],
  ['checkout.calls > 10ms', 17, /a number/],
  ['checkout.calls > 10 please', 20, /the end/],
  ['edge(a).p95 < 1s', 6, /"->"/],
  ['edge(a->b.p95 < 1s', 14, /"\)"/],
  ['edge(a->b) < 1s', 10, /dot and a metric/],
  ['phase(down) a.p95 < 1s', 6, /in quotes/],
  ['phase("down) a.p95 < 1s', 6, /closing quote/],
  ['"".p95 < 1s', 0, /between the quotes/],
  ['phase("down") a.recovery < 1s', 0, /no phase/],
];

describe('an assertion', () => {
  it.each(sound)('%s', (text, expected) => {
    expect(parseAssertion(text)).toMatchObject({ text, ...expected });
  });

  it.each(unsound)('is refused with its place: %s', (text, at, reason) => {
    try {
      parseAssertion(text);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(AssertionError);
      expect((error as AssertionError).message).toMatch(reason);
      expect((error as AssertionError).at).toBe(at);
    }
  });

  it('is asked about phases that there are', () => {
    const text = 'phase("down") a.p95 < 1s';
    expect(assertionProblem(text, ['before', 'down'])).toBeNull();
    expect(assertionProblem(text, ['before'])).toContain('There is no phase "down"');
    expect(assertionProblem('a.b < 1', [])).toContain('character 3');
  });

  it('compares as its operator says', () => {
    const results = (['<', '<=', '>', '>=', '==', '!='] as const).map((operator) => [
      holds(1, operator, 2),
      holds(2, operator, 2),
    ]);
    expect(results).toEqual([
      [true, false],
      [true, true],
      [false, false],
      [false, true],
      [false, true],
      [true, false],
    ]);
  });

  it('has one way to fail, whatever is cut, put together or mixed up', () => {
    const random = seededRandom(11);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const pieces = [...sound, ...unsound].map(([text]) => text);
    const characters = [...'()"->.<=! %msé\u0000\u2028aphe'];
    for (let round = 0; round < 20_000; round += 1) {
      const text = [...pick(pieces)];
      for (let change = Math.floor(random() * 4); change >= 0; change -= 1) {
        const at = Math.floor(random() * (text.length + 1));
        text.splice(at, Math.floor(random() * 3), ...(random() < 0.7 ? [pick(characters)] : pick(pieces)));
      }
      const whole = text.join('');
      try {
        const { value } = parseAssertion(whole);
        expect(Number.isFinite(value)).toBe(true);
      } catch (error) {
        if (!(error instanceof AssertionError)) throw error;
        expect(error.at).toBeGreaterThanOrEqual(0);
        expect(error.at).toBeLessThanOrEqual(whole.length);
      }
    }
  });
});

import { describe, expect, it } from 'vitest';
import { FaultSchema } from '#shared/rules/fault.ts';
import type { FaultInput } from '#shared/rules/fault.ts';
import { asCallAsks } from '../../../../../src-main/engine/rules/asked-faults.ts';
import { CompiledRules } from '../../../../../src-main/engine/rules/compiled-rules.ts';
import type { RuleHit } from '../../../../../src-main/engine/rules/rule-hit.ts';

function hitOf(faults: readonly FaultInput[], probability?: number): RuleHit {
  const trigger = probability === undefined ? {} : { probability };
  const active = {
    id: 'r1',
    name: 'r1',
    epoch: 1,
    sinceMs: 0,
    match: {},
    trigger,
    faults: faults.map((fault) => FaultSchema.parse(fault)),
  };
  const [rule] = new CompiledRules([active]).list;
  if (rule === undefined) throw new Error('there is a rule');
  return { rule, retryAfterMs: null, holds: false };
}
const asks = (what: string, more: object = {}): FaultInput =>
  ({ type: 'asked-by-header', what, ...more }) as FaultInput;
const never = (): number => {
  throw new Error('nothing is drawn');
};
const made = (fault: FaultInput, fields: string[]) => asCallAsks(hitOf([fault]), fields, never);

describe('what a call asks for', () => {
  it.each<[string, string, string, object]>([
    [
      'delay',
      'X-Envoy-Fault-Delay-Request',
      '250',
      { type: 'latency', latencyMs: 250, direction: 'request' },
    ],
    ['status', 'x-envoy-fault-abort-request', '429', { type: 'status', status: 429 }],
    ['grpc-status', 'x-envoy-fault-abort-grpc-request', '14', { type: 'grpc-status', status: 'UNAVAILABLE' }],
    [
      'throughput',
      'x-envoy-fault-throughput-response',
      '3',
      { type: 'bandwidth', direction: 'response', bytesPerSecond: 3072 },
    ],
  ])('%s by %s: %s', (what, name, value, fault) => {
    const hit = made(asks(what), ['host', 'a', name, value]);
    expect(hit?.faults).toHaveLength(1);
    expect(hit?.faults?.[0]).toMatchObject(fault);
    // As if a rule had said it: whole, with nothing that its schema would change.
    expect(FaultSchema.parse(hit?.faults?.[0])).toEqual(hit?.faults?.[0]);
    expect(hit?.unread ?? null).toBeNull();
  });

  it.each([
    ['delay', 'x-envoy-fault-delay-request', ['', '-1', '1.5', 'soon', '3600001', '99999999999']],
    ['status', 'x-envoy-fault-abort-request', ['199', '600', '20x', '0x1f4']],
    ['grpc-status', 'x-envoy-fault-abort-grpc-request', ['17', 'UNAVAILABLE']],
    ['throughput', 'x-envoy-fault-throughput-response', ['0', '9000001', '1 ']],
  ] as const)('%s: what is no such value is said, and does nothing', (what, name, values) => {
    for (const value of values) {
      const hit = made(asks(what), [name, value]);
      expect(hit?.faults, value).toEqual([]);
      expect(hit?.unread, value).toBe(`${name} says ${value}`);
    }
  });

  it('nothing: the hit is none', () => {
    expect(made(asks('delay'), ['host', 'a'])).toBeNull();
  });

  it('a delay beside an answer holds the response, since no request goes on', () => {
    const fields = ['x-envoy-fault-delay-request', '5', 'x-envoy-fault-abort-request', '503'];
    const hit = asCallAsks(hitOf([asks('delay'), asks('status')]), fields, never);
    expect(hit?.faults).toMatchObject([{ type: 'latency', direction: 'response' }, { type: 'status' }]);
  });

  it('the faults beside it stay', () => {
    const hit = asCallAsks(hitOf([{ type: 'hang' }, asks('delay')]), ['host', 'a'], never);
    expect(hit?.faults).toMatchObject([{ type: 'hang' }]);
  });
});

describe('the share that a call names', () => {
  const share = (count: string): string[] => [
    'x-envoy-fault-delay-request',
    '5',
    'x-envoy-fault-delay-request-percentage',
    count,
  ];
  const isHit = (probability: number | undefined, fields: string[], drawn: number, more: object = {}) =>
    asCallAsks(hitOf([asks('delay', more)], probability), fields, () => drawn) !== null;

  it('is drawn for', () => {
    expect(isHit(undefined, share('30'), 0.29)).toBe(true);
    expect(isHit(undefined, share('30'), 0.31)).toBe(false);
    expect(isHit(undefined, share('30'), 0.29, { shareOf: 10_000 })).toBe(false);
  });

  it('is never more than the probability of the rule, which was drawn for before', () => {
    // 30 % of all, of which the rule has let 60 % through: half of these.
    expect(isHit(0.6, share('30'), 0.49)).toBe(true);
    expect(isHit(0.6, share('30'), 0.51)).toBe(false);
    expect(asCallAsks(hitOf([asks('delay')], 0.2), share('30'), never)).not.toBeNull();
  });

  it('is the one of the rule where it is no number', () => {
    expect(asCallAsks(hitOf([asks('delay')], 0.2), share('many'), never)).not.toBeNull();
  });
});

import { describe, expect, it, vi } from 'vitest';
import type { Rule, RuleInput } from '#shared/rules/rule.ts';
import { RuleDefinitionSchema } from '#shared/rules/rule.ts';
import {
  doesTheSame,
  ruleFor,
  toggleFirstFault,
} from '../../../../../src-renderer/features/map/edge-faults.ts';

const edge = { caller: 'checkout', callee: 'payments', protocol: 'http' };
const slow = { words: 'slow 2 s', effect: { faults: [{ type: 'latency' as const, latencyMs: 2000 }] } };

function ruleOf(input: RuleInput): Rule {
  const definition = RuleDefinitionSchema.parse(input);
  return { ...definition, id: 'x', version: 1, enabledAt: null, expiresAt: null, hits: 0, sentence: '' };
}

describe('ruleFor', () => {
  it('matches the edge and nothing else', () => {
    expect(ruleFor(edge, slow)).toMatchObject({
      name: 'checkout → payments: slow 2 s',
      match: { caller: 'checkout', callee: 'payments' },
    });
  });

  it('takes a name that would be read as a pattern by its letters', () => {
    const { match } = ruleFor({ ...edge, callee: 'a*b.c' }, slow);
    expect(match?.callee).toBe('/^a\\*b\\.c$/i');
  });
});

describe('doesTheSame', () => {
  const wanted = ruleFor(edge, slow);

  it('knows a rule again by what it does, not by its name or state', () => {
    expect(doesTheSame(ruleOf({ ...wanted, name: 'other', enabled: false }), wanted)).toBe(true);
    const spelledOut = { type: 'latency', direction: 'response', latencyMs: 2000, jitterMs: 0 } as const;
    expect(doesTheSame(ruleOf({ ...wanted, faults: [spelledOut] }), wanted)).toBe(true);
  });

  it.each<[string, Partial<RuleInput>]>([
    ['a narrower match', { match: { ...wanted.match, path: '/v1/*' } }],
    ['a share', { trigger: { probability: 0.5 } }],
    ['another delay', { faults: [{ type: 'latency', latencyMs: 2001 }] }],
    ['one fault more', { faults: [...wanted.faults, { type: 'hang' }] }],
  ])('does not take %s for the same', (_what, change) => {
    expect(doesTheSame(ruleOf({ ...wanted, ...change }), wanted)).toBe(false);
  });
});

describe('toggleFirstFault', () => {
  const fault = (on: boolean) => ({ name: 'x', icon: null as never, rule: null, on, set: vi.fn() });

  it('turns on the first, or off whatever is on', () => {
    const off = [fault(false), fault(false)];
    toggleFirstFault(off);
    expect(off[0]!.set).toHaveBeenCalledWith(true);
    expect(off[1]!.set).not.toHaveBeenCalled();
    const second = [fault(false), fault(true)];
    toggleFirstFault(second);
    expect(second[0]!.set).not.toHaveBeenCalled();
    expect(second[1]!.set).toHaveBeenCalledWith(false);
  });
});

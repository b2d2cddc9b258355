import { describe, expect, it } from 'vitest';
import { compileText, literalPattern } from '#shared/rules/pattern.ts';
import { presetRule, presets } from '#shared/rules/presets.ts';
import { ruleFindings } from '#shared/rules/rule-findings.ts';
import { RuleDefinitionSchema } from '#shared/rules/rule.ts';

describe('presets', () => {
  it.each(presets)('$title is a rule that is off and that can hit', (preset) => {
    for (const caller of ['checkout', null]) {
      for (const callee of ['payments', null]) {
        const rule = RuleDefinitionSchema.parse(presetRule(preset, { caller, callee }));
        expect(rule.enabled).toBe(false);
        expect(rule.match).toEqual({
          ...(caller === null ? {} : { caller }),
          ...(callee === null ? {} : { callee }),
        });
        const seen = { services: new Set<string>(), routes: new Set<string>() };
        expect(ruleFindings([{ ...rule, id: 'preset' }], seen)).toEqual([]);
      }
    }
  });

  it('have ids and names of their own', () => {
    expect(new Set(presets.map(({ id }) => id)).size).toBe(presets.length);
    const named = (caller: string | null, callee: string | null) =>
      presetRule(presets[0]!, { caller, callee }).name;
    expect(named('checkout', 'payments')).toBe('checkout → payments: flaky');
    expect(named(null, 'payments')).toBe('payments: flaky');
    expect(named('checkout', null)).toBe('checkout → any: flaky');
    expect(named(null, null)).toBe('every call: flaky');
  });
});

describe('literalPattern', () => {
  it.each(['payments', 'a.b', 'a*b', 'what?', '/v1/', '/a|b/i', '/^$/'])(
    '%s takes itself and nothing else',
    (name) => {
      const test = compileText(literalPattern(name), false);
      expect(test(name)).toBe(true);
      for (const other of ['payments2', 'axb', 'a.b.c', 'whats', 'v1', 'a', ''])
        expect(test(other)).toBe(false);
    },
  );
});

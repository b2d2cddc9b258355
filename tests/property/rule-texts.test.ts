import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { longestDurationMs, parseDuration, printDuration } from '../../src-shared/rules/duration.ts';
import { compileJsonPath } from '../../src-shared/rules/json-path.ts';
import { compileText, patternProblem } from '../../src-shared/rules/pattern.ts';
import { parseStatus } from '../../src-shared/rules/status-range.ts';

describe('durations', () => {
  it('are read back as they were printed', () => {
    fc.assert(
      fc.property(fc.nat(longestDurationMs), (ms) => {
        expect(parseDuration(printDuration(ms))).toBe(ms);
      }),
    );
  });

  it('are read in any units, the largest first', () => {
    fc.assert(
      fc.property(fc.nat(29), fc.nat(99), fc.nat(99), fc.nat(99), fc.nat(999), (d, h, m, s, ms) => {
        const text = `${d}d${h}h${m}m${s}s${ms}ms`;
        expect(parseDuration(text)).toBe((((d * 24 + h) * 60 + m) * 60 + s) * 1000 + ms);
      }),
    );
  });

  it('are a number or nothing for any text, and never a crash', () => {
    const texts = fc.oneof(fc.string(), fc.stringMatching(/^[0-9.dhms ]{0,20}$/));
    fc.assert(
      fc.property(texts, (text) => {
        const ms = parseDuration(text);
        expect(ms === null || (Number.isInteger(ms) && ms >= 0)).toBe(true);
      }),
    );
  });
});

describe('patterns', () => {
  /** What globs were before they had a matcher of their own. */
  const byExpression = (glob: string): RegExp =>
    new RegExp(
      `^${glob
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replace(/\*+/g, '.*')
        .replace(/\?/g, '.')}$`,
      's',
    );
  const few = fc.stringMatching(/^[ab*?]{1,8}$/);

  it('that are globs match what the same regular expression matches', () => {
    fc.assert(
      fc.property(few, fc.stringMatching(/^[ab]{0,10}$/), (glob, value) => {
        expect(compileText(glob, true)(value)).toBe(byExpression(glob).test(value));
      }),
      { numRuns: 2000 },
    );
  });

  it('are found faulty or compile, whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (source) => {
        for (const pattern of [source, `/${source}/i`]) {
          if (patternProblem(pattern) === null) compileText(pattern, false)('some text');
          else expect(() => compileText(pattern, false)).toThrow(SyntaxError);
        }
      }),
    );
  });

  it.each([
    '/(a+)+$/',
    '/^(a|a)*$/',
    '/^(a|aa)+$/',
    '/(.*a){20}/',
    '/a*a*a*a*a*a*b/i',
    `${'a*'.repeat(20)}b`,
  ])('%s takes a time that grows with the text alone', (pattern) => {
    // Backtracking would need more steps than there are atoms; linear is a few ms. Nothing is measured: it ends.
    expect(compileText(pattern, true)(`${'a'.repeat(5000)}!`)).toBe(pattern.includes('{20}'));
  });
});

describe('status ranges and JSON paths', () => {
  it('are read or refused, and never crash', () => {
    fc.assert(
      fc.property(fc.string(), fc.json(), (text, json) => {
        const isStatus = parseStatus(text);
        if (isStatus !== null) expect(typeof isStatus(503)).toBe('boolean');
        for (const path of [text, `$${text}`, `$.${text}`])
          compileJsonPath(path)?.(JSON.parse(json), () => true);
      }),
    );
  });

  it('of ranges hold what lies between', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 599 }), fc.integer({ min: 100, max: 599 }), (a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const inRange = parseStatus(`${low}-${high}`);
        expect([low - 1, low, high, high + 1].map((status) => inRange?.(status))).toEqual([
          false,
          true,
          true,
          false,
        ]);
      }),
    );
  });

  it('do not run the stack out on a body that is nested without end', () => {
    const depth = 20_000;
    const nested: unknown = JSON.parse('['.repeat(depth) + ']'.repeat(depth));
    expect(compileJsonPath('$..x')?.(nested, () => true)).toBe(false);
  });
});

import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import {
  beginningWith,
  containing,
  endingWith,
  exactly,
  matching,
  stringMatchOf,
} from '#shared/rules/interop/text-match.ts';
import type { StringMatch } from '#shared/rules/interop/text-match.ts';
import { compileText } from '#shared/rules/pattern.ts';

const texts = [
  '',
  'a',
  'A',
  'b',
  'ab',
  '/a/',
  '/a/i',
  'a*b',
  'a?b',
  'axb',
  '/v1.0',
  '/v1x0',
  '/^a$/',
  '(a',
  'a|b',
  'xay',
  '\\a',
];

/** As Envoy compares for Istio: expressions of RE2 against the whole text. */
function compares(match: StringMatch, text: string): boolean {
  if ('exact' in match) return match.exact === text;
  if ('prefix' in match) return text.startsWith(match.prefix as string);
  return 'regex' in match ? RE2JS.compile(match.regex as string).matches(text) : true;
}

describe('a pattern made of a text', () => {
  const given = texts.filter((text) => text !== '');

  it.each(given)('takes what it should, and nothing else: %s', (text) => {
    for (const value of texts) {
      expect(compileText(exactly(text), true)(value)).toBe(value === text);
      expect(compileText(beginningWith(text), true)(value)).toBe(value.startsWith(text));
      expect(compileText(endingWith(text), true)(value)).toBe(value.endsWith(text));
      expect(compileText(containing(text), true)(value)).toBe(value.includes(text));
      const isSame = value.toLowerCase() === text.toLowerCase();
      expect(compileText(exactly(text, true), true)(value)).toBe(isSame);
    }
  });

  it('is about the whole text where it is an expression', () => {
    for (const source of ['a|b', 'a', '.*', '(?i)a', '/v[0-9]\\.0', 'a?b'])
      for (const value of texts)
        expect(compileText(matching(source), true)(value)).toBe(RE2JS.compile(source).matches(value));
  });
});

describe('a pattern in Istio', () => {
  const patterns = [
    '*',
    'a',
    'a*',
    '*a',
    'a?b',
    '/v1.0',
    '/a|b/',
    '/^a$/',
    '/a$|^b/',
    '/^A$/i',
    '/^(?:a|b)$/',
    '/^(?:a)|(?:b)$/',
    '/^(?:[)]|a)$/',
    '/^(?:\\(a)$/',
  ];

  it.each(patterns)('takes the same texts: %s', (pattern) => {
    const match = stringMatchOf(pattern);
    for (const value of texts)
      expect([value, compares(match, value)]).toEqual([value, compileText(pattern, true)(value)]);
  });

  it('is as it was written where it came from there', () => {
    expect(stringMatchOf(matching('/v[0-9]+/(a|b)'))).toEqual({ regex: '/v[0-9]+/(a|b)' });
    expect(stringMatchOf(beginningWith('/v1/'))).toEqual({ prefix: '/v1/' });
    expect(stringMatchOf(exactly('jason'))).toEqual({ exact: 'jason' });
  });
});

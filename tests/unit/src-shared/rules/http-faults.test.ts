import { describe, expect, it } from 'vitest';
import { FaultSchema } from '../../../../src-shared/rules/fault.ts';
import type { FaultInput } from '../../../../src-shared/rules/fault.ts';
import { faultEffect } from '../../../../src-shared/rules/fault-effects.ts';

/** `path: message` of the first thing that is wrong. */
function problem(fault: object): string | null {
  const read = FaultSchema.safeParse(fault);
  if (read.success) return null;
  const [issue] = read.error.issues;
  const inner = issue?.code === 'invalid_key' ? issue.issues[0] : issue;
  return `${issue?.path.join('.')}: ${inner?.message}`;
}

describe('HTTP faults are refused, by field and reason', () => {
  it.each([
    [{ type: 'delay' }, /^delayMs: .*received undefined/],
    [{ type: 'delay', delayMs: -1 }, /^delayMs: Too small/],
    [{ type: 'delay', delayMs: 3_600_001 }, /^delayMs: Too big/],
    [{ type: 'delay', delayMs: 1.5 }, /^delayMs: .*expected int/],
    [{ type: 'delay', delayMs: '5' }, /^delayMs: .*expected number/],
    [{ type: 'delay', delayMs: 5, what: 'head' }, /^what: Invalid option/],
    [{ type: 'delay', delayMs: 5, direction: 'request' }, /^: Unrecognized key: "direction"/],
    [{ type: 'slow-head', bytesPerSecond: 0 }, /^bytesPerSecond: Too small/],
    [{ type: 'slow-head', bytesPerSecond: 1_000_001 }, /^bytesPerSecond: Too big/],
    [{ type: 'slow-head', bytesPerSecond: 1, direction: 'both' }, /^direction: Invalid option/],
    [{ type: 'headers' }, /^set: Expected fields to set or to remove/],
    [{ type: 'headers', set: { 'a b': '1' } }, /^set\.a b: Expected a field name/],
    [{ type: 'headers', set: { a: '1\r\nb: 2' } }, /^set\.a: Expected a field value without line breaks/],
    [
      { type: 'headers', set: { 'Content-Length': '1' } },
      /^set\.Content-Length: Content-Length is about framing/,
    ],
    [{ type: 'headers', remove: ['Transfer-Encoding'] }, /^remove\.0: Transfer-Encoding is about framing/],
    [{ type: 'headers', remove: 'a' }, /^remove: .*expected array/],
    [{ type: 'headers', remove: Array.from({ length: 101 }, () => 'a') }, /^remove: Too big/],
    [{ type: 'body', how: 'xml' }, /^how: Invalid option/],
    [{ type: 'body', text: 5 }, /^text: .*expected string/],
    [{ type: 'body', text: 'x'.repeat(1_048_577) }, /^text: Too big/],
    [{ type: 'body', how: 'regex' }, /^pattern: Expected a regular expression/],
    [{ type: 'body', how: 'regex', pattern: '(' }, /^pattern: \/\(\/ is not a regular expression of RE2/],
    [{ type: 'body', how: 'regex', pattern: '(?=a)' }, /^pattern: .* is not a regular expression of RE2/],
    [{ type: 'body', pattern: 'a' }, /^pattern: A pattern is for how: regex/],
    [{ type: 'body', how: 'json-patch', text: '{' }, /^text: Not JSON/],
    [
      { type: 'body', how: 'json-patch', text: '[{"op":"add"}]' },
      /^text: Not a JSON patch \(RFC 6902\), at 0\.path/,
    ],
    [{ type: 'body', how: 'json-merge', text: '' }, /^text: Not JSON/],
    [{ type: 'wrong-length', by: 0 }, /^by: Expected a number other than 0/],
    [{ type: 'wrong-length', by: 1e10 }, /^by: Too big/],
    [{ type: 'wrong-length', by: 1, then: 'reset' }, /^then: Invalid option/],
    [{ type: 'bad-chunk', how: 'missing' }, /^how: Invalid option/],
    [{ type: 'truncated-gzip', keepPercent: 100 }, /^keepPercent: Too big/],
    [{ type: 'truncated-gzip', keepPercent: -1 }, /^keepPercent: Too small/],
    [{ type: 'redirect-upstream', to: 'ftp://a' }, /^to: Expected http:\/\/host:port/],
    [{ type: 'redirect-upstream', to: 'http://a/path' }, /^to: Expected .* without a path/],
    [{ type: 'redirect-upstream', to: 'http://u:p@a' }, /^to: Expected/],
    [{ type: 'redirect-upstream', to: 'http://a:99999' }, /^to: Expected/],
    [{ type: 'file-answer', path: '' }, /^path: Too small/],
    [{ type: 'file-answer', path: 'a', status: 199 }, /^status: Too small/],
    [{ type: 'file-answer', path: 'a', headers: { 'a:': '1' } }, /^headers\.a:: Expected a field name/],
    [{ type: 'too-many', calls: 5 }, /^type: Invalid/],
  ])('%j', (fault, expected) => {
    expect(problem(fault)).toMatch(expected);
  });

  it.each([
    { type: 'redirect-upstream', to: 'https://[::1]:8443' },
    { type: 'redirect-upstream', to: 'http://orders.internal' },
    { type: 'body', how: 'json-merge', text: 'null' },
    { type: 'headers', remove: ['Set-Cookie'] },
  ])('but not %j', (fault) => {
    expect(problem(fault)).toBeNull();
  });
});

describe('in words', () => {
  it.each([
    [{ type: 'delay', delayMs: 2000 }, 'wait 2 s for the answer'],
    [{ type: 'delay', delayMs: 20, what: 'body' }, 'wait 20 ms for the body of the answer'],
    [
      { type: 'slow-head', bytesPerSecond: 20, direction: 'request' },
      'get the head of the request at 20 B/s',
    ],
    [
      { type: 'headers', set: { a: '1', b: '2' }, remove: ['c'] },
      'have a, b set, and c removed in the answer',
    ],
    [{ type: 'headers', remove: ['a', 'b', 'c', 'd'] }, 'have 4 fields removed in the answer'],
    [{ type: 'body', text: 'x' }, 'have the body of the answer replaced'],
    [{ type: 'wrong-length', by: -5 }, 'are told a length that is 5 B too short'],
    [{ type: 'bad-chunk', how: 'missing-end' }, 'get chunks without an end'],
    [{ type: 'truncated-gzip' }, 'get 50 % of the answer in gzip'],
    [{ type: 'redirect-upstream', to: 'http://b:1' }, 'go to http://b:1'],
    [{ type: 'file-answer', path: 'a.json' }, 'get 200 with the file a.json'],
  ] as [FaultInput, string][])('%j', (fault, words) => {
    expect(faultEffect(FaultSchema.parse(fault), true)).toBe(words);
  });
});

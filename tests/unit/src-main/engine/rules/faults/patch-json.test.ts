import { describe, expect, it } from 'vitest';
import { readJson } from '../../../../../../src-main/engine/rules/faults/json-document.ts';
import type { Json } from '../../../../../../src-main/engine/rules/faults/json-document.ts';
import {
  mergeJson,
  PatchMisfit,
  patchJson,
} from '../../../../../../src-main/engine/rules/faults/patch-json.ts';
import { jsonPatchProblem, readJsonPatch } from '../../../../../../src-shared/rules/json-patch.ts';

function patched(document: string, ...operations: object[]): string {
  const patch = readJsonPatch(JSON.stringify(operations));
  if (typeof patch === 'string') throw new Error(patch);
  return JSON.stringify(patchJson(readJson(document), patch));
}

describe('a patch (RFC 6902, appendix A)', () => {
  it.each([
    ['A.1', '{"foo":"bar"}', [{ op: 'add', path: '/baz', value: 'qux' }], '{"foo":"bar","baz":"qux"}'],
    [
      'A.2',
      '{"foo":["bar","baz"]}',
      [{ op: 'add', path: '/foo/1', value: 'qux' }],
      '{"foo":["bar","qux","baz"]}',
    ],
    ['A.3', '{"baz":"qux","foo":"bar"}', [{ op: 'remove', path: '/baz' }], '{"foo":"bar"}'],
    ['A.4', '{"foo":["bar","qux","baz"]}', [{ op: 'remove', path: '/foo/1' }], '{"foo":["bar","baz"]}'],
    [
      'A.5',
      '{"baz":"qux","foo":"bar"}',
      [{ op: 'replace', path: '/baz', value: 'boo' }],
      '{"baz":"boo","foo":"bar"}',
    ],
    [
      'A.6',
      '{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}',
      [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }],
      '{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}',
    ],
    [
      'A.7',
      '{"foo":["all","grass","cows","eat"]}',
      [{ op: 'move', from: '/foo/1', path: '/foo/3' }],
      '{"foo":["all","cows","eat","grass"]}',
    ],
    [
      'A.8',
      '{"baz":"qux","foo":["a",2,"c"]}',
      [
        { op: 'test', path: '/baz', value: 'qux' },
        { op: 'test', path: '/foo/1', value: 2 },
      ],
      '{"baz":"qux","foo":["a",2,"c"]}',
    ],
    [
      'A.10',
      '{"foo":"bar"}',
      [{ op: 'add', path: '/child', value: { grandchild: {} } }],
      '{"foo":"bar","child":{"grandchild":{}}}',
    ],
    [
      'A.11',
      '{"foo":"bar"}',
      [{ op: 'add', path: '/baz', value: 'qux', xyz: 123 }],
      '{"foo":"bar","baz":"qux"}',
    ],
    ['A.14', '{"/":9,"~1":10}', [{ op: 'test', path: '/~01', value: 10 }], '{"/":9,"~1":10}'],
    [
      'A.16',
      '{"foo":["bar"]}',
      [{ op: 'add', path: '/foo/-', value: ['abc', 'def'] }],
      '{"foo":["bar",["abc","def"]]}',
    ],
    ['the whole', '[1]', [{ op: 'replace', path: '', value: { a: null } }], '{"a":null}'],
    [
      'a copy of its own',
      '{"a":{"b":1}}',
      [
        { op: 'copy', from: '/a', path: '/c' },
        { op: 'add', path: '/c/b', value: 2 },
      ],
      '{"a":{"b":1},"c":{"b":2}}',
    ],
    ['empty names', '{"":{"":1}}', [{ op: 'replace', path: '//', value: 2 }], '{"":{"":2}}'],
    [
      '__proto__ as a name',
      '{}',
      [{ op: 'add', path: '/__proto__', value: { a: 1 } }],
      '{"__proto__":{"a":1}}',
    ],
  ])('%s', (_name, document, operations, expected) => {
    expect(patched(document, ...operations)).toBe(expected);
  });

  it.each([
    ['A.9: another value', '{"baz":"qux"}', { op: 'test', path: '/baz', value: 'bar' }],
    ['A.12: nothing there', '{"foo":"bar"}', { op: 'add', path: '/baz/bat', value: 'qux' }],
    ['A.15: a text is no number', '{"/":9,"~1":10}', { op: 'test', path: '/~01', value: '10' }],
    ['beyond the end', '[1]', { op: 'add', path: '/2', value: 0 }],
    ['leading zeros', '[1,2]', { op: 'test', path: '/01', value: 2 }],
    ['a sign', '[1,2]', { op: 'remove', path: '/-1' }],
    ['behind the end', '[1,2]', { op: 'remove', path: '/-' }],
    ['a name of a list', '{"a":[]}', { op: 'add', path: '/a/length', value: 1 }],
    ['what every object has', '{}', { op: 'copy', from: '/constructor', path: '/a' }],
    ['into itself', '{"a":{"b":1}}', { op: 'move', from: '/a', path: '/a/b/c' }],
    ['into a number', '{"a":12345678901234567890}', { op: 'add', path: '/a/rawJSON', value: 1 }],
  ])('that does not fit does nothing: %s', (_name, document, operation) => {
    expect(() => patched(document, operation)).toThrow(PatchMisfit);
  });

  it.each([
    ['no JSON', '[{', 'Not JSON'],
    ['no list', '{}', 'Not a JSON patch (RFC 6902)'],
    ['an unknown operation', '[{"op":"spam","path":"/a"}]', 'at 0.op'],
    ['no value', '[{"op":"add","path":"/a"}]', 'at 0.value'],
    ['no place to take it from', '[{"op":"move","path":"/a"}]', 'at 0.from'],
    ['no pointer', '[{"op":"remove","path":"a/b"}]', 'Expected a JSON pointer'],
    ['a bad escape', '[{"op":"remove","path":"/a~2"}]', 'Expected a JSON pointer'],
  ])('is refused that has %s', (_name, text, problem) => {
    expect(jsonPatchProblem(text)).toContain(problem);
  });
});

describe('a merge (RFC 7396, appendix A)', () => {
  it.each([
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', '{}'],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['["a","b"]', '["c","d"]', '["c","d"]'],
    ['{"a":"foo"}', 'null', 'null'],
    ['{"a":"foo"}', '"bar"', '"bar"'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
    ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ])('%s with %s', (document, patch, expected) => {
    expect(JSON.stringify(mergeJson(readJson(document), readJson(patch)))).toBe(expected);
  });
});

describe('a document', () => {
  it('keeps the text of its numbers', () => {
    const text = '{"id":12345678901234567890,"price":1.10,"big":1e400,"zero":-0,"list":[1.0]}';
    expect(patched(text, { op: 'move', from: '/price', path: '/cost' })).toBe(
      '{"id":12345678901234567890,"big":1e400,"zero":-0,"list":[1.0],"cost":1.10}',
    );
  });

  it('has equal numbers by their value', () => {
    expect(patched('{"a":1.0}', { op: 'test', path: '/a', value: 1 })).toBe('{"a":1.0}');
    const long = readJson('[12345678901234567890,12345678901234567891]') as Json[];
    const patch = [{ op: 'test' as const, path: '/0', value: long[1] as never }];
    expect(() => patchJson(long, patch)).toThrow(PatchMisfit);
  });
});

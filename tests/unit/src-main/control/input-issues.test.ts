import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { faultSchemas } from '#shared/rules/fault.ts';
import { RuleDefinitionSchema } from '#shared/rules/rule.ts';
import { describeIssues, summariseProblems } from '../../../../src-main/control/input-issues.ts';
import type { InputIssue } from '../../../../src-main/control/input-issues.ts';

function problems(schema: z.ZodType, input: unknown) {
  const result = schema.safeParse(input);
  if (result.success) throw new Error('expected the schema to refuse');
  return describeIssues(result.error.issues as unknown as InputIssue[]);
}

describe('describeIssues', () => {
  it('writes paths as one would write them', () => {
    const schema = z.object({ a: z.array(z.object({ b: z.number() })) });
    expect(problems(schema, { a: [{ b: 1 }, { b: 'x' }] })).toEqual([
      { path: 'a[1].b', message: expect.any(String), expected: 'number' },
    ]);
  });

  it('says of a field that is not there, and of another type, what it is to be', () => {
    const schema = z.object({ count: z.int(), name: z.string() });
    expect(problems(schema, { count: '7' }).map(({ message }) => message)).toEqual([
      'Expected number, not string.',
      'It is missing. Expected string.',
    ]);
  });

  it('gives the choices', () => {
    expect(problems(z.object({ side: z.enum(['a', 'b']) }), { side: 'c' })[0]?.expected).toBe('"a" | "b"');
  });

  it('names each field that there is none of', () => {
    expect(
      problems(z.object({ in: z.strictObject({}) }), { in: { x: 1, y: 2 } }).map(({ path }) => path),
    ).toEqual(['in.x', 'in.y']);
  });

  it('leaves out the part of the request that a field came in', () => {
    const schema = z.object({ params: z.object({ id: z.string() }), body: z.object({ name: z.string() }) });
    expect(problems(schema, { params: {}, body: {} }).map(({ path }) => path)).toEqual(['id', 'name']);
  });

  it('has a path for the whole input', () => {
    expect(problems(RuleDefinitionSchema, 'nonsense')).toEqual([
      { path: '', message: expect.any(String), expected: 'object' },
    ]);
  });

  it('says which types of faults there are', () => {
    const [problem] = problems(RuleDefinitionSchema, { name: 'x', faults: [{ type: 'flood' }] });
    expect(problem?.path).toBe('faults[0].type');
    const types = Object.keys(faultSchemas).map((type) => `"${type}"`);
    expect(problem?.expected).toBe(types.join(' | '));
  });
});

describe('summariseProblems', () => {
  it('names the first and counts the others', () => {
    const one = { path: 'name', message: 'Too short.', expected: null };
    expect(summariseProblems([one])).toBe('`name` was refused: Too short.');
    expect(summariseProblems([one, one, one])).toBe('`name` was refused: Too short. (and 2 more)');
    expect(summariseProblems([{ ...one, path: '' }])).toBe('The input was refused: Too short.');
  });
});

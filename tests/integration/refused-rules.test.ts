import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { faultSchemas } from '#shared/rules/fault.ts';
import { endRealAgents, eventually, startRealAgent } from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';

/**
 * Rules that cannot be, asked for from outside: every field of every fault beyond each of its bounds, then whole files. Each is
 * refused with its place, and what was there before still holds.
 */

interface FieldSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
}
interface FaultJsonSchema {
  readonly properties: Readonly<Record<string, FieldSchema>>;
  readonly required: readonly string[];
}

const badOfType: Readonly<Record<string, readonly unknown[]>> = {
  integer: ['2000', null, 1.5, true],
  number: ['0.5', null, []],
  string: [7, null, {}],
  object: ['x', 7, []],
  boolean: ['yes', 1],
  array: ['x', {}],
};

/** Values that the field's own schema excludes: another type, and one step beyond each bound. */
function badValues(field: FieldSchema): unknown[] {
  const bad: unknown[] = [...(badOfType[field.type ?? ''] ?? [])];
  if (field.minimum !== undefined) bad.push(field.minimum - 1);
  if (field.maximum !== undefined) bad.push(field.maximum + 1);
  if (field.minLength !== undefined && field.minLength > 0) bad.push('');
  if (field.maxLength !== undefined) bad.push('x'.repeat(field.maxLength + 1));
  if (field.enum !== undefined) bad.push('no such choice');
  return bad;
}

function schemaOf(schema: z.ZodType): FaultJsonSchema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as unknown as FaultJsonSchema;
}

interface Attempt {
  readonly fault: Record<string, unknown>;
  readonly field: string;
}

/** One attempt a bad value, a required field left out, and a field that there is none of. */
function attempts(type: string, { properties, required }: FaultJsonSchema): Attempt[] {
  const made: Attempt[] = [{ fault: { type, colour: 'red' }, field: 'colour' }];
  for (const [field, schema] of Object.entries(properties)) {
    if (field === 'type') continue;
    if (required.includes(field)) made.push({ fault: { type }, field });
    for (const value of badValues(schema)) made.push({ fault: { type, [field]: value }, field });
  }
  return made;
}

let agent: RealAgent;
const token = (): string => agent.ready.token;
const kept = {
  name: 'kept',
  enabled: true,
  match: { path: '/kept' },
  faults: [{ type: 'status', status: 503 }],
};

beforeAll(async () => {
  agent = await startRealAgent({ workers: 1 });
  await post(kept);
});
afterAll(endRealAgents);

function post(rule: unknown): Promise<Response> {
  return fetch(`${agent.ready.control}/api/v1/rules`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token()}`, 'content-type': 'application/json' },
    body: JSON.stringify(rule),
  });
}
const names = async (): Promise<string[]> => (await agent.client.rules.list()).map(({ name }) => name);

describe('a field of a fault that is out of its bounds', () => {
  it.each(Object.entries(faultSchemas))('%s', async (type, schema) => {
    const bad = attempts(type, schemaOf(schema));
    expect(bad.length).toBeGreaterThan(0);
    for (const { fault, field } of bad) {
      const answer = await post({ name: 'bad', faults: [fault] });
      const { error } = (await answer.json()) as {
        error: { code: string; details: { path: string; message: string }[] };
      };
      const said = JSON.stringify({ fault, error }).slice(0, 600);
      expect(answer.status, said).toBe(400);
      const paths = error.details.map(({ path }) => path);
      expect(
        paths.some((path) => path === `faults[0].${field}` || path.startsWith(`faults[0].${field}.`)),
        said,
      ).toBe(true);
    }
    expect(await names()).toEqual(['kept']);
  });

  it('is refused with the others in the rule, and in a change of one that is there', async () => {
    const [rule] = await agent.client.rules.list();
    const answer = await fetch(`${agent.ready.control}/api/v1/rules/${rule?.id}`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${token()}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'changed', faults: [{ type: 'status', status: 99 }, { type: 'flood' }] }),
    });
    expect(answer.status).toBe(400);
    expect(await agent.client.rules.list()).toEqual([rule]);
  });
});

describe('a file of rules', () => {
  const rule = (name: string, faults: string): string =>
    `  - { name: ${name}, match: { path: /x }, faults: [${faults}] }\n`;
  const fine = '{ type: status, status: 503 }';
  const many = (count: number, bad: number | null): string =>
    `version: 1\nrules:\n${Array.from({ length: count }, (_, index) =>
      rule(`r${index}`, index === bad ? '{ type: status, status: 99 }' : fine),
    ).join('')}`;
  const problem = async (): Promise<string> =>
    JSON.stringify((await agent.client.agent.status()).workspace?.problem ?? null);

  it.each<[string, string, RegExp]>([
    ['of a newer version', `version: 2\nrules: []\n`, /spike\.yaml:1:10/],
    [
      'with a fault that there is none of',
      `version: 1\nrules:\n${rule('a', '{ type: flood }')}`,
      /spike\.yaml:3:/,
    ],
    ['with one bad rule among 10,000', many(10_000, 9_000), /spike\.yaml:9003:/],
    ['with more rules than there may be', many(10_001, null), /10,?000/],
  ])('%s is refused with its place; the rules of before hold', async (_, text, place) => {
    const before = await agent.client.rules.list();
    writeFileSync(agent.workspacePath, text);
    await eventually(async () => expect(await problem()).toMatch(place));
    expect(await agent.client.rules.list()).toEqual(before);
  });

  it('of 10,000 rules is taken', async () => {
    writeFileSync(agent.workspacePath, many(10_000, null));
    await eventually(async () => expect(await names()).toHaveLength(10_000));
    expect(await problem()).toBe('null');
    const one = await post({ ...kept, name: 'one more' });
    expect(one.status).toBe(409);
  });
});

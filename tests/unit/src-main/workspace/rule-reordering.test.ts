import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changesBetween, withChanges } from '../../../../src-main/workspace/definition-changes.ts';
import { parseWorkspace } from '../../../../src-main/workspace/parse-workspace.ts';
import type { Definitions } from '../../../../src-main/workspace/parse-workspace.ts';
import { writeBack } from '../../../../src-main/workspace/write-back.ts';

const shop = readFileSync('examples/shop/spike.yaml', 'utf8');

function read(text: string) {
  const result = parseWorkspace(text, {});
  if (!result.ok) throw new Error(JSON.stringify(result.defect));
  return result.parsed;
}

const inOrder = (definitions: Definitions, ids: readonly string[]): Definitions => ({
  ...definitions,
  rules: ids.map((id) => definitions.rules.find((rule) => rule.id === id)!),
});

function reordered(text: string, ...ids: string[]): string {
  const parsed = read(text);
  const result = writeBack(parsed, inOrder(parsed, ids), {});
  if (result === null) throw new Error('was not written');
  expect(read(result).rules.map(({ id }) => id)).toEqual(ids);
  return result;
}

const commented = `version: 1
# All of them.
rules:
  # Rules of payments.

  # just inside the time-out
  - name: a # first
    faults: [{ type: hang }]
    # and nothing else

  # on the staging machine
  # only
  - name: b
    enabled: true
    faults:
      - { type: hang } # for ever

  # Rules of orders.

  - name: c
    faults: [{ type: hang }]
capture: { enabled: false }
`;

describe('rules in another order, in the file', () => {
  it('a rule takes its own comments along; headings and blank lines stay', () => {
    expect(reordered(commented, 'c', 'a', 'b')).toBe(`version: 1
# All of them.
rules:
  # Rules of payments.

  - name: c
    faults: [{ type: hang }]

  # just inside the time-out
  - name: a # first
    faults: [{ type: hang }]
    # and nothing else

  # Rules of orders.

  # on the staging machine
  # only
  - name: b
    enabled: true
    faults:
      - { type: hang } # for ever
capture: { enabled: false }
`);
  });

  it('there and back is the file as it was', () => {
    expect(reordered(reordered(commented, 'c', 'b', 'a'), 'a', 'b', 'c')).toBe(commented);
    const windows = commented.replaceAll('\n', '\r\n');
    expect(reordered(reordered(windows, 'b', 'c', 'a'), 'a', 'b', 'c')).toBe(windows);
  });

  it('rules within brackets, and rules that share an anchor', () => {
    const brackets =
      'version: 1\nrules: [{ name: a, faults: [{ type: hang }] }, { name: b, faults: [{ type: hang }] }]\n';
    expect(reordered(brackets, 'b', 'a')).toContain('name: b');
    const anchored =
      'version: 1\nrules:\n  - { name: a, faults: &f [{ type: hang }] }\n  - { name: b, faults: *f }\n';
    expect(reordered(anchored, 'b', 'a')).not.toContain('*f');
  });

  it('ids that the order of two names gives are kept', () => {
    const same =
      'version: 1\nrules:\n  - { name: a b, faults: [{ type: hang }] }\n  - { name: a-b, faults: [{ type: hang }] }\n';
    expect(read(reordered(same, 'a-b-2', 'a-b')).rules).toMatchObject([
      { id: 'a-b-2', name: 'a-b' },
      { id: 'a-b', name: 'a b' },
    ]);
  });

  it('together with other changes', () => {
    const parsed = read(commented);
    const [a, b, c] = parsed.rules;
    const target = { ...parsed, rules: [c!, { ...b!, enabled: false }, { ...a!, id: 'new', name: 'new' }] };
    const text = writeBack(parsed, target, {}) ?? '';
    expect(read(text).rules).toMatchObject([{ id: 'c' }, { id: 'b', enabled: false }, { id: 'new' }]);
    expect(text).toContain('# on the staging machine');
  });

  it('any order of the example: every line is still there, under its rule', () => {
    const { rules } = read(shop);
    const ids = rules.map(({ id }) => id);
    const lines = (text: string): string[] => text.split('\n').sort();
    fc.assert(
      fc.property(fc.shuffledSubarray(ids, { minLength: ids.length }), (order) => {
        expect(lines(reordered(shop, ...order))).toEqual(lines(shop));
      }),
      { numRuns: 20 },
    );
  });
});

describe('an order that two sides change', () => {
  const base = read(commented);
  const merged = (disk: Definitions, engine: Definitions): string[] =>
    withChanges(disk, changesBetween(base, engine)).rules.map(({ id }) => id);
  const extra = { ...base.rules[0]!, id: 'extra', name: 'extra' };

  it('is that of the engine where only it has moved them, with what the file has new behind its neighbour', () => {
    const disk = { ...base, rules: [base.rules[0]!, extra, base.rules[1]!, base.rules[2]!] };
    expect(merged(disk, inOrder(base, ['c', 'a', 'b']))).toEqual(['c', 'a', 'extra', 'b']);
  });

  it('is that of the file where the engine has not moved them', () => {
    const engine = { ...base, rules: [...base.rules, extra] };
    expect(merged(inOrder(base, ['b', 'a', 'c']), engine)).toEqual(['b', 'a', 'c', 'extra']);
  });

  it('no rule that one side has removed comes back', () => {
    expect(merged(inOrder(base, ['a', 'b']), inOrder(base, ['c', 'b', 'a']))).toEqual(['b', 'a']);
    expect(merged(inOrder(base, ['c', 'a', 'b']), inOrder(base, ['b', 'a']))).toEqual(['b', 'a']);
  });
});

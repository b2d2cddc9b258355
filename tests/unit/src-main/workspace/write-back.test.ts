import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  changesBetween,
  sameDefinitions,
  withChanges,
} from '../../../../src-main/workspace/definition-changes.ts';
import { identified, parseWorkspace } from '../../../../src-main/workspace/parse-workspace.ts';
import type { Definitions, IdentifiedRule } from '../../../../src-main/workspace/parse-workspace.ts';
import { writeBack } from '../../../../src-main/workspace/write-back.ts';
import { RuleDefinitionSchema } from '../../../../src-shared/rules/rule.ts';
import type { RuleInput } from '../../../../src-shared/rules/rule.ts';

const environment = { DELAY: '250' };
const shop = readFileSync('examples/shop/spike.yaml', 'utf8');
/** Without its scenarios, which need the rules that the tests take away. */
const example = shop.slice(0, shop.indexOf('\n# Rules over time'));

function read(text: string) {
  const result = parseWorkspace(text, environment);
  if (!result.ok) throw new Error(JSON.stringify(result.defect));
  return result.parsed;
}

function written(text: string, change: (before: Definitions) => Definitions): string {
  const parsed = read(text);
  const result = writeBack(parsed, change(parsed), environment);
  if (result === null) throw new Error('was not written');
  return result;
}

const changing = (id: string, change: Partial<IdentifiedRule>) => (before: Definitions) => ({
  ...before,
  rules: before.rules.map((rule) => (rule.id === id ? { ...rule, ...change } : rule)),
});
const adding =
  (...rules: RuleInput[]) =>
  (before: Definitions) => ({
    ...before,
    rules: [...before.rules, ...identified(rules.map((rule) => RuleDefinitionSchema.parse(rule)))],
  });
const removing = (id: string) => (before: Definitions) => ({
  ...before,
  rules: before.rules.filter((rule) => rule.id !== id),
});

/** The lines that differ, as `-old` and `+new`. */
function difference(before: string, after: string): string[] {
  const [a, b] = [before.split('\n'), after.split('\n')];
  const common = (x: string[], y: string[]) => {
    let n = 0;
    while (n < Math.min(x.length, y.length) && x[n] === y[n]) n++;
    return n;
  };
  const head = common(a, b);
  const tail = common(a.slice(head).reverse(), b.slice(head).reverse());
  return [
    ...a.slice(head, a.length - tail).map((line) => `-${line}`),
    ...b.slice(head, b.length - tail).map((line) => `+${line}`),
  ];
}

describe('what the window changes, in the file', () => {
  it('a toggle is one word in one line', () => {
    const after = written(example, changing('stock-db-hangs', { enabled: true }));
    expect(difference(example, after)).toEqual(['-    enabled: false', '+    enabled: true']);
    expect(read(after).rules.find(({ id }) => id === 'stock-db-hangs')?.enabled).toBe(true);
  });

  it('a figure within braces is that figure alone', () => {
    const faults = [{ type: 'bandwidth', direction: 'response', bytesPerSecond: 7 }] as const;
    const after = written(example, changing('stock-db-is-on-a-thin-line', { faults: [...faults] }));
    expect(difference(example, after)).toEqual([
      '-      - { type: bandwidth, direction: response, bytesPerSecond: 100 }',
      '+      - { type: bandwidth, direction: response, bytesPerSecond: 7 }',
    ]);
  });

  it('a key that was not there takes its place in the order of the documentation', () => {
    const block =
      'version: 1\nrules:\n  - name: a # mine\n    faults: [{ type: hang }]\n  - { name: b,   faults: [{ type: hang }] } # theirs\n';
    const after = written(block, (before) =>
      changing('b', { enabled: true })(changing('a', { enabled: true })(before)),
    );
    expect(after).toBe(
      'version: 1\nrules:\n  - name: a # mine\n    enabled: true\n    faults: [{ type: hang }]\n  - { name: b, enabled: true,   faults: [{ type: hang }] } # theirs\n',
    );
  });

  it('a matcher that is taken away, in both ways of writing', () => {
    const text =
      'version: 1\nrules:\n  - name: a\n    match:\n      caller: x\n      callee: y # why\n    faults: [{ type: hang }]\n  - { name: b, match: { caller: x, callee: y }, faults: [{ type: hang }] }\n';
    const after = written(text, (before) =>
      changing('b', { match: { callee: 'y' } })(changing('a', { match: { callee: 'y' } })(before)),
    );
    expect(difference(text, after)).toHaveLength(7);
    expect(after).toContain('    match:\n      callee: y # why\n');
    expect(after).toContain('{ name: b, match: { callee: y }, faults');
  });

  it('a new rule comes last, without an id, in the style of the documentation', () => {
    const after = written(
      example,
      adding({
        name: 'orders: slow',
        match: { callee: 'orders' },
        faults: [{ type: 'latency', latencyMs: 5 }],
      }),
    );
    expect(after).toBe(
      `${example.trimEnd()}\n` +
        '  - name: "orders: slow"\n' +
        '    enabled: false\n' +
        '    match: { callee: orders }\n' +
        '    faults:\n' +
        '      - { type: latency, direction: response, latencyMs: 5 }\n',
    );
  });

  it('a new rule stands before what comes behind the rules', () => {
    const after = written(shop, adding({ name: 'last', faults: [{ type: 'hang' }] }));
    expect(read(after).rules.at(-1)?.name).toBe('last');
    expect(after.indexOf('name: last')).toBeLessThan(after.indexOf('scenarios:'));
    expect(after.slice(after.indexOf('scenarios:'))).toBe(shop.slice(shop.indexOf('scenarios:')));
  });

  it('a first rule, where there was no list, an empty one and nothing in it', () => {
    for (const text of ['version: 1 # mine\n', 'version: 1 # mine\nrules: []\n']) {
      const after = written(text, adding({ name: 'a', faults: [{ type: 'hang' }] }));
      expect(after).toContain('version: 1 # mine\n');
      expect(read(after).rules).toMatchObject([{ name: 'a' }]);
    }
  });

  it('a removed rule goes with its lines; the comments of others stay', () => {
    const after = written(example, removing('shipping-breaks-off'));
    expect(after).not.toContain('shipping breaks off');
    expect(after).toContain('# The orders are placed all the same, with their payment pending.');
    expect(after.length).toBeLessThan(example.length);
    expect(read(after).rules).toHaveLength(5);
  });

  it('the last rule that there is', () => {
    const text = 'version: 1\nrules: # mine\n  - { name: a, faults: [{ type: hang }] }\n';
    expect(read(written(text, removing('a'))).rules).toEqual([]);
  });

  it('routes come and go', () => {
    const after = written(example, (before) => ({
      ...before,
      routes: [
        ...before.routes.slice(1),
        { name: 'redis', listen: '127.0.0.1:9200', upstream: 'tcp://127.0.0.1:6379' },
      ],
    }));
    expect(after).toContain('- { name: redis, listen: 127.0.0.1:9200, upstream: tcp://127.0.0.1:6379 }');
    expect(after).not.toContain('name: web');
  });

  it('a renamed rule keeps its id by having it written; the others stay without', () => {
    const after = written(example, changing('stock-db-hangs', { name: 'the stock hangs' }));
    expect(read(after).rules.at(-1)).toMatchObject({ id: 'stock-db-hangs', name: 'the stock hangs' });
    expect(after.match(/\bid:/g)).toHaveLength(1);
  });

  it('rules whose names give the same id keep theirs when one of them goes', () => {
    const text =
      'version: 1\nrules:\n  - { name: a b, faults: [{ type: hang }] }\n  - { name: a-b, faults: [{ type: hang }] }\n';
    expect(read(written(text, removing('a-b'))).rules).toMatchObject([{ id: 'a-b-2', name: 'a-b' }]);
  });

  it('nothing is changed where nothing changed', () => {
    expect(written(example, (before) => before)).toBe(example);
  });
});

describe('what must survive', () => {
  it('placeholders, beside a field that changes', () => {
    const text =
      'version: 1\nrules:\n  - name: a\n    enabled: false\n    faults:\n      - { type: latency, latencyMs: "${DELAY}" }\n';
    const after = written(text, changing('a', { enabled: true }));
    expect(after).toContain('"${DELAY}"');
    expect(written(text, adding({ name: 'b', faults: [{ type: 'hang' }] }))).toContain('"${DELAY}"');
  });

  it('line ends as they were', () => {
    const text = example.replaceAll('\n', '\r\n');
    const after = written(text, (before) =>
      adding({ name: 'z', faults: [{ type: 'hang' }] })(
        changing('stock-db-hangs', { enabled: true })(before),
      ),
    );
    expect(after.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  });

  it('the other places that an anchor stands for', () => {
    const text =
      'version: 1\nrules:\n  - { name: a, faults: &f [{ type: hang }] }\n  - { name: b, faults: *f }\n';
    const changed = written(text, changing('a', { faults: [{ type: 'reset', at: 'start' }] }));
    expect(read(changed).rules[1]?.faults).toEqual([{ type: 'hang', direction: 'response' }]);
    const other = written(text, changing('b', { faults: [{ type: 'reset', at: 'start' }] }));
    expect(read(other).rules[0]?.faults).toEqual([{ type: 'hang', direction: 'response' }]);
  });

  it('a value that looks like YAML, or like a placeholder', () => {
    const body = 'a: b # c\n- ${HOME} "d" \\ \u2028 {e}';
    const rule = { name: 'x: # y', faults: [{ type: 'status' as const, status: 500, body }] };
    const after = written(example, adding(rule));
    expect(read(after).rules.at(-1)?.faults[0]).toMatchObject({ body });
  });
});

const faultArbitrary = fc.oneof(
  fc.record({ type: fc.constant('latency' as const), latencyMs: fc.integer({ min: 0, max: 9999 }) }),
  fc.record({
    type: fc.constant('status' as const),
    status: fc.integer({ min: 200, max: 599 }),
    body: fc.string({ maxLength: 20 }),
  }),
  fc.record({
    type: fc.constant('hang' as const),
    direction: fc.constantFrom('request' as const, 'response' as const),
  }),
);
const ruleArbitrary = fc.record({
  name: fc.string({ minLength: 1, maxLength: 12 }).filter((name) => name.trim() !== ''),
  enabled: fc.boolean(),
  match: fc.record(
    { caller: fc.string({ minLength: 1, maxLength: 6 }), path: fc.constantFrom('/a/*', '*') },
    { requiredKeys: [] },
  ),
  faults: fc.array(faultArbitrary, { minLength: 1, maxLength: 3 }),
});
const rulesArbitrary = fc
  .uniqueArray(ruleArbitrary, { maxLength: 5, selector: ({ name }) => name.trim() })
  .map((rules) => identified(rules.map((rule) => RuleDefinitionSchema.parse(rule))));

describe('whatever is written', () => {
  it('reads as what was meant, in several steps', () => {
    fc.assert(
      fc.property(fc.array(rulesArbitrary, { minLength: 1, maxLength: 3 }), (steps) => {
        let parsed = read(example);
        for (const rules of steps) {
          const target = { rules, routes: parsed.routes };
          const text = writeBack(parsed, target, environment);
          expect(text).not.toBeNull();
          parsed = read(text ?? '');
          expect(sameDefinitions(parsed, target)).toBe(true);
        }
        expect(parsed.text).toContain('# The shop, through Spike.');
      }),
      { numRuns: 60 },
    );
  });
});

describe('two sides that change at once', () => {
  it('meet field by field, and the file says what is there at all', () => {
    const base = read(example);
    const engine = adding({ name: 'new', faults: [{ type: 'hang' }] })(
      changing('stock-db-hangs', { enabled: true })(base),
    );
    const disk = removing('inventory-fails-half')(
      changing('stock-db-hangs', { match: { callee: 'other' } })(base),
    );
    const merged = withChanges(disk, changesBetween(base, engine));
    expect(merged.rules.find(({ id }) => id === 'stock-db-hangs')).toMatchObject({
      enabled: true,
      match: { callee: 'other' },
    });
    expect(merged.rules.map(({ id }) => id)).not.toContain('inventory-fails-half');
    expect(merged.rules.at(-1)?.id).toBe('new');
  });

  it('a change of a rule that the file no longer has is dropped', () => {
    const base = read(example);
    const merged = withChanges(
      removing('stock-db-hangs')(base),
      changesBetween(base, changing('stock-db-hangs', { enabled: true })(base)),
    );
    expect(merged.rules.map(({ id }) => id)).not.toContain('stock-db-hangs');
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SpikeError } from '#shared/contract/errors.ts';
import { RuleDefinitionSchema, ruleIdFromName } from '#shared/rules/rule.ts';
import type { Rule, RuleInput } from '#shared/rules/rule.ts';
import { spikeYaml } from '../../../../src-main/control/rule-export.ts';
import { importRules } from '../../../../src-main/control/rule-import.ts';
import { parseWorkspace } from '../../../../src-main/workspace/parse-workspace.ts';

function ruleOf(input: RuleInput): Rule {
  const definition = RuleDefinitionSchema.parse(input);
  const id = definition.id ?? ruleIdFromName(definition.name);
  return { ...definition, id, version: 1, enabledAt: null, expiresAt: null, hits: 0, sentence: '' };
}

function refusal(text: string): SpikeError {
  try {
    importRules(text, false);
  } catch (error) {
    if (error instanceof SpikeError) return error;
    throw error;
  }
  throw new Error('was taken');
}

const shop = readFileSync('examples/shop/spike.yaml', 'utf8');

describe("Spike's own rules", () => {
  it('what is exported is a workspace file, and comes back as it was', () => {
    const rules = [
      { name: 'a: # b', enabled: true, faults: [{ type: 'status', status: 503, body: '${HOME}\n- x' }] },
      {
        name: 'named otherwise',
        id: 'other',
        match: { callee: 'payments', header: { 'x-a': false } },
        trigger: { probability: 0.5, seed: 7 },
        faults: [{ type: 'latency', latencyMs: 20 }, { type: 'hang' }],
      },
    ].map((rule) => ruleOf(rule as RuleInput));
    const text = spikeYaml(rules);
    expect(text).not.toContain('jitterMs');
    const back = importRules(text, true);
    const definitions = rules.map(({ id, name, match, trigger, faults }) => ({
      id,
      name,
      match,
      trigger,
      faults,
    }));
    expect(back.rules.map((rule) => ruleOf(rule))).toMatchObject(definitions);
    const workspace = parseWorkspace(text, {});
    expect(workspace).toMatchObject({ ok: true, parsed: { rules: definitions } });
    expect(back.notes).toEqual([]);
  });

  it('of a workspace file only the rules are taken, off, and what is left is told', () => {
    const { rules, notes } = importRules(shop.replace('enabled: false', 'enabled: true'), false);
    expect(rules.length).toBeGreaterThan(3);
    expect(rules.every(({ enabled }) => !enabled)).toBe(true);
    expect(notes.map(({ at }) => at)).toEqual(
      expect.arrayContaining(['routes', 'scenarios', 'rules[0].enabled']),
    );
  });

  it('a list, and a single rule, as one copies them from the window', () => {
    const one = 'name: one\nfaults: [{ type: hang }]\n';
    expect(importRules(one, false).rules).toMatchObject([{ name: 'one' }]);
    const list = '- { name: one, faults: [{ type: hang }] }\n- { name: one, faults: [{ type: reset }] }\n';
    expect(importRules(list, false).rules.map(({ name }) => name)).toEqual(['one', 'one (2)']);
  });

  it('placeholders are their defaults; one without is refused, whatever the environment has', () => {
    const rule = (delay: string): string =>
      `rules:\n  - name: "a \${NAME:-b}"\n    faults:\n      - { type: latency, latencyMs: "${delay}" }\n`;
    expect(importRules(rule('${DELAY:-250}'), false).rules).toMatchObject([
      { name: 'a b', faults: [{ latencyMs: 250 }] },
    ]);
    const error = refusal(rule('${PATH}'));
    expect(error.message).toContain('PATH is not set');
    expect(error.details).toMatchObject([{ line: 4, path: 'rules[0].faults[0].latencyMs' }]);
  });

  it('what is wrong is told with its line, all of it, and nothing is taken', () => {
    const error = refusal(
      'rules:\n  - name: good\n    faults: [{ type: hang }]\n  - name: bad\n    colour: red\n    faults:\n      - { type: latency, latencyMs: -1 }\n  - 7\n',
    );
    expect(error.details).toMatchObject([
      { line: 7, path: 'rules[1].faults[0].latencyMs' },
      { path: 'rules[1].colour', message: 'There is no such field.' },
      { line: 8, path: 'rules[2]' },
    ]);
    expect(error.message).toContain('No rule was added.');
  });

  it('as many as an agent has; not those of others', () => {
    const many = spikeYaml(
      Array.from({ length: 3000 }, (_, at) => ruleOf({ name: `r${at}`, faults: [{ type: 'hang' }] })),
    );
    expect(importRules(many, false).rules).toHaveLength(3000);
  });
});

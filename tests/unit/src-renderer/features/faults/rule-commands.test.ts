import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { RuleDefinitionSchema } from '#shared/rules/rule.ts';
import {
  homeOfCa,
  ruleCommands,
  shellWord,
} from '../../../../../src-renderer/features/faults/rule-commands.ts';

const target = { control: 'http://127.0.0.1:7071', home: "/home/it's me/.spike" };
const rule = RuleDefinitionSchema.parse({
  name: `it's "slow" $(rm)`,
  match: { callee: 'payments' },
  faults: [{ type: 'latency', latencyMs: 2000 }],
});

/** What a real shell makes of the words of a command. */
function words(command: string): string[] {
  const script = `curl() { printf '%s\\0' "$@"; }; cat() { printf token; }; ${command}`;
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1);
}

describe('a rule as a command', () => {
  const byLabel = new Map(ruleCommands(rule, 'a-rule', target).map(({ label, text }) => [label, text]));

  it('a shell gives curl the rule as it is, and the token from its file', () => {
    const given = words(byLabel.get('Make this rule, with curl') ?? '');
    expect(given.at(-1)).toBe('http://127.0.0.1:7071/api/v1/rules');
    expect(given).toContain('Authorization: Bearer token');
    expect(JSON.parse(given[given.indexOf('-d') + 1] ?? '')).toEqual({
      name: rule.name,
      enabled: true,
      match: { callee: 'payments' },
      faults: [{ type: 'latency', direction: 'response', latencyMs: 2000 }],
    });
    expect(words(byLabel.get('Turn it on, with curl') ?? '').at(-1)).toMatch(/\/rules\/a-rule\/enable$/);
  });

  it('spike is told the home, unless it is the usual one', () => {
    expect(byLabel.get('Turn it on, with spike')).toBe(
      String.raw`spike rules enable a-rule --home '/home/it'\''s me/.spike'`,
    );
    const usual = { ...target, home: '/home/me/.local/share/spike' };
    expect(ruleCommands(rule, 'a', usual)[1]?.text).toBe('spike rules enable a');
    expect(ruleCommands(rule, null, usual)).toHaveLength(2);
  });

  it('the home is where the CA is', () => {
    expect(homeOfCa('/home/me/.local/share/spike/ca/ca.pem')).toBe('/home/me/.local/share/spike');
    expect(shellWord('')).toBe("''");
  });
});

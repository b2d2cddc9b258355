import { stringify } from 'yaml';
import { briefFault } from '#shared/rules/brief-fault.ts';
import type { RuleDefinition } from '#shared/rules/rule.ts';

/** A rule as it would be written in the list of rules of spike.yaml: what is as by default is left out. */
export function ruleYaml(
  rule: Pick<RuleDefinition, 'name' | 'enabled' | 'match' | 'trigger' | 'faults'>,
): string {
  const entry = {
    name: rule.name,
    enabled: rule.enabled,
    ...(isEmpty(rule.match) ? {} : { match: rule.match }),
    ...(isEmpty(rule.trigger) ? {} : { trigger: rule.trigger }),
    faults: rule.faults.map(briefFault),
  };
  return stringify([entry], { lineWidth: 0 }).trimEnd();
}

function isEmpty(fields: object): boolean {
  return Object.values(fields).every((value) => value === undefined);
}

export interface YamlToken {
  readonly text: string;
  /** A class of spike.css: key, string, number, atom, punctuation. */
  readonly look: 'ck' | 'cs' | 'cn' | 'ca' | 'cp';
}

/** The colours of a line. It is our own YAML, so that a line is a key, a value, or a piece of a longer text. */
export function yamlTokens(line: string): YamlToken[] {
  const parts = /^(\s*)(- )?(?:([\w-]+|"[^"]*"|'[^']*')(:)(?: (.*))?)?$/.exec(line);
  if (parts === null) return [{ text: line, look: 'cs' }];
  const [, indent = '', dash = '', key, colon = '', value] = parts;
  const tokens: YamlToken[] = [{ text: indent + dash, look: 'cp' }];
  if (key !== undefined) tokens.push({ text: key, look: 'ck' }, { text: colon, look: 'cp' });
  if (value !== undefined) tokens.push({ text: ` ${value}`, look: lookOf(value) });
  return tokens;
}

function lookOf(value: string): YamlToken['look'] {
  if (/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(value)) return 'cn';
  return /^(true|false|null|\||>|\|-|>-)$/.test(value) ? 'ca' : 'cs';
}

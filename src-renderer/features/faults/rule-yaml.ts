import { stringify } from 'yaml';
import { briefFault } from '#shared/rules/brief-fault.ts';
import type { RuleDefinition } from '#shared/rules/rule.ts';

/** How a rule is written beside its form. */
export const textLanguages = ['yaml', 'json'] as const;
export type TextLanguage = (typeof textLanguages)[number];

type WrittenRule = Pick<RuleDefinition, 'name' | 'enabled' | 'match' | 'trigger' | 'faults'>;

export function writeRule(rule: WrittenRule, language: TextLanguage): string {
  return language === 'yaml' ? ruleYaml(rule) : JSON.stringify(briefRule(rule), null, 2);
}

/** A rule as it would be written in the list of rules of spike.yaml: what is as by default is left out. */
export function ruleYaml(rule: WrittenRule): string {
  return stringify([briefRule(rule)], { lineWidth: 0 }).trimEnd();
}

function briefRule(rule: WrittenRule): object {
  return {
    name: rule.name,
    enabled: rule.enabled,
    ...(isEmpty(rule.match) ? {} : { match: rule.match }),
    ...(isEmpty(rule.trigger) ? {} : { trigger: rule.trigger }),
    faults: rule.faults.map(briefFault),
  };
}

function isEmpty(fields: object): boolean {
  return Object.values(fields).every((value) => value === undefined);
}

export interface YamlToken {
  readonly text: string;
  /** A class of spike.css: key, string, number, atom, punctuation, comment. */
  readonly look: 'ck' | 'cs' | 'cn' | 'ca' | 'cp' | 'cc';
}

/** The colours of a line by itself: a key, a value, a comment, or a piece of a longer text. No letter is lost. */
export function yamlTokens(line: string): YamlToken[] {
  const [said, comment] = splitComment(line);
  const tokens = saidTokens(said);
  if (comment !== '') tokens.push({ text: comment, look: 'cc' });
  return tokens.filter(({ text }) => text !== '');
}

function saidTokens(said: string): YamlToken[] {
  const parts = /^(\s*(?:- )*)(?:([\w.$-]+|"[^"]*"|'[^']*')(:)(\s.*)?)?$/.exec(said);
  if (parts === null) {
    const [, lead = '', rest = ''] = /^(\s*(?:- +)*)(.*)$/.exec(said) ?? [];
    return [
      { text: lead, look: 'cp' },
      { text: rest, look: lookOf(rest.trim()) },
    ];
  }
  const [, lead = '', key = '', colon = '', value = ''] = parts;
  return [
    { text: lead, look: 'cp' },
    { text: key, look: 'ck' },
    { text: colon, look: 'cp' },
    { text: value, look: lookOf(value.trim()) },
  ];
}

/** A comment begins with `#` after a space, outside of quotes. */
function splitComment(line: string): [said: string, comment: string] {
  const said = /^(?:"(?:[^"\\]|\\.)*"|'[^']*'|(?<=\S)#|[^#])*/.exec(line)?.[0] ?? '';
  return [said, line.slice(said.length)];
}

function lookOf(value: string): YamlToken['look'] {
  if (/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(value)) return 'cn';
  return /^(true|false|null|\||>|\|-|>-)$/.test(value) ? 'ca' : 'cs';
}

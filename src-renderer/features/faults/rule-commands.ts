import { briefFault } from '#shared/rules/brief-fault.ts';
import type { RuleDefinition } from '#shared/rules/rule.ts';

/** Where the commands go: the agent of this window. */
export interface CommandTarget {
  /** Base URL of the control API. */
  readonly control: string;
  /** The agent's home, where its token is. */
  readonly home: string;
}

export interface RuleCommand {
  readonly label: string;
  readonly text: string;
}

type Written = Pick<RuleDefinition, 'name' | 'match' | 'trigger' | 'faults'>;

/** The rule as commands for a shell. @param id null: the rule is not saved yet, so there is nothing to turn on. */
export function ruleCommands(rule: Written, id: string | null, target: CommandTarget): RuleCommand[] {
  const json = JSON.stringify(bodyOf(rule));
  const home = isUsualHome(target.home) ? '' : ` --home ${shellWord(target.home)}`;
  const make = [
    { label: 'Make this rule, with curl', text: curl(target, '/rules', json) },
    {
      label: 'Make this rule, with spike',
      text: `printf %s ${shellWord(json)} | spike rules import - --enable${home}`,
    },
  ];
  if (id === null) return make;
  return [
    { label: 'Turn it on, with curl', text: curl(target, `/rules/${encodeURIComponent(id)}/enable`) },
    { label: 'Turn it on, with spike', text: `spike rules enable ${shellWord(id)}${home}` },
    ...make,
  ];
}

/** On, since that is what somebody wants who runs it; what is as by default is left out. */
function bodyOf({ name, match, trigger, faults }: Written): object {
  return {
    name,
    enabled: true,
    ...(Object.keys(match).length === 0 ? {} : { match }),
    ...(Object.keys(trigger).length === 0 ? {} : { trigger }),
    faults: faults.map(briefFault),
  };
}

function curl({ control, home }: CommandTarget, path: string, json?: string): string {
  // The token stays in its file: a command is pasted into chats and tickets.
  const token = `-H "Authorization: Bearer $(cat ${shellWord(`${home}/token`)})"`;
  const body = json === undefined ? '' : ` -H 'Content-Type: application/json' -d ${shellWord(json)}`;
  return `curl -sf -X POST ${token}${body} ${shellWord(`${control}/api/v1${path}`)}`;
}

/** The agent's home, by where its CA is. */
export function homeOfCa(path: string): string {
  return path.replace(/[\\/]ca[\\/][^\\/]*$/, '');
}

function isUsualHome(home: string): boolean {
  return /[\\/](\.local[\\/]share|Application Support|Roaming)[\\/]spike$/i.test(home);
}

/** A word of a POSIX shell that stands for exactly this text. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

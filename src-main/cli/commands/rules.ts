import type { Command } from 'commander';
import { homeOf, withHome } from '../options.ts';
import type { HomeOption } from '../options.ts';
import { connectToAgent } from '../running-agent.ts';
import { tableText } from '../table.ts';

export function addRulesCommand(program: Command): void {
  const rules = program.command('rules').description('the rules of the running agent');
  withHome(rules.command('list').description('all rules'))
    .option('--json', 'as the API gives them', false)
    .action(list);
  for (const action of ['enable', 'disable'] as const) {
    withHome(
      rules.command(action).description(`${action} a rule`).argument('<id>', 'as the list has it'),
    ).action((id: string, flags: HomeOption) => toggle(action, id, flags));
  }
  withHome(
    rules.command('clear').description('turn all rules off and let held calls go; none is deleted'),
  ).action(clear);
}

async function list(flags: HomeOption & { json: boolean }): Promise<void> {
  const { client } = await connectToAgent(homeOf(flags));
  const rules = await client.rules.list();
  if (flags.json) return void process.stdout.write(`${JSON.stringify(rules, null, 2)}\n`);
  if (rules.length === 0) return void process.stdout.write('There are no rules.\n');
  const rows = rules.map(({ id, enabled, hits, sentence }) => [
    id,
    enabled ? 'on' : 'off',
    String(hits),
    sentence,
  ]);
  process.stdout.write(tableText(['ID', 'STATE', 'HITS', 'WHAT IT DOES'], rows, [2]));
}

async function toggle(action: 'enable' | 'disable', id: string, flags: HomeOption): Promise<void> {
  const { client } = await connectToAgent(homeOf(flags));
  const rule = await client.rules[action]({ id });
  process.stdout.write(`${rule.id} is ${rule.enabled ? 'on' : 'off'}: ${rule.sentence}\n`);
}

async function clear(flags: HomeOption): Promise<void> {
  const { client } = await connectToAgent(homeOf(flags));
  const { disabled, released } = await client.rules.disableAll();
  process.stdout.write(
    `${disabled.length} turned off${disabled.length === 0 ? '' : `: ${disabled.join(', ')}`}. ${released} held calls let go.\n`,
  );
}

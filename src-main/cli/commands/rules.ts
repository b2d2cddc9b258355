import { readFile } from 'node:fs/promises';
import { text as textOf } from 'node:stream/consumers';
import { Option } from 'commander';
import type { Command } from 'commander';
import { CommandFailure } from '../exit-status.ts';
import { homeOf, withHome } from '../options.ts';
import type { HomeOption } from '../options.ts';
import { connectToAgent } from '../running-agent.ts';
import { printable, tableText } from '../table.ts';
import { writeResult } from './ca.ts';

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
    rules
      .command('move')
      .description('change the order in which rules are tried')
      .argument('<id>', 'as the list has it')
      .argument('[before]', 'the id of the rule that is tried after it; absent: behind the last'),
  ).action(move);
  addInterop(rules);
  withHome(
    rules.command('clear').description('turn all rules off and let held calls go; none is deleted'),
  ).action(clear);
}

interface ImportFlags extends HomeOption {
  enable: boolean;
  rename: boolean;
  dryRun: boolean;
}

interface ExportFlags extends HomeOption {
  format: 'spike' | 'istio';
  rule: string[];
}

function addInterop(rules: Command): void {
  withHome(
    rules
      .command('import')
      .description(
        'add the rules of a file: of Spike, VirtualServices of Istio, fault filters of Envoy; all or none',
      )
      .argument('<file>', '- is stdin'),
  )
    .option('--enable', 'turn them on as they are added', false)
    .option('--rename', 'give those another name whose name is taken', false)
    .option('--dry-run', 'only say what they would be', false)
    .action(importFile);
  withHome(
    rules
      .command('export')
      .description('write rules as YAML')
      .argument('[file]', 'where to; absent or -: stdout'),
  )
    .addOption(
      new Option('--format <format>', 'a workspace file, or VirtualServices')
        .choices(['spike', 'istio'])
        .default('spike'),
    )
    .option('--rule <id>', 'only this one; may be repeated', (id: string, ids: string[]) => [...ids, id], [])
    .action(exportFile);
}

async function importFile(file: string, flags: ImportFlags): Promise<void> {
  const text = await readText(file);
  const { client } = await connectToAgent(homeOf(flags));
  const { rules, added, notes } = await client.rules.import({
    text,
    apply: !flags.dryRun,
    enabled: flags.enable,
    taken: flags.rename ? 'rename' : 'refuse',
  });
  const rows = flags.dryRun
    ? rules.map(({ name }) => [name, 'not added'])
    : added.map(({ name, sentence }) => [name, sentence]);
  process.stdout.write(tableText(['RULE', flags.dryRun ? 'STATE' : 'WHAT IT DOES'], rows));
  for (const { line, at, message } of notes)
    process.stderr.write(`line ${line}${at === '' ? '' : `, ${printable(at)}`}: ${printable(message)}\n`);
}

async function readText(file: string): Promise<string> {
  try {
    return file === '-' ? await textOf(process.stdin) : await readFile(file, 'utf8');
  } catch (error) {
    throw new CommandFailure(
      `${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}.`,
    );
  }
}

async function exportFile(file: string | undefined, { format, rule, ...flags }: ExportFlags): Promise<void> {
  const { client } = await connectToAgent(homeOf(flags));
  const answer = await client.rules.export({ format, ...(rule.length > 0 && { ids: rule.join(',') }) });
  const text = await answer.text();
  if (file === undefined || file === '-') return void process.stdout.write(text);
  await writeResult(file, text);
}

async function move(id: string, before: string | undefined, flags: HomeOption): Promise<void> {
  const { client } = await connectToAgent(homeOf(flags));
  const { ids } = await client.rules.move({ params: { id }, body: { before: before ?? null } });
  process.stdout.write(`${ids.join('\n')}\n`);
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

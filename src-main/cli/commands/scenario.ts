import type { Command } from 'commander';
import type { AgentClient } from '#shared/contract/contract.ts';
import { AssertionError, parseAssertion } from '#shared/scenarios/assertion.ts';
import { ScenarioReportSchema } from '#shared/scenarios/report.ts';
import type { ScenarioReport, ScenarioRun } from '#shared/scenarios/report.ts';
import { timelineOf } from '#shared/scenarios/timeline.ts';
import { CommandFailure, UsageError } from '../exit-status.ts';
import { homeOf, withHome } from '../options.ts';
import type { HomeOption } from '../options.ts';
import { connectToAgent } from '../running-agent.ts';
import { printable, tableText } from '../table.ts';
import { writeResult } from './ca.ts';

interface RunFlags extends HomeOption {
  assert: string[];
  report?: string;
  json: boolean;
}

export function addScenarioCommand(program: Command): void {
  const scenario = program.command('scenario').description('rules over time, of the workspace file');
  withHome(scenario.command('list').description('all scenarios'))
    .option('--json', 'as the API gives them', false)
    .action(list);
  withHome(
    scenario
      .command('run')
      .description('run a scenario to its end; 1 when an assertion fails or it is stopped')
      .argument('<name>', 'as the list has it'),
  )
    .option('--assert <assertion>', "such as 'checkout.errorRate < 1%'; may be repeated", collected, [])
    .option('--report <file>', 'write the report: .html is a page, .json is data')
    .option('--json', 'print the report as JSON, and nothing else', false)
    .action(run);
  withHome(scenario.command('stop').description('stop the one that runs; its rules are as before')).action(
    stop,
  );
}

function collected(text: string, before: readonly string[]): string[] {
  return [...before, text];
}

async function list(flags: HomeOption & { json: boolean }): Promise<void> {
  const { client } = await connectToAgent(homeOf(flags));
  const scenarios = await client.scenarios.list();
  if (flags.json) return void process.stdout.write(`${JSON.stringify(scenarios, null, 2)}\n`);
  if (scenarios.length === 0) {
    return void process.stdout.write('The workspace file has no scenarios.\n');
  }
  const rows = scenarios.map((scenario) => [
    scenario.name,
    scenario.duration,
    timelineOf(scenario)
      .timeline.phases.map((phase) => phase.name)
      .join(', '),
  ]);
  process.stdout.write(tableText(['NAME', 'DURATION', 'PHASES'], rows));
}

async function stop(flags: HomeOption): Promise<void> {
  const { client } = await connectToAgent(homeOf(flags));
  const { scenario, elapsedMs } = await client.scenarios.stop();
  process.stdout.write(`${printable(scenario)} was stopped after ${seconds(elapsedMs)}.\n`);
}

async function run(name: string, flags: RunFlags): Promise<void> {
  for (const text of flags.assert) checkAssertion(text);
  const format = formatOf(flags.report);
  const { client } = await connectToAgent(homeOf(flags));
  const begun = await client.scenarios.run({ name, assert: flags.assert });
  await followed(client, begun, flags.json ? () => undefined : (line) => process.stdout.write(`${line}\n`));
  const report = await reportOf(client, begun.id);
  if (flags.report !== undefined && format !== null) {
    const file = await client.scenarios.report({ id: begun.id, format });
    await writeResult(flags.report, new Uint8Array(await file.arrayBuffer()));
  }
  process.stdout.write(flags.json ? `${JSON.stringify(report, null, 2)}\n` : reportText(report));
  if (!report.passed) throw new CommandFailure(whyNotPassed(report));
}

/** Before anything is asked of an agent: a slip of the pen needs none to be found. */
function checkAssertion(text: string): void {
  try {
    parseAssertion(text);
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error;
    throw new UsageError(`${error.message}.\n  ${printable(text)}\n  ${' '.repeat(error.at)}^`);
  }
}

function formatOf(file: string | undefined): 'html' | 'json' | null {
  if (file === undefined) return null;
  const found = /\.(html|json)$/.exec(file)?.[1];
  if (found === undefined)
    throw new UsageError(`Expected a report file that ends in .html or .json, not ${file}.`);
  return found as 'html' | 'json';
}

const askEveryMs = 200;

/** Tells each phase when it begins; resolves when the report is made. */
async function followed(
  client: AgentClient,
  begun: ScenarioRun,
  tell: (line: string) => void,
): Promise<void> {
  tell(`${printable(begun.scenario)}: ${begun.phases.length} phases in ${seconds(begun.durationMs)}`);
  let told = -1;
  for (let run = begun; ; run = await currentOf(client, begun)) {
    for (; told < run.phase; told += 1) tell(phaseLine(run, told + 1));
    if (run.state === 'ended') return;
    await new Promise((resolve) => setTimeout(resolve, askEveryMs));
  }
}

async function currentOf(client: AgentClient, { id, scenario }: ScenarioRun): Promise<ScenarioRun> {
  const { run: current } = await client.scenarios.current();
  if (current?.id === id) return current;
  throw new CommandFailure(
    `"${printable(scenario)}" is over, and another one was begun; its report is ${id}.`,
  );
}

function phaseLine({ phases }: ScenarioRun, index: number): string {
  const phase = phases[index];
  const rules = phase === undefined || phase.on.length === 0 ? '' : `  (${printable(phase.on.join(', '))})`;
  return `${seconds(phase?.fromMs ?? 0).padStart(8)}  ${printable(phase?.name)}${rules}`;
}

async function reportOf(client: AgentClient, id: string): Promise<ScenarioReport> {
  const file = await client.scenarios.report({ id, format: 'json' });
  return ScenarioReportSchema.parse(JSON.parse(await file.text()));
}

function reportText({ callers, assertions, notes }: ScenarioReport): string {
  const lines = [
    ...callers.map(({ name, sentence }) => `${name}: ${sentence}`),
    ...assertions.map(({ text, passed, reason }) => `${passed ? 'holds' : 'fails'}  ${text}  ${reason}`),
    ...notes,
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}

function whyNotPassed({ outcome, reason, assertions }: ScenarioReport): string {
  if (outcome === 'stopped') return `The scenario was stopped: ${printable(reason ?? '')}.`;
  const failed = assertions.filter(({ passed }) => !passed);
  return failed.map(({ text, reason: why }) => printable(`${text} does not hold. ${why}`)).join('\n');
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(1))} s`;
}

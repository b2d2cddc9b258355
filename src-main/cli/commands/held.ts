import type { Command } from 'commander';
import type { HeldCall, HeldOutcome } from '#shared/contract/held.ts';
import { duration } from '#shared/rules/fault-effects.ts';
import { homeOf, withHome } from '../options.ts';
import type { HomeOption } from '../options.ts';
import { connectToAgent } from '../running-agent.ts';
import { tableText } from '../table.ts';

export function addHeldCommand(program: Command): void {
  const held = program.command('held').description('the calls that breakpoints of the running agent hold');
  withHome(held.command('list').description('all of them, oldest first'))
    .option('--json', 'as the API gives them', false)
    .action(list);
  const decide = { release: 'let a call go on as it came', drop: "reset the caller's connection" } as const;
  for (const action of ['release', 'drop'] as const) {
    withHome(held.command(action).description(decide[action]).argument('<id>', 'as the list has it')).action(
      (id: string, flags: HomeOption) => act(action, id, flags),
    );
  }
  withHome(held.command('release-all').description('let all held calls go on as they came')).action(
    releaseAll,
  );
}

async function list(flags: HomeOption & { json: boolean }): Promise<void> {
  const { client } = await connectToAgent(homeOf(flags));
  const calls = await client.held.list();
  if (flags.json) return void process.stdout.write(`${JSON.stringify(calls, null, 2)}\n`);
  if (calls.length === 0) return void process.stdout.write('No call is held.\n');
  const nowMs = Date.now();
  const headings = ['ID', 'AT', 'CALLER', 'CALLEE', 'CALL', 'BYTES', 'THEN', 'RULE'];
  const rows = calls.map((call) => rowOf(call, nowMs));
  process.stdout.write(tableText(headings, rows, [5]));
}

function rowOf(call: HeldCall, nowMs: number): string[] {
  const { id, at, caller, callee, method, url, status, sizeBytes, ruleName } = call;
  const words = `${method} ${url}${status === null ? '' : ` ${status}`}`;
  return [id, at, caller ?? '', callee ?? '', words, String(sizeBytes), thenWords(call, nowMs), ruleName];
}

/** `release in 12 s`. */
function thenWords({ state, onTimeout, expiresAt }: HeldCall, nowMs: number): string {
  if (state === 'caller-gone') return 'caller gone';
  const leftMs = Math.max(0, Date.parse(expiresAt) - nowMs);
  return `${onTimeout} in ${duration(Math.ceil(leftMs / 1000) * 1000)}`;
}

const outcomeWords: Partial<Record<HeldOutcome, string>> = {
  released: 'goes on as it came',
  dropped: 'was dropped',
  'caller-gone': 'is over: its caller had hung up',
};

async function act(action: 'release' | 'drop', id: string, flags: HomeOption): Promise<void> {
  const { client } = await connectToAgent(homeOf(flags));
  const { held } = client;
  const { outcome } = await (action === 'drop'
    ? held.drop({ id })
    : held.release({ params: { id }, body: {} }));
  process.stdout.write(`${id} ${outcomeWords[outcome] ?? outcome}.\n`);
}

async function releaseAll(flags: HomeOption): Promise<void> {
  const { client } = await connectToAgent(homeOf(flags));
  const { released } = await client.held.releaseAll();
  process.stdout.write(`${released} held calls let go.\n`);
}

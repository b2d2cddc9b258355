import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { homeOf, withHome } from '../options.ts';
import type { HomeOption } from '../options.ts';
import { connectToAgent } from '../running-agent.ts';
import { tableText } from '../table.ts';
import { writeResult } from './ca.ts';

interface ExportFlags extends HomeOption {
  format: 'har';
  redact: boolean;
  filter: string;
}

export function addCaptureCommand(program: Command): void {
  const capture = program.command('capture').description('what the running agent has captured');
  withHome(capture.command('list').description('the captures that there are'))
    .option('--json', 'as the API gives them', false)
    .action(list);
  withHome(
    capture.command('export').description('write captured calls to a file').argument('<file>', '- is stdout'),
  )
    .option('--format <format>', 'har', format, 'har')
    .option('--no-redact', 'keep credentials, cookies and other secrets as they are')
    .option('--filter <search>', 'only what this search of the window finds', '')
    .action(exportCapture);
}

function format(text: string): string {
  if (text === 'har') return text;
  const later = text === 'spike' || text === 'pcapng';
  throw new InvalidArgumentError(
    later ? `${text} is not available in this version; har is.` : 'Expected har.',
  );
}

async function list(flags: HomeOption & { json: boolean }): Promise<void> {
  const { client } = await connectToAgent(homeOf(flags));
  const captures = await client.captures.list();
  if (flags.json) return void process.stdout.write(`${JSON.stringify(captures, null, 2)}\n`);
  const rows = captures.map(({ id, flows, bytes, startedAt }) => [
    id,
    String(flows),
    String(bytes),
    startedAt ?? 'empty',
  ]);
  process.stdout.write(tableText(['ID', 'CALLS', 'BYTES', 'SINCE'], rows, [1, 2]));
}

async function exportCapture(
  file: string,
  { format: as, redact, filter, ...flags }: ExportFlags,
): Promise<void> {
  const { client } = await connectToAgent(homeOf(flags));
  const query = { id: 'current', format: as, redact: redact ? '1' : '0', filter } as const;
  const bytes = new Uint8Array(await (await client.captures.export(query)).arrayBuffer());
  if (file === '-') return void process.stdout.write(bytes);
  await writeResult(file, bytes);
  const note = redact
    ? 'Secrets were replaced; --no-redact keeps them.'
    : 'It holds secrets: nothing was replaced.';
  process.stderr.write(`${file}: ${bytes.byteLength} bytes. ${note}\n`);
}

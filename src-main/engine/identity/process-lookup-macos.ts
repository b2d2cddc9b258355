// macOS, by the programs that come with it. Written from lsof(8) and ps(1); the parsers are tested on samples of their output,
// but no test of the project has run this on a Mac yet. libproc would be cheaper, and needs native code.
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { createBatchedLookup } from './batched-lookup.ts';
import type { CommandRunner } from './command-runner.ts';
import { normalAddress } from './proc-net-tcp.ts';
import { packageNameOf } from './proc-process.ts';
import type { OwningProcess, ProcessLookup } from './process-lookup.ts';
import { serviceNameOf } from './process-name.ts';

export interface CommandLookupOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly run: CommandRunner;
}

export function createMacLookup({ clock, log, run }: CommandLookupOptions): ProcessLookup {
  const questions = createBatchedLookup<OwningProcess>({
    clock,
    // A run of lsof takes tens of milliseconds.
    share: 0.1,
    failed: (error) =>
      log.warn({ err: error }, 'Looking up who is calling failed; callers are named by address.'),
    async answer(keys) {
      // One run for all that wait: established and listening sockets of all processes that may be seen.
      const pids = parseLsof(await run('lsof', ['-nP', '-iTCP', '-sTCP:ESTABLISHED,LISTEN', '-Fpn']));
      const wanted = [...keys].filter((key) => pids.has(key));
      const described = await describe(new Set(wanted.map((key) => pids.get(key) as number)), run);
      const answers = new Map<string, OwningProcess>();
      for (const key of wanted) {
        const process = described.get(pids.get(key) as number);
        if (process !== undefined) answers.set(key, process);
      }
      return answers;
    },
  });
  return {
    ownerOf: ({ clientAddress, clientPort, localPort }) =>
      questions.ask(`${normalAddress(clientAddress)} ${clientPort} ${localPort}`),
    listenerOf: (port) => questions.ask(`listener ${port}`),
    close: () => questions.close(),
  };
}

/** Of `lsof -Fpn`: `p123` begins a process, `n127.0.0.1:50000->127.0.0.1:7070` or `n*:8104` is one of its sockets. */
export function parseLsof(output: string): Map<string, number> {
  const pids = new Map<string, number>();
  let pid = 0;
  for (const line of output.split('\n')) {
    if (line.startsWith('p')) pid = Number(line.slice(1));
    const connection = /^n\[?([^\]]+?)\]?:(\d+)->.*:(\d+)$/.exec(line);
    const listener = /^n[^>]*:(\d+)$/.exec(line);
    if (connection !== null)
      pids.set(`${normalAddress(connection[1] ?? '')} ${connection[2]} ${connection[3]}`, pid);
    else if (listener !== null) pids.set(`listener ${listener[1]}`, pid);
  }
  return pids;
}

async function describe(pids: ReadonlySet<number>, run: CommandRunner): Promise<Map<number, OwningProcess>> {
  if (pids.size === 0) return new Map();
  const list = [...pids].join(',');
  // With `e` the environment follows the command line; other users' is left out.
  const [commands, folders] = await Promise.all([
    run('ps', ['eww', '-o', 'pid=,command=', '-p', list]),
    run('lsof', ['-a', '-d', 'cwd', '-p', list, '-Fn']),
  ]);
  return parseProcesses(commands, parseFolders(folders));
}

export function parseFolders(output: string): Map<number, string> {
  const folders = new Map<number, string>();
  let pid = 0;
  for (const line of output.split('\n')) {
    if (line.startsWith('p')) pid = Number(line.slice(1));
    else if (line.startsWith('n')) folders.set(pid, line.slice(1));
  }
  return folders;
}

/** ps does not quote: a path with spaces is read as words, which can only make a name worse, not wrong for others. */
export function parseProcesses(
  output: string,
  folders: ReadonlyMap<number, string>,
): Map<number, OwningProcess> {
  const processes = new Map<number, OwningProcess>();
  for (const line of output.split('\n')) {
    const [, id, command = ''] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    if (id === undefined) continue;
    const pid = Number(id);
    const words = command.split(' ');
    const environmentAt = words.findIndex((word) => /^[A-Za-z_]\w*=/.test(word));
    const argv = environmentAt < 0 ? words : words.slice(0, environmentAt);
    const variable = (name: string) =>
      words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
    const service = variable('SPIKE_SERVICE');
    const started = {
      comm: argv[0] ?? '',
      argv,
      cwd: folders.get(pid) ?? '',
      otelServiceName: variable('OTEL_SERVICE_NAME'),
    };
    processes.set(
      pid,
      service
        ? { pid, name: service, resolvedBy: 'run' }
        : { pid, name: serviceNameOf(started, packageNameOf), resolvedBy: 'process' },
    );
  }
  return processes;
}

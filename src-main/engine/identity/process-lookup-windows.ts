// Windows, by the programs that come with it. Written from Microsoft's documentation of netstat and Win32_Process; the parsers
// are tested on samples of their output, but no test of the project has run this on Windows yet. GetExtendedTcpTable would be
// cheaper, and needs native code. The environment of another process cannot be read: callers of `spike run` are told by the
// proxy user name alone.
import { createBatchedLookup } from './batched-lookup.ts';
import { normalAddress } from './proc-net-tcp.ts';
import { packageNameOf } from './proc-process.ts';
import type { OwningProcess, ProcessLookup } from './process-lookup.ts';
import type { CommandLookupOptions } from './process-lookup-macos.ts';
import { serviceNameOf } from './process-name.ts';

const PROCESSES =
  'Get-CimInstance Win32_Process | Select-Object ProcessId,Name,CommandLine | ConvertTo-Json -Compress';

export function createWindowsLookup({ clock, log, run }: CommandLookupOptions): ProcessLookup {
  const questions = createBatchedLookup<OwningProcess>({
    clock,
    // Starting PowerShell takes hundreds of milliseconds.
    share: 0.1,
    failed: (error) =>
      log.warn({ err: error }, 'Looking up who is calling failed; callers are named by address.'),
    async answer(keys) {
      const pids = parseNetstat(
        (await run('netstat', ['-ano', '-p', 'TCP'])) + (await run('netstat', ['-ano', '-p', 'TCPv6'])),
      );
      const wanted = [...keys].filter((key) => pids.has(key));
      if (wanted.length === 0) return new Map();
      const processes = parseCimProcesses(
        await run('powershell', ['-NoProfile', '-NonInteractive', '-Command', PROCESSES]),
      );
      const answers = new Map<string, OwningProcess>();
      for (const key of wanted) {
        const process = processes.get(pids.get(key) as number);
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

/** `  TCP    127.0.0.1:50000    127.0.0.1:7070    ESTABLISHED    4711`. States are in the user's language, so ports tell. */
export function parseNetstat(output: string): Map<string, number> {
  const pids = new Map<string, number>();
  for (const line of output.split(/\r?\n/)) {
    const found = /^\s*TCP\s+\[?([^\]\s]+?)\]?:(\d+)\s+\S+:(\d+)\s+.*?(\d+)\s*$/.exec(line);
    if (found === null) continue;
    const [, address = '', localPort, remotePort, pid] = found;
    // Sockets that nobody holds any more belong to process 0.
    if (pid === '0') continue;
    pids.set(
      remotePort === '0' ? `listener ${localPort}` : `${normalAddress(address)} ${localPort} ${remotePort}`,
      Number(pid),
    );
  }
  return pids;
}

interface CimProcess {
  readonly ProcessId: number;
  readonly Name: string;
  /** null for processes of others. */
  readonly CommandLine: string | null;
}

export function parseCimProcesses(output: string): Map<number, OwningProcess> {
  const processes = new Map<number, OwningProcess>();
  if (output.trim() === '') return processes;
  // ConvertTo-Json makes no list of a single object.
  const parsed = JSON.parse(output) as CimProcess | readonly CimProcess[];
  for (const { ProcessId: pid, Name, CommandLine } of Array.isArray(parsed) ? parsed : [parsed]) {
    const comm = Name.replace(/\.exe$/i, '');
    const argv = words(CommandLine ?? comm).map((word) => word.replaceAll('\\', '/'));
    processes.set(pid, {
      pid,
      name: serviceNameOf({ comm, argv, cwd: '' }, packageNameOf),
      resolvedBy: 'process',
    });
  }
  return processes;
}

/** Of the rules of CommandLineToArgvW the ones that matter for names: words, and quotes around words. */
function words(commandLine: string): string[] {
  return [...commandLine.matchAll(/(?:"([^"]*)"|([^\s"]+))/g)].map(
    ([, quoted, plain]) => quoted ?? plain ?? '',
  );
}

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { SpikeError } from '#shared/contract/errors.ts';
import { isBeyondLoopback, splitAddress } from '#shared/routes/route.ts';
import { startAgent } from '../agent/agent.ts';
import type { Agent, AgentOptions } from '../agent/agent.ts';
import { createEngine } from '../engine/engine.ts';
import type { Log } from '../engine/log.ts';
import { WorkspaceFileError, wholeFileDefect } from '../workspace/defect.ts';
import type { AgentFlags } from './options.ts';
import { homeOf } from './options.ts';
import { engineEntries, packageDirectory, packageVersion } from './package-directory.ts';
import { portOwner } from './port-owner.ts';

/** What kind of process the agent runs in; Electron's starts workers with its own binary. */
export type AgentHost = Pick<AgentOptions, 'shell' | 'workerExec'>;

/** Starts an agent in this process, with the options of the command line. */
export async function startAgentWithFlags(
  flags: AgentFlags,
  log: Log,
  host: AgentHost = { shell: 'headless' },
): Promise<Agent> {
  const workspacePath = workspaceFile(flags);
  for (const listen of [flags.proxy, flags.control]) warnBeyondLoopback(listen, log);
  if (flags.toxiproxy !== undefined && isBeyondLoopback(flags.toxiproxy)) {
    log.warn(
      { listen: flags.toxiproxy },
      `Toxiproxy's API on ${flags.toxiproxy} can be reached from other machines, and needs no token: whoever reaches it can open ports here`,
    );
  }
  try {
    return await startAgent({
      homeDirectory: homeOf(flags),
      proxyListen: flags.proxy,
      controlListen: flags.control,
      ...(flags.toxiproxy === undefined ? {} : { toxiproxyListen: flags.toxiproxy }),
      workers: flags.workers,
      workspacePath,
      demo: flags.demo,
      ...host,
      version: packageVersion,
      log,
      environment: process.env,
      packageDirectory,
      entries: engineEntries(),
      createEngine,
      ...(flags.caKey === undefined ? {} : { caKeyType: flags.caKey }),
    });
  } catch (error) {
    throw await withPortOwner(error, flags);
  }
}

/** A file that was named has to be there; ./spike.yaml may be. */
function workspaceFile({ workspace }: AgentFlags): string | null {
  if (workspace === false) return null;
  const path = resolve(workspace ?? 'spike.yaml');
  if (existsSync(path)) return path;
  if (workspace === undefined) return null;
  throw new WorkspaceFileError(
    workspace,
    wholeFileDefect(
      'There is no such file. Make one that begins with "version: 1", or start without --workspace.',
    ),
  );
}

function warnBeyondLoopback(listen: string, log: Log): void {
  if (!isBeyondLoopback(listen)) return;
  log.warn(
    { listen },
    `${listen} can be reached from other machines. Whoever reaches the proxy can call through it`,
  );
}

/** A taken port is told with the process that has it, where that can be seen. */
async function withPortOwner(error: unknown, { proxy, control, toxiproxy }: AgentFlags): Promise<unknown> {
  if (!(error instanceof SpikeError) || error.code !== 'port-in-use') return error;
  const options = [
    ['--control', control],
    ['--proxy', proxy],
    ['--toxiproxy', toxiproxy],
  ] as const;
  const found = options.find(([, listen]) => listen !== undefined && error.message.includes(listen));
  if (found?.[1] === undefined) return error;
  const [option, taken] = found;
  const owner = await portOwner(splitAddress(taken).port);
  const who = owner === null ? '' : ` by ${owner.command} (process ${owner.pid})`;
  return new SpikeError(
    'port-in-use',
    `${taken} is taken${who}. Stop that, or give another address with ${option}; port 0 takes a free one.`,
  );
}

/** For an end that waits for nothing: the workers go with this process, instead of letting their open calls end. */
export function cutAgent(agent: Agent | null, log: Log, late: boolean): void {
  if (late) log.warn({}, 'Not everything had ended in time; what was still open is cut');
  for (const { pid } of agent?.engine.status().workers ?? []) {
    if (pid !== null) endProcess(pid);
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself meanwhile.
  }
}

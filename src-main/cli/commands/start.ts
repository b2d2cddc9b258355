import { flushCompileCache } from 'node:module';
import type { Command } from 'commander';
import type { Agent } from '../../agent/agent.ts';
import { cutAgent, startAgentWithFlags } from '../agent-with-flags.ts';
import { createLog } from '../log-stream.ts';
import { withAgentFlags } from '../options.ts';
import type { AgentFlags } from '../options.ts';
import { packageVersion } from '../package-directory.ts';
import { firstSignal } from '../until-signal.ts';

interface StartFlags extends AgentFlags {
  headless: boolean;
  json: boolean;
}

export function addStartCommand(program: Command): void {
  withAgentFlags(program.command('start').description('start an agent without a window'), {
    logLevel: 'info',
  })
    .option('--headless', 'as it always is; for scripts that say so', true)
    .option('--json', 'print one line of JSON when ready, and nothing else', false)
    .action(start);
}

async function start(flags: StartFlags): Promise<void> {
  const log = createLog(flags.logLevel);
  // From the beginning: whoever stops an agent that is still starting expects the same end.
  let agent: Agent | null = null;
  const ended = firstSignal((late) => cutAgent(agent, log, late));
  agent = await startAgentWithFlags(flags, log);
  process.stdout.write(flags.json ? readyLine(agent) : readyText(agent));
  // Node writes it when a process ends by itself; an agent is often killed.
  flushCompileCache();
  log.info({ signal: await ended }, 'Ending');
  await agent.close();
}

/** What scripts wait for (design: interface). */
function readyLine(agent: Agent): string {
  return `${JSON.stringify({ event: 'ready', ...agent.addresses() })}\n`;
}

/** The same for people; the URL holds the key. */
export function readyText(agent: Agent, windowUrl: string = agent.windowUrl()): string {
  const { proxy, control, caPath, routes, toxiproxy } = agent.addresses();
  const rows = [
    ['proxy', proxy],
    ['API', control],
    ...(toxiproxy === undefined ? [] : [['Toxiproxy', toxiproxy]]),
    ['CA', caPath],
    ...Object.entries(routes).map(([name, address]) => [`route ${name}`, address]),
    ['window', windowUrl],
  ];
  const width = Math.max(...rows.map(([name = '']) => name.length));
  return [
    `Spike ${packageVersion} is ready.`,
    ...rows.map(([name = '', value]) => `  ${name.padEnd(width)}  ${value}`),
    '',
  ].join('\n');
}

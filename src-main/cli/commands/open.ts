import type { Command } from 'commander';
import { SpikeError } from '#shared/contract/errors.ts';
import type { Agent } from '../../agent/agent.ts';
import { findChromium, openChromium } from '../chromium-window.ts';
import { displayProblem, downloadElectron, findElectron, runElectron } from '../electron.ts';
import { cutAgent, startAgentWithFlags } from '../agent-with-flags.ts';
import { createLog } from '../log-stream.ts';
import { homeOf, withAgentFlags } from '../options.ts';
import type { AgentFlags } from '../options.ts';
import { packageDirectory } from '../package-directory.ts';
import { connectToAgent } from '../running-agent.ts';
import { firstSignal } from '../until-signal.ts';
import { readyText } from './start.ts';

export function addOpenCommand(program: Command): void {
  withAgentFlags(program.command('open').description('the application (also: spike without a command)'), {
    logLevel: 'warn',
  }).action(async (flags: AgentFlags, command: Command) => {
    process.exitCode = await open(flags, electronWords(command));
  });
}

/** The options that were given, for the application to read; its defaults are its own. */
function electronWords(command: Command): string[] {
  return command.options.flatMap((option) => {
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== 'cli') return [];
    const value: unknown = command.getOptionValue(name);
    if (option.negate) return value === false ? [option.long ?? ''] : [];
    return value === false ? [] : value === true ? [option.long ?? ''] : [`${option.long}=${String(value)}`];
  });
}

/** Electron's window; where that cannot be, the same window in a browser, with one line that says why. */
async function open(flags: AgentFlags, words: readonly string[]): Promise<number> {
  const electron = await findElectron({
    packageDirectory,
    environment: process.env,
    platform: process.platform,
    download: downloadElectron,
  });
  let reason = electron.ok ? '' : electron.reason;
  if (electron.ok) {
    const end = await runElectron(electron.path, packageDirectory, words);
    if (end.started) return end.code;
    reason = end.reason;
  }
  process.stderr.write(`No Electron window: ${reason}. The same window runs in a browser.\n`);
  await openInBrowser(flags);
  return 0;
}

async function openInBrowser(flags: AgentFlags): Promise<void> {
  const log = createLog(flags.logLevel);
  let agent: Agent | null = null;
  const signal = firstSignal((late) => cutAgent(agent, log, late));
  try {
    agent = await startAgentWithFlags(flags, log);
  } catch (error) {
    if (error instanceof SpikeError && error.code === 'conflict') return openRunning(flags, error, signal);
    throw error;
  }
  const url = agent.windowUrl(flags.demo ? 'map' : undefined);
  process.stdout.write(readyText(agent, url));
  await showUntilEnd(url, flags, signal);
  await agent.close();
}

/** The agent of this home runs already: its window is opened, and it goes on when that is closed. */
async function openRunning(flags: AgentFlags, conflict: SpikeError, signal: Promise<unknown>): Promise<void> {
  const { status, token } = await connectToAgent(homeOf(flags)).catch(() => {
    throw conflict;
  });
  const url = `${status.control}/#token=${token}`;
  process.stdout.write(`An agent is running already.\n  window  ${url}\n`);
  if (browserFor() !== null) await showUntilEnd(url, flags, signal);
}

/** A browser that can show a window here: not without a display, and not as root, where Chromium wants no sandbox. */
function browserFor(): string | null {
  const impossible = displayProblem(process.env, process.platform) !== null || process.getuid?.() === 0;
  return impossible ? null : findChromium();
}

/** Until a signal, or until the window that was opened is closed. */
async function showUntilEnd(url: string, flags: AgentFlags, signal: Promise<unknown>): Promise<void> {
  const browser = browserFor();
  if (browser === null) {
    process.stdout.write('Open the URL of the window in a browser; it holds the key. Ctrl+C ends Spike.\n');
    await signal;
    return;
  }
  const window = await openChromium(browser, url, homeOf(flags));
  await Promise.race([window.closed, signal]);
  await window.close();
}

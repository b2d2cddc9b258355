import { fileURLToPath } from 'node:url';
import * as electron from 'electron';
import { Command, CommanderError } from 'commander';
import { startAgentWithFlags } from '../cli/agent-with-flags.ts';
import { createLog } from '../cli/log-stream.ts';
import { homeOf, withAgentFlags } from '../cli/options.ts';
import type { AgentFlags } from '../cli/options.ts';
import { packageDirectory } from '../cli/package-directory.ts';
import { runShell } from './run-shell.ts';

/** Electron's entry: reads the same options as `spike open`, which hands them on, and composes the shell. */
function flagsOf(words: readonly string[]): AgentFlags {
  const command = withAgentFlags(new Command('spike').exitOverride(), { logLevel: 'warn' });
  // Chromium's own switches stand among ours; what is not known is theirs.
  return command
    .allowUnknownOption()
    .allowExcessArguments()
    .parse(words, { from: 'user' })
    .opts<AgentFlags>();
}

/** Commander has said on stderr what is wrong; thrown on, Electron would show a stack in a box of its own. */
function flagsOrEnd(words: readonly string[]): AgentFlags {
  try {
    return flagsOf(words);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exit(error.exitCode === 0 ? 0 : 2);
  }
}

// A packaged application has its own name first, one that is run from a folder has that folder as well.
const flags = flagsOrEnd(process.argv.slice(electron.app.isPackaged ? 1 : 2));
const log = createLog(flags.logLevel);
const at = (path: string): string => fileURLToPath(new URL(path, packageDirectory));

runShell(electron, {
  preloadPath: at('out/preload/index.cjs'),
  rendererDirectory: at('out/renderer'),
  resourcesDirectory: at('resources'),
  homeDirectory: homeOf(flags),
  // Set by `electron-vite dev`; a packaged application takes its page from nobody.
  developmentUrl: electron.app.isPackaged ? null : (process.env['ELECTRON_RENDERER_URL'] ?? null),
  log,
  // Workers are this very binary as Node; the variable is in their copy of the environment alone, or the page's process would take it too.
  startAgent: () =>
    startAgentWithFlags(flags, log, {
      shell: 'electron',
      workerExec: { execPath: process.execPath, env: { ELECTRON_RUN_AS_NODE: '1' } },
    }),
}).catch((error: unknown) => {
  log.error({ error: String(error) }, 'Spike ended with an error.');
  electron.app.exit(1);
});

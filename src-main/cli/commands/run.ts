import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import type { Status } from '#shared/contract/status.ts';
import { writeTrustBundle } from '../../engine/tls/ca-bundle.ts';
import { homeOf, withHome } from '../options.ts';
import type { HomeOption } from '../options.ts';
import { runEnvironment } from '../run-environment.ts';
import type { RunEnvironment } from '../run-environment.ts';
import { connectToAgent } from '../running-agent.ts';
import { surroundingEnvironment } from '../surrounding-environment.ts';
import { CommandFailure, UsageError } from '../exit-status.ts';

interface RunFlags extends HomeOption {
  as?: string;
  verbose: boolean;
}

// As a shell has it (POSIX, Shell Command Language, 2.8.2).
const notExecutable = 126;
const notFound = 127;
const bySignal = 128;
const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

export function addRunCommand(program: Command): void {
  withHome(
    program.command('run').description('run a command whose calls pass through Spike and trust its CA'),
  )
    .option('--as <service>', 'the name under which it calls (default: that of the program)')
    .option('--verbose', 'say what of the environment was changed, and what it does not reach', false)
    .argument('<command...>', 'the command and its arguments, after --')
    .passThroughOptions()
    .action(async (words: string[], flags: RunFlags) => {
      process.exitCode = await run(words, flags);
    });
}

async function run([program = '', ...args]: string[], flags: RunFlags): Promise<number> {
  const home = homeOf(flags);
  const service = flags.as ?? basename(program).replace(/\.(exe|cmd|bat)$/i, '');
  checkName(service);
  const { status } = await connectToAgent(home);
  const { set, notes } = await environmentFor(service, status, join(home, 'trust'));
  if (flags.verbose) for (const note of notes) process.stderr.write(`spike: ${note}\n`);
  return exitCodeOf(program, args, { ...surroundingEnvironment, ...set });
}

async function environmentFor(
  service: string,
  { proxy, ca }: Status,
  directory: string,
): Promise<RunEnvironment> {
  if (proxy.address === null) throw new CommandFailure('The proxy of the running agent is not bound.');
  const certificatePem = await readFile(ca.path, 'utf8');
  const bundle = await writeTrustBundle({ directory, ca: { certificatePem } });
  return runEnvironment({
    ...bundle,
    proxyAddress: proxy.address,
    service,
    caPath: ca.path,
    nodeHookPath: null,
    base: surroundingEnvironment,
    platform: process.platform,
  });
}

/** It travels as the user name of a proxy URL, and stands on the map. */
function checkName(service: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(service)) return;
  throw new UsageError(
    `"${service}" is no name for a service. Give one of letters, digits, dots and dashes with --as.`,
  );
}

/** Runs a program with our stdin, stdout and stderr, passing signals on; resolves with what a shell would give for it. */
function exitCodeOf(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(program, args, { stdio: 'inherit', env });
  // A terminal sends its signals to the child as well; sent twice, an interrupt would look impatient to it.
  const fromTerminal = process.stdin.isTTY === true;
  const forward = (signal: NodeJS.Signals): void => {
    if (!fromTerminal || signal !== 'SIGINT') child.kill(signal);
  };
  for (const signal of passedOn) process.on(signal, forward);
  return new Promise<number>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      process.stderr.write(`spike: ${program} cannot be run: ${reasonOf(error)}\n`);
      resolve(error.code === 'ENOENT' ? notFound : notExecutable);
    });
    child.once('exit', (code, signal) => {
      resolve(signal === null ? (code ?? 1) : bySignal + constants.signals[signal]);
    });
  }).finally(() => {
    for (const signal of passedOn) process.removeListener(signal, forward);
  });
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'there is no such program';
  return code === 'EACCES' ? 'it is not executable' : message;
}

import { availableParallelism } from 'node:os';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { ListenAddressSchema } from '#shared/routes/route.ts';
import { homeDirectory } from '../agent/home-directory.ts';

/** Options that several commands have. */

export interface HomeOption {
  home?: string;
}

/** Adds `--home`. */
export function withHome(command: Command): Command {
  return command.option(
    '--home <directory>',
    'where the CA, the token and the captures live (also SPIKE_HOME)',
  );
}

/** The home directory that the options and the environment name. */
export function homeOf({ home }: HomeOption): string {
  return homeDirectory({ given: home, environment: process.env, platform: process.platform });
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface AgentFlags extends HomeOption {
  /** A path; false: none, even where there is a ./spike.yaml; absent: that one if there is one. */
  workspace?: string | false;
  proxy: string;
  control: string;
  /** Absent: Toxiproxy's API is not answered. */
  toxiproxy?: string;
  workers: number;
  demo: boolean;
  logLevel: LogLevel;
  caKey?: 'ec-p256' | 'rsa-2048';
}

/** Adds what `spike start` and `spike open` have in common. */
export function withAgentFlags(command: Command, defaults: { logLevel: LogLevel }): Command {
  return withHome(command)
    .option('--workspace <file>', 'the workspace file (default: ./spike.yaml, where there is one)')
    .option('--no-workspace', 'no workspace file: settings live in memory')
    .option(
      '--proxy <address>',
      'where the proxy listens; port 0 takes a free one',
      address,
      '127.0.0.1:7070',
    )
    .option('--control <address>', 'where the API and the window are', address, '127.0.0.1:7071')
    .option(
      '--toxiproxy <address>',
      "also answer Toxiproxy's API there, without a token, such as 127.0.0.1:8474 (default: off)",
      address,
    )
    .option('--workers <n>', 'worker processes', workerCount, availableParallelism())
    .option('--demo', 'start the example shop and send its calls through Spike', false)
    .addOption(
      new Option('--ca-key <type>', 'key type of a CA that has to be made').choices(['ec-p256', 'rsa-2048']),
    )
    .addOption(
      new Option('--log-level <level>', 'what is logged, on stderr')
        .choices(logLevels)
        .default(defaults.logLevel),
    );
}

function address(text: string): string {
  const result = ListenAddressSchema.safeParse(text);
  if (result.success) return text;
  throw new InvalidArgumentError(result.error.issues[0]?.message ?? 'Expected an address and a port.');
}

const maxWorkers = 256;

function workerCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= maxWorkers) return count;
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${maxWorkers}.`);
}

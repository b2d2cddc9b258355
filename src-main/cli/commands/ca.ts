import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { findProgram } from '../../agent/find-program.ts';
import { caDirectory, prepareHome } from '../../agent/home-directory.ts';
import { loadOrCreateCertificateAuthority } from '../../engine/tls/certificate-authority.ts';
import type { CertificateAuthority } from '../../engine/tls/certificate-authority.ts';
import {
  describeCommands,
  detectTrustPlatform,
  planSystemTrust,
  runTrustPlan,
} from '../../engine/tls/system-trust.ts';
import type { TrustAction, TrustRunner } from '../../engine/tls/system-trust.ts';
import { CommandFailure } from '../exit-status.ts';
import { createLog } from '../log-stream.ts';
import { homeOf, withHome } from '../options.ts';
import type { HomeOption } from '../options.ts';

export function addCaCommand(program: Command): void {
  const ca = program.command('ca').description('the certificate authority: its file, and trust in it');
  withHome(
    ca.command('path').description('print where its certificate is, made if there is none yet'),
  ).action(async (flags: HomeOption) => void process.stdout.write(`${(await authority(flags)).path}\n`));
  withHome(
    ca
      .command('export')
      .description('copy its certificate (never its key)')
      .argument('<file>', 'PEM; - is stdout'),
  ).action(exportCertificate);
  for (const action of ['install', 'uninstall'] as const) {
    const text = action === 'install' ? 'let this machine trust it' : 'take that trust back';
    withHome(ca.command(action).description(text))
      .option('--dry-run', 'say what would be run, and run nothing', false)
      .action((flags: HomeOption & { dryRun: boolean }) => changeTrust(action, flags));
  }
}

async function authority(flags: HomeOption): Promise<CertificateAuthority> {
  const home = homeOf(flags);
  await prepareHome(home);
  return loadOrCreateCertificateAuthority({
    directory: caDirectory(home),
    now: Date.now,
    log: createLog('warn'),
  });
}

async function exportCertificate(file: string, flags: HomeOption): Promise<void> {
  const { certificatePem } = await authority(flags);
  if (file === '-') return void process.stdout.write(certificatePem);
  await writeResult(file, certificatePem);
}

/** Writes what a command was asked for; a file that cannot be written is told, not thrown as a bug. */
export async function writeResult(file: string, content: string | Uint8Array): Promise<void> {
  try {
    await writeFile(file, content);
  } catch (error) {
    throw new CommandFailure(
      `${file} cannot be written: ${(error as NodeJS.ErrnoException).code ?? String(error)}.`,
    );
  }
}

async function changeTrust(action: TrustAction, flags: HomeOption & { dryRun: boolean }): Promise<void> {
  const ca = await authority(flags);
  const platform = detectTrustPlatform(process.platform, (name) => findProgram(name) !== null);
  if (platform === null) {
    throw new CommandFailure(
      `How this system is told to trust a certificate is not known to Spike. Add ${ca.path} as its manual says.`,
    );
  }
  const plan = planSystemTrust(action, platform, ca);
  process.stdout.write(`${plan.explanation}\n${describeCommands(plan)}\n`);
  if (flags.dryRun) return;
  const result = await runTrustPlan(plan, { run: runVisibly, isRoot: process.getuid?.() === 0 });
  if (!result.ok) throw new CommandFailure(result.message);
  process.stdout.write('Done.\n');
}

/** With our stdin, since macOS may ask for a password. */
const runVisibly: TrustRunner = ({ program, args }) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['inherit', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => resolve({ exitCode: code ?? 1, output }));
  });

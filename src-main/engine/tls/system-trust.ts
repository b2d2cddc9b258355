// Making the machine trust the CA, and undoing it. A plan is made first, as data, so that it can be shown; running it is
// another step. Spike never calls sudo itself: it says what is needed and lets the person decide.
import { readFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import type { CertificateAuthority } from './certificate-authority.ts';

export type TrustPlatform = 'debian' | 'fedora' | 'macos' | 'windows';
export type TrustAction = 'install' | 'uninstall';

export type TrustCommand = { program: string; args: readonly string[] };

export type TrustPlan = {
  action: TrustAction;
  platform: TrustPlatform;
  /** In order; the next runs only when the one before ended with 0. */
  commands: readonly TrustCommand[];
  /** Whether they need root, or an administrator. */
  needsRoot: boolean;
  /** What changes, who is affected, and who is not. */
  explanation: string;
};

type CaFile = Pick<CertificateAuthority, 'path' | 'certificateDer' | 'certificatePem'>;
type Plans = Record<TrustAction, readonly TrustCommand[]> & { needsRoot: boolean; explanation: string };

const NOT_REACHED =
  'Firefox keeps its own list, Java and Node read theirs: `spike run` sets those for what it starts.';

/** `null` when this system's way is not known: then `spike ca export` and the system's own manual are the way. */
export function detectTrustPlatform(
  platform: NodeJS.Platform,
  hasProgram: (name: string) => boolean,
): TrustPlatform | null {
  if (platform === 'darwin') return 'macos';
  if (platform === 'win32') return 'windows';
  if (platform !== 'linux') return null;
  if (hasProgram('update-ca-certificates')) return 'debian';
  return hasProgram('trust') ? 'fedora' : null;
}

export function planSystemTrust(action: TrustAction, platform: TrustPlatform, ca: CaFile): TrustPlan {
  const plans = PLANS[platform](ca);
  const { needsRoot, explanation } = plans;
  return {
    action,
    platform,
    commands: plans[action],
    needsRoot,
    explanation: `${explanation} ${NOT_REACHED}`,
  };
}

const PLANS: Record<TrustPlatform, (ca: CaFile) => Plans> = {
  debian: (ca) => ({
    install: [command('install', '-m', '0644', ca.path, debianPath(ca)), command('update-ca-certificates')],
    // --fresh also takes away the links of what is no longer there.
    uninstall: [command('rm', '-f', debianPath(ca)), command('update-ca-certificates', '--fresh')],
    needsRoot: true,
    explanation: 'All users: /etc/ssl/certs, which curl, git, Go, Python (as packaged) and Ruby read.',
  }),
  fedora: (ca) => ({
    install: [command('trust', 'anchor', '--store', ca.path)],
    uninstall: [command('trust', 'anchor', '--remove', ca.path)],
    needsRoot: true,
    explanation: 'All users: the p11-kit trust store, which curl, git, Go and most packaged software read.',
  }),
  macos: (ca) => ({
    // Without -d it is the user's own trust setting: no administrator needed, but macOS asks for the password.
    install: [command('security', 'add-trusted-cert', '-r', 'trustRoot', '-p', 'ssl', ca.path)],
    uninstall: [command('security', 'remove-trusted-cert', ca.path)],
    needsRoot: false,
    explanation:
      'This user: the login keychain, which Safari, Chrome and curl read; macOS asks for your password.',
  }),
  windows: (ca) => ({
    install: [command('certutil', '-user', '-addstore', 'Root', ca.path)],
    uninstall: [command('certutil', '-user', '-delstore', 'Root', sha1Of(ca))],
    needsRoot: false,
    explanation: 'This user: the Root store, which Edge, Chrome and .NET read; Windows asks you to confirm.',
  }),
};

function command(program: string, ...args: string[]): TrustCommand {
  return { program, args };
}

/** Named by its fingerprint, so that the CAs of two home directories do not replace each other. */
function debianPath(ca: CaFile): string {
  return `/usr/local/share/ca-certificates/spike-${sha1Of(ca).slice(0, 12)}.crt`;
}

function sha1Of(ca: CaFile): string {
  return createHash('sha1').update(ca.certificateDer).digest('hex');
}

/** Runs one program to its end. Rejects only when the program cannot be started. */
export type TrustRunner = (command: TrustCommand) => Promise<{ exitCode: number; output: string }>;

export type TrustResult =
  | { ok: true }
  /** Nothing was run. */
  | { ok: false; reason: 'needs-root'; message: string }
  | { ok: false; reason: 'command-failed' | 'command-missing'; message: string };

/** `isRoot` is the caller's business to know (`process.getuid?.() === 0`). */
export async function runTrustPlan(
  plan: TrustPlan,
  { run, isRoot }: { run: TrustRunner; isRoot: boolean },
): Promise<TrustResult> {
  if (plan.needsRoot && !isRoot) {
    const message = `This needs root. Run:\n${describeCommands(plan, 'sudo ')}`;
    return { ok: false, reason: 'needs-root', message };
  }
  for (const step of plan.commands) {
    const failed = await runStep(step, run);
    if (failed) return failed;
  }
  return { ok: true };
}

async function runStep(step: TrustCommand, run: TrustRunner): Promise<TrustResult | null> {
  const line = commandLine(step);
  try {
    const { exitCode, output } = await run(step);
    if (exitCode === 0) return null;
    return {
      ok: false,
      reason: 'command-failed',
      message: `"${line}" ended with ${exitCode}: ${output.trim()}`,
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ok: false, reason: 'command-missing', message: `"${line}" could not be started: ${why}` };
  }
}

/** One command a line, quoted for a POSIX shell (or cmd, where only the path may need it). */
export function describeCommands(plan: TrustPlan, prefix = ''): string {
  return plan.commands.map((step) => `  ${prefix}${commandLine(step, plan.platform)}`).join('\n');
}

function commandLine({ program, args }: TrustCommand, platform?: TrustPlatform): string {
  return [program, ...args].map((word) => quote(word, platform)).join(' ');
}

function quote(word: string, platform?: TrustPlatform): string {
  if (/^[\w@%+=:,./\\-]+$/.test(word) && (platform === 'windows' || !word.includes('\\'))) return word;
  return platform === 'windows' ? `"${word}"` : `'${word.replaceAll("'", "'\\''")}'`;
}

const DEBIAN_BUNDLE = '/etc/ssl/certs/ca-certificates.crt';
const FEDORA_BUNDLE = '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem';

/** Whether the system trusts this very certificate; null where only a program could tell (macOS, Windows). */
export async function isInstalled(
  platform: TrustPlatform,
  ca: CaFile,
  readText: (path: string) => Promise<string> = (path) => readFile(path, 'utf8'),
): Promise<boolean | null> {
  if (platform === 'macos' || platform === 'windows') return null;
  try {
    const bundle = await readText(platform === 'debian' ? DEBIAN_BUNDLE : FEDORA_BUNDLE);
    return bundle.replaceAll('\r', '').includes(ca.certificatePem.trim());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

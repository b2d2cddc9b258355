import { chmod, mkdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, posix, resolve, win32 } from 'node:path';
import { SpikeError } from '#shared/contract/errors.ts';

export interface HomeOptions {
  /** What `--home` was given. */
  readonly given?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** The user's own directory; default os.homedir(). */
  readonly userDirectory?: string;
}

/** Where the CA, the token and the captures live: `--home`, else SPIKE_HOME, else the platform's folder for data. */
export function homeDirectory({
  given,
  environment,
  platform,
  userDirectory = homedir(),
}: HomeOptions): string {
  const named = given ?? environment['SPIKE_HOME'];
  if (named !== undefined && named !== '') return resolve(named);
  if (platform === 'darwin') return posix.join(userDirectory, 'Library/Application Support/Spike');
  if (platform === 'win32') {
    return win32.join(environment['APPDATA'] ?? win32.join(userDirectory, 'AppData', 'Roaming'), 'Spike');
  }
  // A relative path in XDG_DATA_HOME is invalid and to be ignored (XDG Base Directory Specification).
  const data = environment['XDG_DATA_HOME'];
  const base = data !== undefined && isAbsolute(data) ? data : posix.join(userDirectory, '.local/share');
  return posix.join(base, 'spike');
}

/** Makes it, for its owner alone. A directory that is open to others is closed. Throws `invalid-input` with the reason. */
export async function prepareHome(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    if (process.platform === 'win32') return; // a profile is private there by its access list
    const { mode } = await stat(directory);
    if ((mode & 0o077) !== 0) await chmod(directory, 0o700);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'EEXIST' || code === 'ENOTDIR' ? 'a file is in its way' : String(code ?? error);
    throw new SpikeError(
      'invalid-input',
      `The home directory ${directory} cannot be used: ${why}. Give another with --home or SPIKE_HOME.`,
    );
  }
}

/** The folder of the CA within a home directory; the engine makes it there. */
export function caDirectory(home: string): string {
  return join(home, 'ca');
}

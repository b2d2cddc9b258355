import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SpikeError } from '#shared/contract/errors.ts';
import { writeAtomically } from './tls/certificate-authority-files.ts';

const digits = '0123456789abcdefghijklmnopqrstuvwxyz';

/** The agent's own six characters in every flow id: made once for a home directory, kept in `agent-id`. */
export async function agentIdOf(homeDirectory: string): Promise<string> {
  const path = join(homeDirectory, 'agent-id');
  const known = await readIfThere(path);
  if (known === null) {
    const made = Array.from({ length: 6 }, () => digits[randomInt(digits.length)]).join('');
    await writeAtomically(path, `${made}\n`, 0o600);
    return made;
  }
  if (/^[0-9a-z]{6}$/.test(known)) return known;
  throw new SpikeError(
    'invalid-input',
    `${path} does not hold six of 0-9a-z. Move it away to have a new one made.`,
  );
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

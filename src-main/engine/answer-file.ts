import { readFileSync, realpathSync, statSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { SpikeError } from '#shared/contract/errors.ts';

const MiB = 1024 ** 2;
const longestFileBytes = MiB;

/**
 * A file that a rule answers with. It has to lie in the folder of the workspace file, links followed: a workspace that comes
 * from somebody else must not hand out what else is on this machine.
 * @param folder null: there is no workspace file.
 * Throws a SpikeError that says what is wrong with it.
 */
export function readAnswerFile(folder: string | null, path: string): Buffer {
  const refuse = (why: string): SpikeError =>
    new SpikeError('invalid-input', `The file ${JSON.stringify(path)} ${why}`);
  if (folder === null) {
    throw refuse('has no place: its path is relative to the workspace file, and there is none.');
  }
  try {
    const root = realpathSync(folder);
    const file = realpathSync(resolve(root, path));
    if (!file.startsWith(root.endsWith(sep) ? root : root + sep)) {
      throw refuse('is not in the folder of the workspace file, or below it.');
    }
    const { size } = statSync(file);
    if (!statSync(file).isFile()) throw refuse('is no file.');
    if (size > longestFileBytes)
      throw refuse(`has ${size.toLocaleString('en-US')} bytes: at most 1 MiB is answered.`);
    return readFileSync(file);
  } catch (error) {
    if (error instanceof SpikeError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw refuse(code === 'ENOENT' ? `is not there (looked for in ${folder}).` : `cannot be read: ${code}.`);
  }
}

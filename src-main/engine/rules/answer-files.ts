import { SpikeError } from '#shared/contract/errors.ts';
import type { RuleDefinition } from '#shared/rules/rule.ts';

/** What a rule answers with while it is on, by the paths that its faults name. */
export type AnswerFiles = Readonly<Record<string, Uint8Array>>;

/** Reads a file that a rule answers with. Throws a SpikeError that says what is wrong with it. */
export type ReadAnswerFile = (path: string) => Uint8Array;

/** The files of all rules that are on: each worker holds them. */
export const mostAnswerFileBytes = 16 * 1024 ** 2;

/** The files that a rule needs: none while it is off. Throws a SpikeError that names the rule and the file. */
export function readAnswerFiles(definition: RuleDefinition, read: ReadAnswerFile): AnswerFiles | null {
  const { name, enabled, faults } = definition;
  const paths = enabled ? faults.flatMap((fault) => (fault.type === 'file-answer' ? [fault.path] : [])) : [];
  if (paths.length === 0) return null;
  try {
    return Object.fromEntries(paths.map((path) => [path, read(path)]));
  } catch (error) {
    if (!(error instanceof SpikeError)) throw error;
    throw new SpikeError(error.code, `Rule "${name}": ${error.message}`);
  }
}

/** Throws a SpikeError when these files together are more than workers are given. */
export function refuseTooManyBytes(files: readonly (AnswerFiles | null)[]): void {
  const bytes = files.flatMap((one) => Object.values(one ?? {})).reduce((sum, { length }) => sum + length, 0);
  if (bytes <= mostAnswerFileBytes) return;
  throw new SpikeError(
    'too-large',
    'The files that rules answer with are more than 16 MiB together. Turn rules off that are not needed.',
  );
}

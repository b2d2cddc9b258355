import './compiled-code.ts';
import './young-generation.ts';
import { exitCodes, exitStatusOf } from './exit-status.ts';

/** Runs one command line; resolves with the exit code. A command that goes on (an agent) resolves when it has ended. */
export async function main(words: readonly string[]): Promise<number> {
  try {
    // Not before the young generation is bounded: loading is what makes it grow.
    const { createProgram } = await import('./program.ts');
    const program = createProgram();
    await program.parseAsync(withCommand(words), { from: 'user' });
    return Number(process.exitCode ?? exitCodes.fine);
  } catch (error) {
    const { code, message } = exitStatusOf(error);
    if (message !== null) process.stderr.write(`spike: ${message}\n`);
    return code;
  }
}

/** `spike` alone, or with nothing but options, is `spike open`. */
function withCommand(words: readonly string[]): readonly string[] {
  const [first] = words;
  const ownOptions = ['--help', '-h', '--version', '-V'];
  return first === undefined || (first.startsWith('-') && !ownOptions.includes(first))
    ? ['open', ...words]
    : words;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));

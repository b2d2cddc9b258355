import { execFile } from 'node:child_process';

/** Runs a program and gives what it wrote to stdout, also when it failed; '' when it could not be run or took too long. */
export type CommandRunner = (program: string, args: readonly string[]) => Promise<string>;

const TIMEOUT_MS = 10_000;
const MAX_OUTPUT_BYTES = 16 * 1024 ** 2;

export const runCommand: CommandRunner = (program, args) =>
  new Promise((resolve) => {
    const options = { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES, windowsHide: true };
    // lsof exits with 1 when one of its questions has no answer: what it did find counts.
    execFile(program, [...args], options, (_error, stdout) => resolve(stdout));
  });

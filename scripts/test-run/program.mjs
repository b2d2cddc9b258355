// The programs that `npm test` starts: told as they run, or kept and told whole, so that two at once can be read.
import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ kept?: boolean, idle?: boolean, env?: Record<string, string> }} options kept: what it says is in `output`,
 *   instead of on the terminal. idle: it takes only the time that others leave.
 * @returns {Promise<{ code: number, output: string }>} code 1 as well where it could not be started, or was ended.
 */
export function runProgram(command, args, { kept = false, idle = false, env = {} } = {}) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, {
      stdio: kept ? ['ignore', 'pipe', 'pipe'] : 'inherit',
      env: { ...process.env, ...env },
    });
    if (idle && child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => (output += text));
    }
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve({ code: 1, output });
    });
    child.on('close', (code, signal) => resolve({ code: signal === null ? code : 1, output }));
  });
}

import { fork } from 'node:child_process';
import { once } from 'node:events';
import readline from 'node:readline';

const startWithinMs = 15_000;
const endWithinMs = 3000;

/**
 * Starts one script of the shop as a process that ends with this one, and waits until it says that it is ready.
 * @param {{ name: string, script: string, args?: string[], env: Record<string, string | undefined>,
 *   log: (line: string) => void }} options
 * @returns {Promise<{ name: string, port: number | undefined, pid: number, end: () => Promise<void> }>}
 */
export async function launch({ name, script, args = [], env, log }) {
  // In Electron the binary is Electron's: told to be Node, in a copy of the environment.
  const extra = process.versions.electron === undefined ? {} : { ELECTRON_RUN_AS_NODE: '1' };
  const child = fork(script, args, {
    env: { ...env, ...extra },
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    readline.createInterface({ input: stream }).on('line', (line) => log(`${name}: ${line}`));
  }
  const state = { ending: false };
  const end = () => endProcess(child, state);
  try {
    const { port } = await readiness(name, child);
    child.once(
      'exit',
      (code, signal) => state.ending || log(`${name}: ended (${signal ?? `exit code ${code}`})`),
    );
    return { name, port, pid: child.pid, end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function readiness(name, child) {
  const limit = AbortSignal.timeout(startWithinMs);
  const { promise, resolve, reject } = Promise.withResolvers();
  const gone = (code, signal) =>
    reject(new Error(`${name} ended before it was ready (${signal ?? `exit code ${code}`})`));
  const late = () => reject(new Error(`${name} was not ready within ${startWithinMs} ms`));
  child.once('error', reject).once('exit', gone);
  child.once('message', ({ ready, failed }) => {
    if (failed === undefined) resolve(ready);
    else reject(new Error(`${name} cannot start: ${failed}`));
  });
  limit.addEventListener('abort', late);
  return promise.finally(() => {
    child.off('error', reject).off('exit', gone);
    limit.removeEventListener('abort', late);
    child.on('error', () => {}); // a signal that could not be sent: `end` goes by the exit alone
  });
}

async function endProcess(child, state) {
  state.ending = true;
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), endWithinMs);
  await gone;
  clearTimeout(force);
}

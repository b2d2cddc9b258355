// Starting peers, running load on them, and reading what it cost.
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { freePort, listens } from './ports.mjs';
import { measureTree, memoryOfTree } from './process-tree.mjs';

const sampleEveryMs = 200;
const lateMs = 60_000;

/** Starts a peer; null when it does not listen in time. `environment` is added to this process's own. */
export async function startPeer(peer, { directory, form, origin, hostsPath, environment }) {
  const [port, otherPort] = [await freePort(), await freePort()];
  const [command, ...args] = peer.command(directory, { port, otherPort, form, origin, hostsPath });
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_EXTRA_CA_CERTS: origin.caPath, ...environment },
  });
  const log = createWriteStream(join(directory, `${peer.name}-${form}.log`));
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  if (await listens(port)) return { name: peer.name, port, child, runs: [], peak: 0 };
  endTree(child.pid);
  return null;
}

/** One measured run of a load on a row; adds it to the row's runs. */
export async function measure(row, load) {
  const before = row.child ? measureTree(row.child.pid).cpuSeconds : 0;
  const result = await run(row, load);
  const cpuSeconds = row.child ? measureTree(row.child.pid).cpuSeconds - before : 0;
  const perSecond = (result.calls / result.us) * 1e6;
  row.runs.push({ ...result, perSecond, bytesPerSecond: (result.bytes / result.us) * 1e6, cpuSeconds });
  console.error(
    `${row.name}: ${Math.round(perSecond)}/s, p50 ${result.p50} µs, p99 ${result.p99} µs, errors ${result.errors}`,
  );
}

/** Runs the load generator; the row's peak of memory is noted meanwhile. */
export function run(row, { command, args, env }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    let out = '';
    child.stdout.on('data', (text) => (out += text));
    child.stderr.on('data', (text) => (out += text));
    const watch = setInterval(() => {
      if (row.child) row.peak = Math.max(row.peak, memoryOfTree(row.child.pid));
    }, sampleEveryMs);
    const late = setTimeout(() => child.kill('SIGKILL'), lateMs);
    child.on('exit', () => {
      clearInterval(watch);
      clearTimeout(late);
      const result = command === 'h2load' ? readH2load(out) : /JSON(\{.*\})/.exec(out)?.[1];
      if (result === undefined)
        reject(new Error(`The load generator gave no result for ${row.name}: ${out}`));
      else resolve(typeof result === 'string' ? JSON.parse(result) : result);
    });
  });
}

/** h2load prints no percentiles: its mean stands for the median, its longest for the 99th. */
function readH2load(out) {
  const rate = /finished in ([\d.]+)(ms|s), ([\d.]+) req\/s/.exec(out);
  const counts = /requests: (\d+) total, .* (\d+) succeeded, (\d+) failed, (\d+) errored/.exec(out);
  const times = /time for request: +\S+ +(\S+) +(\S+)/.exec(out);
  if (rate === null || counts === null || times === null) return undefined;
  const calls = Number(counts[2]);
  const us = calls === 0 ? 1 : (calls / Number(rate[3])) * 1e6;
  const [errors, p99, p50] = [Number(counts[3]) + Number(counts[4]), inUs(times[1]), inUs(times[2])];
  return { calls, us, bytes: calls * 1024, p50, p99, errors };
}

function inUs(text) {
  const [, number, unit] = /([\d.]+)(us|ms|s)/.exec(text);
  return Math.round(Number(number) * { us: 1, ms: 1e3, s: 1e6 }[unit]);
}

export function endTree(pid) {
  for (const each of measureTree(pid).pids) {
    try {
      process.kill(each, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
}

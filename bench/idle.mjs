// What idle connections hold, and whether others are slower beside them.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { measure } from './measure.mjs';
import { measureTree, memoryOfTree } from './process-tree.mjs';

const warmConnections = 64;
/** Longer than Spike keeps an idle connection to an upstream: those are not what is measured. */
const settledAfterMs = 6000;
const collectedWithinMs = 30_000;

/**
 * Two agents: one is given the idle connections, which have each been answered once, the other none. Garbage is collected
 * before both readings; what is resident (pages) and what is in use (V8's heap and what belongs to it) are told beside each other,
 * since pages that were free before may be used for connections. Load goes to both in turns.
 */
export async function measureIdle(scenario, { start, directory, origin, rounds, seconds, watch }) {
  const held = await startMeasured(start, join(directory, 'memory-held'));
  const bare = await startMeasured(start, join(directory, 'memory-bare'));
  const before = await read(held);
  const idle = await hold(held.row.port, scenario.connections, watch);
  await pause(settledAfterMs);
  const after = await read(held);
  for (let round = 0; round < rounds; round += 1)
    for (const { row } of round % 2 === 0 ? [held, bare] : [bare, held])
      await measure(row, scenario.load({ form: scenario.form, port: row.port, origin, seconds }));
  await end(idle, scenario.connections);
  const kilobytes = (key) => (after[key] - before[key]) / scenario.connections / 1000;
  return { resident: kilobytes('resident'), inUse: kilobytes('inUse'), held: held.row, bare: bare.row };
}

/** Starts one that collects its garbage when it is told to, and lets it answer some calls. */
async function startMeasured(start, file) {
  writeFileSync(file, '');
  const preload = join(import.meta.dirname, 'load/collected.mjs');
  const environment = { NODE_OPTIONS: `--expose-gc --import=${preload}`, SPIKE_BENCH_MEMORY: file };
  const row = await start(environment);
  const warm = await hold(row.port, warmConnections, () => undefined);
  await end(warm, warmConnections);
  await pause(settledAfterMs);
  return { row, file };
}

async function read({ row, file }) {
  const linesOf = () => readFileSync(file, 'utf8').split('\n').slice(0, -1);
  const known = linesOf().length;
  const { pids } = measureTree(row.child.pid);
  for (const pid of pids) process.kill(pid, 'SIGUSR2');
  const endAt = performance.now() + collectedWithinMs;
  while (linesOf().length < known + pids.length) {
    if (performance.now() > endAt) throw new Error('Garbage was not collected in time.');
    await pause(50);
  }
  const inUse = linesOf()
    .slice(known)
    .reduce((sum, line) => sum + Number(line), 0);
  return { resident: memoryOfTree(row.child.pid), inUse };
}

/** Resolves with the process that holds the connections, when each has been answered once. */
async function hold(port, connections, watch) {
  const args = [join(import.meta.dirname, 'load/idle.mjs'), String(port), '/1k', String(connections)];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  watch(child);
  const line = await new Promise((resolve) => child.stdout.once('data', resolve));
  if (String(line).trim() !== 'READY 0') throw new Error(`Connections were lost: ${line}`);
  return child;
}

/** Lets them go; throws if they had not all been open. */
async function end(child, connections) {
  const said = new Promise((resolve) => child.stdout.once('data', resolve));
  child.stdin.end();
  const line = String(await said).trim();
  if (line !== `OPEN ${connections}`)
    throw new Error(`Of ${connections} connections only some stayed: ${line}`);
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

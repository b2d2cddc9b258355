// Spike beside its peers: throughput, latency, CPU and memory, as ratios in one run. See bench/README.md.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureIdle } from './idle.mjs';
import { endTree, measure, run, startPeer } from './measure.mjs';
import { startOrigin } from './origin.mjs';
import { installed, peers } from './peers.mjs';
import { freePort, listens } from './ports.mjs';
import { runRules } from './rules-load.mjs';
import { scenarios } from './scenarios.mjs';
import { printIdleTable, printTable } from './table.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '6' },
    only: { type: 'string' },
    pairs: { type: 'string', default: '24' },
    slice: { type: 'string', default: '1' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const only = values.only?.split('+');
const wanted = positionals.length === 0 ? ['reverse'] : positionals;
const names = wanted.includes('all') ? Object.keys(scenarios) : wanted;
for (const name of names)
  if (!(name in scenarios)) fail(`Unknown scenario ${name}: all, ${Object.keys(scenarios).join(', ')}.`);
for (const tool of ['wrk', 'nginx', 'openssl'])
  if (!installed(tool)) fail(`${tool} is not installed; see bench/README.md.`);

const directory = mkdtempSync(join(tmpdir(), 'spike-bench-'));
const running = new Set();
process.on('exit', () => {
  for (const child of running) endTree(child.pid);
  rmSync(directory, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

const origin = startOrigin(directory, {
  http: await freePort(),
  tls: await freePort(),
  http2: await freePort(),
});
running.add(origin.child);
if (!(await listens(origin.http))) fail('nginx did not start as the origin.');
const nameSources = nameSource();
for (const name of names) {
  if (scenarios[name].unit === 'idle') await runIdle(scenarios[name]);
  else if (scenarios[name].unit === 'rules') await runRulesScenario(scenarios[name]);
  else if (scenarios[name].fresh && nameSources === null)
    console.error(`${name} is left out: it needs a C compiler (cc).`);
  else await runScenario(scenarios[name]);
}
process.exit(0);

/** All peers stand side by side, idle but one; each round goes through all of them. */
async function runScenario(scenario) {
  const rows = [
    { name: 'direct', port: null, child: null, runs: [], peak: 0 },
    ...(await startAll(scenario)),
  ];
  for (let round = 0; round < rounds; round += 1) {
    for (const row of rows) {
      const loadFor = (time) =>
        scenario.load({
          form: scenario.form,
          port: row.port,
          origin,
          seconds: time,
          tag: `r${round}`,
        });
      if (round === 0 && !scenario.fresh) await run(row, loadFor(scenario.warmSeconds ?? 2));
      await measure(row, loadFor(seconds));
      if (scenario.fresh) await pause(1000);
    }
  }
  for (const row of rows) end(row);
  printTable(scenario, rows);
}

async function startAll(scenario) {
  const rows = [];
  for (const name of scenario.peers.flatMap(withBefore)) {
    if (only !== undefined && !only.includes(name)) continue;
    const peer = peers.find((each) => each.name === name);
    if (!peer.isHere()) {
      console.error(`${name} is not installed and left out.`);
      continue;
    }
    const row = await startPeer(peer, {
      directory,
      form: scenario.form,
      origin,
      ...(scenario.fresh ? nameSources : {}),
    });
    if (row === null) console.error(`${name} did not start and is left out.`);
    else {
      running.add(row.child);
      rows.push(row);
    }
  }
  return rows;
}

/** The same with another checkout, where one is given. */
function withBefore(name) {
  return name === 'spike' && process.env['SPIKE_BENCH_BEFORE'] !== undefined
    ? [name, 'spike, before']
    : [name];
}

async function runRulesScenario(scenario) {
  await runRules(scenario, {
    root: join(import.meta.dirname, '..'),
    directory,
    origin,
    pairs: Number(values.pairs),
    seconds: Number(values.slice),
    watch: (child) => running.add(child),
    end: (child) => end({ child }),
  });
}

/** Memory of each idle connection, and whether others are slower beside so many. */
async function runIdle(scenario) {
  const peer = peers.find((each) => each.name === 'spike');
  const started = [];
  const start = async (environment) => {
    const row = await startPeer(peer, { directory, form: scenario.form, origin, environment });
    if (row === null) return fail('spike did not start.');
    running.add(row.child);
    started.push(row);
    return row;
  };
  const watch = (child) => running.add(child);
  const result = await measureIdle(scenario, { start, directory, origin, rounds, seconds, watch });
  for (const row of started) end(row);
  printIdleTable(scenario, result);
}

/**
 * Names for scenarios that need many: `*.bench.test`, for squid in a file, for the others by a library that is put before
 * the system's resolver, so that no file of the system is changed. Null without a compiler.
 */
function nameSource() {
  if (!installed('cc')) return null;
  const hostsPath = join(directory, 'hosts');
  const lines = ['127.0.0.1 localhost'];
  for (let round = 0; round < rounds; round += 1)
    for (let index = 0; index < scenarios.cold.names; index += 1)
      lines.push(`127.0.0.1 r${round}-${index}.bench.test`);
  writeFileSync(hostsPath, `${lines.join('\n')}\n`);
  const library = join(directory, 'loopback-names.so');
  const source = join(import.meta.dirname, 'loopback-names.c');
  execFileSync('cc', ['-O2', '-shared', '-fPIC', '-o', library, source, '-ldl']);
  return { hostsPath, environment: { LD_PRELOAD: library } };
}

function end(row) {
  if (row.child === null) return;
  endTree(row.child.pid);
  running.delete(row.child);
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

// Spike beside its peers: requests per second, p99, CPU and memory, as ratios in one run. See bench/README.md.
import { execFileSync, spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startOrigin } from './origin.mjs';
import { peers } from './peers.mjs';
import { measureTree } from './process-tree.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '6' },
    only: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const at = (file) => fileURLToPath(new URL(file, import.meta.url));
const scenarios = {
  reverse: { title: 'plain HTTP, reverse, 1 KiB, 64 connections', form: 'rev', connections: 64 },
  forward: { title: 'plain HTTP, forward, 1 KiB, 64 connections', form: 'fwd', connections: 64 },
  tls: { title: 'TLS intercepted, keep-alive, 1 KiB, 32 connections', form: 'mitm', connections: 32 },
};
const wanted = positionals.length === 0 ? ['reverse'] : positionals;
for (const name of wanted)
  if (!(name in scenarios)) fail(`Unknown scenario ${name}: ${Object.keys(scenarios).join(', ')}.`);
for (const tool of ['wrk', 'nginx', 'openssl']) requireTool(tool);

const directory = mkdtempSync(join(tmpdir(), 'spike-bench-'));
const children = [];
process.on('exit', () => {
  for (const child of children) for (const pid of measureTree(child.pid).pids) kill(pid);
  rmSync(directory, { recursive: true, force: true });
});
process.on('SIGINT', () => process.exit(130));

const origin = startOrigin(directory, { http: await freePort(), tls: await freePort() });
children.push(origin.child);
if (!(await listens(origin.http))) fail('nginx did not start as the origin.');
for (const name of wanted) await runScenario(scenarios[name]);
process.exit(0);

async function runScenario({ title, form, connections }) {
  const rows = [{ name: 'direct', port: null, runs: [], peak: 0 }];
  for (const peer of peers) {
    if (values.only !== undefined && !values.only.split(',').includes(peer.name)) continue;
    if (!peer.forms.includes(form)) continue;
    if (!peer.isHere()) {
      console.error(`${peer.name} is not installed and left out.`);
      continue;
    }
    rows.push(await startPeer(peer, form));
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const row of rows) {
      if (round === 0) await load(row, form, connections, 2);
      await measure(row, form, connections);
    }
  }
  for (const row of rows) if (row.child) for (const pid of measureTree(row.child.pid).pids) kill(pid);
  printTable(title, rows);
}

async function startPeer(peer, form) {
  const port = { rev: await freePort(), fwd: await freePort() };
  const [command, ...args] = peer.command(directory, { port, origin, form });
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_EXTRA_CA_CERTS: origin.caPath },
  });
  const log = createWriteStream(join(directory, `${peer.name}.log`));
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  children.push(child);
  const listen = form === 'rev' ? port.rev : port.fwd;
  if (!(await listens(listen))) fail(`${peer.name} did not start; see its log.`);
  return { name: peer.name, port: listen, child, runs: [], peak: 0 };
}

async function measure(row, form, connections) {
  const before = row.child ? measureTree(row.child.pid).cpuSeconds : 0;
  const result = await load(row, form, connections, seconds);
  const after = row.child ? measureTree(row.child.pid).cpuSeconds : 0;
  row.runs.push({
    perSecond: (result.calls / result.us) * 1e6,
    cpu: ((after - before) / result.calls) * 1000,
    ...result,
  });
  console.error(
    `${row.name}: ${Math.round(row.runs.at(-1).perSecond)}/s, p99 ${result.p99} µs, errors ${result.errors}`,
  );
}

/** One run of the load generator; the row's peak of memory is noted meanwhile. */
function load(row, form, connections, forSeconds) {
  const direct = row.port === null;
  const url = `http://127.0.0.1:${direct ? origin.http : row.port}`;
  const target = form === 'fwd' && !direct ? `http://127.0.0.1:${origin.http}/1k` : '/1k';
  const [command, args] =
    form === 'mitm'
      ? [
          process.execPath,
          [
            at('tunnel-load.mjs'),
            direct ? 'direct' : String(row.port),
            String(origin.tls),
            String(connections),
            String(forSeconds),
          ],
        ]
      : [
          'wrk',
          ['-t1', `-c${connections}`, `-d${forSeconds}s`, '--timeout', '10s', '-s', at('wrk.lua'), url],
        ];
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TARGET: target, HOST_FIELD: `127.0.0.1:${origin.http}` },
    });
    let out = '';
    child.stdout.on('data', (text) => (out += text));
    const watch = setInterval(() => {
      if (row.child) row.peak = Math.max(row.peak, measureTree(row.child.pid).residentBytes);
    }, 200);
    const late = setTimeout(() => child.kill('SIGKILL'), (forSeconds + 30) * 1000);
    child.on('exit', () => {
      clearInterval(watch);
      clearTimeout(late);
      const json = /JSON(\{.*\})/.exec(out);
      if (json === null) fail(`The load generator gave no result for ${row.name}: ${out}`);
      resolve(JSON.parse(json[1]));
    });
  });
}

function printTable(title, rows) {
  const median = (row, key) => row.runs.map((run) => run[key]).sort((a, b) => a - b)[row.runs.length >> 1];
  const spike = rows.find((row) => row.name === 'spike');
  const base = spike === undefined ? null : median(spike, 'perSecond');
  console.log(
    `\n### ${title}\n\n| | req/s | Spike is | p50 ms | p99 ms | CPU s per 1,000 | peak MB | errors |`,
  );
  console.log('|---|--:|--:|--:|--:|--:|--:|--:|');
  for (const row of rows) {
    const perSecond = median(row, 'perSecond');
    const ratio = base === null ? '' : `${(base / perSecond).toFixed(2)} ×`;
    const cells = [
      row.name,
      Math.round(perSecond).toLocaleString('en-US'),
      row === spike ? '' : ratio,
      (median(row, 'p50') / 1000).toFixed(2),
      (median(row, 'p99') / 1000).toFixed(1),
      row.child ? median(row, 'cpu').toFixed(3) : '–',
      row.child ? Math.round(row.peak / 1e6) : '–',
      row.runs.reduce((sum, run) => sum + run.errors, 0),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}

function requireTool(name) {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' });
  } catch {
    fail(`${name} is not installed: apt-get install wrk nginx openssl (haproxy to compare).`);
  }
}

async function listens(port) {
  for (let attempt = 0; attempt < 150; attempt += 1) {
    const open = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (open) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

/**
 * Below the system's ephemeral range: a client that polls a free port within it can be given that very port as its own,
 * and connects to itself.
 */
function freePort() {
  return new Promise((resolve) => {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    server.on('error', () => resolve(freePort()));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(port)));
  });
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

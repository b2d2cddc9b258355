// What rules cost that no call matches, by load: one agent under one steady load, its rules turned on and off between short
// slices. Neighbouring slices are compared, so that what drifts (the machine, the heap) falls out; see bench/README.md.
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findRunningAgent } from '../src-main/control/agent-file.ts';
import { createRestClient } from '../src-main/control/rest-client.ts';
import { medianWithBounds } from './median.mjs';
import { freePort, listens } from './ports.mjs';

/** After a change of the rules: what it costs to make it is not what they cost. */
const settleMs = 500;
const warmUpMs = 5000;
const rulesOfEach = 50;

/** Rules that no call to the origin matches, one of each kind in turn. */
const kinds = [
  (index) => ({ callee: `service-${index}` }),
  (index) => ({ callee: 'origin', path: `/v2/${index}/*` }),
  () => ({ method: 'PUT' }),
  (index) => ({ host: `host-${index}.test` }),
  () => ({ caller: 'cron' }),
];

function rulesText() {
  const fault = '[{ type: status, status: 503 }]';
  const line = (id, match) =>
    `  - { id: ${id}, name: ${id}, match: ${JSON.stringify(match)}, faults: ${fault} }\n`;
  const off = Array.from({ length: rulesOfEach }, (_, index) => line(`off-${index}`, {}));
  const on = Array.from({ length: rulesOfEach }, (_, index) =>
    line(`on-${index}`, kinds[index % kinds.length](index)),
  );
  return `rules:\n${[...off, ...on].join('')}`;
}

/**
 * Each round has three slices: without rules, with them (in turn the other way round), and the second one again, which tells
 * what this method cannot tell apart.
 * @param watch Called with each process that is started.
 */
export async function runRules(scenario, { root, directory, origin, pairs, seconds, watch, end }) {
  const agent = await startAgent({ root, directory, origin, watch });
  const load = scenario.load({ form: 'reverse', port: agent.port, origin, seconds: 3600 });
  const wrk = spawn(load.command, load.args, { stdio: 'ignore', env: { ...process.env, ...load.env } });
  watch(wrk);
  await pause(warmUpMs);
  const slice = async (isOn) => {
    // A change costs for a while after it: each slice has one before it, also where it is as the last one.
    await agent.turn(!isOn);
    await agent.turn(isOn);
    await pause(settleMs);
    return await measureSlice(agent.workerPid, origin, seconds);
  };
  const found = { rules: [], same: [], on: [], off: [] };
  for (let pair = 0; pair < pairs; pair += 1) {
    const onFirst = pair % 2 === 1;
    const first = await slice(onFirst);
    const second = await slice(!onFirst);
    const again = await slice(!onFirst);
    const [on, off] = onFirst ? [first, second] : [second, first];
    found.on.push(on);
    found.off.push(off);
    found.rules.push(ratioOf(on, off));
    found.same.push(ratioOf(again, second));
    const last = found.rules.at(-1);
    console.error(
      `${pair + 1} of ${pairs}: throughput × ${last.perSecond.toFixed(3)}, CPU a call × ${last.cpuUs.toFixed(3)}`,
    );
  }
  await agent.turn(false);
  end(wrk);
  end(agent.child);
  print(scenario, found);
}

async function startAgent({ root, directory, origin, watch }) {
  const [port, proxyPort] = [await freePort(), await freePort()];
  const workspace = join(directory, 'spike-rules.yaml');
  const home = join(directory, 'home-rules');
  const route = `{ name: origin, listen: 127.0.0.1:${port}, upstream: http://127.0.0.1:${origin.http} }`;
  writeFileSync(workspace, `version: 1\nroutes:\n  - ${route}\n${rulesText()}`);
  const flags = ['--headless', '--workers', '1', '--proxy', `127.0.0.1:${proxyPort}`];
  const files = ['--control', '127.0.0.1:0', '--home', home, '--workspace', workspace];
  const words = [join(root, 'src-main/cli/main.ts'), 'start', ...flags, ...files];
  const child = spawn(process.execPath, words, { stdio: 'ignore' });
  watch(child);
  if (!(await listens(port))) throw new Error('The agent did not start.');
  let running = await findRunningAgent(home);
  for (; running === null; running = await findRunningAgent(home)) await pause(100);
  const client = createRestClient({ baseUrl: running.control, token: running.token });
  const { workers } = await client.agent.status();
  const ids = Array.from({ length: rulesOfEach }, (_, index) => `on-${index}`);
  const turn = async (enabled) => await client.rules.switch({ ids, enabled });
  return { port, child, workerPid: workers[0].pid, turn };
}

/** Calls that the origin answered, and CPU time of all threads of the worker. */
async function measureSlice(pid, origin, seconds) {
  const begin = await look(pid, origin);
  await pause(seconds * 1000);
  const end = await look(pid, origin);
  const calls = end.calls - begin.calls;
  return {
    perSecond: (calls / (end.at - begin.at)) * 1000,
    cpuUs: (end.cpuNs - begin.cpuNs) / 1000 / calls,
  };
}

async function look(pid, origin) {
  const at = performance.now();
  const cpuNs = cpuNsOf(pid);
  const text = await (await fetch(`http://127.0.0.1:${origin.http}/count`)).text();
  // "server accepts handled requests", then the three numbers (nginx, stub_status).
  const calls = Number(/(\d+) (\d+) (\d+) *\n/.exec(text)[3]);
  return { at, cpuNs, calls };
}

/** /proc counts in ticks of 10 ms there, in ns here (Documentation/scheduler/sched-stats of Linux). */
function cpuNsOf(pid) {
  let sum = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      sum += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]);
    } catch {
      // A thread that ended meanwhile.
    }
  }
  return sum;
}

function ratioOf(one, other) {
  return { perSecond: one.perSecond / other.perSecond, cpuUs: one.cpuUs / other.cpuUs };
}

function print({ title }, { rules, same, on, off }) {
  const ratio = (pairs, key) => {
    const { median, low, high, isBounded } = medianWithBounds(pairs.map((each) => each[key]));
    return `${median.toFixed(3)} | ${isBounded ? `${low.toFixed(3)} to ${high.toFixed(3)}` : 'too few pairs'}`;
  };
  const middle = (slices, key) => medianWithBounds(slices.map((each) => each[key])).median;
  console.log(`\n### ${title}, ${rules.length} pairs\n`);
  console.log('| | req/s | with / without | 95 % of it | CPU µs a call | with / without | 95 % of it |');
  console.log('|---|--:|--:|--:|--:|--:|--:|');
  const row = (name, slices, pairs) =>
    console.log(
      `| ${name} | ${Math.round(middle(slices, 'perSecond')).toLocaleString('en-US')} | ${pairs === null ? ' | ' : ratio(pairs, 'perSecond')} | ${middle(slices, 'cpuUs').toFixed(2)} | ${pairs === null ? ' | ' : ratio(pairs, 'cpuUs')} |`,
    );
  row('no rule on', off, null);
  row(`${rulesOfEach} on that no call matches, ${rulesOfEach} off`, on, rules);
  row('the same twice', off, same);
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

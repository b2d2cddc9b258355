// `npm test [-- STEP ...]`: every check and every test, then how long each step took, what failed, and last one line with the sum:
//     N passed, N failed, N skipped
// Each check (format, lint, types, build) counts as one. What a test needs and this machine lacks is installed, or named.
import { availableParallelism } from 'node:os';
import { runProgram } from './test-run/program.mjs';
import { background, order, reportDirectory, steps } from './test-run/steps.mjs';

const only = process.argv.slice(2);
const unknown = only.filter((name) => !(name in steps));
if (unknown.length > 0) {
  console.error(`Unknown step: ${unknown.join(', ')}. There are: ${Object.keys(steps).join(', ')}.`);
  process.exit(2);
}

const reports = reportDirectory();
const sum = { passed: 0, failed: 0, skipped: 0 };
/** What failed, told once more before the sum: in a long log the last lines are what is read. */
const failures = [];
const times = [];

/** What a step says is on the terminal at once; where others run beside it, when it is over. */
async function runStep({ title, work }, { alone, idle }) {
  if (alone) console.log(`\n# ${title}`);
  const begin = performance.now();
  let said = '';
  const result = await work(async (command, args, env = {}) => {
    const { code, output } = await runProgram(command, args, { kept: !alone, idle, env });
    said += output;
    return code;
  }, reports.path);
  if (!alone) console.log(`\n# ${title}\n${said}`.trimEnd());
  times.push(`${title} ${Math.round((performance.now() - begin) / 1000)} s`);
  for (const key of Object.keys(sum)) sum[key] += result[key] ?? 0;
  failures.push(...(result.failures ?? []));
}

/** As many at once as there are cores. */
async function sideBySide(waiting) {
  const alone = waiting.length === 1;
  const lane = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      await runStep(step, { alone, idle: false });
    }
  };
  await Promise.all(Array.from({ length: Math.min(waiting.length, availableParallelism()) }, lane));
}

const wanted = (names) =>
  names.filter((name) => only.length === 0 || only.includes(name)).flatMap((name) => steps[name]);
const groups = order.map(wanted).filter((group) => group.length > 0);
const idle = groups.length > 0;
const beside = Promise.all(wanted(background).map((step) => runStep(step, { alone: !idle, idle })));
for (const group of groups) await sideBySide(group);
await beside;
reports.remove();

console.log(`\n${times.join(', ')}`);
if (failures.length > 0) console.log(`\nFailed:\n${failures.map((failure) => `  ${failure}`).join('\n')}`);
console.log(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exit(sum.failed === 0 ? 0 : 1);

// `npm test`: every check and every test, one after the other, and at the end one line with the sum:
//     N passed, N failed, N skipped
// Each check (format, lint, types, build) counts as one. What a test needs and this machine lacks is installed, or named.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { findChromium } from './find-chromium.mjs';

const only = process.argv.slice(2);
const reports = mkdtempSync(join(tmpdir(), 'spike-test-'));
const sum = { passed: 0, failed: 0, skipped: 0 };
/** What failed, told once more before the sum: in a long log the last lines are what is read. */
const failures = [];

function run(command, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code, signal) => resolve(signal === null ? code : 1));
  });
}

function count(add) {
  for (const key of Object.keys(sum)) sum[key] += add[key] ?? 0;
}

/** The runner ended before it could say what it found. */
function countBroken(runner) {
  failures.push(`${runner}: the runner wrote no report`);
  count({ failed: 1 });
}

function firstLine(text = '') {
  return text.split('\n', 1)[0];
}

function failedSpecs(suites) {
  return suites.flatMap(({ suites: inner = [], specs = [] }) => [
    ...specs.filter(({ ok }) => !ok).map(({ file, title }) => `tests/e2e/${file}: ${title}`),
    ...failedSpecs(inner),
  ]);
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null; // The runner ended before it could write: told by the caller as a failure.
  }
}

async function check(name, command, args) {
  console.log(`\n# ${name}`);
  const code = await run(command, args);
  count(code === 0 ? { passed: 1 } : { failed: 1 });
  if (code !== 0) failures.push(name);
}

async function vitest(project) {
  console.log(`\n# ${project} tests`);
  const file = join(reports, `${project}.json`);
  const args = [
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ];
  const code = await run('vitest', args);
  const report = readReport(file);
  if (report === null) return countBroken(project);
  for (const { name, assertionResults } of report.testResults) {
    for (const { status, fullName, failureMessages } of assertionResults) {
      if (status === 'failed')
        failures.push(`${relative('.', name)}: ${fullName}\n    ${firstLine(failureMessages[0])}`);
    }
  }
  const failed = report.numFailedTests;
  if (failed === 0 && code !== 0)
    failures.push(`${project}: the runner failed, though no test did (see above)`);
  count({
    passed: report.numPassedTests,
    // A file that does not load, or a leak that the runner reports, fails without a failed test.
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  });
}

async function playwright() {
  console.log('\n# end-to-end tests');
  const chromium = await findChromium();
  if (chromium === null) {
    console.error(
      'No browser: install one with `npx playwright install chromium`, or a system package named chromium.',
    );
    return count({ failed: 1 });
  }
  const file = join(reports, 'e2e.json');
  const code = await run('playwright', ['test', '--reporter=list,json'], {
    PLAYWRIGHT_JSON_OUTPUT_NAME: file,
    ...(chromium === '' ? {} : { SPIKE_CHROMIUM: chromium }),
  });
  const report = readReport(file);
  if (report === null) return countBroken('end-to-end');
  failures.push(...failedSpecs(report.suites));
  const { expected, unexpected, flaky, skipped } = report.stats;
  count({ passed: expected + flaky, failed: unexpected === 0 && code !== 0 ? 1 : unexpected, skipped });
}

const steps = {
  format: () => check('format', 'prettier', ['--check', '.', '--log-level', 'warn']),
  lint: () => check('lint and layering', 'eslint', ['.', '--max-warnings', '0']),
  types: async () => {
    await check('types: main and tests', 'tsc', ['-p', 'tsconfig.node.json']);
    await check('types: window', 'tsc', ['-p', 'tsconfig.web.json']);
    await check('types: end-to-end tests', 'tsc', ['-p', 'tsconfig.e2e.json']);
  },
  build: () => check('build', 'electron-vite', ['build', '--logLevel', 'warn']),
  unit: () => vitest('unit'),
  integration: () => vitest('integration'),
  e2e: playwright,
};

const unknown = only.filter((name) => !(name in steps));
if (unknown.length > 0) {
  console.error(`Unknown step: ${unknown.join(', ')}. There are: ${Object.keys(steps).join(', ')}.`);
  process.exit(2);
}
for (const [name, step] of Object.entries(steps)) if (only.length === 0 || only.includes(name)) await step();
rmSync(reports, { recursive: true, force: true });
if (failures.length > 0) console.log(`\nFailed:\n${failures.map((failure) => `  ${failure}`).join('\n')}`);
console.log(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exit(sum.failed === 0 ? 0 : 1);

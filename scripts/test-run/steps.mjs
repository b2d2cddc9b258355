// The steps of `npm test`: what each runs, and which of them run side by side.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium } from '../find-chromium.mjs';
import { checkResult, playwrightResult, vitestResult } from './reports.mjs';

/** Steps are given `run`, a runProgram with their way of output, and the directory for reports. */
function check(title, command, args) {
  return { title, work: async (run) => checkResult(title, await run(command, args)) };
}

function vitest(project, rest = {}) {
  const work = async (run, reports) => {
    const file = join(reports, `${project}.json`);
    const outputs = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    return vitestResult(project, file, await run('vitest', ['run', '--project', project, ...outputs]));
  };
  return { title: `${project} tests`, work, ...rest };
}

async function endToEnd(run, reports) {
  const chromium = await findChromium();
  if (chromium === null) {
    const way = 'install one with `npx playwright install chromium`, or a system package named chromium';
    return { failed: 1, failures: [`end-to-end tests: no browser: ${way}`] };
  }
  const file = join(reports, 'e2e.json');
  const env = { PLAYWRIGHT_JSON_OUTPUT_NAME: file, ...(chromium === '' ? {} : { SPIKE_CHROMIUM: chromium }) };
  const code = await run('playwright', ['test', '--reporter=list,json'], env);
  return playwrightResult('end-to-end tests', file, code);
}

/** By their names on the command line. */
export const steps = {
  lint: [check('lint and layering', 'eslint', ['.', '--max-warnings', '0'])],
  types: [
    check('types: main and tests', 'tsc', ['-p', 'tsconfig.node.json']),
    check('types: end-to-end tests', 'tsc', ['-p', 'tsconfig.e2e.json']),
    check('types: window', 'tsc', ['-p', 'tsconfig.web.json']),
  ],
  format: [check('format', 'prettier', ['--check', '.', '--log-level', 'warn'])],
  build: [check('build', 'electron-vite', ['build', '--logLevel', 'warn'])],
  unit: [vitest('unit')],
  integration: [vitest('integration')],
  e2e: [{ title: 'end-to-end tests', work: endToEnd }],
  fuzz: [vitest('fuzz')],
};

/**
 * One group after the other, and side by side what is in a group: checks use one core each, and the tests all there are.
 * Fuzzing waits for nothing and nothing waits for it: it has what the others leave, from the beginning on.
 */
export const order = [['lint', 'types', 'format', 'build'], ['unit'], ['integration'], ['e2e']];
export const background = ['fuzz'];

/** A place for reports, and the words to take it away. */
export function reportDirectory() {
  const path = mkdtempSync(join(tmpdir(), 'spike-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

// What a runner found, from the report that it wrote: `{ passed, failed, skipped, failures }`, the last in words.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

/** A check, which passes or does not. */
export function checkResult(name, code) {
  return code === 0 ? { passed: 1 } : { failed: 1, failures: [name] };
}

/** @param {number} code the runner's own: a file that does not load, or a leak, fails without a failed test. */
export function vitestResult(name, file, code) {
  const report = read(file);
  if (report === null) return broken(name);
  const failures = report.testResults.flatMap(({ name: path, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(
        ({ fullName, failureMessages: [why = ''] }) =>
          `${relative('.', path)}: ${fullName}\n    ${why.split('\n', 1)[0]}`,
      ),
  );
  return {
    ...failedOrRunner(name, report.numFailedTests, code, failures),
    passed: report.numPassedTests,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

export function playwrightResult(name, file, code) {
  const report = read(file);
  if (report === null) return broken(name);
  const { expected, unexpected, flaky, skipped } = report.stats;
  return {
    ...failedOrRunner(name, unexpected, code, failedSpecs(report.suites)),
    passed: expected + flaky,
    skipped,
  };
}

function failedSpecs(suites) {
  return suites.flatMap(({ suites: inner = [], specs = [] }) => [
    ...specs.filter(({ ok }) => !ok).map(({ file, title }) => `tests/e2e/${file}: ${title}`),
    ...failedSpecs(inner),
  ]);
}

function failedOrRunner(name, failed, code, failures) {
  return failed === 0 && code !== 0
    ? { failed: 1, failures: [...failures, `${name}: the runner failed, though no test did (see above)`] }
    : { failed, failures };
}

function broken(name) {
  return { failed: 1, failures: [`${name}: the runner wrote no report`] };
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null; // The runner ended before it could write: a failure of its own (`broken`).
  }
}

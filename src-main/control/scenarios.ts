import { reportPage } from '../engine/scenarios/report-page.ts';
import { attachment } from './attachment.ts';
import { SpikeError } from '#shared/contract/errors.ts';
import { scenarioIssues } from '#shared/scenarios/scenario.ts';
import type { Scenario } from '#shared/scenarios/scenario.ts';
import { os } from './context.ts';
import type { ControlContext } from './context.ts';
import { describeIssues, summariseProblems } from './input-issues.ts';

const list = os.scenarios.list.handler(({ context }) => [...context.scenarios.list()]);

const create = os.scenarios.create.handler(async ({ input, context }) => {
  refuseUnfit(context, input, null);
  await context.editScenarios({ before: null, scenario: input });
  return input;
});

const replace = os.scenarios.replace.handler(async ({ input: { params, body }, context }) => {
  refuseBusy(context, params.name);
  refuseUnfit(context, body, params.name);
  await context.editScenarios({ before: params.name, scenario: body });
  return body;
});

const remove = os.scenarios.remove.handler(async ({ input: { name }, context }) => {
  refuseBusy(context, name);
  await context.editScenarios({ before: name, scenario: null });
  return { removed: name };
});

function refuseBusy({ scenarios }: ControlContext, name: string): void {
  if (!scenarios.list().some((scenario) => scenario.name === name))
    throw new SpikeError('not-found', `There is no scenario "${name}".`);
  const running = scenarios.current();
  if (running?.scenario === name && running.state === 'running')
    throw new SpikeError('conflict', `"${name}" is running. Stop it first; nothing was changed.`);
}

/** What only the whole workspace can tell: rules that are not there, names that are taken. */
function refuseUnfit({ engine, scenarios }: ControlContext, scenario: Scenario, before: string | null): void {
  const others = scenarios.list().filter(({ name }) => name !== before);
  const rules = engine.rules.list().filter(({ origin }) => origin === undefined);
  const issues = scenarioIssues([...others, scenario], rules);
  if (issues.length === 0) return;
  const problems = describeIssues(issues.map(({ path, message }) => ({ path: path.slice(2), message })));
  throw new SpikeError('invalid-input', summariseProblems(problems), problems);
}

const series = os.scenarios.series.handler(({ input, context }) => context.scenarios.series(input.id));

const run = os.scenarios.run.handler(({ input, context }) => context.scenarios.run(input.name, input.assert));

const stop = os.scenarios.stop.handler(({ context }) => context.scenarios.stop('it was stopped by hand'));

const current = os.scenarios.current.handler(({ context }) => ({ run: context.scenarios.current() }));

const reports = os.scenarios.reports.handler(({ context }) =>
  context.scenarios
    .reports()
    .map(({ id, scenario, startedAt, outcome, passed }) => ({ id, scenario, startedAt, outcome, passed })),
);

const report = os.scenarios.report.handler(({ input, context }) => {
  const found = context.scenarios.report(input.id);
  const name = `scenario-${found.id}.${input.format}`;
  const isPage = input.format === 'html';
  const text = isPage ? reportPage(found) : JSON.stringify(found, null, 2);
  const type = isPage ? 'text/html' : 'application/json';
  return attachment(text, { name, type, resHeaders: context.resHeaders });
});

export const scenarios = { list, create, replace, remove, series, run, stop, current, reports, report };

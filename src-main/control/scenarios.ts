import { reportPage } from '../engine/scenarios/report-page.ts';
import { attachment } from './attachment.ts';
import { os } from './context.ts';

const list = os.scenarios.list.handler(({ context }) => [...context.scenarios.list()]);

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

export const scenarios = { list, run, stop, current, reports, report };

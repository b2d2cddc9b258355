import { oc } from '@orpc/contract';
import { z } from 'zod';
import { RunSeriesSchema, ScenarioReportSchema, ScenarioRunSchema } from '../scenarios/report.ts';
import { ScenarioSchema } from '../scenarios/scenario.ts';

const scenarioName = z.string().min(1).max(100);

/** Rules over time: what there is, the run that lasts, and what became of those before it. */
export const scenarioCalls = {
  list: oc
    .route({
      method: 'GET',
      path: '/scenarios',
      tags: ['scenarios'],
      summary: 'Scenarios of the workspace file',
    })
    .output(z.array(ScenarioSchema)),
  create: oc
    .route({
      method: 'POST',
      path: '/scenarios',
      tags: ['scenarios'],
      successStatus: 201,
      summary: 'Add a scenario to the workspace file',
    })
    .input(ScenarioSchema)
    .output(ScenarioSchema),
  replace: oc
    .route({
      method: 'PUT',
      path: '/scenarios/{name}',
      tags: ['scenarios'],
      inputStructure: 'detailed',
      summary: 'Write a scenario anew, whole; it may get another name',
    })
    .input(z.object({ params: z.object({ name: scenarioName }), body: ScenarioSchema }))
    .output(ScenarioSchema),
  remove: oc
    .route({
      method: 'DELETE',
      path: '/scenarios/{name}',
      tags: ['scenarios'],
      summary: 'Remove a scenario from the workspace file',
    })
    .input(z.object({ name: scenarioName }))
    .output(z.object({ removed: z.string() })),
  series: oc
    .route({
      method: 'GET',
      path: '/scenarios/runs/{id}/series',
      tags: ['scenarios'],
      summary: 'What callers met so far in the run that lasts, or in the last one, for charts',
    })
    .input(z.object({ id: z.string().min(1).max(100) }))
    .output(RunSeriesSchema),
  run: oc
    .route({
      method: 'POST',
      path: '/scenarios/{name}/run',
      tags: ['scenarios'],
      summary: 'Begin a scenario; answers once its first phase holds',
    })
    .input(
      z.object({
        name: scenarioName,
        assert: z
          .array(z.string().min(1).max(500))
          .max(100)
          .default([])
          .meta({ description: 'More assertions, besides those of the scenario.' }),
      }),
    )
    .output(ScenarioRunSchema),
  stop: oc
    .route({
      method: 'POST',
      path: '/scenarios/stop',
      tags: ['scenarios'],
      summary: 'Stop the scenario that runs; answers once its rules are as they were before',
    })
    .output(ScenarioRunSchema),
  current: oc
    .route({
      method: 'GET',
      path: '/scenarios/run',
      tags: ['scenarios'],
      summary: 'The run that lasts, else the last one',
    })
    .output(z.object({ run: ScenarioRunSchema.nullable() })),
  reports: oc
    .route({
      method: 'GET',
      path: '/scenarios/reports',
      tags: ['scenarios'],
      summary: 'The last reports, the latest first; they are kept until the agent ends',
    })
    .output(
      z.array(
        ScenarioReportSchema.pick({ id: true, scenario: true, startedAt: true, outcome: true, passed: true }),
      ),
    ),
  report: oc
    .route({
      method: 'GET',
      path: '/scenarios/reports/{id}',
      tags: ['scenarios'],
      summary: 'What callers met in each phase, as JSON or as a page of its own',
    })
    .input(
      z.object({
        id: z.string().min(1).max(100),
        format: z.enum(['json', 'html']).default('json'),
      }),
    )
    .output(z.file()),
};

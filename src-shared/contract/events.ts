import { z } from 'zod';
import { FlowSummarySchema } from '../flow/flow-summary.ts';
import { RuleSchema } from '../rules/rule.ts';
import { RouteSchema } from '../routes/route.ts';
import { ScenarioRunSchema } from '../scenarios/report.ts';
import { heldEvents } from './held.ts';
import { StatusSchema } from './status.ts';

/**
 * What an agent tells its readers. Flows come in batches, ten times a second at the most. Above the view's bound
 * the batch is a sample: `total` counts every flow, `flows` holds one in `sampledOneIn`. A slow reader loses the
 * oldest events first and gets `events.dropped` with their number.
 */
export const FlowBatchEventSchema = z.object({
  type: z.literal('flow.batch'),
  flows: z
    .array(FlowSummarySchema)
    .meta({ description: 'Completed, changed or newly open flows, by start.' }),
  total: z.int().meta({ description: 'Flows that ended since the last batch, sampled or not.' }),
  sampledOneIn: z.int().meta({ description: '1: nothing was left out.' }),
  perSecond: z.number(),
});

export const EventSchema = z.discriminatedUnion('type', [
  FlowBatchEventSchema,
  z.object({ type: z.literal('flow.cleared') }),
  z.object({ type: z.literal('rule.changed'), rule: RuleSchema }),
  z.object({ type: z.literal('rule.removed'), id: z.string() }),
  z.object({ type: z.literal('rule.reordered'), ids: z.array(z.string()) }),
  z.object({
    type: z.literal('rule.hits'),
    hits: z
      .record(z.string(), z.int())
      .meta({ description: 'Hits since turned on, by rule id; changed ones only.' }),
  }),
  z.object({ type: z.literal('rule.all-stopped'), ids: z.array(z.string()) }).meta({
    description: 'All faults were stopped at once; `ids` were on. `rule.changed` tells of each as well.',
  }),
  ...heldEvents,
  z.object({ type: z.literal('scenario.changed'), run: ScenarioRunSchema }),
  z.object({ type: z.literal('route.changed'), route: RouteSchema }),
  z.object({ type: z.literal('route.removed'), name: z.string() }),
  z.object({
    type: z.literal('worker.lost'),
    worker: z.int(),
    pid: z.int().nullable(),
    reason: z.string(),
    lostFlows: z.int(),
  }),
  z.object({
    type: z.literal('worker.replaced'),
    worker: z.int(),
    pid: z.int().nullable(),
    afterMs: z.number(),
  }),
  z.object({ type: z.literal('status.changed'), status: StatusSchema }),
  z.object({ type: z.literal('events.dropped'), count: z.int() }),
]);
export type AgentEvent = z.infer<typeof EventSchema>;
export type FlowBatchEvent = z.infer<typeof FlowBatchEventSchema>;

import { oc } from '@orpc/contract';
import type { ContractRouterClient } from '@orpc/contract';
import { eventIterator } from '@orpc/contract';
import { z } from 'zod';
import { FlowSchema } from '../flow/flow.ts';
import { FlowSummarySchema } from '../flow/flow-summary.ts';
import { MessagePageSchema } from '../flow/message.ts';
import { maxSearchLetters } from '../flow/search.ts';
import { RouteDefinitionSchema, RouteSchema } from '../routes/route.ts';
import { RuleDefinitionSchema, RulePatchSchema, RuleSchema } from '../rules/rule.ts';
import { EventSchema } from './events.ts';
import { heldCalls } from './held.ts';
import { AutoPassthroughSchema } from './passthrough.ts';
import { ruleInterop } from './rule-interop.ts';
import { ruleOrder } from './rule-order.ts';
import { ruleSwitch } from './rule-switch.ts';
import { scenarioCalls } from './scenario-calls.ts';
import { mostPreviewedFlows, PreviewRuleSchema, RulePreviewSchema } from './rule-preview.ts';
import { StatusSchema } from './status.ts';
import { EdgeDetailSchema, StatsSchema, TopologySchema } from './topology.ts';

/**
 * The one contract between an agent and whoever asks it: the window (over MessagePort or WebSocket), scripts (REST,
 * under /api/v1), other agents. REST paths, IPC and the OpenAPI document are all made from it.
 */

const limit = z.coerce.number().int().min(1).max(1000).default(100);
const filter = z
  .string()
  .max(maxSearchLetters)
  .default('')
  .meta({ description: 'The search language of the window.' });
const id = z.object({ id: z.string().min(1).max(100) });
const windowText = z
  .string()
  .regex(/^\d{1,6}(ms|s|m|h)$/, 'Expected a duration such as 60s or 5m.')
  .default('60s');
/** On or off: JSON has booleans, a query string has `1`, `0`, `true`, `false`. */
const switchInput = (byDefault: '0' | '1') =>
  z.union([z.boolean(), z.enum(['1', '0', 'true', 'false'])]).default(byDefault);
/** Bytes with a name and a content type. Over REST they are the body of the answer; over the other transports a `File`. */
const file = z.file();

const flows = {
  list: oc
    .route({ method: 'GET', path: '/flows', tags: ['flows'], summary: 'Captured flows, newest first' })
    .input(
      z.object({
        limit,
        after: z.string().max(100).optional().meta({ description: 'The `next` of the page before.' }),
        filter,
        view: z.enum(['full', 'summary']).default('full'),
      }),
    )
    .output(
      z.object({
        flows: z.array(z.union([FlowSchema, FlowSummarySchema])),
        next: z
          .string()
          .nullable()
          .meta({ description: 'Give it as `after` for the next page; null: the end.' }),
      }),
    ),
  summaries: oc
    .route({
      method: 'GET',
      path: '/flow-summaries',
      tags: ['flows'],
      summary: 'Rows of captured flows, newest first',
    })
    .input(
      z.object({
        limit: z.coerce.number().int().min(1).max(100_000).default(1000),
        after: z.string().max(100).optional(),
        filter,
      }),
    )
    .output(
      z.object({ rows: z.array(FlowSummarySchema), next: z.string().nullable(), total: z.int().nullable() }),
    ),
  count: oc
    .route({ method: 'GET', path: '/flow-count', tags: ['flows'], summary: 'How many captured flows match' })
    .input(z.object({ filter }))
    .output(z.object({ matching: z.int(), total: z.int() })),
  get: oc
    .route({ method: 'GET', path: '/flows/{id}', tags: ['flows'], summary: 'One flow' })
    .input(id)
    .output(FlowSchema),
  body: oc
    .route({
      method: 'GET',
      path: '/flows/{id}/{side}/body',
      tags: ['flows'],
      summary: 'A stored body, as it was transferred or with its content coding removed',
    })
    .input(
      id.extend({
        side: z.enum(['request', 'response']),
        decoded: switchInput('0').meta({ description: 'Remove the content coding (gzip, br, zstd, ...).' }),
      }),
    )
    .output(file),
  messages: oc
    .route({
      method: 'GET',
      path: '/flows/{id}/messages',
      tags: ['flows'],
      summary:
        'What passed inside a flow: WebSocket messages, events, commands, bursts of bytes; also while it is open',
    })
    .input(
      id.extend({
        after: z.coerce.number().int().min(-1).default(-1).meta({
          description: 'The `next` of the page before, or the index of the last message that is known.',
        }),
        limit,
      }),
    )
    .output(MessagePageSchema),
  clear: oc
    .route({ method: 'DELETE', path: '/flows', tags: ['flows'], summary: 'Forget all captured flows' })
    .output(z.object({ removed: z.int() })),
};

const rules = {
  list: oc
    .route({
      method: 'GET',
      path: '/rules',
      tags: ['rules'],
      summary: 'Rules, in the order in which they are tried',
    })
    .output(z.array(RuleSchema)),
  create: oc
    .route({ method: 'POST', path: '/rules', tags: ['rules'], successStatus: 201, summary: 'Add a rule' })
    .input(RuleDefinitionSchema)
    .output(RuleSchema),
  get: oc
    .route({ method: 'GET', path: '/rules/{id}', tags: ['rules'], summary: 'One rule' })
    .input(id)
    .output(RuleSchema),
  replace: oc
    .route({
      method: 'PUT',
      path: '/rules/{id}',
      tags: ['rules'],
      inputStructure: 'detailed',
      summary: 'Write a rule anew, whole',
    })
    .input(z.object({ params: id, body: RuleDefinitionSchema }))
    .output(RuleSchema),
  update: oc
    .route({
      method: 'PATCH',
      path: '/rules/{id}',
      tags: ['rules'],
      inputStructure: 'detailed',
      summary: 'Change the fields that are given',
    })
    .input(z.object({ params: id, body: RulePatchSchema }))
    .output(RuleSchema),
  remove: oc
    .route({
      method: 'DELETE',
      path: '/rules/{id}',
      tags: ['rules'],
      summary: 'Remove a rule; what it holds is let go',
    })
    .input(id)
    .output(z.object({ removed: z.string() })),
  enable: oc
    .route({
      method: 'POST',
      path: '/rules/{id}/enable',
      tags: ['rules'],
      summary: 'Turn a rule on; it holds from the next call on',
    })
    .input(id)
    .output(RuleSchema),
  disable: oc
    .route({
      method: 'POST',
      path: '/rules/{id}/disable',
      tags: ['rules'],
      summary: 'Turn a rule off; what it holds is let go',
    })
    .input(id)
    .output(RuleSchema),
  preview: oc
    .route({
      method: 'POST',
      path: '/rules/preview',
      tags: ['rules'],
      summary: 'What an unsaved rule would have hit of the captured calls',
    })
    .input(
      z.strictObject({
        rule: PreviewRuleSchema,
        window: windowText.default('5m'),
        limit: z.int().min(1).max(mostPreviewedFlows).default(100).meta({ description: 'Ids in `flows`.' }),
      }),
    )
    .output(RulePreviewSchema),
  ...ruleInterop,
  ...ruleOrder,
  ...ruleSwitch,
  disableAll: oc
    .route({ method: 'POST', path: '/rules/disable-all', tags: ['rules'], summary: 'Stop all faults' })
    .output(
      z.object({
        disabled: z.array(z.string()),
        released: z.int().meta({ description: 'Calls that a fault held and that were let go.' }),
      }),
    ),
};

const routes = {
  list: oc
    .route({ method: 'GET', path: '/routes', tags: ['routes'], summary: 'Routes, and where each is bound' })
    .output(z.array(RouteSchema)),
  create: oc
    .route({
      method: 'POST',
      path: '/routes',
      tags: ['routes'],
      successStatus: 201,
      summary: 'Add a route; answers once its listener is bound',
    })
    .input(RouteDefinitionSchema)
    .output(RouteSchema),
  remove: oc
    .route({
      method: 'DELETE',
      path: '/routes/{name}',
      tags: ['routes'],
      summary: 'Remove a route and close its listener',
    })
    .input(z.object({ name: z.string() }))
    .output(z.object({ removed: z.string() })),
};

const topology = {
  get: oc
    .route({
      method: 'GET',
      path: '/topology',
      tags: ['topology'],
      summary: 'Services, and who calls whom, with rates and percentiles',
    })
    .input(z.object({ window: windowText }))
    .output(TopologySchema),
  edge: oc
    .route({
      method: 'GET',
      path: '/topology/edges/{id}',
      tags: ['topology'],
      summary: 'One edge with its chart',
    })
    .input(z.object({ id: z.string(), window: windowText.default('5m') }))
    .output(EdgeDetailSchema),
  stats: oc
    .route({
      method: 'GET',
      path: '/stats',
      tags: ['topology'],
      summary: 'Figures of all calls and of each edge',
    })
    .input(z.object({ window: windowText }))
    .output(StatsSchema),
};

const captures = {
  list: oc
    .route({
      method: 'GET',
      path: '/captures',
      tags: ['captures'],
      summary: 'Captures; `current` is the one being recorded',
    })
    .output(
      z.array(z.object({ id: z.string(), flows: z.int(), bytes: z.int(), startedAt: z.string().nullable() })),
    ),
  control: oc
    .route({ method: 'POST', path: '/captures', tags: ['captures'], summary: 'Start or stop recording' })
    .input(z.object({ action: z.enum(['start', 'stop']) }))
    .output(z.object({ recording: z.boolean() })),
  export: oc
    .route({
      method: 'GET',
      path: '/captures/{id}/export',
      tags: ['captures'],
      summary: 'What a capture holds, as a file; `current` is the one being recorded',
    })
    .input(
      z.object({
        id: z.string(),
        format: z.enum(['har']).default('har'),
        redact: switchInput('1').meta({ description: 'Secrets are replaced unless this is 0.' }),
        filter,
      }),
    )
    .output(file),
};

const passthrough = {
  list: oc
    .route({
      method: 'GET',
      path: '/passthrough',
      tags: ['agent'],
      summary: 'Clients whose TLS passes through because they reject the certificate that Spike shows',
    })
    .output(z.array(AutoPassthroughSchema)),
  forget: oc
    .route({
      method: 'DELETE',
      path: '/passthrough/{id}',
      tags: ['agent'],
      summary: 'Open the TLS of such a client again, from its next connection on',
    })
    .input(id)
    .output(z.object({ forgotten: z.string() })),
};

const agent = {
  status: oc
    .route({
      method: 'GET',
      path: '/status',
      tags: ['agent'],
      summary: 'Version, workers, listeners, limits in force, drops',
    })
    .output(StatusSchema),
  caCertificate: oc
    .route({ method: 'GET', path: '/ca.pem', tags: ['agent'], summary: 'The certificate of the CA' })
    .output(file),
  startDemo: oc
    .route({ method: 'POST', path: '/demo/start', tags: ['agent'], summary: 'Start the example shop' })
    .output(z.object({ state: StatusSchema.shape.demo })),
  events: oc
    .route({
      method: 'GET',
      path: '/event-stream',
      tags: ['agent'],
      summary: 'The events, as server-sent events',
    })
    .output(eventIterator(EventSchema)),
};

export const contract = oc.prefix('/api/v1').router({
  flows,
  rules,
  held: heldCalls,
  scenarios: scenarioCalls,
  routes,
  topology,
  captures,
  passthrough,
  agent,
});
export type Contract = typeof contract;
export type AgentClient = ContractRouterClient<Contract>;

export const apiPrefix = '/api/v1';

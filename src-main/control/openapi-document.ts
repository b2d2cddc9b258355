import { OpenAPIGenerator } from '@orpc/openapi';
import type { OpenAPI } from '@orpc/openapi';
import { ZodToJsonSchemaConverter } from '@orpc/zod/zod4';
import { z } from 'zod';
import { apiPrefix, contract } from '#shared/contract/contract.ts';
import { ErrorBodySchema } from '#shared/contract/errors.ts';
import { EventSchema } from '#shared/contract/events.ts';
import { StatusSchema } from '#shared/contract/status.ts';
import { EdgeSchema, ServiceSchema } from '#shared/contract/topology.ts';
import { FlowSchema } from '#shared/flow/flow.ts';
import { FlowSummarySchema } from '#shared/flow/flow-summary.ts';
import { RouteSchema } from '#shared/routes/route.ts';
import { RuleDefinitionSchema, RuleSchema } from '#shared/rules/rule.ts';

/** The OpenAPI document, made from the contract. What is no procedure (a WebSocket, the metrics) is added by hand. */
export async function generateOpenApi(version: string): Promise<OpenAPI.Document> {
  const generator = new OpenAPIGenerator({ schemaConverters: [new ZodToJsonSchemaConverter()] });
  const document = await generator.generate(contract, {
    info: {
      title: 'Spike control API',
      version,
      description: 'Watch, break, record and replay the calls between your services.',
    },
    security: [{ token: [] }],
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      responses: { Failure: failure() },
    },
    commonSchemas: {
      Edge: { schema: EdgeSchema, strategy: 'output' },
      Event: { schema: EventSchema, strategy: 'output' },
      Flow: { schema: FlowSchema, strategy: 'output' },
      FlowSummary: { schema: FlowSummarySchema, strategy: 'output' },
      Route: { schema: RouteSchema, strategy: 'output' },
      Rule: { schema: RuleSchema, strategy: 'output' },
      RuleDefinition: { schema: RuleDefinitionSchema },
      Service: { schema: ServiceSchema, strategy: 'output' },
      Status: { schema: StatusSchema, strategy: 'output' },
    },
  });
  return { ...document, paths: { ...withFailures(document.paths ?? {}), ...otherPaths } };
}

/** Every failure has one shape, and `code` is what a program looks at: no operation needs a list of its own. */
function failure(): OpenAPI.ResponseObject {
  const { $schema: _, ...schema } = z.toJSONSchema(ErrorBodySchema);
  return {
    description: 'A failure; `code` is stable.',
    // One JSON Schema in two libraries' types; their common form is the document itself.
    content: { 'application/json': { schema: schema as unknown as OpenAPI.SchemaObject } },
  };
}

const verbs = ['get', 'put', 'post', 'delete', 'patch'] as const;

function withFailures(paths: OpenAPI.PathsObject): OpenAPI.PathsObject {
  for (const item of Object.values(paths)) {
    for (const verb of verbs) {
      const operation = item?.[verb];
      if (operation === undefined) continue;
      operation.responses = { ...operation.responses, default: { $ref: '#/components/responses/Failure' } };
    }
  }
  return paths;
}

const otherPaths: OpenAPI.PathsObject = {
  [`${apiPrefix}/events`]: {
    get: {
      operationId: 'events',
      summary: 'The events over a WebSocket: one JSON text a message, each an `Event`',
      description: 'A browser gives its token as a subprotocol: `spike.v1, token.TOKEN`.',
      tags: ['agent'],
      responses: {
        '101': { description: 'The WebSocket is open.' },
        default: { $ref: '#/components/responses/Failure' },
      },
    },
  },
  '/metrics': {
    get: {
      operationId: 'metrics',
      summary: 'Prometheus text',
      tags: ['agent'],
      responses: { '200': { description: 'OK', content: { 'text/plain': { schema: { type: 'string' } } } } },
    },
  },
};

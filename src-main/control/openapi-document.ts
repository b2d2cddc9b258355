import { OpenAPIGenerator } from '@orpc/openapi';
import type { OpenAPI } from '@orpc/openapi';
import { ZodToJsonSchemaConverter } from '@orpc/zod/zod4';
import { z } from 'zod';
import { contract } from '#shared/contract/contract.ts';
import { ErrorBodySchema } from '#shared/contract/errors.ts';

/** The OpenAPI document, made from the contract. */
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
      responses: {
        Failure: {
          description: 'Every failure has this shape; `code` is stable.',
          content: { 'application/json': { schema: errorSchema() } },
        },
      },
    },
  });
  return withFailures(document);
}

function errorSchema(): OpenAPI.SchemaObject {
  const { $schema: _, ...schema } = z.toJSONSchema(ErrorBodySchema);
  // One JSON Schema in two libraries' types; their common form is the document itself.
  return schema as unknown as OpenAPI.SchemaObject;
}

const verbs = ['get', 'put', 'post', 'delete', 'patch'] as const;

function withFailures(document: OpenAPI.Document): OpenAPI.Document {
  for (const item of Object.values(document.paths ?? {})) {
    for (const verb of verbs) {
      const operation = item?.[verb];
      if (operation === undefined) continue;
      operation.responses = { ...operation.responses, default: { $ref: '#/components/responses/Failure' } };
    }
  }
  return document;
}

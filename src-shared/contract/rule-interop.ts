import { oc } from '@orpc/contract';
import { z } from 'zod';
import { RuleDefinitionSchema, RuleSchema } from '../rules/rule.ts';

const RuleImportSchema = z.strictObject({
  text: z.string().min(1).max(1_000_000).meta({
    description:
      "YAML or JSON, one or several documents: rules of a workspace file, VirtualServices of Istio, lists of them, configurations with Envoy's fault filter.",
  }),
  apply: z
    .boolean()
    .default(true)
    .meta({ description: 'false: nothing is added, the rules are only shown.' }),
  enabled: z.boolean().default(false).meta({ description: 'Whether the rules are on as they are added.' }),
  taken: z.enum(['refuse', 'rename']).default('refuse').meta({
    description:
      'What is done where a rule has the name or the id already. rename: the new one is called "name 2".',
  }),
});

const RuleImportResultSchema = z.object({
  rules: z.array(RuleDefinitionSchema).meta({ description: 'What the text makes.' }),
  added: z.array(RuleSchema).meta({ description: 'What was added; empty with `apply: false`.' }),
  notes: z
    .array(
      z.object({
        document: z.int().meta({ description: 'Which document of the text, from 1.' }),
        line: z.int().meta({ description: 'The line in the text, from 1.' }),
        at: z.string().meta({ description: 'The place in the document: `spec.http[0].fault.delay`.' }),
        message: z.string(),
      }),
    )
    .meta({ description: 'What the rules do not say, or say differently.' }),
});

const RuleExportSchema = z.object({
  format: z.enum(['istio', 'spike']).default('istio').meta({
    description:
      'istio: VirtualServices of what Istio can express; comments name the others. spike: a workspace file of the rules.',
  }),
  ids: z.string().min(1).max(1_100_000).optional().meta({
    description: 'Ids with commas between them; absent: all rules. One that no rule has is refused.',
  }),
});

/** Rules from configurations of other proxies, and for them. */
export const ruleInterop = {
  import: oc
    .route({
      method: 'POST',
      path: '/rules/import',
      tags: ['rules'],
      summary: "Rules of Spike, VirtualServices of Istio or Envoy's fault filter, all of them or none",
    })
    .input(RuleImportSchema)
    .output(RuleImportResultSchema),
  export: oc
    .route({
      method: 'GET',
      path: '/rules/export',
      tags: ['rules'],
      summary: 'Rules as YAML: of Istio, or as in a workspace file',
    })
    .input(RuleExportSchema)
    .output(z.file()),
};

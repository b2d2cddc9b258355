import { z } from 'zod';
import { FaultSchema } from './fault.ts';

const text = (title: string, description: string) =>
  z.string().min(1).max(2048).optional().meta({ title, description });

/**
 * Which calls a rule is about. Every field that is given must match; a rule without fields matches every call.
 * Values are globs (`*` any run of characters, `?` one); `/…/` or `/…/i` is a regular expression. Service names,
 * hosts and methods are compared without regard to case, paths with it. `path` is without the query.
 */
export const MatchSchema = z.strictObject({
  caller: text('Caller', 'The service that calls.'),
  callee: text('Callee', 'The service that is called.'),
  method: text('Method', 'The HTTP method.'),
  host: text('Host', 'The host that is asked, without its port.'),
  path: text('Path', 'The path, without the query.'),
});
export type Match = z.infer<typeof MatchSchema>;

/** Which of the matching calls are hit. Everything that is given must agree. Counts are exact over all workers. */
export const TriggerSchema = z.strictObject({
  probability: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .meta({ title: 'Probability', description: '0 to 1; absent means every call.' }),
  first: z
    .int()
    .min(1)
    .max(1_000_000_000)
    .optional()
    .meta({ title: 'First', description: 'Only the first n matching calls since the rule was turned on.' }),
  seed: z
    .int()
    .min(0)
    .max(4_294_967_295)
    .optional()
    .meta({ title: 'Seed', description: 'Makes the draws repeat for the same order of calls.' }),
});
export type Trigger = z.infer<typeof TriggerSchema>;

const ruleFields = {
  name: z.string().trim().min(1).max(200).meta({ title: 'Name', description: 'Unique in the workspace.' }),
  enabled: z.boolean().default(false),
  match: MatchSchema.default({}),
  trigger: TriggerSchema.default({}),
  faults: z.array(FaultSchema).min(1).max(16),
};

/** A rule as it is written in spike.yaml and sent to `POST /rules`: without what the agent adds. */
export const RuleDefinitionSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,79}$/, 'Expected lower-case letters, digits and dashes.')
    .optional()
    .meta({ description: 'Stable; made from the name when absent.' }),
  ...ruleFields,
});
export type RuleDefinition = z.infer<typeof RuleDefinitionSchema>;
export type RuleInput = z.input<typeof RuleDefinitionSchema>;

/** A rule as the agent gives it. */
export const RuleSchema = z.object({
  id: z.string(),
  ...ruleFields,
  version: z.int().meta({ description: 'Counts up with every change.' }),
  enabledAt: z.string().nullable().meta({ description: 'ISO time since when it is on.' }),
  hits: z.int().meta({ description: 'Calls hit since it was turned on.' }),
  sentence: z.string().meta({ description: 'What the rule does, in words.' }),
});
export type Rule = z.infer<typeof RuleSchema>;

/** A change to a rule (`PATCH /rules/{id}`): the fields that are given replace those of the rule, whole. */
export const RulePatchSchema = z
  .strictObject({
    name: ruleFields.name,
    enabled: z.boolean(),
    match: MatchSchema,
    trigger: TriggerSchema,
    faults: z.array(FaultSchema).min(1).max(16),
  })
  .partial();
export type RulePatch = z.infer<typeof RulePatchSchema>;

/** The id that a rule without one gets: its name in lower case, with dashes. */
export function ruleIdFromName(name: string): string {
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
  return slug === '' ? 'rule' : slug;
}

import { z } from 'zod';
import { OriginSchema } from '../routes/route.ts';
import { FaultSchema } from './fault.ts';
import { MatchSchema } from './match.ts';
import type { Match } from './match.ts';
import { TriggerSchema } from './trigger.ts';
import type { Trigger } from './trigger.ts';

export { MatchSchema, TriggerSchema };
export type { Match, Trigger };

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
  origin: OriginSchema.optional().meta({
    description:
      'toxiproxy: a toxic of its API; scenario: a rule that lives while its scenario runs. It can be turned on and off and removed here, not changed. Absent: made by the workspace file, the window or this API.',
  }),
  ...ruleFields,
  version: z.int().meta({ description: 'Counts up with every change.' }),
  enabledAt: z.string().nullable().meta({ description: 'ISO time since when it is on.' }),
  expiresAt: z
    .string()
    .nullable()
    .meta({ description: 'ISO time at which it turns itself off; null when it is off or does not.' }),
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

import { z } from 'zod';
import { RuleDefinitionSchema } from '../rules/rule.ts';

/** Flows whose ids a preview gives at the most, unless it is asked for fewer. */
export const mostPreviewedFlows = 1000;

/** Parts that a window is told in. */
export const previewBars = 60;

/** An unsaved rule: its name and faults may still be missing, nobody looks at them. */
export const PreviewRuleSchema = RuleDefinitionSchema.partial();

/** What a rule would have hit of the calls that were captured. Found with the matcher that live calls meet. */
export const RulePreviewSchema = z.object({
  windowMs: z.int(),
  considered: z.int().meta({ description: 'Captured flows that were looked at.' }),
  complete: z.boolean().meta({
    description: 'false: the time for it was up; only the newest flows of the window were looked at.',
  }),
  matching: z.int().meta({ description: 'Calls that the match is about.' }),
  hits: z.int().meta({
    description:
      'Of these, the calls that the trigger takes, as if the rule had been turned on where the window begins; without `share`.',
  }),
  share: z.number().meta({
    description:
      'Each of the hits has this chance, since draws without a seed cannot be foretold; 1: they are certain.',
  }),
  undecided: z.int().meta({ description: 'Calls that lack what the match asks for; not among `matching`.' }),
  bars: z.array(z.object({ considered: z.int(), hits: z.int() })).meta({
    description: 'The window in 60 equal parts, the oldest first: what was looked at, what was hit.',
  }),
  notes: z.array(z.string()).meta({
    description: 'Sentences for a person: what was not known, what was not simulated.',
  }),
  flows: z.array(z.string()).meta({ description: 'Ids of the hits, newest first; at most `limit`.' }),
});
export type RulePreview = z.infer<typeof RulePreviewSchema>;

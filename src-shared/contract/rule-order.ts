import { oc } from '@orpc/contract';
import { z } from 'zod';

const ruleId = z.string().min(1).max(100);

const RuleOrderSchema = z.object({
  ids: z.array(z.string()).meta({ description: 'All rules, in the order in which they are tried.' }),
});

/** The order of the rules, which the workspace file keeps. Rules of another origin stay behind those of the users. */
export const ruleOrder = {
  move: oc
    .route({
      method: 'POST',
      path: '/rules/{id}/move',
      tags: ['rules'],
      inputStructure: 'detailed',
      summary: 'Put a rule before another one',
    })
    .input(
      z.object({
        params: z.object({ id: ruleId }),
        body: z.strictObject({
          before: ruleId.nullable().meta({ description: 'The id of a rule; null: behind the last.' }),
        }),
      }),
    )
    .output(RuleOrderSchema),
  order: oc
    .route({
      method: 'POST',
      path: '/rules/order',
      tags: ['rules'],
      summary: 'Put the rules into an order that names each of them once',
    })
    .input(
      z.strictObject({
        ids: z.array(ruleId).max(10_000).meta({
          description:
            'Of the rules that no other origin made; one that is unknown, missing or named twice changes nothing.',
        }),
      }),
    )
    .output(RuleOrderSchema),
};

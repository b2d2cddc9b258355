import { oc } from '@orpc/contract';
import { z } from 'zod';

/** Many rules at once, all of them or none. */
export const ruleSwitch = {
  switch: oc
    .route({
      method: 'POST',
      path: '/rules/switch',
      tags: ['rules'],
      summary: 'Turn several rules on or off at once',
    })
    .input(
      z.strictObject({
        ids: z
          .array(z.string().min(1).max(100))
          .max(10_000)
          .meta({ description: 'One that no rule has changes nothing.' }),
        enabled: z.boolean(),
      }),
    )
    .output(
      z.object({
        changed: z
          .array(z.string())
          .meta({ description: 'Those that were not so before, in the order of the rules.' }),
      }),
    ),
};

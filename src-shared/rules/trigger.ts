import { z } from 'zod';
import { durationMs, durationSchema, parseDuration } from './duration.ts';

const mostCalls = 1_000_000_000;
const count = z.int().min(1).max(mostCalls);

/** From `from` (default: at once) until `to` (default: for good) after the rule was turned on. */
export const WindowSchema = z
  .strictObject({
    from: durationSchema(0).optional().meta({ title: 'From', default: '0s' }),
    to: durationSchema(1).optional().meta({ title: 'To' }),
  })
  .superRefine(({ from, to }, context) => {
    if (from === undefined && to === undefined) {
      context.addIssue({ code: 'custom', message: 'Expected from, to or both.' });
    } else if (to !== undefined && (parseDuration(to) ?? Infinity) <= (parseDuration(from ?? '0s') ?? 0)) {
      context.addIssue({ code: 'custom', path: ['to'], message: 'Expected a time after from.' });
    }
  });

/** On for `for`, off for the rest of `every`, over and over; begins when the rule is turned on. */
export const ScheduleSchema = z
  .strictObject({
    every: durationSchema(100).meta({ title: 'Every', default: '60s' }),
    for: durationSchema(1).meta({ title: 'For', default: '10s' }),
  })
  .superRefine((schedule, context) => {
    if ((parseDuration(schedule.for) ?? 0) < (parseDuration(schedule.every) ?? Infinity)) return;
    context.addIssue({ code: 'custom', path: ['for'], message: 'Expected a shorter time than every.' });
  });

const ratePeriodsMs = { s: 1000, m: 60_000, h: 3_600_000 } as const;
const rate = /^(\d{1,7})\/([smh])$/;

/** A number of calls in a period; null for a text that is no rate. */
export function parseRate(text: string): { readonly calls: number; readonly periodMs: number } | null {
  const parts = rate.exec(text);
  if (parts === null) return null;
  const calls = Number(parts[1]);
  if (calls < 1 || calls > 1_000_000) return null;
  return { calls, periodMs: ratePeriodsMs[parts[2] as keyof typeof ratePeriodsMs] };
}

/**
 * Which of the matching calls are hit: those that everything which is given agrees on, asked in this order. Counts are exact
 * over all workers, and begin anew when the rule is turned on or changed.
 *
 * 1. `window`, `schedule`: while the rule sleeps, calls are neither hit nor counted.
 * 2. `after`, `first`, `every` look at the place of the call among those that matched while it was awake: after the first
 *    `after` of them, only the next `first`, of these each `every`th.
 * 3. `probability`, drawn from `seed` and that place where there is a seed.
 * 4. `rate`: of the calls that are left, so many a period pass untouched; those beyond are hit.
 * 5. `maxConcurrent`: of the calls that are left, no more at once.
 */
export const TriggerSchema = z.strictObject({
  probability: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .meta({ title: 'Probability', description: '0 to 1; absent means every call.' }),
  first: count
    .optional()
    .meta({ title: 'First', description: 'Only the first n matching calls since the rule was turned on.' }),
  after: count.optional().meta({ title: 'After', description: 'Spares the first n matching calls.' }),
  every: count.optional().meta({ title: 'Every', description: 'Only each nth matching call.' }),
  window: WindowSchema.optional().meta({
    title: 'Window',
    description: 'When it is awake, counted from when it was turned on: { from: 10s, to: 40s }.',
  }),
  schedule: ScheduleSchema.optional().meta({
    title: 'Schedule',
    description: 'Awake for some time of each cycle: { every: 60s, for: 10s }.',
  }),
  maxConcurrent: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .meta({ title: 'At once', description: 'Acts on at most n calls at the same time.' }),
  rate: z
    .string()
    .refine((text) => parseRate(text) !== null, 'Expected calls in a period, such as 10/s, 100/m or 5000/h.')
    .optional()
    .meta({ title: 'Quota', description: 'So many calls pass; those beyond are hit: 10/s, 100/m, 5000/h.' }),
  expires: durationSchema(100)
    .optional()
    .meta({ title: 'Expires', description: 'Turns the rule off by itself after that time: 5m.' }),
  seed: z
    .int()
    .min(0)
    .max(4_294_967_295)
    .optional()
    .meta({ title: 'Seed', description: 'Makes the draws repeat for the same order of calls.' }),
});
export type Trigger = z.infer<typeof TriggerSchema>;
export type TriggerField = keyof Trigger;

/** When a rule with this trigger that was turned on (or changed) at `sinceMs` turns itself off; null: never. */
export function expiryOf(trigger: Trigger, sinceMs: number): number | null {
  return trigger.expires === undefined ? null : sinceMs + durationMs(trigger.expires);
}

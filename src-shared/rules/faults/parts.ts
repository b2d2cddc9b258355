import { z } from 'zod';
import { DirectionSchema } from '../../flow/flow.ts';

/**
 * What the definitions of faults share. `title`, `unit` and `default` in the metadata are what the form editor is generated
 * from; a field with a schema default may be left out.
 */

/** Where a fault acts (design: faults). */
export type FaultScope = 'connection' | 'link' | 'exchange' | 'frames' | 'tls';

/** An hour: longer than any client waits. */
export const longestDelayMs = 3_600_000;

export const direction = DirectionSchema.default('response').meta({
  title: 'Direction',
  description: 'Which bytes are touched: those of the request or those of the response.',
});

export function delay(title: string, initial: number, description?: string) {
  return z
    .int()
    .min(0)
    .max(longestDelayMs)
    .meta({ title, unit: 'ms', default: initial, ...(description === undefined ? {} : { description }) });
}

/** A share of what passes, 0 to 1. */
export function share(title: string, initial: number, description: string) {
  return z.number().min(0).max(1).default(initial).meta({ title, default: initial, description });
}

/** A field name of HTTP (RFC 9110, section 5.1). */
export const fieldName = z
  .string()
  .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'Expected a field name (RFC 9110, section 5.1).');

/** A field value of HTTP (RFC 9110, section 5.5). */
export const fieldValue = z
  .string()
  .regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'Expected a field value without line breaks.');

export const longestBody = 1_048_576;

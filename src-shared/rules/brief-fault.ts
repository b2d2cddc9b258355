import { faultSchemas } from './fault.ts';
import type { Fault, FaultInput } from './fault.ts';

/**
 * A fault as a person would write it: what is as by default is left out. The direction stays: which way a fault acts is the
 * first thing that one asks.
 */
export function briefFault(fault: Fault): FaultInput {
  const schema = faultSchemas[fault.type];
  const said = Object.entries(fault).filter(([key, value]) => {
    if (key === 'type' || key === 'direction') return true;
    const { [key]: _left, ...rest } = fault as Record<string, unknown>;
    const read = schema.safeParse(rest);
    return !read.success || !isSame((read.data as Record<string, unknown>)[key], value);
  });
  return Object.fromEntries(said) as FaultInput;
}

/** Both come from the same schema: their keys are in the same order. */
function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

import { z } from 'zod';
import { ResetFaultSchema } from './faults/connection.ts';
import { StatusFaultSchema } from './faults/http.ts';
import { BandwidthFaultSchema, HangFaultSchema, LatencyFaultSchema } from './faults/link.ts';

/**
 * The faults, as data: definitions a group in `faults/`, joined here as soon as something runs them
 * (src-main/engine/rules/faults, one file each, in a registry keyed by `type`).
 */

/** One schema a type, for forms and for the registry of implementations. */
export const faultSchemas = {
  latency: LatencyFaultSchema,
  bandwidth: BandwidthFaultSchema,
  status: StatusFaultSchema,
  reset: ResetFaultSchema,
  hang: HangFaultSchema,
} as const satisfies Record<string, z.ZodType>;

export const FaultSchema = z.discriminatedUnion('type', [
  LatencyFaultSchema,
  BandwidthFaultSchema,
  StatusFaultSchema,
  ResetFaultSchema,
  HangFaultSchema,
]);
export type Fault = z.infer<typeof FaultSchema>;
export type FaultInput = z.input<typeof FaultSchema>;
export type FaultType = Fault['type'];
export type FaultOf<T extends FaultType> = Extract<Fault, { type: T }>;

import { z } from 'zod';
import { DirectionSchema } from '../flow/flow.ts';

/**
 * The faults, as data: what runs them is in src-main/engine/rules/faults, one file each, in a registry keyed by `type`.
 * `title`, `unit` and `default` in the metadata are what the form editor is generated from.
 */

/** Where a fault acts (design: faults). */
export type FaultScope = 'connection' | 'link' | 'exchange';

const longestDelayMs = 3_600_000;
const direction = DirectionSchema.default('response').meta({
  title: 'Direction',
  description: 'Which bytes are touched: those of the request or those of the response.',
});

export const LatencyFaultSchema = z
  .strictObject({
    type: z.literal('latency'),
    direction,
    latencyMs: z.int().min(0).max(longestDelayMs).meta({ title: 'Delay', unit: 'ms', default: 2000 }),
    jitterMs: z
      .int()
      .min(0)
      .max(longestDelayMs)
      .default(0)
      .meta({ title: 'Spread', unit: 'ms', description: 'Uniform, plus or minus.' }),
  })
  .meta({ title: 'Latency', scope: 'link', icon: 'timer' });

export const BandwidthFaultSchema = z
  .strictObject({
    type: z.literal('bandwidth'),
    direction,
    bytesPerSecond: z.int().min(1).max(10_000_000_000).meta({ title: 'Rate', unit: 'B/s', default: 100_000 }),
  })
  .meta({ title: 'Bandwidth', scope: 'link', icon: 'gauge' });

export const StatusFaultSchema = z
  .strictObject({
    type: z.literal('status'),
    status: z.int().min(200).max(599).meta({ title: 'Status', default: 503 }),
    headers: z
      .record(
        z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'Expected a field name (RFC 9110, section 5.1).'),
        z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'Expected a field value without line breaks.'),
      )
      .default({})
      .meta({ title: 'Headers' }),
    body: z.string().max(1_048_576).default('').meta({ title: 'Body', multiline: true }),
  })
  .meta({ title: 'HTTP status', scope: 'exchange', icon: 'circle-alert' });

export const ResetFaultSchema = z
  .strictObject({
    type: z.literal('reset'),
    at: z.enum(['start', 'before-head', 'after-head', 'mid-body']).default('before-head').meta({
      title: 'When',
      description:
        'start: as the connection or call begins; before-head: when the response has begun, before its head is passed on; after-head: with the head passed on and no body; mid-body: after half of the body.',
    }),
  })
  .meta({ title: 'Reset', scope: 'connection', icon: 'unplug' });

export const HangFaultSchema = z
  .strictObject({ type: z.literal('hang'), direction })
  .meta({ title: 'Hang', scope: 'link', icon: 'hourglass' });

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

/** One schema a type, for forms and for the registry of implementations. */
export const faultSchemas = {
  latency: LatencyFaultSchema,
  bandwidth: BandwidthFaultSchema,
  status: StatusFaultSchema,
  reset: ResetFaultSchema,
  hang: HangFaultSchema,
} as const satisfies Record<FaultType, z.ZodType>;

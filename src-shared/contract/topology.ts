import { z } from 'zod';

/** What a reader of the map must see first; the worst that applies, `faulted` (ours) before `failing` (theirs). */
export const HealthSchema = z.enum(['fine', 'slow', 'failing', 'faulted', 'played', 'idle']);
export type Health = z.infer<typeof HealthSchema>;

/** Figures over a window of time. Latencies are until the last byte, in ms, from an HDR histogram; null without a call. */
export const EdgeStatsSchema = z.object({
  calls: z.int(),
  perSecond: z.number(),
  failed: z
    .int()
    .meta({ description: 'Network failures, 5xx, gRPC status not 0; without what Spike injected.' }),
  clientErrors: z.int().meta({ description: '4xx.' }),
  injected: z.int().meta({ description: 'Calls that a fault acted on.' }),
  injectedFailed: z.int().meta({ description: 'Of those, the ones a fault made fail.' }),
  p50: z.number().nullable(),
  p90: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
  max: z.number().nullable(),
  p95WithoutFaults: z
    .number()
    .nullable()
    .meta({ description: 'The p95 of the calls that no fault acted on; null without one.' }),
  requestBytesPerSecond: z.number(),
  responseBytesPerSecond: z.number(),
  inFlight: z.int(),
});
export type EdgeStats = z.infer<typeof EdgeStatsSchema>;

export const ServiceSchema = z.object({
  name: z.string(),
  kind: z.enum(['client', 'service', 'database', 'external']),
  protocol: z.string().meta({ description: 'What it is mostly asked in: http, tcp, ...' }),
  health: HealthSchema,
  note: z.string().meta({ description: 'The line under the name: "p95 96 ms", "6.4/s get 503".' }),
  perSecond: z.number(),
  p95: z.number().nullable(),
  depth: z.int().meta({ description: 'The layer, left to right; 0 has no caller.' }),
});
export type Service = z.infer<typeof ServiceSchema>;

export const EdgeSchema = z.object({
  id: z
    .string()
    .meta({ description: 'caller→callee, with the protocol where two pass between the same pair.' }),
  caller: z.string(),
  callee: z.string(),
  protocol: z.string(),
  health: HealthSchema,
  stats: EdgeStatsSchema,
  firstSeenAt: z.string(),
  lastSeenAt: z.string(),
  activeRules: z.array(z.string()).meta({ description: 'Ids of enabled rules that can match this edge.' }),
});
export type Edge = z.infer<typeof EdgeSchema>;

export const WorkerIncidentSchema = z.object({
  worker: z.int(),
  at: z.string(),
  replacedAfterMs: z.number().nullable(),
  lostFlows: z.int(),
});

export const TopologySchema = z.object({
  at: z.string(),
  windowMs: z.int(),
  services: z.array(ServiceSchema),
  edges: z.array(EdgeSchema),
  incidents: z.array(WorkerIncidentSchema).meta({ description: 'Workers lost in the last minutes.' }),
});
export type Topology = z.infer<typeof TopologySchema>;

/** One point of a chart: figures of the interval that begins at `at`. */
export const SeriesPointSchema = z.object({
  at: z.number().meta({ description: 'Unix ms.' }),
  calls: z.int(),
  failed: z.int(),
  injected: z.int(),
  p50: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
});
export type SeriesPoint = z.infer<typeof SeriesPointSchema>;

export const EndpointStatsSchema = z.object({
  template: z.string().meta({ description: 'Method and path with its variable parts replaced.' }),
  perSecond: z.number(),
  failedShare: z.number().meta({ description: '0 to 1.' }),
  p95: z.number().nullable(),
  injected: z.boolean(),
});
export type EndpointStats = z.infer<typeof EndpointStatsSchema>;

export const EdgeDetailSchema = EdgeSchema.extend({
  series: z.array(SeriesPointSchema),
  stepMs: z.int(),
  endpoints: z.array(EndpointStatsSchema),
});
export type EdgeDetail = z.infer<typeof EdgeDetailSchema>;

export const StatsSchema = z.object({
  at: z.string(),
  windowMs: z.int(),
  total: EdgeStatsSchema,
  edges: z.array(EdgeSchema),
  series: z.array(SeriesPointSchema),
  stepMs: z.int(),
});
export type Stats = z.infer<typeof StatsSchema>;

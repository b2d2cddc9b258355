import { z } from 'zod';

const share = z.number().nullable().meta({ description: '0 to 1; null without a call.' });
const latency = z.number().nullable().meta({
  description: 'ms, known to 1 %; null without an answered call. Tunnels and WebSockets have none.',
});
const counts = z.record(z.string(), z.int());

/** What some calls came to. A call belongs to the phase in which it began. */
export const FiguresSchema = z.object({
  calls: z.int(),
  errors: z.int().meta({
    description:
      'Failed for whoever made them: broken off, 5xx, gRPC status not 0, or an answer of 400 and above by a fault.',
  }),
  errorsByFault: z.int().meta({ description: 'Of the errors: made by a fault.' }),
  errorRate: share,
  hits: z.int().meta({ description: 'Calls that a fault acted on.' }),
  open: z.int().meta({ description: 'Not over when the report was made; counted in calls.' }),
  statuses: counts.meta({ description: 'Calls by HTTP status.' }),
  causes: counts.meta({ description: 'Calls by what broke them off.' }),
  p50: latency,
  p95: latency,
  p99: latency,
  max: latency,
  perSecond: z.number(),
});
export type Figures = z.infer<typeof FiguresSchema>;

export const RecoverySchema = z.object({
  ms: z.number().nullable().meta({
    description:
      'From the end of the last fault until error rate and p95 were back at what they were before the first one; null when they were not, or that cannot be told.',
  }),
  note: z.string().meta({ description: 'The same as a sentence, or why it cannot be told.' }),
});
export type Recovery = z.infer<typeof RecoverySchema>;

/** One point of a chart. */
export const SliceSchema = z.object({
  fromMs: z.number().meta({ description: 'From the start of the run.' }),
  calls: z.int(),
  errors: z.int(),
  hits: z.int(),
  p95: latency,
});
export type Slice = z.infer<typeof SliceSchema>;

const measured = {
  total: FiguresSchema,
  phases: z.array(FiguresSchema).meta({ description: 'In the order of the phases of the report.' }),
};

export const EdgeOutcomeSchema = z.object({
  callee: z.string(),
  ...measured,
  recovery: RecoverySchema,
});
export type EdgeOutcome = z.infer<typeof EdgeOutcomeSchema>;

export const verdicts = ['untouched', 'held', 'degraded', 'failed'] as const;

export const CallerOutcomeSchema = z.object({
  name: z.string(),
  verdict: z.enum(verdicts).meta({
    description:
      'untouched: no fault acted on its calls; held: what it answers (a client: what it met) stayed as it was; degraded: slower; failed: errors.',
  }),
  sentence: z.string().meta({ description: 'What became of it, for a person.' }),
  ...measured,
  answered: z
    .object(measured)
    .nullable()
    .meta({ description: 'The calls that it answered itself; null where nobody calls it through Spike.' }),
  recovery: RecoverySchema,
  slices: z.array(SliceSchema),
  edges: z.array(EdgeOutcomeSchema),
});
export type CallerOutcome = z.infer<typeof CallerOutcomeSchema>;

export const PlayedPhaseSchema = z.object({
  name: z.string(),
  fromMs: z
    .number()
    .meta({ description: 'When every worker had taken over its rules, from the start of the run.' }),
  toMs: z.number(),
  rules: z.array(z.string()).meta({ description: 'Names of the rules that the scenario had on.' }),
});
export type PlayedPhase = z.infer<typeof PlayedPhaseSchema>;

export const AssertionResultSchema = z.object({
  text: z.string(),
  passed: z.boolean(),
  value: z.number().nullable().meta({ description: 'What was measured; null without a call to measure.' }),
  reason: z.string(),
});
export type AssertionResult = z.infer<typeof AssertionResultSchema>;

export const ScenarioReportSchema = z.object({
  id: z.string(),
  scenario: z.string(),
  startedAt: z.string(),
  elapsedMs: z.number(),
  outcome: z.enum(['finished', 'stopped']),
  reason: z.string().nullable().meta({ description: 'Why it was stopped.' }),
  passed: z.boolean().meta({ description: 'It ran to its end, and all assertions hold.' }),
  phases: z.array(PlayedPhaseSchema),
  all: z.object(measured),
  callers: z.array(CallerOutcomeSchema),
  callees: z
    .array(z.object({ name: z.string(), ...measured }))
    .meta({ description: 'The calls to each service, whoever made them.' }),
  assertions: z.array(AssertionResultSchema),
  sliceMs: z.number().meta({ description: 'How long each point of `slices` is.' }),
  notes: z
    .array(z.string())
    .meta({ description: 'What the counts leave out, if anything, and what else happened.' }),
});
export type ScenarioReport = z.infer<typeof ScenarioReportSchema>;

/** What callers met so far, for charts. */
export const RunSeriesSchema = z.object({
  id: z.string().meta({ description: 'Of the run.' }),
  elapsedMs: z.number().meta({ description: 'How far it had come; the points go up to here.' }),
  sliceMs: z.number().meta({ description: 'How long each point of `slices` is.' }),
  complete: z.boolean().meta({ description: 'false: there were more calls than are counted in time.' }),
  callers: z
    .array(z.object({ name: z.string(), calls: z.int(), hits: z.int(), slices: z.array(SliceSchema) }))
    .meta({ description: 'Those that the faults hit most, at most 12; each has the same points.' }),
});
export type RunSeries = z.infer<typeof RunSeriesSchema>;

/** A run, while it lasts and after. */
export const ScenarioRunSchema = z.object({
  id: z.string().meta({ description: 'Of its report as well.' }),
  scenario: z.string(),
  state: z.enum(['running', 'reporting', 'ended']).meta({
    description: 'reporting: its rules are as they were before; the last calls come in.',
  }),
  startedAt: z.string(),
  elapsedMs: z.number(),
  durationMs: z.number(),
  phase: z.int().meta({ description: 'Index in `phases`.' }),
  phases: z.array(
    z.object({
      name: z.string(),
      fromMs: z.number().meta({ description: 'As planned, from the start.' }),
      toMs: z.number(),
      on: z.array(z.string()).meta({ description: 'Ids of the rules that the scenario has on in it.' }),
    }),
  ),
  next: z.object({ name: z.string(), inMs: z.number() }).nullable(),
  reason: z.string().nullable().meta({ description: 'Why it was stopped before its end.' }),
});
export type ScenarioRun = z.infer<typeof ScenarioRunSchema>;

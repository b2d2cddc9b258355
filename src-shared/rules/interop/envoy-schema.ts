import { z } from 'zod';
import { grpcStatusNames } from '../../flow/grpc-status.ts';
import { fieldName } from '../faults/parts.ts';
import { delaySchema, importedExpression, importedText, shareOf } from './imported.ts';

/** Envoy's fault filter (envoy.extensions.filters.http.fault.v3.HTTPFault), with the names of its fields in snake_case. */

const denominators = { HUNDRED: 100, TEN_THOUSAND: 10_000, MILLION: 1_000_000 } as const;

/** `share` from 0 to 1; `of`: what a count that a call names is out of. */
const FractionalPercentSchema = z
  .strictObject({
    numerator: z.int().min(0).default(0),
    denominator: z.enum(['HUNDRED', 'TEN_THOUSAND', 'MILLION']).default('HUNDRED'),
  })
  .transform(({ numerator, denominator }, context) => {
    const most = denominators[denominator];
    if (numerator <= most) return { share: shareOf(numerator, most), of: most };
    const message = `Expected at most ${most}, the denominator ${denominator}.`;
    context.addIssue({ code: 'custom', path: ['numerator'], message });
    return z.NEVER;
  });

export type Percentage = z.infer<typeof FractionalPercentSchema> | undefined;

/** A Duration of protobuf in JSON: seconds with up to nine decimals. */
function protobufDuration(text: string): number | null {
  return /^\d{1,12}(\.\d{1,9})?s$/.test(text) ? Math.round(Number(text.slice(0, -1)) * 1000) : null;
}

const DelaySchema = z.strictObject({
  fixed_delay: delaySchema(protobufDuration, '3s or 0.5s').optional(),
  header_delay: z.unknown().optional(),
  percentage: FractionalPercentSchema.optional(),
  type: z.unknown().optional(),
});

const mostGrpcStatus = grpcStatusNames.length - 1;
const AbortSchema = z.strictObject({
  http_status: z.int().min(200).max(599).optional(),
  grpc_status: z
    .int()
    .min(0)
    .max(mostGrpcStatus)
    .transform((code) => grpcStatusNames[code] ?? 'UNKNOWN')
    .optional(),
  header_abort: z.unknown().optional(),
  percentage: FractionalPercentSchema.optional(),
});

const mostKiBs = Math.floor(10_000_000_000 / 1024);
const RateLimitSchema = z.strictObject({
  fixed_limit: z.strictObject({ limit_kbps: z.int().min(1).max(mostKiBs) }).optional(),
  header_limit: z.unknown().optional(),
  percentage: FractionalPercentSchema.optional(),
});

const safeRegex = z.strictObject({ regex: importedExpression, google_re2: z.unknown().optional() });
const StringMatcherSchema = z.strictObject({
  exact: importedText.optional(),
  prefix: importedText.min(1).optional(),
  suffix: importedText.min(1).optional(),
  contains: importedText.min(1).optional(),
  safe_regex: safeRegex.optional(),
  ignore_case: z.boolean().optional(),
});
export type StringMatcher = z.infer<typeof StringMatcherSchema>;

export const HeaderMatcherSchema = z.strictObject({
  name: z.union([fieldName, z.enum([':path', ':method', ':authority', ':scheme'])], {
    error: 'Expected a field name, :path, :method or :authority.',
  }),
  string_match: StringMatcherSchema.optional(),
  present_match: z.boolean().optional(),
  exact_match: importedText.optional(),
  prefix_match: importedText.min(1).optional(),
  suffix_match: importedText.min(1).optional(),
  contains_match: importedText.min(1).optional(),
  safe_regex_match: safeRegex.optional(),
  range_match: z.unknown().optional(),
  invert_match: z.boolean().optional(),
  treat_missing_header_as_empty: z.boolean().optional(),
});
export type HeaderMatcher = z.infer<typeof HeaderMatcherSchema>;

const runtimeKeys = [
  'delay_percent_runtime',
  'abort_percent_runtime',
  'delay_duration_runtime',
  'abort_http_status_runtime',
  'abort_grpc_status_runtime',
  'max_active_faults_runtime',
  'response_rate_limit_percent_runtime',
] as const;
export const runtimeFields: readonly string[] = runtimeKeys;

export const HttpFaultSchema = z.strictObject({
  '@type': z.string(),
  delay: DelaySchema.optional(),
  abort: AbortSchema.optional(),
  response_rate_limit: RateLimitSchema.optional(),
  upstream_cluster: importedText.optional(),
  headers: z.array(HeaderMatcherSchema).max(32).default([]),
  downstream_nodes: z.array(importedText.min(1)).max(32).default([]),
  max_active_faults: z.int().min(0).max(1_000_000).optional(),
  disable_downstream_cluster_stats: z.boolean().optional(),
  filter_metadata: z.unknown().optional(),
  ...Object.fromEntries(runtimeKeys.map((key) => [key, z.string().optional()])),
});
export type HttpFault = z.infer<typeof HttpFaultSchema>;

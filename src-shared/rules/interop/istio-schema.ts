import { z } from 'zod';
import { parseDuration } from '../duration.ts';
import { grpcStatusNames } from '../../flow/grpc-status.ts';
import { fieldName } from '../faults/parts.ts';
import { delaySchema, importedExpression, importedText } from './imported.ts';

/**
 * What is read of a VirtualService (networking.istio.io). Matches and faults are read strictly: a name that is misspelt there
 * would change which calls are hit. The rest (routes, retries, mirrors) is no matter of faults.
 */

const stringMatch = z.strictObject({
  exact: importedText.optional(),
  prefix: importedText.optional(),
  regex: importedExpression.optional(),
});
const count = (match: object | null): number => (match === null ? 0 : Object.keys(match).length);

/** One without any way to compare asks only that there is a value. */
const StringMatchSchema = stringMatch
  .nullable()
  .refine((match) => count(match) <= 1, 'Expected one of exact, prefix and regex.');
export type ReadStringMatch = z.infer<typeof StringMatchSchema>;

const valued = stringMatch.refine((match) => count(match) === 1, 'Expected one of exact, prefix and regex.');

export const MatchBlockSchema = z.strictObject({
  name: z.string().optional(),
  uri: valued.optional(),
  scheme: valued.optional(),
  method: valued.optional(),
  authority: valued.optional(),
  headers: z.record(fieldName, StringMatchSchema).optional(),
  withoutHeaders: z.record(fieldName, StringMatchSchema).optional(),
  queryParams: z.record(z.string().min(1).max(256), StringMatchSchema).optional(),
  port: z.int().optional(),
  sourceLabels: z.record(z.string(), importedText.min(1)).optional(),
  sourceNamespace: z.string().optional(),
  gateways: z.array(z.string()).optional(),
  ignoreUriCase: z.boolean().optional(),
  statPrefix: z.string().optional(),
});
export type MatchBlock = z.infer<typeof MatchBlockSchema>;

const percent = z.number().min(0).max(100);
const share = {
  percentage: z.strictObject({ value: percent.default(0) }).optional(),
  percent: percent.optional(),
};

const DelaySchema = z.strictObject({
  ...share,
  fixedDelay: delaySchema(parseDuration, '7s').optional(),
  exponentialDelay: z.unknown().optional(),
});
const AbortSchema = z.strictObject({
  ...share,
  httpStatus: z.int().min(200).max(599).optional(),
  grpcStatus: z.enum(grpcStatusNames).optional(),
  http2Error: z.string().optional(),
});
export type ReadShare = Pick<z.infer<typeof DelaySchema>, 'percentage' | 'percent'>;
export const FaultBlockSchema = z.strictObject({
  delay: DelaySchema.optional(),
  abort: AbortSchema.optional(),
});
export type FaultBlock = z.infer<typeof FaultBlockSchema>;

const HttpRouteSchema = z.object({
  name: z.string().optional(),
  match: z.array(MatchBlockSchema).default([]),
  fault: FaultBlockSchema.optional(),
});
export type HttpRoute = z.infer<typeof HttpRouteSchema>;

export const VirtualServiceSchema = z.object({
  metadata: z.object({ name: z.string().optional() }).optional(),
  spec: z.object({
    hosts: z.array(z.string().min(1).max(253)).default([]),
    gateways: z.array(z.string()).default([]),
    http: z.array(HttpRouteSchema).default([]),
  }),
});
export type VirtualService = z.infer<typeof VirtualServiceSchema>;

import { z } from 'zod';
import { compileJsonPath } from './json-path.ts';
import { expressionProblem, longestPattern, patternProblem } from './pattern.ts';
import { parseStatus } from './status-range.ts';

/** How a call is spoken: `http` is every HTTP call that is neither gRPC nor a WebSocket handshake. */
export const matchProtocols = ['http', 'grpc', 'websocket', 'tcp'] as const;
export type MatchProtocol = (typeof matchProtocols)[number];

const KiB = 1024;
/** How much of a request body a match looks at, unless it says otherwise; and the most that it may ask for. */
export const defaultMatchBodyBytes = 64 * KiB;
export const mostMatchBodyBytes = 1024 * KiB;

const patternText = z
  .string()
  .min(1)
  .max(longestPattern)
  .superRefine((text, context) => {
    const problem = patternProblem(text);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });

const text = (title: string, description: string) => patternText.optional().meta({ title, description });

/** A pattern for the value; `true`: present, with whatever value; `false`: absent. */
const valueTest = z.union([patternText, z.boolean()], {
  error: 'Expected a text, a glob, /an expression/, true (present) or false (absent).',
});
export type ValueTest = z.infer<typeof valueTest>;

const mostNames = 32;
const tests = (isName: (name: string) => boolean, expected: string, title: string, description: string) =>
  z
    .record(z.string(), valueTest)
    .superRefine((record, context) => {
      const names = Object.keys(record);
      if (names.length > mostNames)
        context.addIssue({ code: 'custom', message: `Expected at most ${mostNames} names.` });
      for (const name of names)
        if (!isName(name)) context.addIssue({ code: 'custom', path: [name], message: expected });
    })
    .optional()
    .meta({ title, description });

const isFieldName = (name: string): boolean => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/.test(name);
const isQueryName = (name: string): boolean => name.length > 0 && name.length <= 256;

const StatusMatchSchema = z.union([z.int(), z.string().max(200)]).superRefine((value, context) => {
  if (parseStatus(value) !== null) return;
  const message = 'Expected a status such as 503, 5xx, 500-504 or several with commas between: 429, 5xx.';
  context.addIssue({ code: 'custom', message });
});

/** One of `contains`, `matches` and `json`; `equals` and `exists` go with `json`. */
export const BodyMatchSchema = z
  .strictObject({
    contains: z
      .string()
      .min(1)
      .max(4096)
      .optional()
      .meta({ title: 'Contains', description: 'A text, case matters.' }),
    matches: z
      .string()
      .min(1)
      .max(longestPattern)
      .superRefine((source, context) => {
        const problem = expressionProblem(source);
        if (problem !== null) context.addIssue({ code: 'custom', message: problem });
      })
      .optional()
      .meta({
        title: 'Matches',
        description: 'A regular expression of RE2, found anywhere; (?i) for any case.',
      }),
    json: z
      .string()
      .max(1000)
      .refine(
        (path) => compileJsonPath(path) !== null,
        'Expected a JSON path such as $.card.brand or $.items[*].id.',
      )
      .optional()
      .meta({ title: 'JSON path', description: 'A value in the body: $.card.brand.' }),
    equals: z
      .union([z.string(), z.number(), z.boolean(), z.null()])
      .optional()
      .meta({ title: 'Equals', description: 'What the value is; absent: that there is one.' }),
    exists: z
      .boolean()
      .optional()
      .meta({ title: 'Exists', description: 'false: the path leads nowhere in a body that is JSON.' }),
    firstBytes: z.int().min(1).max(mostMatchBodyBytes).optional().meta({
      title: 'Of the first',
      unit: 'B',
      default: defaultMatchBodyBytes,
      description: 'How much of the body is waited for and looked at.',
    }),
  })
  .superRefine((body, context) => {
    const given = (['contains', 'matches', 'json'] as const).filter((key) => body[key] !== undefined);
    if (given.length !== 1) {
      context.addIssue({ code: 'custom', message: 'Expected one of contains, matches and json.' });
    }
    for (const key of ['equals', 'exists'] as const) {
      if (body[key] === undefined || body.json !== undefined) continue;
      context.addIssue({ code: 'custom', path: [key], message: `${key} goes with json.` });
    }
    if (body.equals !== undefined && body.exists !== undefined) {
      context.addIssue({ code: 'custom', path: ['exists'], message: 'Expected equals or exists, not both.' });
    }
  });
export type BodyMatch = z.infer<typeof BodyMatchSchema>;

const GrpcMatchSchema = z
  .strictObject({
    service: text('Service', 'The gRPC service with its package: shop.Payments.'),
    method: text('Method', 'The gRPC method: Charge.'),
  })
  .meta({ title: 'gRPC', description: 'Only gRPC calls; of this service and method where given.' });

/**
 * Which calls a rule is about. Every field that is given must match; a rule without fields matches every call.
 * Values are globs (`*` any run of characters, `?` one); `/…/` or `/…/i` is a regular expression of RE2. Names of services,
 * routes, hosts and methods are compared without regard to case, the rest with it. `path` is without the query.
 */
export const MatchSchema = z.strictObject({
  caller: text('Caller', 'The service that calls.'),
  callee: text('Callee', 'The service that is called.'),
  route: text('Route', 'The name of the route that leads there.'),
  listener: text('Listener', 'The port that the client used: the name of its route, or proxy.'),
  protocol: z.enum(matchProtocols).optional().meta({
    title: 'Protocol',
    description: 'http: HTTP that is neither gRPC nor WebSocket; tcp: bytes that are not opened.',
  }),
  method: text('Method', 'The HTTP method.'),
  host: text('Host', 'The host that is asked, without its port.'),
  path: text('Path', 'The path, without the query.'),
  query: tests(
    isQueryName,
    'Expected the name of a parameter.',
    'Query',
    'Parameters of the query, decoded. One that is repeated: any of its values.',
  ),
  header: tests(
    isFieldName,
    'Expected a field name (RFC 9110, section 5.1).',
    'Header',
    'Fields of the request, names in any case. One that is repeated: any of its values.',
  ),
  grpc: GrpcMatchSchema.optional(),
  traceId: z
    .string()
    .regex(/^[0-9a-f*?]{1,32}$/, 'Expected a trace id: 32 lower-case hex digits, or a glob of them.')
    .optional()
    .meta({ title: 'Trace', description: 'The trace id of traceparent (W3C Trace Context).' }),
  body: BodyMatchSchema.optional().meta({
    title: 'Body',
    description: 'The body of the request. The call waits until enough of it is there.',
  }),
  status: StatusMatchSchema.optional().meta({
    title: 'Status',
    description:
      'The status of the response: 503, 5xx, 500-504. Known late, so the rule acts on the response only.',
  }),
});
export type Match = z.infer<typeof MatchSchema>;
export type MatchField = keyof Match;

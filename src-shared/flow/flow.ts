import { z } from 'zod';
import { FailureCauseSchema } from './failure-cause.ts';
import { TlsFactsSchema } from './tls-facts.ts';

/** A direction of bytes: `request` goes from the client to the upstream, `response` comes back. */
export const DirectionSchema = z.enum(['request', 'response']);
export type Direction = z.infer<typeof DirectionSchema>;

/** Which observation named a service, best first (design: interop, "Who is calling"). */
export const resolvers = [
  'listener', // the route or virtual name that the client used
  'proxy-user', // the user name of the proxy credentials
  'run', // a process started by `spike run --as`, or one that carries SPIKE_SERVICE
  'process', // the process that owns the client's port
  'route', // the callee is the route's upstream
  'host', // the callee is the host that was asked for
  'address', // nothing better than the address
] as const;
export const ServiceNameSchema = z.object({
  name: z.string().meta({ description: 'The service, as shown on the map.' }),
  resolvedBy: z.enum(resolvers).meta({ description: 'Which observation named it.' }),
  pid: z.int().nullable().meta({ description: 'The process that owns the port, where it was looked up.' }),
});
export type ServiceName = z.infer<typeof ServiceNameSchema>;

/** Field name and value in the order, case and number in which they passed (RFC 9110, section 5). */
export const FieldsSchema = z.array(z.tuple([z.string(), z.string()]));
export type Fields = z.infer<typeof FieldsSchema>;

export const flowKinds = ['http', 'websocket', 'tcp', 'tls-failure', 'refused'] as const;
export const FlowKindSchema = z.enum(flowKinds);
export type FlowKind = z.infer<typeof FlowKindSchema>;

/** What decoders read in tunnels (engine/proxy/decoders). */
export const decodedProtocols = ['postgresql', 'redis'] as const;
export const DecodedProtocolSchema = z.enum(decodedProtocols);
export type DecodedProtocol = z.infer<typeof DecodedProtocolSchema>;

/** What one fault did to one flow. Numbers are null where they do not apply. */
export const AppliedFaultSchema = z.object({
  ruleId: z.string(),
  ruleName: z.string(),
  type: z.string().meta({ description: 'The type of the fault, as in its rule: latency, status, ...' }),
  direction: DirectionSchema.nullable(),
  atMs: z.number().meta({ description: 'When it began to act, in ms after the start of the flow.' }),
  delayedMs: z.number().nullable().meta({ description: 'How long it held bytes back, in total.' }),
  bytes: z.int().nullable().meta({ description: 'How many bytes it touched or let through before it cut.' }),
  status: z.int().nullable().meta({ description: 'The HTTP status it answered with.' }),
  messages: z.int().nullable().meta({ description: 'How many messages of gRPC or WebSocket it touched.' }),
  code: z.int().nullable().meta({
    description:
      'What it ended something with: an error code of HTTP/2, a status of gRPC, the code of a WebSocket close frame.',
  }),
  outcome: z
    .enum(['acting', 'done', 'released'])
    .meta({ description: 'released: let go early, because the rule was turned off.' }),
  note: z.string().meta({ description: 'A sentence for a person: "held the response for 2,014 ms".' }),
});
export type AppliedFault = z.infer<typeof AppliedFaultSchema>;

/** Durations of the parts of a call, in ms with µs precision; null where the part did not happen (a reused connection). */
export const TimingsSchema = z.object({
  blocked: z.number().nullable().meta({ description: 'Waiting for a free upstream connection.' }),
  dns: z.number().nullable(),
  connect: z.number().nullable().meta({ description: 'TCP connect, without TLS.' }),
  tls: z.number().nullable().meta({ description: 'TLS handshake with the upstream.' }),
  send: z.number().nullable().meta({ description: 'From the first to the last byte of the request.' }),
  wait: z.number().nullable().meta({ description: 'From the last byte sent to the first byte that came.' }),
  receive: z.number().nullable().meta({ description: 'From the first to the last byte of the response.' }),
});
export type Timings = z.infer<typeof TimingsSchema>;

export const SizesSchema = z.object({
  requestHead: z.int(),
  requestBody: z.int().meta({ description: 'Bytes of content as transferred, without chunk framing.' }),
  responseHead: z.int(),
  responseBody: z.int(),
});
export type Sizes = z.infer<typeof SizesSchema>;

/** What became of a body in the capture. */
export const BodyStateSchema = z.enum([
  'none', // the message had no body
  'stored',
  'truncated', // longer than capture.maxBodyBytes: the first part is stored
  'dropped', // the capture queue was full
  'evicted', // made room for newer flows
]);
export type BodyState = z.infer<typeof BodyStateSchema>;

/** How many messages passed inside a flow (message.ts); see `GET /flows/{id}/messages`. */
export const MessageCountsSchema = z.object({
  count: z.int().meta({ description: 'Messages that passed, kept or not.' }),
  dropped: z.int().meta({
    description:
      'Of these, not kept: beyond the bounds of one flow, or faster than the capture could take them.',
  }),
});
export type MessageCounts = z.infer<typeof MessageCountsSchema>;

export const HttpSchema = z.object({
  method: z.string(),
  url: z.string().meta({ description: 'Absolute URL, as the upstream is asked.' }),
  httpVersion: z.enum(['1.0', '1.1', '2', '3']),
  requestHeaders: FieldsSchema,
  status: z
    .int()
    .nullable()
    .meta({ description: 'null while no response head has come, and when none came.' }),
  reason: z.string().nullable(),
  responseHeaders: FieldsSchema,
  grpcStatus: z.int().nullable(),
  trailers: FieldsSchema,
  requestBody: BodyStateSchema,
  responseBody: BodyStateSchema,
});
export type Http = z.infer<typeof HttpSchema>;

export const FlowErrorSchema = z.object({
  code: z
    .string()
    .meta({ description: 'The code of the system or library: ECONNREFUSED, ...; or the cause.' }),
  cause: FailureCauseSchema,
  message: z.string().meta({ description: 'What happened, where, and the next step, in a sentence.' }),
});
export type FlowError = z.infer<typeof FlowErrorSchema>;

/** One observed conversation. The same shape comes from the API, the events and a capture. */
export const FlowSchema = z.object({
  id: z.string().meta({ description: 'Unique over agents and time-ordered: see flow-id.ts.' }),
  kind: FlowKindSchema,
  startedAt: z.string().meta({ description: 'ISO 8601, UTC, µs.' }),
  durationMs: z
    .number()
    .nullable()
    .meta({ description: 'From the first byte to the last; null while the flow is open.' }),
  caller: ServiceNameSchema,
  callee: ServiceNameSchema,
  route: z.string().nullable().meta({ description: 'The name of the route that was used.' }),
  connectionId: z.string().meta({ description: 'The client connection; flows of one connection share it.' }),
  client: z.string().meta({ description: 'address:port of the client.' }),
  upstream: z
    .object({
      address: z.string().meta({
        description:
          'host:port that was reached; by an upstream proxy `host:port via proxy:port`, the host as it was asked for.',
      }),
      reused: z.boolean(),
    })
    .nullable(),
  tls: TlsFactsSchema.nullable(),
  http: HttpSchema.nullable(),
  protocol: DecodedProtocolSchema.nullable().meta({
    description: 'What a decoder reads in the bytes of a tunnel; null where there is none.',
  }),
  bytes: z.object({ request: BodyStateSchema, response: BodyStateSchema }).nullable().meta({
    description: 'What is stored of the bytes of a tunnel, once it has ended; null for HTTP (see `http`).',
  }),
  messages: MessageCountsSchema.nullable().meta({
    description: 'Messages inside it (WebSocket, events, commands, bursts of bytes); null for none.',
  }),
  rawHead: z.string().nullable().meta({
    description: 'What was refused, as it came (latin1), for kind `refused`; bounded by the head limit.',
  }),
  sizes: SizesSchema,
  timings: TimingsSchema,
  faults: z.array(AppliedFaultSchema),
  playback: z.string().nullable().meta({ description: 'The recording that answered.' }),
  trace: z
    .object({ traceId: z.string(), spanId: z.string(), parentId: z.string().nullable() })
    .nullable()
    .meta({ description: 'W3C Trace Context, from traceparent.' }),
  error: FlowErrorSchema.nullable(),
  worker: z.int().meta({ description: 'The number of the worker that carried it, from 1.' }),
});
export type Flow = z.infer<typeof FlowSchema>;

/** How much Spike held a flow back in total, in ms. */
export function injectedDelayMs(flow: Pick<Flow, 'faults'>): number {
  let sum = 0;
  for (const fault of flow.faults) sum += fault.delayedMs ?? 0;
  return sum;
}

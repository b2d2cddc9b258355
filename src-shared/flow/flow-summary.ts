import { z } from 'zod';
import { FailureCauseSchema } from './failure-cause.ts';
import { decodedProtocols, FlowKindSchema, injectedDelayMs } from './flow.ts';
import type { Flow } from './flow.ts';

/** How a flow was spoken, as lists show it and `proto:` finds it. */
export const protocols = ['h1', 'h2', 'h3', 'ws', 'grpc', 'tcp', 'tls', ...decodedProtocols] as const;

/** A flow as a row of a list: what the table shows and what a search over loaded rows needs, nothing more. */
export const FlowSummarySchema = z.object({
  id: z.string(),
  kind: FlowKindSchema,
  startedAtMs: z.number().meta({ description: 'Unix time in ms, with µs as fraction.' }),
  durationMs: z.number().nullable().meta({ description: 'null while open.' }),
  caller: z.string(),
  callee: z.string(),
  method: z.string().nullable(),
  host: z.string().nullable(),
  path: z.string().nullable().meta({ description: 'Path and query.' }),
  status: z.int().nullable(),
  grpcStatus: z.int().nullable(),
  sizeBytes: z.int().meta({
    description: 'Response content as transferred; both directions for a tunnel and for WebSocket.',
  }),
  protocol: z.enum(protocols),
  messages: z.int().nullable().meta({ description: 'Messages that passed inside it; null for none.' }),
  faults: z.array(z.string()).meta({ description: 'The ids of the rules that acted.' }),
  faultedStatus: z.boolean().meta({ description: 'The status was made by a fault, not by the upstream.' }),
  injectedMs: z.number().meta({ description: 'How long Spike held it back on purpose.' }),
  playback: z.boolean(),
  cause: FailureCauseSchema.nullable(),
  traceId: z.string().nullable(),
  route: z.string().nullable(),
  connectionId: z.string(),
});
export type FlowSummary = z.infer<typeof FlowSummarySchema>;

/** The row of a flow. */
export function summarise(flow: Flow): FlowSummary {
  const target = flow.http === null ? null : splitUrl(flow.http.url);
  const size = flow.sizes;
  return {
    id: flow.id,
    kind: flow.kind,
    startedAtMs: parseMicroseconds(flow.startedAt),
    durationMs: flow.durationMs,
    caller: flow.caller.name,
    callee: flow.callee.name,
    method: flow.http?.method ?? null,
    host: target?.host ?? null,
    path: target?.path ?? null,
    status: flow.http?.status ?? null,
    grpcStatus: flow.http?.grpcStatus ?? null,
    sizeBytes: isConversation(flow.kind) ? size.requestBody + size.responseBody : size.responseBody,
    protocol: protocolOf(flow),
    messages: flow.messages?.count ?? null,
    faults: [...new Set(flow.faults.map((fault) => fault.ruleId))],
    faultedStatus: flow.faults.some((fault) => fault.status !== null),
    injectedMs: injectedDelayMs(flow),
    playback: flow.playback !== null,
    cause: flow.error?.cause ?? null,
    traceId: flow.trace?.traceId ?? null,
    route: flow.route,
    connectionId: flow.connectionId,
  };
}

/** Bytes of both directions count alike: there is no request and no answer. */
export function isConversation(kind: Flow['kind']): boolean {
  return kind === 'tcp' || kind === 'websocket';
}

function protocolOf(flow: Flow): FlowSummary['protocol'] {
  if (flow.kind === 'websocket') return 'ws';
  if (flow.kind === 'tcp') return flow.protocol ?? 'tcp';
  if (flow.kind === 'tls-failure') return 'tls';
  if (flow.http === null) return 'h1';
  if (flow.http.grpcStatus !== null) return 'grpc';
  if (flow.http.httpVersion === '2') return 'h2';
  return flow.http.httpVersion === '3' ? 'h3' : 'h1';
}

/** Host and path of an absolute URL, without the cost of `new URL` and without its normalising. */
export function splitUrl(url: string): { host: string; path: string } {
  const scheme = url.indexOf('://');
  const from = scheme < 0 ? 0 : scheme + 3;
  const slash = url.indexOf('/', from);
  return slash < 0
    ? { host: url.slice(from), path: '/' }
    : { host: url.slice(from, slash), path: url.slice(slash) };
}

/** Unix ms with fraction from an ISO time with µs (`Date.parse` drops what is below 1 ms). */
export function parseMicroseconds(iso: string): number {
  const micros = /\.\d{3}(\d{3})/.exec(iso);
  return Date.parse(iso) + (micros === null ? 0 : Number(micros[1]) / 1000);
}

/** ISO 8601 with µs from Unix ms with fraction. */
export function formatMicroseconds(unixMs: number): string {
  const whole = Math.floor(unixMs);
  const micros = Math.min(999, Math.round((unixMs - whole) * 1000));
  return new Date(whole).toISOString().slice(0, -1) + String(micros).padStart(3, '0') + 'Z';
}

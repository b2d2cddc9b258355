import type { ServiceName } from '#shared/flow/flow.ts';
import type { SparseHistogram } from './sparse-histogram.ts';

/** Counts of one edge since its last report. Plain data: crosses the cluster's channel as it is. */
export interface EdgeCounts {
  calls: number;
  /** Network failures, 5xx, gRPC status not 0; without what Spike injected. */
  failed: number;
  /** Of the failed: the upstream could not be reached at all. */
  unreachable: number;
  clientErrors: number;
  injected: number;
  injectedFailed: number;
  requestBytes: number;
  responseBytes: number;
}

export function noCounts(): EdgeCounts {
  return {
    calls: 0,
    failed: 0,
    unreachable: 0,
    clientErrors: 0,
    injected: 0,
    injectedFailed: 0,
    requestBytes: 0,
    responseBytes: 0,
  };
}

export function addCounts(sum: EdgeCounts, more: EdgeCounts): void {
  sum.calls += more.calls;
  sum.failed += more.failed;
  sum.unreachable += more.unreachable;
  sum.clientErrors += more.clientErrors;
  sum.injected += more.injected;
  sum.injectedFailed += more.injectedFailed;
  sum.requestBytes += more.requestBytes;
  sum.responseBytes += more.responseBytes;
}

/** How a call ended, for counting: the class of its status, or what came instead of one. */
export const outcomes = ['1xx', '2xx', '3xx', '4xx', '5xx', 'error', 'closed'] as const;
export type Outcome = (typeof outcomes)[number];

export interface EndpointReport {
  /** Method and template: `GET /v1/charges/{id}`. */
  readonly template: string;
  readonly calls: number;
  readonly failed: number;
  readonly injected: number;
  readonly injectedFailed: number;
  readonly latency: SparseHistogram;
}

export interface EdgeDelta {
  readonly caller: string;
  readonly callee: string;
  readonly protocol: string;
  readonly counts: EdgeCounts;
  /** Now, not since the last report. */
  readonly inFlight: number;
  /** Calls that no fault acted on, and the others: apart, so that both kinds of p95 can be had. */
  readonly clean: SparseHistogram;
  readonly faulted: SparseHistogram;
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
  /** Injected answers by HTTP status. */
  readonly injectedStatuses: Readonly<Record<string, number>>;
  /** Where the callee was last reached, `address:port`; null when it never was. */
  readonly calleeAddress: string | null;
  /** What named the callee last. */
  readonly calleeResolvedBy: ServiceName['resolvedBy'];
  readonly endpoints: readonly EndpointReport[];
}

/** One worker's figures since its last report. */
export interface EdgeReport {
  readonly edges: readonly EdgeDelta[];
  /** Calls since the last report whose edge or template was over the bound, counted as `other`. */
  readonly overflow: { readonly edges: number; readonly templates: number };
}

/** The name of everything that was over a bound. */
export const other = 'other';

/** Up to here a count is exact, whatever it is added to. */
const mostCounted = 2 ** 40;

/**
 * The report in a message, or null when it is none. The sender is our own worker: this guards the primary's long-lived
 * state against a version that does not fit, and costs a few checks an edge.
 */
export function readEdgeReport(value: unknown): EdgeReport | null {
  const report = value as Partial<EdgeReport> | null;
  if (typeof report !== 'object' || report === null || !Array.isArray(report.edges)) return null;
  if (!isCount(report.overflow?.edges) || !isCount(report.overflow?.templates)) return null;
  return report.edges.every(isEdgeDelta) ? (report as EdgeReport) : null;
}

function isEdgeDelta(value: unknown): boolean {
  const delta = value as Partial<EdgeDelta> | null;
  return (
    typeof delta === 'object' &&
    delta !== null &&
    typeof delta.caller === 'string' &&
    typeof delta.callee === 'string' &&
    typeof delta.protocol === 'string' &&
    isCount(delta.inFlight) &&
    typeof delta.counts === 'object' &&
    Object.keys(noCounts()).every((key) => isCount(delta.counts?.[key as keyof EdgeCounts])) &&
    isHistogram(delta.clean) &&
    isHistogram(delta.faulted) &&
    typeof delta.outcomes === 'object' &&
    typeof delta.injectedStatuses === 'object' &&
    Array.isArray(delta.endpoints) &&
    delta.endpoints.every(isEndpointReport)
  );
}

function isEndpointReport(value: unknown): boolean {
  const endpoint = value as Partial<EndpointReport> | null;
  return (
    typeof endpoint?.template === 'string' &&
    isCount(endpoint.calls) &&
    isCount(endpoint.failed) &&
    isCount(endpoint.injected) &&
    isCount(endpoint.injectedFailed) &&
    isHistogram(endpoint.latency)
  );
}

function isHistogram(value: unknown): boolean {
  return value instanceof Uint16Array && value.length % 2 === 0;
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= mostCounted;
}

import type { FailureCause } from '#shared/flow/failure-cause.ts';
import type { FlowRecord } from '../capture/flow-record.ts';
import type { Outcome } from './edge-report.ts';

/**
 * What a call counts as: the one place that says whose failure it was. A flow that a fault acted on is never `failed`
 * for what the fault did; it can still fail by itself (a slowed call that the upstream answers with 500).
 */
export interface CallOutcome {
  readonly outcome: Outcome;
  readonly failed: boolean;
  readonly unreachable: boolean;
  readonly clientError: boolean;
  readonly injected: boolean;
  readonly injectedFailed: boolean;
  /** The status that a fault answered with; 0 without one. */
  readonly injectedStatus: number;
}

const classes: readonly Outcome[] = ['closed', '1xx', '2xx', '3xx', '4xx', '5xx'];

const unreachableCauses: ReadonlySet<FailureCause> = new Set<FailureCause>([
  'upstream-dns-failed',
  'upstream-refused',
  'upstream-unreachable',
  'upstream-connect-timeout',
]);

/** A caller that gave up while a fault held its call gave up because of the fault. */
const gaveUpCauses: ReadonlySet<FailureCause> = new Set<FailureCause>(['client-closed', 'client-timeout']);

// Nearly every call is one of these: made once, so that the hot path makes nothing.
const plain: readonly CallOutcome[] = classes.map((outcome) => ({
  outcome,
  failed: outcome === '5xx',
  unreachable: false,
  clientError: outcome === '4xx',
  injected: false,
  injectedFailed: false,
  injectedStatus: 0,
}));

export function outcomeOf(flow: FlowRecord): CallOutcome {
  if (flow.error === null && flow.faults.length === 0 && flow.grpcStatus <= 0) {
    const byClass = plain[Math.floor(flow.status / 100)];
    if (byClass !== undefined) return byClass;
  }
  return flow.faults.length === 0 ? untouchedOutcome(flow) : faultedOutcome(flow);
}

function untouchedOutcome(flow: FlowRecord): CallOutcome {
  const failed = flow.error !== null || flow.status >= 500 || flow.grpcStatus > 0;
  return {
    outcome: outcomeClass(flow),
    failed,
    unreachable: flow.error !== null && unreachableCauses.has(flow.error.cause),
    clientError: !failed && flow.status >= 400,
    injected: false,
    injectedFailed: false,
    injectedStatus: 0,
  };
}

function faultedOutcome(flow: FlowRecord): CallOutcome {
  const cause = flow.error?.cause;
  const injectedStatus = flow.faults.find((fault) => fault.status !== null)?.status ?? 0;
  const byFault = cause !== undefined && (cause.startsWith('fault-') || gaveUpCauses.has(cause));
  const injectedFailed = byFault || injectedStatus >= 400;
  const own = injectedFailed ? null : untouchedOutcome(flow);
  return {
    outcome: outcomeClass(flow),
    failed: own?.failed ?? false,
    unreachable: own?.unreachable ?? false,
    clientError: own?.clientError ?? false,
    injected: true,
    injectedFailed,
    injectedStatus,
  };
}

function outcomeClass(flow: FlowRecord): Outcome {
  if (flow.error !== null) return 'error';
  return classes[Math.floor(flow.status / 100)] ?? 'closed';
}

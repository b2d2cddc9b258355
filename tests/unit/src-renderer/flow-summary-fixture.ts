import type { FlowSummary } from '#shared/flow/flow-summary.ts';

/** A call that went well; what a test is about is given. */
export function flowSummary(given: Partial<FlowSummary> = {}): FlowSummary {
  return {
    id: 'mfx3k2a1c00010100k3v9',
    kind: 'http',
    startedAtMs: 1_000,
    durationMs: 148,
    caller: 'checkout',
    callee: 'payments',
    method: 'POST',
    host: 'payments:8104',
    path: '/v1/charge/card',
    status: 201,
    grpcStatus: null,
    sizeBytes: 1600,
    protocol: 'h1',
    messages: null,
    faults: [],
    faultedStatus: false,
    injectedMs: 0,
    playback: false,
    cause: null,
    traceId: null,
    route: null,
    connectionId: 'c1',
    ...given,
  };
}

/** Calls with ids in the order of their numbers, started so many ms after the epoch. */
export function numbered(...numbers: number[]): FlowSummary[] {
  return numbers.map((number) =>
    flowSummary({ id: `f${String(number).padStart(8, '0')}`, startedAtMs: number, path: `/${number}` }),
  );
}

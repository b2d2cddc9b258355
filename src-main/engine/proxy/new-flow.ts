import type { FlowKind } from '#shared/flow/flow.ts';
import { noBody } from '../capture/flow-record.ts';
import type { FlowRecord } from '../capture/flow-record.ts';
import type { ClientFacts, ProxyEnvironment } from './environment.ts';
import type { Destination, NetworkFailure } from './ports.ts';

const unknownCallee = { name: 'unknown', resolvedBy: 'address', pid: null } as const;

/** The record of a flow that begins now; every number that is not known yet is -1, every size 0. */
export function newFlow(
  kind: FlowKind,
  environment: ProxyEnvironment,
  client: ClientFacts,
  destination: Destination | null,
  startedAtMs: number,
): FlowRecord {
  return {
    id: environment.ids.next(startedAtMs),
    kind,
    startedAtMs,
    durationMs: -1,
    caller: client.caller.current,
    callee: destination === null ? unknownCallee : destination.callee.current,
    route: destination === null ? null : destination.route,
    connectionId: client.connectionId,
    client: client.client,
    upstreamAddress: null,
    upstreamReused: false,
    tls: client.tls,
    method: '',
    url: '',
    httpVersion: '1.1',
    requestFields: '',
    status: 0,
    reason: '',
    responseFields: '',
    trailers: '',
    grpcStatus: -1,
    rawHead: null,
    requestHeadBytes: 0,
    requestBodyBytes: 0,
    responseHeadBytes: 0,
    responseBodyBytes: 0,
    blockedMs: -1,
    dnsMs: -1,
    connectMs: -1,
    tlsMs: -1,
    sendMs: -1,
    waitMs: -1,
    receiveMs: -1,
    faults: client.faults,
    error: null,
    protocol: null,
    messages: null,
    worker: environment.worker,
    requestBody: noBody,
    responseBody: noBody,
  };
}

/**
 * Ends a flow and hands it over. A caller or callee that is still being looked up is waited for: the record waits, not
 * the call. So a client that asks for one thing and exits has its name, and its edge is not split in two. How many wait
 * is bounded (WaitingFlows).
 * @param settled Resolves when the last message of the flow has been told; null: it has been. Never rejects.
 */
export function finishFlow(
  environment: Pick<ProxyEnvironment, 'clock' | 'sink' | 'waiting'>,
  flow: FlowRecord,
  client: ClientFacts,
  destination: Destination | null,
  failure: NetworkFailure | null,
  settled: Promise<void> | null = null,
): void {
  flow.durationMs = Math.max(0, environment.clock.now() - flow.startedAtMs);
  if (failure !== null) flow.error = { code: failure.code, cause: failure.cause, message: failure.message };
  const caller = client.caller;
  const callee = destination === null ? null : destination.callee;
  const record = (): void => {
    flow.caller = caller.current;
    if (callee !== null) flow.callee = callee.current;
    environment.sink.record(flow);
  };
  const isNamed = caller.ready === null && (callee === null || callee.ready === null);
  const bodyBytes = flow.requestBody.sizeBytes + flow.responseBody.sizeBytes;
  const waits = !isNamed && environment.waiting.take(bodyBytes);
  if (!waits) return settled === null ? record() : void settled.then(record);
  void Promise.all([caller.ready, callee?.ready, settled]).then(() => {
    environment.waiting.give(bodyBytes);
    record();
  });
}

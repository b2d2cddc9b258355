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
    faults: noFaults,
    error: null,
    worker: environment.worker,
    requestBody: noBody,
    responseBody: noBody,
  };
}

const noFaults: FlowRecord['faults'] = [];

/** Ends a flow: names as they are known by now, its duration, and why it failed. */
export function endFlow(
  flow: FlowRecord,
  client: ClientFacts,
  destination: Destination | null,
  endedAtMs: number,
  failure: NetworkFailure | null,
): void {
  flow.caller = client.caller.current;
  if (destination !== null) flow.callee = destination.callee.current;
  flow.durationMs = Math.max(0, endedAtMs - flow.startedAtMs);
  if (failure !== null) flow.error = { code: failure.code, cause: failure.cause, message: failure.message };
}

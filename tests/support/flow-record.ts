import { noBody } from '../../src-main/engine/capture/flow-record.ts';
import type { FlowRecord } from '../../src-main/engine/capture/flow-record.ts';
import type { AppliedFault, FlowError, ServiceName } from '../../src-shared/flow/flow.ts';

export function service(name: string, resolvedBy: ServiceName['resolvedBy'] = 'run'): ServiceName {
  return { name, resolvedBy, pid: null };
}

/** A complete flow record: a GET from web to orders that went well in 10 ms, and what a test says otherwise. */
export function flowRecord(different: Partial<FlowRecord> = {}): FlowRecord {
  return {
    id: 'flow-1',
    kind: 'http',
    startedAtMs: 1_700_000_000_000,
    durationMs: 10,
    caller: service('web'),
    callee: service('orders'),
    route: null,
    connectionId: 'connection-1',
    client: '127.0.0.1:50000',
    upstreamAddress: '127.0.0.1:8101',
    upstreamReused: false,
    tls: null,
    method: different.kind === 'tcp' ? '' : 'GET',
    url: different.kind === 'tcp' ? '' : 'http://127.0.0.1:8101/orders/17?page=2',
    httpVersion: '1.1',
    requestFields: 'Host: 127.0.0.1:8101\r\n',
    status: different.kind === 'tcp' ? 0 : 200,
    reason: 'OK',
    responseFields: '',
    trailers: '',
    grpcStatus: -1,
    rawHead: null,
    requestHeadBytes: 100,
    requestBodyBytes: 0,
    responseHeadBytes: 150,
    responseBodyBytes: 1000,
    blockedMs: -1,
    dnsMs: -1,
    connectMs: -1,
    tlsMs: -1,
    sendMs: 1,
    waitMs: 8,
    receiveMs: 1,
    faults: [],
    error: null,
    protocol: null,
    messages: null,
    worker: 1,
    requestBody: noBody,
    responseBody: noBody,
    ...different,
  };
}

export function appliedFault(different: Partial<AppliedFault> = {}): AppliedFault {
  return {
    ruleId: 'rule-1',
    ruleName: 'rule 1',
    type: 'latency',
    direction: 'response',
    atMs: 1,
    delayedMs: null,
    bytes: null,
    status: null,
    messages: null,
    code: null,
    outcome: 'done',
    note: '',
    ...different,
  };
}

export function flowError(cause: FlowError['cause']): FlowError {
  return { code: 'TEST', cause, message: cause };
}

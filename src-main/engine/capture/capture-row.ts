import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';
import type { FlowError } from '#shared/flow/flow.ts';
import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import type { IndexedFlow } from './batch-codec.ts';

/** What was learned about a flow after its last record came, kept beside the record: batches are never rewritten. */
export interface FlowPatch {
  readonly durationMs: number;
  readonly error: FlowError;
}

/** The columns of `flows` in the order of `rowValues`; `patch` is set on its own. */
export const rowColumns = [
  'id',
  'kind',
  'started_ms',
  'duration_ms',
  'caller',
  'callee',
  'method',
  'host',
  'path',
  'status',
  'grpc_status',
  'size_bytes',
  'protocol',
  'faults',
  'faulted_status',
  'injected_ms',
  'playback',
  'cause',
  'trace_id',
  'route',
  'connection_id',
  'messages',
  'fault_texts',
  'batch',
  'offset',
  'head_length',
  'length',
] as const;

/** The columns that make a `FlowSummary`, in the order of `summaryOfRow`. */
export const summaryColumns = rowColumns.slice(0, 22).join(', ');

export function rowValues(flow: IndexedFlow, batch: number): SQLInputValue[] {
  const row = flow.summary;
  const faulted = flow.faults.length > 0;
  return [
    row.id,
    row.kind,
    row.startedAtMs,
    row.durationMs,
    row.caller,
    row.callee,
    row.method,
    row.host,
    row.path,
    row.status,
    row.grpcStatus,
    row.sizeBytes,
    row.protocol,
    faulted ? JSON.stringify(row.faults) : null,
    row.faultedStatus ? 1 : 0,
    row.injectedMs,
    row.playback ? 1 : 0,
    row.cause,
    row.traceId,
    row.route,
    row.connectionId,
    row.messages,
    faulted ? JSON.stringify(faultTexts(flow.faults)) : null,
    batch,
    flow.offset,
    flow.headLength,
    flow.length,
  ];
}

/** What `fault:` compares with. */
export function faultTexts(faults: IndexedFlow['faults']): string[] {
  return [...new Set(faults.flatMap(({ ruleId, ruleName, type }) => [ruleId, ruleName, type]))];
}

/** Columns hold what we wrote, under a schema that is strict about types: hence the casts. */
export function summaryOfRow(row: Record<string, SQLOutputValue>): FlowSummary {
  return {
    id: row['id'] as string,
    kind: row['kind'] as FlowSummary['kind'],
    startedAtMs: row['started_ms'] as number,
    durationMs: row['duration_ms'] as number | null,
    caller: row['caller'] as string,
    callee: row['callee'] as string,
    method: row['method'] as string | null,
    host: row['host'] as string | null,
    path: row['path'] as string | null,
    status: row['status'] as number | null,
    grpcStatus: row['grpc_status'] as number | null,
    sizeBytes: row['size_bytes'] as number,
    protocol: row['protocol'] as FlowSummary['protocol'],
    faults: row['faults'] === null ? [] : (JSON.parse(row['faults'] as string) as string[]),
    faultedStatus: row['faulted_status'] === 1,
    injectedMs: row['injected_ms'] as number,
    playback: row['playback'] === 1,
    cause: row['cause'] as FlowSummary['cause'],
    traceId: row['trace_id'] as string | null,
    route: row['route'] as string | null,
    connectionId: row['connection_id'] as string,
    messages: row['messages'] as number | null,
  };
}

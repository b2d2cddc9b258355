import { grpcStatusNames } from '#shared/flow/grpc-status.ts';
import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import { formatBytes, formatDuration, formatMinute, formatSecond, unknown } from '../ui/words.ts';
import { failureWords } from './status-words.ts';

/** What colours a status: `fault` is what Spike did on purpose, never what is broken. */
export type StatusTone = 'quiet' | 'dim' | 'warn' | 'error' | 'fault';

/** What a row shows. Made once a row, when it is first drawn. */
export interface CallDisplay {
  minute: string;
  second: string;
  method: string;
  path: string;
  /** The path column holds a remark (a tunnel) and not a path. */
  isRemark: boolean;
  status: string;
  tone: StatusTone;
  latency: string;
  /** Shares of the bar's full width, 0 to 1: what the upstream took, what Spike held. */
  barOwn: number;
  barInjected: number;
  size: string;
  protocol: string;
  /** The accessible name of the row. */
  label: string;
}

/** A call in the list. Replaced by a new row when the call changes; never changed in place, so that rows can be memoised. */
export class CallRow {
  readonly flow: FlowSummary;
  #display: CallDisplay | null = null;

  constructor(flow: FlowSummary) {
    this.flow = flow;
  }

  get display(): CallDisplay {
    return (this.#display ??= display(this.flow));
  }
}

function display(flow: FlowSummary): CallDisplay {
  const status = statusWord(flow);
  const latency = formatDuration(flow.durationMs);
  const target = targetOf(flow);
  const method = flow.protocol === 'grpc' ? '' : (flow.method ?? '');
  const spoken = flow.protocol === 'grpc' ? `gRPC ${target.text}` : `${method} ${target.text}`.trim();
  return {
    minute: formatMinute(flow.startedAtMs),
    second: formatSecond(flow.startedAtMs),
    method,
    path: target.text,
    isRemark: target.isRemark,
    status,
    tone: statusTone(flow),
    latency,
    ...barShares(flow),
    size: formatBytes(flow.sizeBytes),
    protocol: flow.protocol === 'grpc' ? 'gRPC' : flow.protocol,
    label: `${spoken}, ${flow.caller} to ${flow.callee}, ${status}, ${latency}`,
  };
}

function targetOf(flow: FlowSummary): { text: string; isRemark: boolean } {
  if (flow.path !== null) {
    const text = flow.protocol === 'grpc' ? flow.path.replace(/^\//, '') : flow.path;
    return { text, isRemark: false };
  }
  return { text: remarkOf(flow), isRemark: true };
}

function remarkOf(flow: FlowSummary): string {
  switch (flow.kind) {
    case 'tcp':
      return flow.protocol === 'tls' ? 'TLS passed through' : `bytes to ${flow.host ?? flow.callee}`;
    case 'tls-failure':
      return flow.cause === null ? 'no TLS connection' : failureWords[flow.cause].sentence;
    case 'refused':
      return 'a request that two parsers could read in two ways';
    default:
      return flow.host ?? unknown;
  }
}

/** The word in the Status column: a number, a gRPC name, or what became of a call without one. */
export function statusWord(flow: FlowSummary): string {
  if (flow.cause !== null && flow.status === null) return failureWords[flow.cause].word;
  if (flow.grpcStatus !== null) return grpcStatusNames[flow.grpcStatus] ?? String(flow.grpcStatus);
  if (flow.status !== null) return String(flow.status);
  return flow.durationMs === null ? 'open' : 'closed';
}

function statusTone(flow: FlowSummary): StatusTone {
  if (flow.faultedStatus || flow.cause?.startsWith('fault-') === true) return 'fault';
  if (flow.cause !== null) return 'error';
  if (flow.grpcStatus !== null) return flow.grpcStatus === 0 ? 'quiet' : 'error';
  if (flow.status === null || flow.status === 101) return 'dim';
  if (flow.status >= 500) return 'error';
  if (flow.status >= 400) return 'warn';
  return flow.status >= 300 ? 'dim' : 'quiet';
}

const shortestMs = 1;
const longestMs = 10_000;
const smallestBar = 0.044;

/** Where a latency ends on the logarithmic bar from 1 ms to 10 s, 0 to 1. */
export function latencyShare(ms: number): number {
  const share = Math.log(ms / shortestMs) / Math.log(longestMs / shortestMs);
  return Math.min(1, Math.max(smallestBar, share));
}

/** The bar's length is log(latency); the hatched part of it is the injected share of the time, not of the logarithm. */
export function barShares(flow: Pick<FlowSummary, 'durationMs' | 'injectedMs'>): {
  barOwn: number;
  barInjected: number;
} {
  if (flow.durationMs === null) return { barOwn: 0, barInjected: 0 };
  const whole = latencyShare(flow.durationMs);
  const injected = flow.durationMs === 0 ? 0 : Math.min(1, flow.injectedMs / flow.durationMs);
  return { barOwn: whole * (1 - injected), barInjected: whole * injected };
}

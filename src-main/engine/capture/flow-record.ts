import type { AppliedFault, BodyState, Flow, FlowError, FlowKind, ServiceName } from '#shared/flow/flow.ts';

/**
 * A flow as the data path fills it: the same facts as `Flow`, in the form that costs least to fill and to encode.
 * Heads stay the text that was read, objects that many flows share (names, TLS facts) are shared, and absent numbers
 * are -1. The recorder turns it into a `Flow` when somebody looks.
 */
export interface FlowRecord {
  id: string;
  kind: FlowKind;
  /** Unix ms with µs as fraction. */
  startedAtMs: number;
  /** -1 while the flow is open. */
  durationMs: number;
  caller: ServiceName;
  callee: ServiceName;
  route: string | null;
  connectionId: string;
  client: string;
  upstreamAddress: string | null;
  upstreamReused: boolean;
  tls: Flow['tls'];
  /** '' when there is no HTTP in it. */
  method: string;
  /** Absolute URL; '' without HTTP. */
  url: string;
  httpVersion: '1.0' | '1.1' | '2';
  /** The field lines as they came, latin1, `Name: value\r\n` each, without start line and without the empty line. */
  requestFields: string;
  /** 0 without a response head. */
  status: number;
  reason: string;
  responseFields: string;
  trailers: string;
  grpcStatus: number;
  /** Only for kind `refused`: what came, latin1. */
  rawHead: string | null;
  requestHeadBytes: number;
  requestBodyBytes: number;
  responseHeadBytes: number;
  responseBodyBytes: number;
  /** Durations in ms, -1 where the part did not happen. */
  blockedMs: number;
  dnsMs: number;
  connectMs: number;
  tlsMs: number;
  sendMs: number;
  waitMs: number;
  receiveMs: number;
  faults: readonly AppliedFault[];
  error: FlowError | null;
  worker: number;
  requestBody: BodyCapture;
  responseBody: BodyCapture;
}

/** The kept part of one body: content without chunk framing, content coding left as it was transferred. */
export interface BodyCapture {
  state: BodyState;
  /** In order. Owned by the record: small pieces are copies, so that they do not pin the buffer they were read into. */
  chunks: readonly Buffer[];
  /** Sum of the chunks' lengths. */
  sizeBytes: number;
}

export const noBody: BodyCapture = { state: 'none', chunks: [], sizeBytes: 0 };

/** Where the data path hands its records; called when a flow ends, and again and again while a long one is open. */
export interface FlowSink {
  record(flow: FlowRecord): void;
}

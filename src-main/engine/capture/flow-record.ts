import type {
  AppliedFault,
  BodyState,
  DecodedProtocol,
  Flow,
  FlowError,
  FlowKind,
  MessageCounts,
  ServiceName,
} from '#shared/flow/flow.ts';
import type { FlowMessage } from '#shared/flow/message.ts';

/**
 * Flows that are open for longer are recorded as open, and again when they end. One that took less, and has no messages,
 * is recorded once: the recorder relies on it.
 */
export const openAfterMs = 300;

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
  /** What a decoder reads in a tunnel. */
  protocol: DecodedProtocol | null;
  /** Written while messages pass; null until the first one. */
  messages: MessageCounts | null;
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
  /** Gives memory back that is used again; the chunks must not be looked at afterwards. Absent: nothing to give back. */
  release?: () => void;
}

export const noBody: BodyCapture = { state: 'none', chunks: [], sizeBytes: 0 };

/** What passes inside one flow, until it has been taken for a batch. */
export interface MessageSource {
  readonly flowId: string;
  /** Hands over the messages that are whole, in their order. */
  take(): readonly FlowMessage[];
  /** The same, when there is no room for them: they are counted as dropped. */
  drop(): void;
  /** Something is not whole yet, and is to be asked for again with the next batch: a burst of bytes that goes on. */
  readonly isWaiting: boolean;
}

/** Where the data path hands its records; called when a flow ends, and again and again while a long one is open. */
export interface FlowSink {
  record(flow: FlowRecord): void;
  /**
   * There are messages to be taken with the next batch.
   * @param sizeBytes what they have grown by, roughly.
   */
  messages(source: MessageSource, sizeBytes: number): void;
}

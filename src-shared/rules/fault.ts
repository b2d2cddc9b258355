import { z } from 'zod';
import { BreakpointFaultSchema } from './faults/breakpoint.ts';
import {
  CloseFaultSchema,
  ConnectTimeoutFaultSchema,
  DnsFailureFaultSchema,
  RefuseFaultSchema,
  ResetFaultSchema,
  SilenceFaultSchema,
} from './faults/connection.ts';
import {
  AskedByHeaderFaultSchema,
  BadChunkFaultSchema,
  BodyFaultSchema,
  DelayFaultSchema,
  FileAnswerFaultSchema,
  HeadersFaultSchema,
  RedirectUpstreamFaultSchema,
  SlowHeadFaultSchema,
  StatusFaultSchema,
  TruncatedGzipFaultSchema,
  WrongLengthFaultSchema,
} from './faults/http.ts';
import {
  GoawayFaultSchema,
  GrpcAbortFaultSchema,
  GrpcDelayFaultSchema,
  GrpcStatusFaultSchema,
  RstStreamFaultSchema,
} from './faults/http2.ts';
import {
  BandwidthFaultSchema,
  CorruptFaultSchema,
  DuplicateFaultSchema,
  HangFaultSchema,
  LatencyFaultSchema,
  LimitDataFaultSchema,
  ResetPeerFaultSchema,
  SlicerFaultSchema,
  SlowCloseFaultSchema,
  StallFaultSchema,
  TimeoutFaultSchema,
} from './faults/link.ts';

import {
  TlsAbortFaultSchema,
  TlsCertificateFaultSchema,
  TlsStallFaultSchema,
  TlsVersionFaultSchema,
} from './faults/tls.ts';

import {
  WsCloseFaultSchema,
  WsCorruptFaultSchema,
  WsDelayFaultSchema,
  WsDropFaultSchema,
  WsDuplicateFaultSchema,
  WsNoPongFaultSchema,
} from './faults/websocket.ts';

/**
 * The faults, as data: definitions a group in `faults/`, joined here as soon as something runs them
 * (src-main/engine/rules/faults, one file each, in a registry keyed by `type`).
 */

/** One schema a type, for forms and for the registry of implementations, in the order of menus. */
export const faultSchemas = {
  latency: LatencyFaultSchema,
  bandwidth: BandwidthFaultSchema,
  status: StatusFaultSchema,
  delay: DelayFaultSchema,
  'slow-head': SlowHeadFaultSchema,
  headers: HeadersFaultSchema,
  body: BodyFaultSchema,
  'wrong-length': WrongLengthFaultSchema,
  'bad-chunk': BadChunkFaultSchema,
  'truncated-gzip': TruncatedGzipFaultSchema,
  'redirect-upstream': RedirectUpstreamFaultSchema,
  'file-answer': FileAnswerFaultSchema,
  'asked-by-header': AskedByHeaderFaultSchema,
  reset: ResetFaultSchema,
  hang: HangFaultSchema,
  silence: SilenceFaultSchema,
  close: CloseFaultSchema,
  refuse: RefuseFaultSchema,
  'dns-failure': DnsFailureFaultSchema,
  'connect-timeout': ConnectTimeoutFaultSchema,
  slicer: SlicerFaultSchema,
  stall: StallFaultSchema,
  'limit-data': LimitDataFaultSchema,
  'slow-close': SlowCloseFaultSchema,
  timeout: TimeoutFaultSchema,
  'reset-peer': ResetPeerFaultSchema,
  corrupt: CorruptFaultSchema,
  duplicate: DuplicateFaultSchema,
  goaway: GoawayFaultSchema,
  'rst-stream': RstStreamFaultSchema,
  'grpc-status': GrpcStatusFaultSchema,
  'grpc-abort': GrpcAbortFaultSchema,
  'grpc-delay': GrpcDelayFaultSchema,
  'ws-drop': WsDropFaultSchema,
  'ws-delay': WsDelayFaultSchema,
  'ws-duplicate': WsDuplicateFaultSchema,
  'ws-corrupt': WsCorruptFaultSchema,
  'ws-close': WsCloseFaultSchema,
  'ws-no-pong': WsNoPongFaultSchema,
  'tls-certificate': TlsCertificateFaultSchema,
  'tls-abort': TlsAbortFaultSchema,
  'tls-stall': TlsStallFaultSchema,
  'tls-version': TlsVersionFaultSchema,
  breakpoint: BreakpointFaultSchema,
} as const;

type Schemas = typeof faultSchemas;
export type FaultType = keyof Schemas;
export type Fault = z.infer<Schemas[FaultType]>;
export type FaultInput = z.input<Schemas[FaultType]>;
export type FaultOf<T extends FaultType> = Extract<Fault, { type: T }>;

const all = Object.values(faultSchemas) as unknown as [Schemas[FaultType], ...Schemas[FaultType][]];
export const FaultSchema = z.discriminatedUnion('type', all);

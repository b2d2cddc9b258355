import type { FaultType } from '#shared/rules/fault.ts';
import { askedByHeader } from './asked-by-header.ts';
import { badChunk } from './bad-chunk.ts';
import { bandwidth } from './bandwidth.ts';
import { breakpoint } from './breakpoint.ts';
import { body } from './body.ts';
import { connectTimeout, dnsFailure, refuse } from './connect-faults.ts';
import { corrupt } from './corrupt.ts';
import { close, reset, rstStream } from './cut.ts';
import { delay } from './delay.ts';
import { duplicate } from './duplicate.ts';
import { fileAnswer } from './file-answer.ts';
import { goaway } from './goaway.ts';
import { grpcAbort } from './grpc-abort.ts';
import { grpcDelay } from './grpc-delay.ts';
import { grpcStatus } from './grpc-status.ts';
import { tlsAbort, tlsCertificate, tlsStall, tlsVersion } from './handshake-faults.ts';
import { hang, silence } from './hang.ts';
import { headers } from './headers.ts';
import { latency } from './latency.ts';
import { limitData } from './limit-data.ts';
import { redirectUpstream } from './redirect-upstream.ts';
import { resetPeer } from './reset-peer.ts';
import { slicer } from './slicer.ts';
import { slowClose } from './slow-close.ts';
import { slowHead } from './slow-head.ts';
import { stall } from './stall.ts';
import type { FaultImplementation } from './stage.ts';
import { status } from './status.ts';
import { timeout } from './timeout.ts';
import { truncatedGzip } from './truncated-gzip.ts';
import { wrongLength } from './wrong-length.ts';

import { wsClose } from './ws-close.ts';
import { wsCorrupt } from './ws-corrupt.ts';
import { wsDelay } from './ws-delay.ts';
import { wsDrop, wsNoPong } from './ws-drop.ts';
import { wsDuplicate } from './ws-duplicate.ts';

/** Every fault that Spike can run, by type. A type in the schema without an entry here does not compile. */
export const faultRegistry: { readonly [T in FaultType]: FaultImplementation<T> } = {
  latency,
  bandwidth,
  status,
  delay,
  'slow-head': slowHead,
  headers,
  body,
  'wrong-length': wrongLength,
  'bad-chunk': badChunk,
  'truncated-gzip': truncatedGzip,
  'redirect-upstream': redirectUpstream,
  'file-answer': fileAnswer,
  'asked-by-header': askedByHeader,
  reset,
  hang,
  goaway,
  'rst-stream': rstStream,
  'grpc-status': grpcStatus,
  'grpc-abort': grpcAbort,
  'grpc-delay': grpcDelay,
  'ws-drop': wsDrop,
  'ws-delay': wsDelay,
  'ws-duplicate': wsDuplicate,
  'ws-corrupt': wsCorrupt,
  'ws-close': wsClose,
  'ws-no-pong': wsNoPong,
  'tls-certificate': tlsCertificate,
  'tls-abort': tlsAbort,
  'tls-stall': tlsStall,
  'tls-version': tlsVersion,
  breakpoint,
  slicer,
  stall,
  'limit-data': limitData,
  'slow-close': slowClose,
  timeout,
  'reset-peer': resetPeer,
  corrupt,
  duplicate,
  close,
  refuse,
  'dns-failure': dnsFailure,
  'connect-timeout': connectTimeout,
  silence,
};

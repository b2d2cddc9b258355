import { z } from 'zod';
import { grpcStatusNames } from '../../flow/grpc-status.ts';
import { delay, direction, fieldValue } from './parts.ts';

/** Faults of HTTP/2 streams (RFC 9113) and of gRPC calls on them. */

/** RFC 9113, section 7. */
export const http2ErrorCodes = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
] as const;

const errorCode = z.enum(http2ErrorCodes);
const grpcStatus = z.enum(grpcStatusNames);
const grpcMessage = fieldValue
  .max(1024)
  .default('')
  .meta({ title: 'Message', description: 'The grpc-message field.' });

export const GoawayFaultSchema = z
  .strictObject({
    type: z.literal('goaway'),
    code: errorCode.default('NO_ERROR').meta({ title: 'Code' }),
  })
  .meta({
    title: 'GOAWAY',
    scope: 'exchange',
    icon: 'log-out',
    description:
      "The client's HTTP/2 connection gets GOAWAY with this call; with NO_ERROR the call itself still ends well.",
  });

export const RstStreamFaultSchema = z
  .strictObject({
    type: z.literal('rst-stream'),
    code: errorCode.default('INTERNAL_ERROR').meta({ title: 'Code' }),
    at: z
      .enum(['start', 'before-head', 'after-head', 'mid-body'])
      .default('before-head')
      .meta({ title: 'When' }),
  })
  .meta({ title: 'RST_STREAM', scope: 'exchange', icon: 'unplug', description: 'HTTP/2 only.' });

export const GrpcStatusFaultSchema = z
  .strictObject({
    type: z.literal('grpc-status'),
    status: grpcStatus.default('UNAVAILABLE').meta({ title: 'Status' }),
    message: grpcMessage,
    form: z.enum(['trailers-only', 'trailers', 'missing']).default('trailers-only').meta({
      title: 'Form',
      description:
        'trailers-only: one head with the status; trailers: a head, no message, then the status; missing: a head and an end without any status, which clients must take for UNKNOWN.',
    }),
  })
  .meta({ title: 'gRPC status', scope: 'exchange', icon: 'circle-alert' });

export const GrpcAbortFaultSchema = z
  .strictObject({
    type: z.literal('grpc-abort'),
    direction,
    afterMessages: z.int().min(0).max(1_000_000).meta({ title: 'After', unit: 'messages', default: 3 }),
    status: grpcStatus.default('UNAVAILABLE').meta({ title: 'Status' }),
    message: grpcMessage,
  })
  .meta({
    title: 'gRPC abort',
    scope: 'exchange',
    icon: 'octagon-x',
    description: 'The call ends with this status after so many messages.',
  });

export const GrpcDelayFaultSchema = z
  .strictObject({
    type: z.literal('grpc-delay'),
    direction,
    delayMs: delay('Delay', 500, 'Before each message.'),
  })
  .meta({ title: 'gRPC message delay', scope: 'exchange', icon: 'timer' });

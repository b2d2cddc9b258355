import { describe, expect, it } from 'vitest';
import { FaultSchema } from '../../../../src-shared/rules/fault.ts';
import type { FaultInput } from '../../../../src-shared/rules/fault.ts';
import { faultEffect } from '../../../../src-shared/rules/fault-effects.ts';

describe('faults of streams and frames in words', () => {
  it.each<[string, FaultInput]>([
    ['are the last on their HTTP/2 connection', { type: 'goaway' }],
    [
      'have their HTTP/2 connection ended with ENHANCE_YOUR_CALM',
      { type: 'goaway', code: 'ENHANCE_YOUR_CALM' },
    ],
    ['have their stream reset with CANCEL mid-body', { type: 'rst-stream', code: 'CANCEL', at: 'mid-body' }],
    ['get gRPC UNAVAILABLE', { type: 'grpc-status' }],
    ['get no gRPC status', { type: 'grpc-status', form: 'missing' }],
    ['end with gRPC UNAVAILABLE after 1 message of the response', { type: 'grpc-abort', afterMessages: 1 }],
    [
      'wait 500 ms for each gRPC message of the request',
      { type: 'grpc-delay', direction: 'request', delayMs: 500 },
    ],
    ['lose the messages of the response', { type: 'ws-drop' }],
    [
      'lose 10 % of the pings of the request',
      { type: 'ws-drop', direction: 'request', frames: 'ping', share: 0.1 },
    ],
    ['wait 1 s for the text messages of the response', { type: 'ws-delay', frames: 'text', delayMs: 1000 }],
    ['get the frames of the response twice', { type: 'ws-duplicate', frames: 'any' }],
    ['have a byte changed in the binary messages of the response', { type: 'ws-corrupt', frames: 'binary' }],
    [
      'have their WebSocket closed with 1011 after 2 messages',
      { type: 'ws-close', code: 1011, afterMessages: 2 },
    ],
    ['have their WebSocket closed with 1000', { type: 'ws-close', code: 1000 }],
    ['lose the pongs of the request', { type: 'ws-no-pong', direction: 'request' }],
  ])('%s', (words, input) => {
    expect(faultEffect(FaultSchema.parse(input), true)).toBe(words);
  });

  it.each([
    { type: 'goaway', code: 'GONE' },
    { type: 'rst-stream', code: 'CANCEL', at: 'later' },
    { type: 'grpc-status', status: 'TEAPOT' },
    { type: 'grpc-status', message: 'two\nlines' },
    { type: 'grpc-status', message: 'x'.repeat(1025) },
    { type: 'grpc-abort' },
    { type: 'grpc-abort', afterMessages: -1 },
    { type: 'grpc-abort', afterMessages: 1_000_001 },
    { type: 'grpc-delay', delayMs: 3_600_001 },
    { type: 'ws-drop', share: 1.1 },
    { type: 'ws-drop', frames: 'continuation' },
    { type: 'ws-delay', delayMs: 0.5 },
    { type: 'ws-close', code: 999 },
    { type: 'ws-close', code: 5000 },
    { type: 'ws-close', code: 1000, reason: 'x'.repeat(124) },
    { type: 'ws-no-pong', direction: 'both' },
    { type: 'ws-no-pong', share: 1 },
  ])('%o is refused', (input) => {
    expect(FaultSchema.safeParse(input).success).toBe(false);
  });
});

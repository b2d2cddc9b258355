import { z } from 'zod';
import { delay, direction, share } from './parts.ts';

/** Faults of WebSocket frames (RFC 6455), over HTTP/1.1 and HTTP/2. */

const opcodes = z.enum(['any', 'data', 'text', 'binary', 'ping', 'pong', 'close']).default('data').meta({
  title: 'Frames',
  description: 'data: text and binary, with their continuations.',
});
const of = (title: string) => share(title, 1, 'Of the messages that match, 0 to 1.');

export const WsDropFaultSchema = z
  .strictObject({ type: z.literal('ws-drop'), direction, frames: opcodes, share: of('Share') })
  .meta({ title: 'Drop frames', scope: 'frames', icon: 'filter-x' });

export const WsDelayFaultSchema = z
  .strictObject({
    type: z.literal('ws-delay'),
    direction,
    frames: opcodes,
    share: of('Share'),
    delayMs: delay('Delay', 1000),
  })
  .meta({ title: 'Delay frames', scope: 'frames', icon: 'timer' });

export const WsDuplicateFaultSchema = z
  .strictObject({ type: z.literal('ws-duplicate'), direction, frames: opcodes, share: of('Share') })
  .meta({ title: 'Duplicate frames', scope: 'frames', icon: 'copy' });

export const WsCorruptFaultSchema = z
  .strictObject({ type: z.literal('ws-corrupt'), direction, frames: opcodes, share: of('Share') })
  .meta({
    title: 'Corrupt frames',
    scope: 'frames',
    icon: 'binary',
    description: 'A byte of the payload is changed; the frame itself stays valid.',
  });

export const WsCloseFaultSchema = z
  .strictObject({
    type: z.literal('ws-close'),
    code: z.int().min(1000).max(4999).meta({ title: 'Code', default: 1011 }),
    reason: z.string().max(123).default('').meta({ title: 'Reason' }),
    afterMessages: z.int().min(0).max(1_000_000).default(0).meta({
      title: 'After',
      unit: 'messages',
      description: 'Messages of both directions that pass first.',
    }),
  })
  .meta({
    title: 'Close',
    scope: 'frames',
    icon: 'octagon-x',
    description: 'Both sides get a close frame with that code.',
  });

export const WsNoPongFaultSchema = z.strictObject({ type: z.literal('ws-no-pong'), direction }).meta({
  title: 'Ping without pong',
  scope: 'frames',
  icon: 'volume-x',
  description: 'Pings arrive, pongs of this direction are dropped.',
});

import { z } from 'zod';
import { DirectionSchema } from './flow.ts';

/**
 * What passes inside a flow that is more than one request and one answer: WebSocket frames and messages, gRPC messages,
 * server-sent events, database commands, bursts of bytes in a tunnel that nobody can read. One shape for all of them, so
 * that one list shows them and one call gives them, while the flow is still open.
 */
export const messageTypes = [
  'text', // WebSocket message, opcode 1 (RFC 6455, section 5.6)
  'binary', // WebSocket message, opcode 2
  'close', // WebSocket close: code and reason, as in "1000 bye"
  'ping',
  'pong',
  'grpc', // one length-prefixed gRPC message
  'event', // one server-sent event (WHATWG HTML, section 9.2)
  'line', // one line of a streamed text (NDJSON)
  'command', // what a client asks of a database: statement or command, answered after `durationMs`
  'notice', // what a server says unasked
  'data', // bytes that are not decoded, those of one direction that came together
] as const;
export const MessageTypeSchema = z.enum(messageTypes);
export type MessageType = z.infer<typeof MessageTypeSchema>;

export const FlowMessageSchema = z.object({
  index: z.int().min(0).meta({
    description:
      'Its place in the flow, from 0, in the order in which they were whole (a command: answered). What was not kept leaves a gap.',
  }),
  type: MessageTypeSchema,
  direction: DirectionSchema,
  atMs: z.number().meta({
    description: 'When it was whole (a command: when it was asked), in ms after the start of the flow.',
  }),
  durationMs: z.number().nullable().meta({
    description: 'A command: until its answer was whole; null for what is not answered, or not yet.',
  }),
  sizeBytes: z.int().meta({ description: 'Payload as transferred: before decompression, without framing.' }),
  text: z.string().meta({
    description:
      'For a person: the text, the statement, the name of the command; base64 where `encoding` says so; "" for undecoded bytes.',
  }),
  encoding: z.enum(['text', 'base64']).meta({ description: 'How `text` holds the content.' }),
  truncated: z
    .boolean()
    .meta({ description: 'Only the first part of it is in `text` (see messageTextLimit).' }),
  compressed: z.boolean().meta({ description: 'It came compressed; `text` is decompressed.' }),
  summary: z
    .string()
    .meta({ description: 'What came of it: "3 rows", "1000 normal closure", "OK"; "" for nothing to say.' }),
  error: z.string().nullable().meta({
    description:
      'What the other side answered instead (an SQL error with its SQLSTATE), or what is wrong with it (RFC 6455).',
  }),
});
export type FlowMessage = z.infer<typeof FlowMessageSchema>;

/** Some of the messages of a flow, in their order. */
export const MessagePageSchema = z.object({
  messages: z.array(FlowMessageSchema),
  next: z.int().nullable().meta({
    description:
      'Give it as `after` for what follows: also while the flow is open and nothing more has come yet. null: it has ended, and this was all.',
  }),
  total: z.int().meta({ description: 'Messages that have passed, kept or not.' }),
  dropped: z.int().meta({
    description:
      'Of these, not kept: beyond the bounds of one flow, or faster than the capture could take them.',
  }),
});
export type MessagePage = z.infer<typeof MessagePageSchema>;

/** Characters of one message that are kept. */
export const messageTextLimit = 65_536;
/** Messages of one flow that are kept; those beyond are counted. */
export const messagesPerFlowLimit = 10_000;
/** Characters of all messages of one flow that are kept; messages beyond are counted. */
export const messageTextPerFlowLimit = 32 * 1024 ** 2;

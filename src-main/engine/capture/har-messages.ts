// Frames of a WebSocket as Chrome writes and reads them: `_webSocketMessages` is no part of HAR 1.2.
import type { Flow } from '#shared/flow/flow.ts';
import { parseMicroseconds } from '#shared/flow/flow-summary.ts';
import type { FlowMessage } from '#shared/flow/message.ts';
import type { Redactor } from './redaction.ts';

/** RFC 6455, section 5.2. */
const opcodes: Partial<Record<FlowMessage['type'], number>> = {
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
};

export interface HarWebSocketMessage {
  /** Seen from the client. */
  readonly type: 'send' | 'receive';
  /** Unix time in seconds. */
  readonly time: number;
  readonly opcode: number;
  /** Text; base64 for a binary message. */
  readonly data: string;
  /** Not Chrome's: there was more of it than `data` has. */
  readonly _truncated?: true;
}

/** @param redactor null: as it was. */
export function harMessages(
  flow: Pick<Flow, 'startedAt'>,
  messages: readonly FlowMessage[],
  redactor: Redactor | null,
): HarWebSocketMessage[] {
  const startedAtMs = parseMicroseconds(flow.startedAt);
  return messages.flatMap((message) => {
    const opcode = opcodes[message.type];
    if (opcode === undefined) return [];
    return {
      type: message.direction === 'request' ? 'send' : 'receive',
      time: Math.round((startedAtMs + message.atMs) * 1000) / 1_000_000,
      opcode,
      data: redactor === null ? dataOf(message) : redacted(message, redactor),
      ...(message.truncated ? { _truncated: true as const } : {}),
    };
  });
}

/** Control frames that are no text are base64 among the messages; here only binary messages are. */
function dataOf({ type, encoding, text }: FlowMessage): string {
  if (type === 'binary' || encoding === 'text') return text;
  return Buffer.from(text, 'base64').toString('latin1');
}

function redacted(message: FlowMessage, redactor: Redactor): string {
  if (message.encoding === 'text')
    return redactor.body(Buffer.from(message.text), null, 'messages').toString();
  const bytes = redactor.body(Buffer.from(message.text, 'base64'), null, 'messages');
  return dataOf({ ...message, text: bytes.toString('base64') });
}

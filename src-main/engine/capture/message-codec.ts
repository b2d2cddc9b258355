import type { Direction } from '#shared/flow/flow.ts';
import { messageTypes } from '#shared/flow/message.ts';
import type { FlowMessage } from '#shared/flow/message.ts';
import { batchHeaderBytes, MalformedBatchError, messagesKind } from './batch-format.ts';

/**
 * Messages in a batch: behind its flows, those of one flow that were taken together are one group.
 *
 *     group   length u32, 0 u32, 0 u32, kind u8 (255: no flow has it), 3 free
 *             index of the first message u32, index of the last u32, length of the flow id u32
 *             flow id: latin1
 *             messages: JSON, one array a message (UTF-8)
 *
 * The recorder stores the JSON as it came, and reads it only when somebody looks.
 */
const at = { length: 0, kind: 12, first: 16, last: 20, idLength: 24 } as const;
const fixedBytes = 28;

/** Messages of one flow, as they are stored. */
export interface MessageGroup {
  readonly flowId: string;
  readonly first: number;
  readonly last: number;
  /** JSON for `parseMessages`. */
  readonly json: Buffer;
}

type Tuple = readonly [
  index: number,
  type: number,
  flags: number,
  atMs: number,
  durationMs: number | null,
  sizeBytes: number,
  text: string,
  summary: string,
  error: string | null,
];
const flag = { response: 1, base64: 2, truncated: 4, compressed: 8 } as const;

/** A group as bytes of a batch; `messages` is not empty. */
export function encodeMessages(flowId: string, messages: readonly FlowMessage[]): Buffer {
  const json = JSON.stringify(messages.map(tupleOf));
  const length = fixedBytes + flowId.length + Buffer.byteLength(json);
  const group = Buffer.alloc(length);
  group.writeUInt32LE(length, at.length);
  group.writeUInt8(messagesKind, at.kind);
  group.writeUInt32LE(messages[0]?.index ?? 0, at.first);
  group.writeUInt32LE(messages.at(-1)?.index ?? 0, at.last);
  group.writeUInt32LE(flowId.length, at.idLength);
  group.write(flowId, fixedBytes, 'latin1');
  group.write(json, fixedBytes + flowId.length, 'utf8');
  return group;
}

/** The group that begins at `offset`, and its length. Throws `MalformedBatchError`. */
export function readGroup(batch: Buffer, offset: number): { group: MessageGroup; length: number } {
  if (offset < batchHeaderBytes || offset + fixedBytes > batch.length)
    throw new MalformedBatchError('messages are cut', offset);
  const length = batch.readUInt32LE(offset + at.length);
  const idEnd = fixedBytes + batch.readUInt32LE(offset + at.idLength);
  const first = batch.readUInt32LE(offset + at.first);
  const last = batch.readUInt32LE(offset + at.last);
  if (length < idEnd || offset + length > batch.length)
    throw new MalformedBatchError('messages are cut', offset);
  if (batch.readUInt8(offset + at.kind) !== messagesKind || first > last)
    throw new MalformedBatchError('not messages', offset);
  const flowId = batch.toString('latin1', offset + fixedBytes, offset + idEnd);
  return { group: { flowId, first, last, json: batch.subarray(offset + idEnd, offset + length) }, length };
}

/** What `encodeMessages` wrote. Throws `MalformedBatchError`. */
export function parseMessages(json: Buffer): FlowMessage[] {
  let tuples: unknown;
  try {
    tuples = JSON.parse(json.toString('utf8'));
  } catch {
    throw new MalformedBatchError('messages that are not JSON', 0);
  }
  if (!Array.isArray(tuples)) throw new MalformedBatchError('messages of another shape', 0);
  return tuples.map((tuple, number) => {
    if (!isTuple(tuple)) throw new MalformedBatchError('a message of another shape', number);
    return messageOf(tuple);
  });
}

function tupleOf(message: FlowMessage): Tuple {
  const flags =
    (message.direction === 'response' ? flag.response : 0) |
    (message.encoding === 'base64' ? flag.base64 : 0) |
    (message.truncated ? flag.truncated : 0) |
    (message.compressed ? flag.compressed : 0);
  const { index, atMs, durationMs, sizeBytes, text, summary, error } = message;
  return [
    index,
    messageTypes.indexOf(message.type),
    flags,
    atMs,
    durationMs,
    sizeBytes,
    text,
    summary,
    error,
  ];
}

function messageOf(tuple: Tuple): FlowMessage {
  const [index, type, flags, atMs, durationMs, sizeBytes, text, summary, error] = tuple;
  const direction: Direction = flags & flag.response ? 'response' : 'request';
  return {
    index,
    type: messageTypes[type] as FlowMessage['type'],
    direction,
    atMs,
    durationMs,
    sizeBytes,
    text,
    encoding: flags & flag.base64 ? 'base64' : 'text',
    truncated: (flags & flag.truncated) !== 0,
    compressed: (flags & flag.compressed) !== 0,
    summary,
    error,
  };
}

function isTuple(value: unknown): value is Tuple {
  if (!Array.isArray(value) || value.length !== 9) return false;
  const [index, type, flags, atMs, durationMs, sizeBytes, text, summary, error] = value as unknown[];
  return (
    isCount(index) &&
    isCount(type) &&
    type < messageTypes.length &&
    isCount(flags) &&
    typeof atMs === 'number' &&
    (durationMs === null || typeof durationMs === 'number') &&
    isCount(sizeBytes) &&
    typeof text === 'string' &&
    typeof summary === 'string' &&
    (error === null || typeof error === 'string')
  );
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

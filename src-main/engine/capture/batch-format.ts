import { flowKinds, resolvers } from '#shared/flow/flow.ts';
import type { BodyState } from '#shared/flow/flow.ts';
import type { FlowRecord } from './flow-record.ts';

/**
 * The bytes of a batch of flow records, as they go from a worker to the recorder and lie in the capture file.
 * Little endian, no alignment, every record whole in itself, so that one can be read out of the middle.
 *
 *     batch   header 16: magic, version, number of flows, length in bytes
 *             record, record, ... then messages, if there are any
 *     record  fixed part of numbers (offsets below)
 *             lengths of the texts, u32 each, in UTF-16 code units
 *             all texts joined: latin1, or UTF-16 when one of them needs it (field lines are latin1 by nature)
 *             request body, response body: raw
 *
 * Groups of messages follow behind the flows (message-codec.ts); they go into a table of their own, since a flow that
 * stays open has a new record each second, and its messages come once.
 *
 * One joined text is one native write and one native read a flow; sixteen of them cost more than everything else.
 */
export const batchMagic = 0x424b5053; // "SPKB"
export const batchVersion = 1;
export const batchHeaderBytes = 16;

/** Offsets in the fixed part of a record. */
export const at = {
  length: 0,
  headLength: 4,
  flags: 8,
  kind: 12,
  httpVersion: 13,
  requestBodyState: 14,
  responseBodyState: 15,
  worker: 16,
  callerResolver: 18,
  calleeResolver: 19,
  callerPid: 20,
  calleePid: 24,
  status: 28,
  grpcStatus: 32,
  requestBodyStored: 36,
  responseBodyStored: 40,
  startedAt: 44,
  duration: 52,
  sizes: 60,
  timings: 92,
  textLengths: 148,
} as const;

/** The texts of a record in their order. */
export const textNames = [
  'id',
  'caller',
  'callee',
  'route',
  'connectionId',
  'method',
  'url',
  'rare',
  'requestFields',
  'responseFields',
  'trailers',
  'client',
  'upstreamAddress',
  'reason',
  'rawHead',
  'tls',
] as const;
export type RecordTexts = Record<(typeof textNames)[number], string>;
export const recordFixedBytes = at.textLengths + textNames.length * 4;

/** Bits of `flags`. Absent is not the same as empty. */
export const flag = { wide: 1, reused: 2, route: 4, upstream: 8, rawHead: 16 } as const;

/** In the place of a flow's kind: these are messages. */
export const messagesKind = 255;

export const kindCodes = flowKinds;
export const resolverCodes = resolvers;
export const versionCodes: readonly FlowRecord['httpVersion'][] = ['1.0', '1.1', '2'];
export const bodyStateCodes: readonly BodyState[] = ['none', 'stored', 'truncated', 'dropped', 'evicted'];

/** The only way in which reading a batch fails: it was cut, changed, or written by a newer version. */
export class MalformedBatchError extends Error {
  readonly code = 'malformed-batch';
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(`Malformed capture batch at byte ${offset}: ${message}.`);
    this.name = 'MalformedBatchError';
    this.offset = offset;
  }
}

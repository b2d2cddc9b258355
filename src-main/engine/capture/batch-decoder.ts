import { z } from 'zod';
import {
  AppliedFaultSchema,
  DecodedProtocolSchema,
  FlowErrorSchema,
  FlowSchema,
  injectedDelayMs,
  MessageCountsSchema,
} from '#shared/flow/flow.ts';
import type { AppliedFault, BodyState, Flow, ServiceName } from '#shared/flow/flow.ts';
import { formatMicroseconds, isConversation, splitUrl } from '#shared/flow/flow-summary.ts';
import type { FlowSummary } from '#shared/flow/flow-summary.ts';
import {
  at,
  batchHeaderBytes,
  batchMagic,
  batchVersion,
  bodyStateCodes,
  flag,
  kindCodes,
  messagesKind,
  MalformedBatchError,
  recordFixedBytes,
  resolverCodes,
  textNames,
  versionCodes,
} from './batch-format.ts';
import type { RecordTexts } from './batch-format.ts';
import { readGroup } from './message-codec.ts';
import { checkHead, coded, finite, microseconds, startOf, whole } from './record-numbers.ts';
import type { MessageGroup } from './message-codec.ts';
import { grpcStatusOf, parseFields, traceOf } from './field-text.ts';

/** One flow of a batch as a row, and where its record lies. */
export interface IndexedFlow {
  readonly summary: FlowSummary;
  readonly faults: readonly AppliedFault[];
  /** Of the record, in the batch. */
  readonly offset: number;
  /** Of the record without its bodies: what `decodeFlow` needs. */
  readonly headLength: number;
  /** Of the whole record. */
  readonly length: number;
}

/** Where a stored body lies, counted from the start of its record. */
export interface BodyPlace {
  readonly state: BodyState;
  readonly offset: number;
  readonly length: number;
}

/** Captures of before there were messages have the first two only. */
const RareSchema = z.object({
  faults: z.array(AppliedFaultSchema),
  error: FlowErrorSchema.nullable(),
  protocol: DecodedProtocolSchema.nullable().default(null),
  messages: MessageCountsSchema.nullable().default(null),
});
type Rare = z.infer<typeof RareSchema>;
const TlsSchema = FlowSchema.shape.tls.unwrap();
const tcpKind = kindCodes.indexOf('tcp');
/** Of a record without faults, error, messages and decoded protocol. */
export const noRare: Rare = { faults: [], error: null, protocol: null, messages: null };

/** Where the flows of a batch end, and its messages begin if there are any. */
interface Records {
  readonly offsets: number[];
  readonly end: number;
}

export interface SplitBatch {
  /** The batch of its flows alone. */
  readonly flows: Buffer;
  readonly offsets: readonly number[];
  readonly messages: readonly MessageGroup[];
}

/** Offsets of the flows of a batch, checked. Throws `MalformedBatchError`. */
export function recordOffsets(batch: Buffer): number[] {
  return readRecords(batch).offsets;
}

/**
 * A batch parted into one of its flows alone and its messages; a batch without messages is given back as it is.
 * @param batch Its header is written anew: it is the caller's to change. Throws `MalformedBatchError`.
 */
export function splitBatch(batch: Buffer): SplitBatch {
  const { offsets, end } = readRecords(batch);
  const messages: MessageGroup[] = [];
  for (let offset = end; offset < batch.length;) {
    const { group, length } = readGroup(batch, offset);
    messages.push(group);
    offset += length;
  }
  if (messages.length === 0) return { flows: batch, offsets, messages };
  batch.writeUInt32LE(end, 12);
  return { flows: batch.subarray(0, end), offsets, messages };
}

function readRecords(batch: Buffer): Records {
  if (batch.length < batchHeaderBytes) throw new MalformedBatchError('the header is cut', 0);
  if (batch.readUInt32LE(0) !== batchMagic) throw new MalformedBatchError('not a batch', 0);
  const version = batch.readUInt16LE(4);
  if (version !== batchVersion) throw new MalformedBatchError(`version ${version} is not known`, 4);
  if (batch.readUInt32LE(12) !== batch.length) throw new MalformedBatchError('the length is not right', 12);
  const count = batch.readUInt32LE(8);
  const offsets: number[] = [];
  let offset = batchHeaderBytes;
  while (offset < batch.length && batch[offset + at.kind] !== messagesKind) {
    offsets.push(offset);
    offset += recordLength(batch, offset);
  }
  if (offset > batch.length || offsets.length !== count)
    throw new MalformedBatchError(`${count} records were announced, ${offsets.length} are there`, 8);
  return { offsets, end: offset };
}

/** What the rows of the index need, of every flow in the batch. Throws `MalformedBatchError`. */
export function readIndex(batch: Buffer): IndexedFlow[] {
  return recordOffsets(batch).map((offset) => indexAt(batch, offset));
}

/** What its row needs, of the record at `offset`; the bodies need not be there. Throws `MalformedBatchError`. */
export function indexAt(bytes: Buffer, offset: number): IndexedFlow {
  const texts = readTexts(bytes, offset);
  const rare = readRare(texts.rare, offset);
  return {
    summary: summaryOf(bytes, offset, texts, rare),
    faults: rare.faults,
    offset,
    headLength: bytes.readUInt32LE(offset + at.headLength),
    length: bytes.readUInt32LE(offset),
  };
}

/** The ids alone, for taking a batch out of the index. Throws `MalformedBatchError`. */
export function readIds(batch: Buffer): string[] {
  return recordOffsets(batch).map((offset) => readTexts(batch, offset).id);
}

/** The whole flow whose record begins at `offset`; the bodies need not be there. Throws `MalformedBatchError`. */
export function decodeFlow(bytes: Buffer, offset: number): Flow {
  const texts = readTexts(bytes, offset);
  const flags = bytes.readUInt32LE(offset + at.flags);
  const duration = finite(bytes, offset + at.duration);
  const rare = readRare(texts.rare, offset);
  return {
    id: texts.id,
    kind: coded(kindCodes, bytes, offset + at.kind),
    startedAt: formatMicroseconds(startOf(bytes, offset)),
    durationMs: duration < 0 ? null : microseconds(duration),
    caller: serviceOf(bytes, offset, texts.caller, at.callerResolver, at.callerPid),
    callee: serviceOf(bytes, offset, texts.callee, at.calleeResolver, at.calleePid),
    route: flags & flag.route ? texts.route : null,
    connectionId: texts.connectionId,
    client: texts.client,
    upstream:
      flags & flag.upstream ? { address: texts.upstreamAddress, reused: (flags & flag.reused) !== 0 } : null,
    tls: readTls(texts.tls, offset),
    http: httpOf(bytes, offset, texts),
    protocol: rare.protocol,
    bytes: bytes[offset + at.kind] === tcpKind ? bytesOf(bytes, offset) : null,
    messages: rare.messages,
    rawHead: flags & flag.rawHead ? texts.rawHead : null,
    sizes: sizesOf(bytes, offset + at.sizes),
    timings: timingsOf(bytes, offset + at.timings),
    faults: rare.faults,
    playback: null,
    trace: traceOf(texts.requestFields),
    error: rare.error,
    worker: bytes.readUInt16LE(offset + at.worker),
  };
}

/** Where a body of the record at `offset` lies. Throws `MalformedBatchError`. */
export function bodyPlace(bytes: Buffer, offset: number, side: 'request' | 'response'): BodyPlace {
  const headLength = checkHead(bytes, offset);
  const request = bytes.readUInt32LE(offset + at.requestBodyStored);
  return side === 'request'
    ? {
        state: coded(bodyStateCodes, bytes, offset + at.requestBodyState),
        offset: headLength,
        length: request,
      }
    : {
        state: coded(bodyStateCodes, bytes, offset + at.responseBodyState),
        offset: headLength + request,
        length: bytes.readUInt32LE(offset + at.responseBodyStored),
      };
}

function recordLength(batch: Buffer, offset: number): number {
  const headLength = checkHead(batch, offset);
  const length = batch.readUInt32LE(offset);
  const bodies =
    batch.readUInt32LE(offset + at.requestBodyStored) + batch.readUInt32LE(offset + at.responseBodyStored);
  if (length !== headLength + bodies)
    throw new MalformedBatchError('a record is not as long as it says', offset);
  if (offset + length > batch.length) throw new MalformedBatchError('a record is cut', offset);
  return length;
}

function readTexts(bytes: Buffer, offset: number): RecordTexts {
  const headEnd = offset + checkHead(bytes, offset);
  const from = offset + recordFixedBytes;
  const wide = (bytes.readUInt32LE(offset + at.flags) & flag.wide) !== 0;
  const text = bytes.toString(wide ? 'utf16le' : 'latin1', from, headEnd);
  const texts: Partial<RecordTexts> = {};
  let end = 0;
  let lengthAt = offset + at.textLengths;
  for (const name of textNames) {
    const start = end;
    end += bytes.readUInt32LE(lengthAt);
    lengthAt += 4;
    texts[name] = text.slice(start, end);
  }
  if (end * (wide ? 2 : 1) !== headEnd - from) throw new MalformedBatchError('the texts do not add up', from);
  return texts as RecordTexts;
}

function summaryOf(bytes: Buffer, offset: number, texts: RecordTexts, rare: Rare): FlowSummary {
  const kind = coded(kindCodes, bytes, offset + at.kind);
  const duration = finite(bytes, offset + at.duration);
  const sizes = sizesOf(bytes, offset + at.sizes);
  const flags = bytes.readUInt32LE(offset + at.flags);
  const http = texts.method === '' ? null : httpSummary(bytes, offset, texts);
  return {
    id: texts.id,
    kind,
    startedAtMs: startOf(bytes, offset),
    durationMs: duration < 0 ? null : microseconds(duration),
    caller: texts.caller,
    callee: texts.callee,
    method: http === null ? null : texts.method,
    host: http?.host ?? null,
    path: http?.path ?? null,
    status: http?.status ?? null,
    grpcStatus: http?.grpcStatus ?? null,
    sizeBytes: isConversation(kind) ? sizes.requestBody + sizes.responseBody : sizes.responseBody,
    protocol: protocolOf(kind, http, rare),
    messages: rare.messages?.count ?? null,
    faults: rare.faults.length === 0 ? [] : [...new Set(rare.faults.map((fault) => fault.ruleId))],
    faultedStatus: rare.faults.some((fault) => fault.status !== null),
    injectedMs: injectedDelayMs(rare),
    playback: false,
    cause: rare.error?.cause ?? null,
    traceId: traceOf(texts.requestFields)?.traceId ?? null,
    route: flags & flag.route ? texts.route : null,
    connectionId: texts.connectionId,
  };
}

function httpSummary(bytes: Buffer, offset: number, texts: RecordTexts) {
  const { host, path } = splitUrl(texts.url);
  const status = bytes.readInt32LE(offset + at.status);
  return {
    host,
    path,
    status: status === 0 ? null : status,
    grpcStatus: grpcOf(bytes, offset, texts),
    httpVersion: coded(versionCodes, bytes, offset + at.httpVersion),
  };
}

function grpcOf(bytes: Buffer, offset: number, texts: RecordTexts): number | null {
  const recorded = bytes.readInt32LE(offset + at.grpcStatus);
  const status = grpcStatusOf(recorded, texts.responseFields, texts.trailers);
  return status < 0 ? null : status;
}

/** As `summarise` in flow-summary.ts has it; a property test holds the two together. */
export function protocolOf(
  kind: Flow['kind'],
  http: { httpVersion: string; grpcStatus: number | null } | null,
  rare: Rare,
): FlowSummary['protocol'] {
  if (kind === 'websocket') return 'ws';
  if (kind === 'tcp') return rare.protocol ?? 'tcp';
  if (kind === 'tls-failure') return 'tls';
  if (http === null) return 'h1';
  if (http.grpcStatus !== null) return 'grpc';
  return http.httpVersion === '2' ? 'h2' : 'h1';
}

function httpOf(bytes: Buffer, offset: number, texts: RecordTexts): Flow['http'] {
  if (texts.method === '') return null;
  const status = bytes.readInt32LE(offset + at.status);
  return {
    method: texts.method,
    url: texts.url,
    httpVersion: coded(versionCodes, bytes, offset + at.httpVersion),
    requestHeaders: parseFields(texts.requestFields),
    status: status === 0 ? null : status,
    reason: status === 0 ? null : texts.reason,
    responseHeaders: parseFields(texts.responseFields),
    grpcStatus: grpcOf(bytes, offset, texts),
    trailers: parseFields(texts.trailers),
    requestBody: coded(bodyStateCodes, bytes, offset + at.requestBodyState),
    responseBody: coded(bodyStateCodes, bytes, offset + at.responseBodyState),
  };
}

function bytesOf(bytes: Buffer, offset: number): NonNullable<Flow['bytes']> {
  return {
    request: coded(bodyStateCodes, bytes, offset + at.requestBodyState),
    response: coded(bodyStateCodes, bytes, offset + at.responseBodyState),
  };
}

function serviceOf(
  bytes: Buffer,
  offset: number,
  name: string,
  resolver: number,
  pidAt: number,
): ServiceName {
  const pid = bytes.readInt32LE(offset + pidAt);
  return { name, resolvedBy: coded(resolverCodes, bytes, offset + resolver), pid: pid < 0 ? null : pid };
}

function sizesOf(bytes: Buffer, offset: number): Flow['sizes'] {
  return {
    requestHead: whole(bytes, offset),
    requestBody: whole(bytes, offset + 8),
    responseHead: whole(bytes, offset + 16),
    responseBody: whole(bytes, offset + 24),
  };
}

function timingsOf(bytes: Buffer, offset: number): Flow['timings'] {
  const part = (index: number): number | null => {
    const ms = finite(bytes, offset + index * 8);
    return ms < 0 ? null : microseconds(ms);
  };
  return {
    blocked: part(0),
    dns: part(1),
    connect: part(2),
    tls: part(3),
    send: part(4),
    wait: part(5),
    receive: part(6),
  };
}

function readRare(text: string, offset: number): Rare {
  return text === '' ? noRare : parsed(RareSchema, text, offset);
}

function readTls(text: string, offset: number): Flow['tls'] {
  return text === '' ? null : parsed(TlsSchema, text, offset);
}

function parsed<T>(schema: z.ZodType<T>, text: string, offset: number): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new MalformedBatchError('text that is not JSON', offset);
  }
  const result = schema.safeParse(value);
  if (!result.success) throw new MalformedBatchError('JSON of another shape', offset);
  return result.data;
}

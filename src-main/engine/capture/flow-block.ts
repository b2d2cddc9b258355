import type { MessageGroup } from './message-codec.ts';
import type { BatchBuffers } from './batch-assembler.ts';
import { indexAt, splitBatch } from './batch-decoder.ts';
import type { IndexedFlow } from './batch-decoder.ts';
import { at, batchHeaderBytes } from './batch-format.ts';
import { openAfterMs } from './flow-record.ts';
import { durationAt, hasHead, idAt, isPlainRecord, startOf, storedBodyBytes } from './record-numbers.ts';

/**
 * The plain flows of a batch, apart from the others: their heads one behind the other, and their bodies one behind the
 * other in the same order, so that a search reads the heads alone.
 */
export interface FlowBlock {
  readonly flows: number;
  /** The smallest and the largest id: flows lie in the order in which they ended. */
  readonly firstId: string;
  readonly lastId: string;
  /** When the first of them began, in Unix ms. */
  readonly startedAtMs: number;
  readonly heads: Buffer;
  /** Where each head begins. */
  readonly offsets: readonly number[];
  readonly bodies: Buffer;
}

/** A batch, checked and taken apart, ready to be written. */
export interface PartedBatch {
  /** The batch of `flows`, whole records; empty when there are none. */
  readonly bytes: Buffer;
  /** Those that have a row of their own in the index. */
  readonly flows: readonly IndexedFlow[];
  /** Those that have none; null when there are none. */
  readonly block: FlowBlock | null;
  readonly messages: readonly MessageGroup[];
}

/** A block costs three rows whatever is in it, and is opened for each search: below this, a row for each flow is cheaper. */
export const minBlockFlows = 8;

export interface PartingOptions {
  /** Where the memory for heads comes from; whoever parted the batch gives `block.heads` back. */
  readonly buffers: Pick<BatchBuffers, 'take'>;
  /** Whether the capture has this flow as an open one: then its row is to be replaced. */
  readonly isOpen: (id: string) => boolean;
  /** Default `minBlockFlows`. */
  readonly minFlows?: number;
}

/**
 * Takes a batch apart. Plain is a flow that ended before it could have been recorded as open, without fault, error,
 * messages or decoded protocol: nearly all of them when calls come in thousands, and a row for each would cost more than
 * everything else. The others are few, are what is looked for, and may be recorded again: they have rows.
 * @param batch Is the caller's to change, and is changed. Throws `MalformedBatchError`, before that.
 */
export function partBatch(batch: Buffer, options: PartingOptions): PartedBatch {
  const { flows: bytes, offsets, messages } = splitBatch(batch);
  const plain = offsets.filter((offset) => isPlain(bytes, offset, options));
  if (plain.length < (options.minFlows ?? minBlockFlows))
    return { bytes, flows: offsets.map((offset) => indexAt(bytes, offset)), block: null, messages };
  const others = plain.length === offsets.length ? [] : offsets.filter(notIn(plain));
  const rest = gather(bytes, others);
  const flows = rest.offsets.map((offset) => indexAt(rest.bytes, offset));
  // Messages lie behind the flows, in the same memory, which stays as it is there.
  return { bytes: rest.bytes, flows, block: blockOf(bytes, plain, options.buffers), messages };
}

function isPlain(batch: Buffer, offset: number, { isOpen }: PartingOptions): boolean {
  if (!isPlainRecord(batch, offset)) return false;
  const durationMs = durationAt(batch, offset);
  return durationMs >= 0 && durationMs < openAfterMs && !isOpen(idAt(batch, offset));
}

/** Both in ascending order. */
function notIn(plain: readonly number[]): (offset: number) => boolean {
  let next = 0;
  return (offset) => {
    if (plain[next] !== offset) return true;
    next += 1;
    return false;
  };
}

/** A batch of some of the records of another. */
function gather(batch: Buffer, offsets: readonly number[]): { bytes: Buffer; offsets: number[] } {
  if (offsets.length === 0) return { bytes: Buffer.alloc(0), offsets: [] };
  const length = offsets.reduce((sum, offset) => sum + batch.readUInt32LE(offset), batchHeaderBytes);
  const bytes = Buffer.allocUnsafeSlow(length);
  batch.copy(bytes, 0, 0, batchHeaderBytes);
  bytes.writeUInt32LE(offsets.length, 8);
  bytes.writeUInt32LE(length, 12);
  let end = batchHeaderBytes;
  const places = offsets.map((offset) => {
    const place = end;
    end += batch.copy(bytes, place, offset, offset + batch.readUInt32LE(offset));
    return place;
  });
  return { bytes, offsets: places };
}

/** Heads are copied out, bodies moved together where they lie: of two copies the one of less bytes needs memory. */
function blockOf(batch: Buffer, offsets: readonly number[], buffers: PartingOptions['buffers']): FlowBlock {
  let headBytes = 0;
  let startedAtMs = Infinity;
  for (const offset of offsets) {
    headBytes += batch.readUInt32LE(offset + at.headLength);
    startedAtMs = Math.min(startedAtMs, startOf(batch, offset));
  }
  const heads = buffers.take(headBytes);
  let firstId = idAt(batch, offsets[0] as number);
  let lastId = firstId;
  const places: number[] = [];
  let headsEnd = 0;
  let bodiesEnd = 0;
  for (const offset of offsets) {
    const id = idAt(batch, offset);
    if (id < firstId) firstId = id;
    if (id > lastId) lastId = id;
    const length = batch.readUInt32LE(offset);
    const headEnd = offset + batch.readUInt32LE(offset + at.headLength);
    places.push(headsEnd);
    headsEnd += batch.copy(heads, headsEnd, offset, headEnd);
    batch.copyWithin(bodiesEnd, headEnd, offset + length);
    bodiesEnd += offset + length - headEnd;
  }
  return {
    flows: offsets.length,
    firstId,
    lastId,
    startedAtMs,
    heads,
    offsets: places,
    bodies: batch.subarray(0, bodiesEnd),
  };
}

/** One flow of a block: where its head lies among the heads, and its bodies among the bodies. */
export interface BlockEntry {
  readonly offset: number;
  readonly bodiesAt: number;
}

/** Where the heads of a block begin, as far as they can be read: the rest of a damaged one is left out. */
export function headOffsets(heads: Buffer): number[] {
  const offsets: number[] = [];
  for (let offset = 0; hasHead(heads, offset); offset += heads.readUInt32LE(offset + at.headLength))
    offsets.push(offset);
  return offsets;
}

/** The flows of a block in the order in which they lie. */
export function blockEntries(heads: Buffer): BlockEntry[] {
  let end = 0;
  return headOffsets(heads).map((offset) => {
    const bodiesAt = end;
    end += storedBodyBytes(heads, offset);
    return { offset, bodiesAt };
  });
}

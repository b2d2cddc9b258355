/** Batches of flow records: the worker encodes, the recorder decodes. The format is told in batch-format.ts. */
export { BatchEncoder } from './batch-encoder.ts';
export {
  bodyPlace,
  decodeFlow,
  indexAt,
  readIds,
  readIndex,
  recordOffsets,
  splitBatch,
} from './batch-decoder.ts';
export type { BodyPlace, IndexedFlow, SplitBatch } from './batch-decoder.ts';
export { parseMessages, readGroup } from './message-codec.ts';
export type { MessageGroup } from './message-codec.ts';
export { batchHeaderBytes, MalformedBatchError } from './batch-format.ts';

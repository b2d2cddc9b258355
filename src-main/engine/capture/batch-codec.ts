/** Batches of flow records: the worker encodes, the recorder decodes. The format is told in batch-format.ts. */
export { BatchEncoder } from './batch-encoder.ts';
export { bodyPlace, decodeFlow, readIds, readIndex, recordOffsets } from './batch-decoder.ts';
export type { BodyPlace, IndexedFlow } from './batch-decoder.ts';
export { batchHeaderBytes, MalformedBatchError } from './batch-format.ts';

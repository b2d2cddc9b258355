import type { Clock, Timer } from '../clock.ts';
import { batchHeaderBytes, BatchEncoder } from './batch-codec.ts';
import type { BodyCapture, FlowRecord, FlowSink } from './flow-record.ts';
import { WaitingMessages } from './waiting-messages.ts';

export interface CaptureLimits {
  /** Sent and not yet acknowledged, plus the batch at hand: above it, bodies are dropped. Default 32 MiB. */
  readonly maxQueuedBodyBytes: number;
  /**
   * A flow with bodies of `batchBytes` and more keeps them only while no more than this is under way: else ten of them would
   * take all the room there is, in every process on their way. Default 8 MiB.
   */
  readonly maxQueuedBeforeLargeBytes: number;
  /** Above it, whole flows are dropped. Default 64 MiB. */
  readonly maxQueuedBytes: number;
  /** A batch is sent once it has reached this. Default 256 KiB. One larger flow is a batch of its own. */
  readonly batchBytes: number;
  /** A batch is sent at the latest so long after its first flow. Default 50 ms. */
  readonly batchDelayMs: number;
}

export const defaultCaptureLimits: CaptureLimits = {
  maxQueuedBodyBytes: 32 * 1024 ** 2,
  maxQueuedBeforeLargeBytes: 8 * 1024 ** 2,
  maxQueuedBytes: 64 * 1024 ** 2,
  batchBytes: 256 * 1024,
  batchDelayMs: 50,
};

/** Large bodies, which are not copied: they belong to the end of their batch, and hold until `taken` is called. */
export interface BatchTail {
  readonly chunks: readonly Buffer[];
  readonly bytes: number;
  readonly taken: () => void;
}

export interface CaptureWriterOptions {
  readonly clock: Clock;
  /**
   * Takes a batch away. It holds only until this returns: serialise or copy it at once. The counts are what was dropped
   * since the last call; a batch without flows carries them when nothing else would. `tail`, where there is one, is the end
   * of the batch, by reference.
   */
  readonly send: (batch: Buffer, droppedFlows: number, droppedBodies: number, tail: BatchTail | null) => void;
  readonly settings: { readonly recording: boolean };
  readonly limits?: Partial<CaptureLimits>;
}

/** The worker's end of capture: records in, batches out, never more than its bound under way. */
export interface CaptureWriter extends FlowSink {
  /** While not recording a record is ignored: figures are kept elsewhere (metrics), and nothing is dropped. */
  record(flow: FlowRecord): void;
  /** The recorder has stored that many bytes of batches. */
  acknowledge(bytes: number): void;
  configure(settings: { readonly recording: boolean }): void;
  /** Sends what there is, now. */
  flush(): void;
  /** Flushes, and ignores every record from then on. */
  close(): void;
  /** Bytes that were sent and not acknowledged. */
  readonly queuedBytes: number;
}

export function createCaptureWriter(options: CaptureWriterOptions): CaptureWriter {
  const { clock, send } = options;
  const limits = { ...defaultCaptureLimits, ...options.limits };
  const encoder = new BatchEncoder();
  let recording = options.settings.recording;
  let closed = false;
  let queuedBytes = 0;
  let droppedFlows = 0;
  let droppedBodies = 0;
  let timer: Timer | null = null;
  const messages = new WaitingMessages();

  function flush(): void {
    timer?.cancel();
    timer = null;
    if (!messages.isEmpty) {
      messages.takeInto(encoder, queuedBytes + encoder.sizeBytes <= limits.maxQueuedBodyBytes);
      if (!messages.isEmpty) schedule();
    }
    if (encoder.sizeBytes === batchHeaderBytes && droppedFlows === 0 && droppedBodies === 0) return;
    sendBatch(null);
  }

  function sendBatch(tail: BatchTail | null): void {
    const batch = encoder.finish(tail?.bytes);
    queuedBytes += batch.length + (tail?.bytes ?? 0);
    send(batch, droppedFlows, droppedBodies, tail);
    droppedFlows = droppedBodies = 0;
  }

  function schedule(): void {
    timer ??= clock.setTimer(limits.batchDelayMs, flush, true);
  }

  function add(flow: FlowRecord): void {
    const queued = queuedBytes + encoder.sizeBytes;
    if (queued > limits.maxQueuedBytes) {
      droppedFlows += 1;
      return release(flow);
    }
    const bodyBytes = flow.requestBody.sizeBytes + flow.responseBody.sizeBytes;
    const withBodies = hasRoomFor(bodyBytes, queued, limits);
    // A flow as large as a batch is one of its own, and its bodies are not copied.
    const isLarge = withBodies && bodyBytes >= limits.batchBytes;
    if (isLarge && encoder.count > 0) flush();
    droppedBodies += countDropped(flow, withBodies);
    encoder.add(flow, withBodies, !isLarge);
    if (isLarge) return sendBatch(bodiesOf(flow));
    release(flow);
  }

  return {
    record(flow) {
      if (!recording || closed) return release(flow);
      add(flow);
      if (encoder.sizeBytes >= limits.batchBytes) flush();
      else schedule();
    },
    messages(source, sizeBytes) {
      if (!recording || closed) return source.drop();
      messages.add(source, sizeBytes);
      if (encoder.sizeBytes + messages.sizeBytes >= limits.batchBytes) flush();
      else schedule();
    },
    acknowledge(bytes) {
      queuedBytes = Math.max(0, queuedBytes - bytes);
    },
    configure(settings) {
      if (recording && !settings.recording) {
        flush();
        messages.clear();
      }
      recording = settings.recording;
    },
    flush,
    close() {
      flush();
      closed = true;
      messages.clear();
      timer?.cancel();
    },
    get queuedBytes() {
      return queuedBytes;
    },
  };
}

function hasRoomFor(bodyBytes: number, queued: number, limits: CaptureLimits): boolean {
  const waits = bodyBytes >= limits.batchBytes && queued > limits.maxQueuedBeforeLargeBytes;
  return !waits && queued + bodyBytes <= limits.maxQueuedBodyBytes;
}

function bodiesOf(flow: FlowRecord): BatchTail {
  const { requestBody, responseBody } = flow;
  return {
    chunks: [...requestBody.chunks, ...responseBody.chunks],
    bytes: requestBody.sizeBytes + responseBody.sizeBytes,
    taken: () => release(flow),
  };
}

function release(flow: FlowRecord): void {
  flow.requestBody.release?.();
  flow.responseBody.release?.();
}

/** Bodies that are not stored: there is no room for them here, or there was none where they were collected. */
function countDropped({ durationMs, requestBody, responseBody }: FlowRecord, withBodies: boolean): number {
  // A flow that is still open comes again.
  if (durationMs < 0) return 0;
  const isDropped = ({ state, sizeBytes }: BodyCapture): boolean =>
    state === 'dropped' || (!withBodies && sizeBytes > 0);
  return (isDropped(requestBody) ? 1 : 0) + (isDropped(responseBody) ? 1 : 0);
}

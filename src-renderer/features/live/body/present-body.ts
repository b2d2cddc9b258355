import { formatBody } from './body-format.ts';
import type { PresentedBody } from './body-format.ts';

const largeBytes = 1_048_576;

/** What is asked of the worker. */
export interface BodyTask {
  bytes: Uint8Array;
  contentType: string | null;
}

/** Makes a body readable; one over 1 MiB off the main thread, so that the list keeps moving. */
export function presentBody(
  bytes: Uint8Array,
  contentType: string | null,
  signal: AbortSignal,
): Promise<PresentedBody> {
  if (bytes.length <= largeBytes) return Promise.resolve(formatBody(bytes, contentType));
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./body-worker.ts', import.meta.url), { type: 'module' });
    const end = () => worker.terminate();
    signal.addEventListener('abort', () => (end(), reject(new Error('No longer wanted.'))), { once: true });
    worker.onmessage = (event: MessageEvent<PresentedBody>) => (end(), resolve(event.data));
    worker.onerror = (event) => (end(), reject(new Error(event.message)));
    const task: BodyTask = { bytes, contentType };
    worker.postMessage(task, [bytes.buffer]);
  });
}

import { parentPort } from 'node:worker_threads';
import type { ToRecorder } from '../../src-main/engine/capture/recorder-messages.ts';

/** The recorder's thread, but for one question that kills it. */
parentPort?.on('message', (message: ToRecorder) => {
  if (message.type === 'ask' && message.question.name === 'get' && message.question.id === 'die')
    process.exit(7);
});
await import('../../src-main/engine/capture/recorder-thread.ts');

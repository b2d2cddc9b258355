import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { SpikeError } from '#shared/contract/errors.ts';
import { createSystemClock } from '../clock.ts';
import type { Log } from '../log.ts';
import { Recorder } from './recorder.ts';
import type { CrossingError, FromRecorder, RecorderThreadData, ToRecorder } from './recorder-messages.ts';

/** Entry of the recorder's thread (`node:worker_threads`): wires a `Recorder` to its port, and nothing else. */
function run(port: MessagePort, data: RecorderThreadData): void {
  const post: Post = (message) => port.postMessage(message);
  const recorder = open(data, post);
  if (recorder === null) return;
  post({ type: 'opened', stats: recorder.stats() });
  port.on('message', (message: ToRecorder) => {
    if (message.type === 'pieces')
      for (const { source, bytes } of message.pieces) recorder.takePiece(source, Buffer.from(bytes));
    else if (message.type === 'ended') recorder.endSource(message.source);
    else if (message.type === 'batch') recorder.take(message.seq, message.bytes);
    else if (message.type === 'settings') recorder.configure(message.settings);
    else void answer(recorder, message, post).then((closed) => closed && port.close());
  });
}

type Post = (message: FromRecorder) => void;
const nothing = { flows: 0, bytes: 0, oldestAtMs: null };

/** Resolves with whether that was the last one. */
async function answer(
  recorder: Recorder,
  message: Extract<ToRecorder, { type: 'ask' }>,
  post: Post,
): Promise<boolean> {
  const { ask, question } = message;
  const closes = question.name === 'close';
  try {
    const value = await recorder.answer(question);
    post({ type: 'answer', ask, value, stats: closes ? nothing : recorder.stats() });
  } catch (error) {
    post({ type: 'answer', ask, error: crossing(error) });
  }
  return closes;
}

function open(data: RecorderThreadData, post: Post): Recorder | null {
  try {
    return new Recorder({ ...data, post, clock: createSystemClock(), log: logOver(post) });
  } catch (error) {
    post({ type: 'failed', error: crossing(error) });
    return null;
  }
}

function logOver(post: Post): Log {
  const at =
    (level: 'info' | 'warn' | 'error') =>
    (fields: object, message: string): void =>
      post({ type: 'log', level, fields, message });
  return { debug: () => undefined, info: at('info'), warn: at('warn'), error: at('error') };
}

function crossing(error: unknown): CrossingError {
  if (error instanceof SpikeError)
    return { code: error.code, message: error.message, details: error.details };
  return { code: null, message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

if (parentPort !== null) run(parentPort, workerData as RecorderThreadData);

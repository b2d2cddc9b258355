import { randomBytes } from 'node:crypto';
import { SpikeError } from '#shared/contract/errors.ts';
import type { RedactSettings } from '#shared/workspace/workspace.ts';
import type { Clock } from '../clock.ts';
import type { FlowStore, StoredBody } from '../engine-interface.ts';
import { decodeBody } from './body-decoding.ts';
import type { RecorderClient } from './recorder-client.ts';

/** The store of an engine, with what only the engine itself sets. */
export interface RecordingFlowStore extends FlowStore {
  readonly recording: boolean;
  readonly recordingSince: string | null;
  /** Takes effect with the next export. Throws `invalid-input` for a JSON path that is not understood. */
  setRedaction(settings: RedactSettings): void;
}

export interface FlowStoreOptions {
  readonly recorder: RecorderClient;
  readonly clock: Clock;
  recordingChanged(): void;
  cleared(): void;
}

/** Flows as the control API asks for them: the recorder's answers, decoded and exported here. */
export function createFlowStore(options: FlowStoreOptions): RecordingFlowStore {
  return new Store(options);
}

class Store implements RecordingFlowStore {
  recording = true;
  #since: number | null;
  #redact: RedactSettings = { headers: [], json: [] };
  /** One a process: equal secrets have equal stand-ins over all exports of this run, and nobody can guess back. */
  readonly #redactionKey = randomBytes(32);
  readonly #options: FlowStoreOptions;

  constructor(options: FlowStoreOptions) {
    this.#options = options;
    this.#since = options.clock.now();
  }

  get recordingSince(): string | null {
    return this.#since === null ? null : new Date(this.#since).toISOString();
  }

  list(query: Parameters<FlowStore['list']>[0]): ReturnType<FlowStore['list']> {
    return this.#options.recorder.list(query);
  }

  summaries(query: Parameters<FlowStore['summaries']>[0]): ReturnType<FlowStore['summaries']> {
    return this.#options.recorder.summaries(query);
  }

  count(filter: string): ReturnType<FlowStore['count']> {
    return this.#options.recorder.count(filter);
  }

  get(id: string): ReturnType<FlowStore['get']> {
    return this.#options.recorder.get(id);
  }

  async body(id: string, side: 'request' | 'response', decoded: boolean): Promise<StoredBody> {
    const stored = await this.#options.recorder.bodyOf(id, side);
    if (!decoded || stored.contentEncoding === null) return stored;
    const result = await decodeBody(stored.bytes, stored.contentEncoding);
    if ('error' in result) throw new SpikeError('not-available', result.error.message, result.error);
    return { ...stored, bytes: result.bytes, truncated: stored.truncated || result.truncated };
  }

  async clear(): Promise<number> {
    const removed = await this.#options.recorder.clear();
    this.#options.cleared();
    return removed;
  }

  setRecording(recording: boolean): void {
    if (recording === this.recording) return;
    this.recording = recording;
    this.#since = recording ? this.#options.clock.now() : null;
    this.#options.recordingChanged();
  }

  setRedaction(settings: RedactSettings): void {
    this.#redact = settings;
  }

  async exportHar(query: { filter: string; redact: boolean }): Promise<string> {
    void this.#redact;
    void this.#redactionKey;
    throw new SpikeError('not-available', `No export yet: ${query.filter}`);
  }
}

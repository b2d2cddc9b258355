import { randomBytes } from 'node:crypto';
import { SpikeError } from '#shared/contract/errors.ts';
import type { Flow } from '#shared/flow/flow.ts';
import type { RedactSettings } from '#shared/workspace/workspace.ts';
import type { Clock } from '../clock.ts';
import type { FlowMessage, MessagePage } from '#shared/flow/message.ts';
import type { FlowStore, MessageQuery, StoredBody } from '../engine-interface.ts';
import { decodeBody } from './body-decoding.ts';
import { createHar } from './har.ts';
import type { HarBody } from './har.ts';
import type { RecorderClient } from './recorder-client.ts';
import { createRedactor } from './redaction.ts';

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
  /** Spike's, for the creator of an export. */
  readonly version: string;
  recordingChanged(): void;
  cleared(): void;
}

/** V8 holds texts of up to 512 Mi characters; well below it, an export is refused with the way out. */
const mostExportedCharacters = 256 * 1024 ** 2;

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

  preview(query: Parameters<FlowStore['preview']>[0]): ReturnType<FlowStore['preview']> {
    return this.#options.recorder.preview(query);
  }

  tally(query: Parameters<FlowStore['tally']>[0]): ReturnType<FlowStore['tally']> {
    return this.#options.recorder.tally(query);
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

  messages(id: string, query: MessageQuery): Promise<MessagePage> {
    return this.#options.recorder.messages(id, query);
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
    const { headers, json } = this.#redact;
    const redactor = query.redact ? createRedactor({ key: this.#redactionKey, headers, json }) : null;
    const pieces: string[] = [];
    let length = 0;
    for await (const piece of createHar({
      flows: this.#oldestFirst(query.filter),
      bodyOf: (flow, side) => this.#harBody(flow, side),
      messagesOf: (flow) => this.#harMessages(flow),
      version: this.#options.version,
      redactor,
    })) {
      pieces.push(piece);
      length += piece.length;
      if (length > mostExportedCharacters) {
        throw new SpikeError(
          'too-large',
          'The export would be larger than 256 MiB. Narrow the search, or export in parts.',
        );
      }
    }
    return pieces.join('');
  }

  /** Ids first, a page at a time, then the flows themselves: one is in memory, however long the capture is. */
  async *#oldestFirst(filter: string): AsyncGenerator<Flow> {
    const ids: string[] = [];
    let after: string | undefined;
    do {
      const page = await this.#options.recorder.summaries({ limit: 1000, after, filter });
      for (const row of page.rows) ids.push(row.id);
      after = page.next ?? undefined;
    } while (after !== undefined);
    for (const id of ids.reverse()) {
      const flow = await ifThere(this.#options.recorder.get(id));
      if (flow !== null) yield flow;
    }
  }

  async #harMessages({ id }: Flow): Promise<FlowMessage[]> {
    const all: FlowMessage[] = [];
    for (let after: number | null = -1; after !== null;) {
      const page: MessagePage | null = await ifThere(
        this.#options.recorder.messages(id, { after, limit: 1000 }),
      );
      if (page === null) break;
      all.push(...page.messages);
      // A flow that is open has a next page for as long as it is.
      after = page.messages.length === 0 ? null : page.next;
    }
    return all;
  }

  async #harBody(flow: Flow, side: 'request' | 'response'): Promise<HarBody | null> {
    const state = side === 'request' ? flow.http?.requestBody : flow.http?.responseBody;
    if (state !== 'stored' && state !== 'truncated') return null;
    try {
      const stored = await this.#options.recorder.bodyOf(flow.id, side);
      const result = await decodeBody(stored.bytes, stored.contentEncoding);
      // What cannot be decoded is exported as it was transferred, and says so.
      if ('error' in result) return { bytes: stored.bytes, truncated: stored.truncated, decoded: false };
      return { bytes: result.bytes, truncated: stored.truncated || result.truncated, decoded: true };
    } catch (error) {
      if (error instanceof SpikeError && (error.code === 'body-not-stored' || error.code === 'not-found'))
        return null;
      throw error;
    }
  }
}

/** A flow may make room for newer ones while an export is written: null. */
async function ifThere<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof SpikeError && error.code === 'not-found') return null;
    throw error;
  }
}

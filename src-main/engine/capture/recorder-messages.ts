import type { ErrorCode } from '#shared/contract/errors.ts';
import type { RulePreview } from '#shared/contract/rule-preview.ts';
import type { Flow, FlowError } from '#shared/flow/flow.ts';
import type { MessagePage } from '#shared/flow/message.ts';
import type { FlowPage, MessageQuery, StoredBody } from '../engine-interface.ts';
import type { CallTallies, TallyQuery } from '../scenarios/call-tally.ts';
import type { CaptureStats } from './capture-store.ts';
import type { CountResult, SearchPage, SearchQuery } from './flow-search.ts';
import type { FeedBatch } from './live-feed.ts';
import type { PreviewQuery } from './rule-preview.ts';

export interface Piece {
  readonly source: number;
  readonly bytes: ArrayBuffer;
}

/**
 * What the primary and the recorder's thread say to each other.
 *
 *     primary ── pieces, ended, batch, settings, ask ──► recorder
 *     primary ◄── opened | failed, stored, answer, feed, log ── recorder
 *
 * Pieces of workers' pipes and batches are transferred, not copied. `stored` is what the workers wait for: a recorder that falls behind answers
 * later, their queues fill, and they drop and count; nothing piles up here.
 */
export type ToRecorder =
  /** What came out of workers' pipes, cut anywhere (batch-frame.ts). */
  | { readonly type: 'pieces'; readonly pieces: readonly Piece[] }
  /** That pipe has ended. */
  | { readonly type: 'ended'; readonly source: number }
  | { readonly type: 'batch'; readonly seq: number; readonly bytes: ArrayBuffer }
  | { readonly type: 'settings'; readonly settings: RecorderSettings }
  | { readonly type: 'ask'; readonly ask: number; readonly question: Question };

export type FromRecorder =
  | { readonly type: 'opened'; readonly stats: CaptureStats }
  /** The capture could not be opened; the thread ends. */
  | { readonly type: 'failed'; readonly error: CrossingError }
  | {
      readonly type: 'stored';
      /** The batches up to this one, each in its turn. */
      readonly seqs: readonly number[];
      /** Of pipes: how many batches of each, in the order in which they came. */
      readonly batches: readonly (readonly [source: number, batches: number])[];
      /** Flows of these batches that are not stored: the disk was full, or a batch could not be read. */
      readonly droppedFlows: number;
      readonly stats: CaptureStats;
    }
  | { readonly type: 'answer'; readonly ask: number; readonly value: unknown; readonly stats: CaptureStats }
  | { readonly type: 'answer'; readonly ask: number; readonly error: CrossingError }
  | { readonly type: 'feed'; readonly batch: FeedBatch }
  | {
      readonly type: 'log';
      readonly level: 'info' | 'warn' | 'error';
      readonly fields: object;
      readonly message: string;
    };

export interface RecorderSettings {
  /** The oldest batches make room above it. */
  readonly maxDiskBytes: number;
}

/** What the primary may ask, and what it gets: one table for both ends. */
export interface Answers {
  list: FlowPage<Flow> & { readonly unsearchedBodies: number };
  summaries: SearchPage;
  count: CountResult;
  preview: RulePreview;
  tally: CallTallies;
  get: Flow;
  body: StoredBody;
  messages: MessagePage;
  clear: number;
  markLost: number;
  close: null;
}
export type Question =
  | { readonly name: 'list' | 'summaries'; readonly query: SearchQuery }
  | { readonly name: 'count'; readonly filter: string }
  | { readonly name: 'preview'; readonly query: PreviewQuery }
  | { readonly name: 'tally'; readonly query: TallyQuery }
  | { readonly name: 'get'; readonly id: string }
  | { readonly name: 'body'; readonly id: string; readonly side: 'request' | 'response' }
  | { readonly name: 'messages'; readonly id: string; readonly query: MessageQuery }
  | { readonly name: 'clear' }
  | { readonly name: 'markLost'; readonly ids: readonly string[]; readonly error: FlowError }
  | { readonly name: 'close' };

/** An error as it crosses: `code` null is a bug, not something that a user can mend. */
export interface CrossingError {
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly details?: unknown;
}

/** `workerData` of the thread. */
export interface RecorderThreadData {
  readonly directory: string;
  readonly settings: RecorderSettings;
}
